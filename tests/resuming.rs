//! Stopped, killed and resumed runs end with the same bits as an uninterrupted run.

use std::collections::BTreeMap;
use std::fs;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::terminal::Terminal;
use crate::test_dir::{ProgramOutput, TINY, TestDir};
use crate::training::json;

/// Contents of the files that must not depend on interruptions, by file name.
pub fn bits(dir: &TestDir, run: &str) -> BTreeMap<String, Vec<u8>> {
    let mut bits = BTreeMap::new();
    for name in ["metrics.jsonl", "metrics.csv", "best_model.bpk"] {
        bits.insert(name.to_owned(), fs::read(dir.path(run).join(name)).unwrap());
    }
    for checkpoint in dir.names(&format!("{run}/checkpoints")) {
        for file in dir.names(&format!("{run}/checkpoints/{checkpoint}")) {
            let path = format!("checkpoints/{checkpoint}/{file}");
            bits.insert(path.clone(), fs::read(dir.path(run).join(path)).unwrap());
        }
    }
    bits
}

#[track_caller]
pub fn assert_same_bits(dir: &TestDir, run: &str, uninterrupted: &str) {
    let (run, uninterrupted) = (bits(dir, run), bits(dir, uninterrupted));
    assert!(run.keys().eq(uninterrupted.keys()), "{:?} {:?}", run.keys(), uninterrupted.keys());
    let differing: Vec<_> = run.keys().filter(|name| run[*name] != uninterrupted[*name]).collect();
    assert!(differing.is_empty(), "{differing:?} differ");
}

/// Sends `signal` to the process of `run`, `delay` after it has created its metrics.
pub fn stop(
    dir: &TestDir,
    run: &str,
    child: Child,
    signal: &str,
    delay: Duration,
) -> ProgramOutput {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !dir.path(run).join("metrics.jsonl").exists() && Instant::now() < deadline {
        sleep(Duration::from_millis(1));
    }
    sleep(delay);
    let id = child.id().to_string();
    std::process::Command::new("kill").args([signal, &id]).status().unwrap();
    child.wait_with_output().unwrap().into()
}

const LONG: [&str; 8] = [
    "--config",
    "tiny.toml",
    "--set",
    "training.epochs=400",
    "--set",
    "training.checkpoint.every_epochs=20",
    "--set",
    "training.checkpoint.keep_last=3",
];

/// Stops a run with each signal after its delay, resumes it, and compares it with a whole run.
fn stop_and_resume(device: &str, signals: &[(&str, u64)]) {
    let dir = TestDir::new();
    let device = ["--device", device];
    dir.succeed(&[&LONG, &device[..], &["--run-dir", "runs/whole"]].concat());

    let first = [&LONG, &device[..], &["--run-dir", "runs/stopped"]].concat();
    let again = [&device[..], &["--resume", "runs/stopped"]].concat();
    let mut stopped = 0;
    for (number, (signal, delay)) in signals.iter().enumerate() {
        let args = if number == 0 { &first } else { &again };
        let output =
            stop(&dir, "runs/stopped", dir.start(args), signal, Duration::from_millis(*delay));
        let code = match *signal {
            "-INT" => Some(130),
            "-TERM" => Some(143),
            _ => None,
        };
        stopped += usize::from(output.code == code);
        // A run that is still reading its data has no checkpoint yet.
        let resumable = ["resume: trainer --resume runs/stopped", "the same command again"]
            .iter()
            .any(|words| output.stdout.contains(words));
        assert!(output.code != code || code.is_none() || resumable, "{output:#?}");
    }
    assert!(stopped >= signals.len() / 2, "only {stopped} signals arrived before the end");
    dir.succeed(&again);
    assert_same_bits(&dir, "runs/stopped", "runs/whole");
}

/// Ten signals with delays spread over the run by a fixed sequence.
fn ten_signals() -> Vec<(&'static str, u64)> {
    let signal = |number: usize| ["-INT", "-TERM"][number % 2];
    (0..10).map(|number| (signal(number), (number as u64 * 37 + 11) % 90)).collect()
}

