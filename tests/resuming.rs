//! A run that was stopped ends with the same bits as one that never was.

use std::collections::BTreeMap;
use std::fs;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::place::{Place, Ran};
use crate::training::json;

/// What must not depend on how often a run was stopped, by file name.
pub fn bits(place: &Place, run: &str) -> BTreeMap<String, Vec<u8>> {
    let mut bits = BTreeMap::new();
    for name in ["metrics.jsonl", "metrics.csv", "best_model.bpk"] {
        bits.insert(name.to_owned(), fs::read(place.path(run).join(name)).unwrap());
    }
    for checkpoint in place.names(&format!("{run}/checkpoints")) {
        for file in place.names(&format!("{run}/checkpoints/{checkpoint}")) {
            let path = format!("checkpoints/{checkpoint}/{file}");
            bits.insert(path.clone(), fs::read(place.path(run).join(path)).unwrap());
        }
    }
    bits
}

#[track_caller]
pub fn assert_same_bits(place: &Place, run: &str, uninterrupted: &str) {
    let (run, uninterrupted) = (bits(place, run), bits(place, uninterrupted));
    assert!(run.keys().eq(uninterrupted.keys()), "{:?} {:?}", run.keys(), uninterrupted.keys());
    let differing: Vec<_> = run.keys().filter(|name| run[*name] != uninterrupted[*name]).collect();
    assert!(differing.is_empty(), "{differing:?} differ");
}

