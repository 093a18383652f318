//! Output of every command: equal to its snapshot, at most 80 columns wide, coloured only on a
//! terminal, and one JSON document with `--json`.

use std::collections::BTreeSet;
#[cfg(target_os = "linux")]
use std::process::Command;

use data::SplitKind;

#[cfg(target_os = "linux")]
use crate::terminal::{Terminal, wait_until};
use crate::test_dir::{TINY, TestDir, coloured};
use crate::training::json;

/// Every command once, in an order in which each finds its input: name, arguments, and whether it
/// has `--json`.
const CALLS: &[(&str, &str, bool)] = &[
    ("devices", "devices", true),
    ("data synthesize", "data synthesize --out synthetic --train 60 --test 12", false),
    ("data inspect", "data inspect synthetic/train_signs.h5", true),
    ("data export", "data export synthetic/train_signs.h5 --out folders", true),
    ("data import", "data import folders --out imported.h5", true),
    ("data split", "data split imported.h5 --test-fraction 0.2 --out parts", true),
    ("data clean", "data clean imported.h5 --out cleaned", true),
    ("config init", "config init synthetic", false),
    ("config check", "config check tiny.toml points.toml", true),
    ("config show", "config show points.toml", true),
    ("config diff", "config diff tiny.toml points.toml", true),
    ("config schema", "config schema", false),
    ("config explain", "config explain", false),
    ("model summary", "model summary tiny.toml", true),
    ("gradcheck", "gradcheck --config points.toml --samples 2", true),
    ("lr-find", "lr-find --config points.toml --steps 10", true),
    ("train", "train --config points.toml --ui plain", false),
    ("evaluate", "evaluate runs/points", true),
    ("predict", "predict runs/points --features 0.5,-0.5 --features 1,2", true),
    ("export", "export runs/points --to onnx", false),
    ("report", "report runs/points", false),
    ("runs list", "runs list", true),
    ("runs show", "runs show points", true),
    ("runs best", "runs best", true),
    ("runs compare", "runs compare points runs/points", true),
    ("reproduce", "reproduce --configs known --seeds 1 --jobs 1 --out tried", true),
    ("sweep", "sweep sweep.toml --jobs 1 --out swept", true),
    ("runs rm", "runs rm --yes points", false),
    ("completions", "completions bash", false),
    ("man", "man", false),
];

/// Commands without a snapshot of their output: it is long, or depends on the time or the build.
const ELSEWHERE: [&str; 6] =
    ["config schema", "completions", "man", "runs show", "runs list", "devices"];

pub const POINTS: &str = r#"name = "points"

[dataset.points]
shape = "moons"
train = 40
test = 20

[split]
validation_fraction = 0.2

[model.mlp]
hidden = [4]

[optimizer.adam]

[training]
epochs = 2
batch_size = 8
"#;

fn test_dir() -> TestDir {
    let dir = TestDir::new();
    dir.write("points.toml", POINTS);
    dir.write(
        "sweep.toml",
        "config = \"points.toml\"\n\n[grid]\n\"training.batch_size\" = [8, 16]\n",
    );
    let reference = "\n[reference]\nsource = \"a test\"\ntrain_accuracy = 0.0\n";
    std::fs::create_dir(dir.path("known")).unwrap();
    dir.write("known/known.toml", POINTS.replace("points\"", "known\"") + reference);
    dir
}

fn words(call: &str) -> Vec<&str> {
    call.split(' ').collect()
}

/// Names of all commands without subcommands, according to their help.
fn commands(dir: &TestDir, above: &[&str]) -> BTreeSet<String> {
    let help = dir.succeed(&[above, &["--help"]].concat()).stdout;
    let Some((_, list)) = help.split_once("Commands:\n") else {
        return BTreeSet::from([above.join(" ")]);
    };
    let names = list.lines().take_while(|line| !line.is_empty());
    let names = names.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty() && *name != "help");
    names.flat_map(|name| commands(dir, &[above, &[name]].concat())).collect()
}