#[test]
fn a_run_stopped_ten_times_ends_with_the_same_bits_on_every_processor_backend() {
    for device in TestDir::new().devices().iter().filter(|device| !device.contains(':')) {
        stop_and_resume(device, &ten_signals());
    }
}

#[test]
fn a_run_killed_five_times_ends_with_the_same_bits() {
    let device = TestDir::new().devices().remove(0);
    stop_and_resume(
        &device,
        &[("-KILL", 5), ("-KILL", 60), ("-KILL", 17), ("-KILL", 33), ("-KILL", 80)],
    );
}

#[test]
fn resume_without_a_directory_continues_the_latest_run_of_the_config() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    dir.succeed(&["--config", "tiny.toml"]);
    let args = ["--config", "tiny.toml", "--resume", "--set", "training.epochs=6"];
    let output = dir.succeed(&args);
    assert!(output.stdout.contains("resuming runs/tiny-2 after epoch 3"), "{}", output.stdout);
    assert_eq!(dir.read("runs/tiny/metrics.jsonl").lines().count(), 3);
    assert_eq!(dir.read("runs/tiny-2/metrics.jsonl").lines().count(), 6);
}

#[test]
fn the_latest_run_is_the_one_with_the_highest_number_even_after_a_gap() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    dir.succeed(&["--config", "tiny.toml"]);
    fs::remove_dir_all(dir.path("runs/tiny")).unwrap();
    dir.succeed(&["--config", "tiny.toml"]);
    assert_eq!(dir.names("runs"), ["tiny-2", "tiny-3"]);
    let output = dir.succeed(&["--config", "tiny.toml", "--resume"]);
    assert!(output.stdout.contains("runs/tiny-3 is finished"), "{}", output.stdout);
}

#[test]
fn a_run_resumed_before_a_damaged_checkpoint_ends_with_the_same_bits() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    let whole = bits(&dir, "runs/tiny");
    let newest = dir.names("runs/tiny/checkpoints").pop().unwrap();
    dir.write(&format!("runs/tiny/checkpoints/{newest}/model.bpk"), "damaged");
    let output = dir.succeed(&["--resume", "runs/tiny"]);
    assert!(output.stderr.contains("model.bpk is damaged"), "{}", output.stderr);
    assert!(dir.read("runs/tiny/run.log").contains("model.bpk is damaged"));
    let now = bits(&dir, "runs/tiny");
    let differing: Vec<_> =
        whole.keys().filter(|name| now.get(*name) != whole.get(*name)).collect();
    assert!(differing.is_empty(), "{differing:?} differ");
}

#[test]
fn epochs_cannot_be_set_below_the_number_of_trained_epochs() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    let args = ["--resume", "runs/tiny", "--set", "training.epochs=2"];
    dir.trainer(&args).refused(2, &["has already trained 3 epochs", "set it to 3 or more"]);
}

#[test]
fn a_refused_resume_leaves_a_finished_run_finished() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    let args = ["--resume", "runs/tiny", "--set", "training.epochs=2"];
    dir.trainer(&args).refused(2, &["has already trained 3 epochs"]);
    let log = dir.read("runs/tiny/run.log");
    assert!(log.contains("refused: ") && !log.contains("failed: "), "{log}");
    let shown = json(&dir.succeed(&["runs", "show", "tiny", "--json"]).stdout);
    assert_eq!((&shown["status"], &shown["reason"]), (&json("\"finished\""), &json("null")));
}

#[test]
fn a_run_extended_by_more_epochs_equals_one_planned_with_them() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml", "--run-dir", "runs/raised"]);
    dir.succeed(&["--resume", "runs/raised", "--set", "training.epochs=9"]);
    let planned = ["--config", "tiny.toml", "--run-dir", "runs/planned"];
    dir.succeed(&[&planned[..], &["--set", "training.epochs=9"]].concat());
    assert_same_bits(&dir, "runs/raised", "runs/planned");
    assert_eq!(dir.read("runs/raised/config.toml"), dir.read("runs/planned/config.toml"));
}

#[test]
fn resuming_a_finished_run_changes_nothing() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    let before = bits(&dir, "runs/tiny");
    let output = dir.succeed(&["--resume", "runs/tiny"]);
    assert!(output.stdout.contains("there is nothing to do"), "{}", output.stdout);
    assert!(before == bits(&dir, "runs/tiny"), "files changed");
}