/// Sends `signal` to the process of `run`, `delay` after the run has its metrics.
pub fn stop(place: &Place, run: &str, child: Child, signal: &str, delay: Duration) -> Ran {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !place.path(run).join("metrics.jsonl").exists() && Instant::now() < deadline {
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

/// Stops a long run with each signal after its delay, resumes it, and compares.
fn stop_and_resume(device: &str, signals: &[(&str, u64)]) {
    let place = Place::new();
    let device = ["--device", device];
    place.succeed(&[&LONG, &device[..], &["--run-dir", "runs/whole"]].concat());

    let first = [&LONG, &device[..], &["--run-dir", "runs/stopped"]].concat();
    let again = [&device[..], &["--resume", "runs/stopped"]].concat();
    let mut stopped = 0;
    for (number, (signal, delay)) in signals.iter().enumerate() {
        let args = if number == 0 { &first } else { &again };
        let ran =
            stop(&place, "runs/stopped", place.start(args), signal, Duration::from_millis(*delay));
        let code = match *signal {
            "-INT" => Some(130),
            "-TERM" => Some(143),
            _ => None,
        };
        stopped += usize::from(ran.code == code);
        // While it was still reading its data there was nothing to save.
        let resumable = ["resume: trainer --resume runs/stopped", "the same command again"]
            .iter()
            .any(|words| ran.stdout.contains(words));
        assert!(ran.code != code || code.is_none() || resumable, "{ran:#?}");
    }
    assert!(stopped >= signals.len() / 2, "only {stopped} signals came before the end");
    place.succeed(&again);
    assert_same_bits(&place, "runs/stopped", "runs/whole");
}

/// Ten moments spread over the run by a fixed sequence.
fn ten_signals() -> Vec<(&'static str, u64)> {
    let signal = |number: usize| ["-INT", "-TERM"][number % 2];
    (0..10).map(|number| (signal(number), (number as u64 * 37 + 11) % 90)).collect()
}

#[test]
fn a_run_stopped_ten_times_ends_with_the_same_bits_on_every_processor_backend() {
    for device in Place::new().devices().iter().filter(|device| !device.contains(':')) {
        stop_and_resume(device, &ten_signals());
    }
}

#[test]
fn a_run_killed_five_times_ends_with_the_same_bits() {
    let device = Place::new().devices().remove(0);
    stop_and_resume(
        &device,
        &[("-KILL", 5), ("-KILL", 60), ("-KILL", 17), ("-KILL", 33), ("-KILL", 80)],
    );
}

#[test]
fn resume_without_a_directory_continues_the_latest_run_of_the_config() {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml"]);
    place.succeed(&["--config", "tiny.toml"]);
    let args = ["--config", "tiny.toml", "--resume", "--set", "training.epochs=6"];
    let ran = place.succeed(&args);
    assert!(ran.stdout.contains("resuming runs/tiny-2 after epoch 3"), "{}", ran.stdout);
    assert_eq!(place.read("runs/tiny/metrics.jsonl").lines().count(), 3);
    assert_eq!(place.read("runs/tiny-2/metrics.jsonl").lines().count(), 6);
}

#[test]
fn the_latest_run_is_the_one_with_the_highest_number_even_after_a_gap() {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml"]);
    place.succeed(&["--config", "tiny.toml"]);
    fs::remove_dir_all(place.path("runs/tiny")).unwrap();
    place.succeed(&["--config", "tiny.toml"]);
    assert_eq!(place.names("runs"), ["tiny-2", "tiny-3"]);
    let ran = place.succeed(&["--config", "tiny.toml", "--resume"]);
    assert!(ran.stdout.contains("resuming runs/tiny-3"), "{}", ran.stdout);
}

#[test]
fn a_run_that_goes_on_before_a_damaged_checkpoint_ends_with_the_same_bits() {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml"]);
    let whole = bits(&place, "runs/tiny");
    let newest = place.names("runs/tiny/checkpoints").pop().unwrap();
    place.write(&format!("runs/tiny/checkpoints/{newest}/model.bpk"), "damaged");
    let ran = place.succeed(&["--resume", "runs/tiny"]);
    assert!(ran.stderr.contains("model.bpk is damaged"), "{}", ran.stderr);
    assert!(place.read("runs/tiny/run.log").contains("model.bpk is damaged"));
    let now = bits(&place, "runs/tiny");
    let differing: Vec<_> =
        whole.keys().filter(|name| now.get(*name) != whole.get(*name)).collect();
    assert!(differing.is_empty(), "{differing:?} differ");
}

#[test]
fn epochs_cannot_be_set_below_what_is_done() {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml"]);
    let args = ["--resume", "runs/tiny", "--set", "training.epochs=2"];
    place.trainer(&args).refused(2, &["has already trained 3 epochs", "set it to 3 or more"]);
}

#[test]
fn a_finished_run_that_is_not_resumed_has_not_failed() {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml"]);
    let args = ["--resume", "runs/tiny", "--set", "training.epochs=2"];
    place.trainer(&args).refused(2, &["has already trained 3 epochs"]);
    let log = place.read("runs/tiny/run.log");
    assert!(log.contains("refused: ") && !log.contains("failed: "), "{log}");
    let shown = json(&place.succeed(&["runs", "show", "tiny", "--json"]).stdout);
    assert_eq!((&shown["status"], &shown["why"]), (&json("\"finished\""), &json("null")));
}

#[test]
fn a_run_with_more_epochs_ends_like_one_that_was_planned_so() {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml", "--run-dir", "runs/raised"]);
    place.succeed(&["--resume", "runs/raised", "--set", "training.epochs=9"]);
    let planned = ["--config", "tiny.toml", "--run-dir", "runs/planned"];
    place.succeed(&[&planned[..], &["--set", "training.epochs=9"]].concat());
    assert_same_bits(&place, "runs/raised", "runs/planned");
    assert_eq!(place.read("runs/raised/config.toml"), place.read("runs/planned/config.toml"));
}

#[test]
fn resuming_a_finished_run_changes_nothing() {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml"]);
    let before = bits(&place, "runs/tiny");
    let ran = place.succeed(&["--resume", "runs/tiny"]);
    assert!(ran.stdout.contains("after epoch 3"), "{}", ran.stdout);
    assert!(before == bits(&place, "runs/tiny"), "something changed");
}

#[test]
fn only_the_last_checkpoints_and_the_best_one_are_kept() {
    let place = Place::new();
    let args = ["--config", "tiny.toml", "--set", "training.epochs=40"];
    let keep = ["--set", "training.checkpoint.keep_last=3"];
    let steps = ["--set", "training.checkpoint.every_steps=2"];
    place.succeed(&[&args[..], &keep, &steps].concat());
    let names = place.names("runs/tiny/checkpoints");
    assert!((3..=4).contains(&names.len()), "{names:?}");
    assert_eq!(names.last().unwrap(), "epoch-000041-step-000000");
    let summary = crate::training::json(&place.read("runs/tiny/summary.json"));
    assert!(names.iter().any(|name| summary["best"]["checkpoint"] == **name), "{names:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_while_the_data_are_read_ends_with_its_exit_code_and_leaves_nothing() {
    let place = Place::new();
    let points = "[dataset.points]\nshape = \"moons\"\ntrain = 1000000\ntest = 100\n";
    let (before, after) = crate::place::TINY.split_once("[dataset.hdf5]").unwrap();
    let after = after.split_once("[split]").unwrap().1;
    place.write("many.toml", format!("{before}{points}\n[split]{after}"));
    let child = place.start(&["--config", "many.toml", "--run-dir", "runs/many"]);
    wait_until_it_listens(&child);
    let id = child.id().to_string();
    std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap();
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!(ran.code, Some(143), "{ran:#?}");
    assert!(ran.stdout.contains("nothing new was trained"), "{}", ran.stdout);
    assert!(!place.path("runs/many").exists());
}

/// Waits until the process has a handler for SIGTERM.
#[cfg(target_os = "linux")]
fn wait_until_it_listens(child: &Child) {
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
fn a_second_signal_gives_the_terminal_back_that_the_dashboard_holds() {
    let place = Place::new();
    let trainer = env!("CARGO_BIN_EXE_trainer");
    // Weights that take longer to save than a second signal takes to come.
    let slow = "--set 'model.mlp.hidden=[2000,2000]' --set training.epochs=1000";
    let run = format!("{trainer} --config tiny.toml --run-dir runs/shown --ui dashboard {slow}");
    let wait = "while ! grep -qs '^1,' runs/shown/metrics.csv; do sleep 0.1; done";
    let signals = "kill -TERM $!; kill -INT $!; wait $!; echo code $?; stty -a";
    let script = format!("{run} & {wait}; {signals}");
    // A terminal of its own.
    let mut command = std::process::Command::new("script");
    command.args(["--quiet", "--command", &script, "/dev/null"]).current_dir(place.path(""));
    let shown = command.env("TERM", "xterm").stdin(std::process::Stdio::null()).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let (dashboard, after) = shown.split_once("code 1").unwrap();
    assert!(after.starts_with("30") || after.starts_with("43"), "{after}");
    assert!(after.contains(" icanon") && after.contains(" echo "), "{after}");
    // Into the other screen, and out of it.
    assert!(dashboard.contains("\x1b[?1049h") && dashboard.contains("\x1b[?1049l"));
}

#[test]
fn what_a_stop_left_no_time_to_clear_away_is_cleared_away_on_resume() {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml", "--set", "training.checkpoint.keep_last=9"]);
    assert_eq!(place.names("runs/tiny/checkpoints").len(), 3);
    place.succeed(&["--resume", "runs/tiny", "--set", "training.checkpoint.keep_last=1"]);
    assert!(place.names("runs/tiny/checkpoints").len() <= 2);
}

#[test]
fn a_log_that_cannot_be_written_is_named() {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml"]);
    fs::remove_file(place.path("runs/tiny/run.log")).unwrap();
    fs::create_dir(place.path("runs/tiny/run.log")).unwrap();
    let ran = place.trainer(&["--resume", "runs/tiny"]);
    ran.refused(1, &["cannot write runs/tiny/run.log", "permissions"]);
}