/// Replaces numbers with a decimal point by `#`, repeated spaces by one, and the name of the device.
fn normalized(dir: &TestDir, text: &str) -> String {
    let mut replaced = String::new();
    for piece in text.split_inclusive(|letter: char| !letter.is_ascii_digit() && letter != '.') {
        let number = piece.trim_end_matches(|letter: char| !letter.is_ascii_digit());
        let is_number = number.starts_with(|letter: char| letter.is_ascii_digit());
        if is_number && number.contains('.') {
            replaced += &piece.replace(number, "#");
        } else {
            replaced += piece;
        }
    }
    let exponents = |rest: &str| {
        rest.trim_start_matches(|letter: char| letter == '-' || letter.is_ascii_digit()).to_owned()
    };
    let mut parts = replaced.split("#e");
    let first = parts.next().unwrap_or_default().to_owned();
    let replaced = [first].into_iter().chain(parts.map(exponents)).collect::<Vec<_>>().join("#");
    let lines = replaced.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let device = format!("on {}", dir.devices().remove(0));
    lines.collect::<Vec<_>>().join("\n").replace(&device, "on DEVICE")
}

#[track_caller]
pub fn assert_fits(text: &str) {
    // Lines with paths may be longer.
    let mut lines = text.lines().filter(|line| !line.contains('/'));
    let wide = lines.find(|line| line.chars().count() > 80);
    assert!(wide.is_none(), "wider than 80 columns: {wide:?}");
}

/// Output of a call on a pseudo-terminal.
fn on_a_terminal(dir: &TestDir, call: &str, variables: &[(&str, &str)]) -> String {
    Terminal::start(dir, &format!("{} {call}", env!("CARGO_BIN_EXE_trainer")), variables).end().1
}

#[test]
fn every_command_is_tested_here() {
    let mut tried: BTreeSet<_> = CALLS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    if cfg!(feature = "serve") {
        // Do not end; see `serving` and the tests of `run_viewer`.
        tried.extend(["serve", "runs serve"].map(str::to_owned));
    }
    if cfg!(feature = "distributed") {
        tried.insert("worker".to_owned());
    }
    assert_eq!(commands(&TestDir::new(), &[]), tried);
}

#[test]
fn the_help_of_every_command_matches_its_snapshot_and_fits() {
    let dir = TestDir::new();
    let all = commands(&dir, &[]);
    let above = all.iter().filter_map(|name| Some(name.split_once(' ')?.0.to_owned()));
    let names: BTreeSet<_> = all.iter().cloned().chain(above).chain([String::new()]).collect();
    for name in names {
        let args: Vec<_> = name.split(' ').filter(|word| !word.is_empty()).collect();
        let help = dir.succeed(&[&args[..], &["--help"]].concat()).stdout;
        assert_fits(&help);
        // The snapshot is the same without this Cargo feature.
        let help: String =
            help.split_inclusive('\n').filter(|line| !line.starts_with("  serve ")).collect();
        let name = [&["help"], &args[..]].concat().join("-");
        insta::assert_snapshot!(name, help);
    }
}

#[test]
fn the_output_of_every_command_matches_its_snapshot_and_fits_without_colours() {
    let dir = test_dir();
    for (name, call, _) in CALLS {
        let output = dir.succeed(&words(call));
        assert_eq!(output.stderr, "", "{name}");
        assert!(!output.stdout.contains('\x1b'), "{name}: {}", output.stdout);
        if !ELSEWHERE.contains(name) {
            assert_fits(&output.stdout);
            let name = format!("output-{}", name.replace(' ', "-"));
            insta::assert_snapshot!(name, normalized(&dir, &output.stdout));
        }
    }
}