#[test]
fn only_the_last_checkpoints_and_the_best_one_are_kept() {
    let dir = TestDir::new();
    let args = ["--config", "tiny.toml", "--set", "training.epochs=40"];
    let keep = ["--set", "training.checkpoint.keep_last=3"];
    let steps = ["--set", "training.checkpoint.every_steps=2"];
    dir.succeed(&[&args[..], &keep, &steps].concat());
    let names = dir.names("runs/tiny/checkpoints");
    assert!((3..=4).contains(&names.len()), "{names:?}");
    assert_eq!(names.last().unwrap(), "epoch-000041-step-000000");
    let summary = crate::training::json(&dir.read("runs/tiny/summary.json"));
    assert!(names.iter().any(|name| summary["best"]["checkpoint"] == **name), "{names:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_while_data_are_read_ends_the_program_without_a_run_directory() {
    let dir = TestDir::new();
    let points = "[dataset.points]\nshape = \"moons\"\ntrain = 1000000\ntest = 100\n";
    let (before, after) = crate::test_dir::TINY.split_once("[dataset.hdf5]").unwrap();
    let after = after.split_once("[split]").unwrap().1;
    dir.write("many.toml", format!("{before}{points}\n[split]{after}"));
    let child = dir.start(&["--config", "many.toml", "--run-dir", "runs/many"]);
    wait_for_signal_handler(&child);
    let id = child.id().to_string();
    std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap();
    let output: ProgramOutput = child.wait_with_output().unwrap().into();
    assert_eq!(output.code, Some(143), "{output:#?}");
    assert!(output.stdout.contains("nothing new was trained"), "{}", output.stdout);
    assert!(!dir.path("runs/many").exists());
}

/// Waits until the process has a handler for SIGTERM.
#[cfg(target_os = "linux")]
fn wait_for_signal_handler(child: &Child) {
    let caught = || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t")).unwrap_or("0");
        u64::from_str_radix(mask, 16).unwrap() & (1 << (15 - 1)) != 0
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    while !caught() && Instant::now() < deadline {
        sleep(Duration::from_millis(1));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_second_signal_restores_the_terminal_of_the_dashboard() {
    let dir = TestDir::new();
    let trainer = env!("CARGO_BIN_EXE_trainer");
    // The weights take longer to save than the second signal takes to arrive.
    let slow = "--set 'model.mlp.hidden=[2000,2000]' --set training.epochs=1000";
    let run = format!("{trainer} --config tiny.toml --run-dir runs/shown --ui dashboard {slow}");
    let wait = "while ! grep -qs '^1,' runs/shown/metrics.csv; do sleep 0.1; done";
    let signals = "kill -TERM $!; kill -INT $!; wait $!; echo code $?; stty -a";
    let (_, shown) = Terminal::start(&dir, &format!("{run} & {wait}; {signals}"), &[]).end();
    let (dashboard, after) = shown.split_once("code 1").unwrap();
    assert!(after.starts_with("30") || after.starts_with("43"), "{after}");
    assert!(after.contains(" icanon") && after.contains(" echo "), "{after}");
    // Enters the alternate screen, and leaves it.
    assert!(dashboard.contains("\x1b[?1049h") && dashboard.contains("\x1b[?1049l"));
}

#[test]
fn a_run_of_another_format_is_rejected_with_the_version_that_wrote_it() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    let mut environment = json(&dir.read("runs/tiny/environment.json"));
    // Format 1 did not record its number.
    assert_eq!(environment.as_object_mut().unwrap().remove("format"), Some(json("3")));
    environment["trainer"] = json("\"0.1.7\"");
    dir.write("runs/tiny/environment.json", environment.to_string());
    let words = [
        "runs/tiny has run format 1, and this version reads format 3",
        "use trainer 0.1.7, which wrote it, or start a new run",
    ];
    dir.refuses(&["evaluate", "runs/tiny"], 1, &words);
    dir.refuses(&["--resume", "runs/tiny"], 1, &words);
    dir.refuses(&["--config", "tiny.toml", "--resume"], 1, &words);
}

#[test]
fn the_status_file_records_how_a_run_ended() {
    let dir = TestDir::new();
    let status = |run: &str| json(&dir.read(format!("{run}/status.json")));
    dir.succeed(&["--config", "tiny.toml", "--run-dir", "finished"]);
    let recorded = status("finished");
    assert_eq!((&recorded["status"], &recorded["reason"]), (&json("\"finished\""), &json("null")));
    assert_eq!(recorded["format"], 3);

    let long = ["--config", "tiny.toml", "--set", "training.epochs=1000000"];
    let child = dir.start(&[&long[..], &["--run-dir", "stopped"]].concat());
    let output = stop(&dir, "stopped", child, "-INT", Duration::from_millis(200));
    assert_eq!(output.code, Some(130), "{output:#?}");
    let recorded = status("stopped");
    assert_eq!(recorded["status"], "stopped");
    assert_eq!(recorded["reason"], "interrupted by the user");

    let diverging = ["--config", "tiny.toml", "--set", "optimizer.adam.learning_rate=1e37"];
    let output = dir.trainer(&[&diverging[..], &["--run-dir", "failed"]].concat());
    output.refused(1, &["NaN", "lower the learning rate"]);
    let recorded = status("failed");
    assert_eq!(recorded["status"], "failed");
    let reason = recorded["reason"].as_str().unwrap();
    assert!(output.stderr.contains(reason), "{reason}: {}", output.stderr);

    for run in ["finished", "stopped", "failed"] {
        let shown = json(&dir.succeed(&["runs", "show", run, "--json"]).stdout);
        assert_eq!(shown["status"], run);
    }
}

#[test]
fn old_checkpoints_are_removed_on_resume() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml", "--set", "training.checkpoint.keep_last=9"]);
    assert_eq!(dir.names("runs/tiny/checkpoints").len(), 3);
    dir.succeed(&["--resume", "runs/tiny", "--set", "training.checkpoint.keep_last=1"]);
    assert!(dir.names("runs/tiny/checkpoints").len() <= 2);
}

#[test]
fn an_unwritable_log_is_named_in_the_error() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    fs::remove_file(dir.path("runs/tiny/run.log")).unwrap();
    fs::create_dir(dir.path("runs/tiny/run.log")).unwrap();
    let output = dir.trainer(&["--resume", "runs/tiny"]);
    output.refused(1, &["cannot write runs/tiny/run.log", "permissions"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_terminal_that_closes_stops_a_run_with_a_checkpoint() {
    let dir = TestDir::new();
    let args = ["train", "tiny.toml", "--epochs", "100000"];
    let child = dir.start(&args);
    let output = stop(&dir, "runs/tiny", child, "-HUP", Duration::from_millis(300));
    assert_eq!(output.code, Some(143), "{output:#?}");
    assert!(!dir.names("runs/tiny/checkpoints").is_empty());
    assert!(dir.read("runs/tiny/status.json").contains("stopped"));
    // Ignored, as after `nohup`.
    let program = env!("CARGO_BIN_EXE_trainer");
    let line =
        format!("trap '' HUP; {program} train tiny.toml --epochs 50 & kill -HUP $!; wait $!");
    let output = dir.shell(&line);
    assert_eq!(output.code, Some(0), "{output:#?}");
}

#[test]
fn a_residual_network_with_stochastic_depth_resumes_bit_exactly() {
    let dir = TestDir::new();
    let model = "[model.resnet]\nchannels = [4, 6]\nblocks = [1, 2]\nstem_reduction = \"pooled\"\n\
                 dropout = 0.2\nstochastic_depth = 0.5";
    dir.write("depth.toml", TINY.replace("[model.mlp]\nhidden = [8]", model));
    dir.succeed(&["--config", "depth.toml", "--epochs", "3", "--run-dir", "whole"]);
    dir.succeed(&["--config", "depth.toml", "--epochs", "1", "--run-dir", "parts"]);
    dir.succeed(&["--resume", "parts", "--epochs", "3"]);
    assert_same_bits(&dir, "parts", "whole");
}