#[test]
fn json_output_is_one_document() {
    let dir = test_dir();
    for (name, call, has_json) in CALLS {
        let help = dir.succeed(&[&words(name)[..], &["--help"]].concat()).stdout;
        assert_eq!(help.contains("--json"), *has_json, "{name}");
        if *has_json {
            json(&dir.succeed(&[&words(call)[..], &["--json"]].concat()).stdout);
        } else {
            dir.succeed(&words(call));
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn colours_are_shown_only_on_a_terminal_and_can_be_disabled() {
    let dir = test_dir();
    dir.succeed(&["train", "--config", "points.toml"]);
    for call in ["runs list", "evaluate runs/points", "config check points.toml", "--help", "rnus"]
    {
        assert!(on_a_terminal(&dir, call, &[]).contains("\x1b["), "{call}");
        for unwanted in [("NO_COLOR", "1"), ("TERM", "dumb"), ("CLICOLOR", "0")] {
            let shown = on_a_terminal(&dir, call, &[unwanted]);
            assert!(!shown.contains('\x1b'), "{call}, {unwanted:?}: {shown:?}");
        }
        // An empty value counts as unset.
        assert!(on_a_terminal(&dir, call, &[("NO_COLOR", "")]).contains("\x1b["), "{call}");
    }
    let forced = dir.command(&["runs", "list"]).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(forced.stdout.contains(&b'\x1b'));
    let json = on_a_terminal(&dir, "runs list --json", &[]);
    assert!(!json.contains('\x1b'), "{json}");
}

#[test]
fn the_most_frequent_confusions_replace_a_matrix_of_many_classes() {
    let dir = TestDir::new();
    let names: Vec<String> = (0..30).map(|class| format!("class-{class}")).collect();
    let mut examples = coloured(120);
    for (item, label) in examples.labels.iter_mut().enumerate() {
        *label = item as u32 % 30;
    }
    for (file, part) in [("train", SplitKind::Train), ("test", SplitKind::Test)] {
        // Different labels, so that classes are confused.
        let mut examples = examples.clone();
        examples.labels.rotate_left(if part == SplitKind::Test { 1 } else { 0 });
        data_hdf5::write(&dir.path(format!("data/{file}.h5")), part, &examples, &names).unwrap();
    }
    dir.write("many.toml", TINY.replace("epochs = 3", "epochs = 1"));
    dir.succeed(&["--config", "many.toml"]);
    let text = dir.succeed(&["evaluate", "runs/tiny"]).stdout;
    assert_fits(&text);
    assert!(
        text.contains("most frequent confusions, 10 of ") && text.contains("predicted as"),
        "{text}"
    );
}

/// The mark of a curve in its legend, which shows that an epoch has ended. The state may have been
/// "starting" before "training": then only the letters that differ are written.
#[cfg(target_os = "linux")]
const CURVE: &str = "⠒⠒";

/// A long training with the dashboard, with these environment variables and options.
#[cfg(target_os = "linux")]
fn dashboard(dir: &TestDir, variables: &[(&str, &str)], options: &str) -> Terminal {
    let program = env!("CARGO_BIN_EXE_trainer");
    let run = format!("{program} train tiny.toml --epochs 1000000 {options}");
    // With the exit code of the program, after the settings of the terminal.
    let command = format!("{run}; code=$?; stty -a; (exit $code)");
    let dashboard = Terminal::start(dir, &command, variables);
    dashboard.wait_for("\x1b[?1049h", 1);
    dashboard
}

/// Exit code of the program, and what it has shown after it has left the screen, restored.
#[cfg(target_os = "linux")]
fn after(dashboard: Terminal) -> (i32, String) {
    let (code, shown) = dashboard.end();
    let (_, after) = shown.rsplit_once("\x1b[?1049l").unwrap();
    assert!(after.contains(" icanon") && after.contains(" echo "), "{after}");
    (code, after.to_owned())
}

/// Id of the process that trains `runs/tiny`.
#[cfg(target_os = "linux")]
fn process(dir: &TestDir) -> String {
    wait_until(|| dir.path("runs/tiny/status.json").exists());
    json(&dir.read("runs/tiny/status.json"))["process"].to_string()
}

#[test]
#[cfg(target_os = "linux")]
fn q_and_signals_stop_a_run_with_a_checkpoint_and_restore_the_terminal() {
    for (key, code) in [("q", 130), ("\x03", 130), ("", 143)] {
        let dir = TestDir::new();
        let mut dashboard = dashboard(&dir, &[], "");
        dashboard.wait_for(CURVE, 1);
        dashboard.press(key);
        if key.is_empty() {
            Command::new("kill").args(["-TERM", &process(&dir)]).status().unwrap();
        }
        let (ended, after) = after(dashboard);
        assert_eq!(ended, code, "{after}");
        assert!(after.contains("stopped; a checkpoint is committed"), "{after}");
        assert!(after.contains("resume: trainer --resume runs/tiny"), "{after}");
        assert!(!dir.names("runs/tiny/checkpoints").is_empty());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_suspended_dashboard_gives_the_terminal_back_and_returns() {
    let dir = TestDir::new();
    let mut dashboard = dashboard(&dir, &[], "");
    let id = process(&dir);
    let status = || std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    dashboard.wait_for(CURVE, 1);
    dashboard.press("\x1a");
    wait_until(|| status().contains("State:\tT"));
    dashboard.wait_for("\x1b[?1049l", 1);
    Command::new("kill").args(["-CONT", &id]).status().unwrap();
    dashboard.wait_for("\x1b[?1049h", 2);
    // All of it.
    dashboard.wait_for("q or Ctrl-C stops with a checkpoint", 2);
    dashboard.press("q");
    assert_eq!(after(dashboard).0, 130);
}

#[test]
#[cfg(target_os = "linux")]
fn the_dashboard_follows_the_size_of_the_terminal() {
    let dir = TestDir::new();
    let mut dashboard = dashboard(&dir, &[], "");
    let id = process(&dir);
    dashboard.wait_for("\x1b[40;1H", 1);
    let terminal = std::fs::read_link(format!("/proc/{id}/fd/1")).unwrap();
    let size = ["rows", "12", "cols", "60"];
    Command::new("stty").arg("-F").arg(terminal).args(size).status().unwrap();
    // The last line.
    dashboard.wait_for("\x1b[12;1H", 1);
    dashboard.wait_for("q or Ctrl-C stops with a checkpoint", 2);
    dashboard.press("q");
    assert_eq!(after(dashboard).0, 130);
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_whose_terminal_closes_commits_a_checkpoint() {
    let dir = TestDir::new();
    let dashboard = dashboard(&dir, &[], "");
    wait_until(|| !dir.names("runs/tiny/checkpoints").is_empty());
    dashboard.close();
    wait_until(|| dir.read("runs/tiny/status.json").contains("\"stopped\""));
}

#[test]
#[cfg(target_os = "linux")]
fn warnings_and_the_error_of_a_run_follow_the_dashboard() {
    let dir = TestDir::new();
    let options = "--set optimizer.adam.learning_rate=1e37 --set training.on_nan=rollback";
    let (code, after) = after(dashboard(&dir, &[], options));
    assert_eq!(code, 1, "{after}");
    let (warning, error) = (after.find("warning:"), after.find("error:"));
    assert!(warning.is_some() && warning < error, "{after}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_dashboard_without_colours_has_none() {
    let dir = TestDir::new();
    let colour = "\x1b[38;5;";
    for (value, is_coloured) in [("", true), ("1", false)] {
        let mut dashboard = dashboard(&dir, &[("NO_COLOR", value)], "");
        dashboard.wait_for(CURVE, 1);
        let shown = dashboard.shown();
        dashboard.press("q");
        dashboard.end();
        assert_eq!(shown.contains(colour), is_coloured, "NO_COLOR={value}: {shown:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_dumb_terminal_gets_a_line_per_epoch() {
    let dir = TestDir::new();
    let shown = on_a_terminal(&dir, "train tiny.toml --epochs 1", &[("TERM", "dumb")]);
    assert!(shown.contains("epoch 1/1") && !shown.contains('\x1b'), "{shown:?}");
}
