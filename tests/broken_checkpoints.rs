//! Damaged checkpoints and run directories: the newest intact checkpoint is used, or the command
//! fails and changes no file.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use data::Examples;
use data::SplitKind;

use crate::broken_configs::run_cases;
use crate::test_dir::{TINY, TestDir, coloured};

/// Name of the defect, how to create it, arguments, exit code, and expected parts of the message.
type Defect<'a> = (&'a str, fn(&TestDir), &'a [&'a str], i32, &'a [&'a str]);

/// Name of the damage, how to cause it, and the file that must be named.
type Damage<'a> = (&'a str, fn(&TestDir), &'a str);

/// The two checkpoints of a finished run of `tiny.toml`, the newest last.
const CHECKPOINTS: [&str; 2] = ["epoch-000003-step-000000", "epoch-000004-step-000000"];

const TRAIN: &[&str] = &["--config", "tiny.toml"];
const RESUME: &[&str] = &["--resume", "runs/tiny"];
const CONTINUE: &[&str] = &["--resume", "runs/tiny", "--epochs", "5"];
const EVALUATE: &[&str] = &["evaluate", "runs/tiny"];

/// Creates a directory with a finished run.
fn trained() -> TestDir {
    let dir = TestDir::new();
    dir.succeed(TRAIN);
    assert_eq!(dir.names("runs/tiny/checkpoints"), CHECKPOINTS);
    // As before the end of the run: otherwise its model would not be read from a checkpoint.
    remove(&dir, "runs/tiny/best_model.bpk");
    dir
}

fn refuse_each(defects: &[Defect]) {
    run_cases(defects.iter().map(|&(case, damage, args, code, words)| {
        let test = move || {
            let dir = trained();
            damage(&dir);
            dir.refuses(args, code, words);
        };
        (case, test)
    }));
}

/// Path of a file of checkpoint 0, or of checkpoint 1, the newest.
fn file(checkpoint: usize, name: &str) -> String {
    format!("runs/tiny/checkpoints/{}/{name}", CHECKPOINTS[checkpoint])
}

fn flip_a_byte(dir: &TestDir, path: &str) {
    let mut bytes = fs::read(dir.path(path)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    dir.write(path, bytes);
}

fn cut(dir: &TestDir, path: &str) {
    let bytes = fs::read(dir.path(path)).unwrap();
    dir.write(path, &bytes[..bytes.len() / 2]);
}

fn remove(dir: &TestDir, path: &str) {
    let path = dir.path(path);
    if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
}

fn swap(dir: &TestDir, one: &str, other: &str) {
    fs::rename(dir.path(one), dir.path("swapped")).unwrap();
    fs::rename(dir.path(other), dir.path(one)).unwrap();
    fs::rename(dir.path("swapped"), dir.path(other)).unwrap();
}

/// Replaces `from`, which must occur in the file, by `to`.
fn edit(dir: &TestDir, path: &str, from: &str, to: &str) {
    let text = dir.read(path);
    assert!(text.contains(from), "{from:?} is not in {path}: {text}");
    dir.write(path, text.replacen(from, to, 1));
}

/// Replaces a file of the only checkpoint left, and updates the checksums.
fn forge(dir: &TestDir, name: &str, bytes: impl AsRef<[u8]>) {
    remove(dir, &format!("runs/tiny/checkpoints/{}", CHECKPOINTS[0]));
    dir.write(&file(1, name), bytes);
    let mut command = Command::new("sha256sum");
    command.args(["model.bpk", "optimizer.bpk", "state.json"]);
    let sums = command.current_dir(dir.path(file(1, ""))).output().unwrap();
    dir.write(&file(1, "SHA256SUMS"), sums.stdout);
}

fn forge_state(dir: &TestDir, from: &str, to: &str) {
    edit(dir, &file(1, "state.json"), from, to);
    let state = dir.read(file(1, "state.json"));
    forge(dir, "state.json", state);
}

/// Replaces the checkpoints of the run by those of a run with another seed.
fn swap_checkpoints_with_another_run(dir: &TestDir) {
    dir.succeed(&["--config", "tiny.toml", "--set", "seed=9", "--run-dir", "runs/other"]);
    swap(dir, "runs/tiny/checkpoints", "runs/other/checkpoints");
}

#[test]
fn resume_skips_a_damaged_checkpoint() {
    let damages: [Damage; 8] = [
        ("model flipped", |dir| flip_a_byte(dir, &file(1, "model.bpk")), "model.bpk"),
        ("optimiser flipped", |dir| flip_a_byte(dir, &file(1, "optimizer.bpk")), "optimizer"),
        ("state flipped", |dir| flip_a_byte(dir, &file(1, "state.json")), "state.json"),
        ("checksums flipped", |dir| flip_a_byte(dir, &file(1, "SHA256SUMS")), "SHA256SUMS"),
        ("model cut short", |dir| cut(dir, &file(1, "model.bpk")), "model.bpk"),
        ("optimiser deleted", |dir| remove(dir, &file(1, "optimizer.bpk")), "optimizer.bpk"),
        ("checksums deleted", |dir| remove(dir, &file(1, "SHA256SUMS")), "SHA256SUMS"),
        (
            "model of the previous checkpoint",
            |dir| {
                fs::copy(dir.path(file(0, "model.bpk")), dir.path(file(1, "model.bpk"))).unwrap();
            },
            "model.bpk",
        ),
    ];
    run_cases(damages.map(|(case, damage, named)| (case, move || assert_skipped(damage, named))));
}

/// Asserts that a run resumes from the checkpoint before the damaged one, with the same result.
fn assert_skipped(damage: fn(&TestDir), named: &str) {
    let dir = trained();
    let (metrics, model) = (dir.read("runs/tiny/metrics.csv"), file(1, "model.bpk"));
    let weights = fs::read(dir.path(&model)).unwrap();
    damage(&dir);
    let output = dir.succeed(RESUME);
    assert!(output.stdout.contains("resuming runs/tiny after epoch 2, step 6"), "{output:#?}");
    assert!(output.stderr.contains(CHECKPOINTS[1]) && output.stderr.contains(named), "{output:#?}");
    assert_eq!(dir.read("runs/tiny/metrics.csv"), metrics);
    assert!(fs::read(dir.path(&model)).unwrap() == weights, "the model differs after the resume");
}

#[test]
fn the_error_lists_all_damaged_checkpoints() {
    let damage: fn(&TestDir) = |dir| {
        flip_a_byte(dir, &file(0, "model.bpk"));
        cut(dir, &file(1, "optimizer.bpk"));
    };
    let words: &[_] = &[CHECKPOINTS[0], "model.bpk", CHECKPOINTS[1], "optimizer.bpk", "a backup"];
    refuse_each(&[
        ("resume", damage, RESUME, 1, words),
        ("evaluate", damage, EVALUATE, 1, words),
        ("predict", damage, &["predict", "runs/tiny", "tiny.toml"], 1, words),
    ]);
}

#[test]
fn swapped_checkpoints_are_rejected() {
    let swapped: fn(&TestDir) = |dir| swap(dir, &file(0, ""), &file(1, ""));
    let words: &[_] = &[CHECKPOINTS[0], CHECKPOINTS[1], "a backup"];
    refuse_each(&[
        ("resume", swapped, RESUME, 1, words),
        ("evaluate", swapped, EVALUATE, 1, words),
    ]);
}

#[test]
fn checkpoints_of_another_run_are_rejected() {
    let words: &[_] = &[CHECKPOINTS[0], CHECKPOINTS[1], "belongs to another run", "a backup"];
    refuse_each(&[
        ("resume", swap_checkpoints_with_another_run, RESUME, 1, words),
        ("evaluate", swap_checkpoints_with_another_run, EVALUATE, 1, words),
    ]);
}

#[test]
fn evaluate_does_not_replace_a_damaged_best_checkpoint_by_another() {
    let dir = TestDir::new();
    // A linear model at this rate has a loss of 0 from the first epoch on.
    let linear = ["--set", "model.mlp.hidden=[]", "--set", "optimizer.adam.learning_rate=100"];
    dir.succeed(&[TRAIN, &linear].concat());
    remove(&dir, "runs/tiny/best_model.bpk");
    let path = "runs/tiny/checkpoints/epoch-000002-step-000000/model.bpk";
    flip_a_byte(&dir, path);
    dir.refuses(EVALUATE, 1, &[path, "a backup"]);
}

#[test]
fn a_forged_checkpoint_with_valid_checksums_is_rejected() {
    refuse_each(&[
        ("model", |dir| forge(dir, "model.bpk", "weights"), CONTINUE, 1, &["does not match"]),
        ("model", |dir| forge(dir, "model.bpk", "weights"), EVALUATE, 1, &["does not match"]),
        ("optimiser", |dir| forge(dir, "optimizer.bpk", "m"), CONTINUE, 1, &["does not match"]),
        ("state", |dir| forge(dir, "state.json", "{}"), RESUME, 1, &["state.json", "a backup"]),
        (
            "epoch 0",
            |dir| forge_state(dir, "\"epoch\": 4", "\"epoch\": 0"),
            RESUME,
            1,
            &["state.json", "a backup"],
        ),
        (
            "a best checkpoint elsewhere",
            |dir| forge_state(dir, CHECKPOINTS[1], "../../other/epoch"),
            EVALUATE,
            1,
            &["a backup"],
        ),
    ]);
}

#[test]
fn a_run_with_an_edited_config_is_rejected_whether_the_config_is_valid_or_not() {
    let invalid: fn(&TestDir) = |dir| edit(dir, "runs/tiny/config.toml", "[split]", "[split");
    let another: fn(&TestDir) = |dir| edit(dir, "runs/tiny/config.toml", "= 0.01", "= 0.03");
    let words: &[_] = &["runs/tiny/config.toml is damaged", "a backup"];
    let with_config: &[_] = &["--config", "tiny.toml", "--resume", "runs/tiny"];
    let latest: &[_] = &["--config", "tiny.toml", "--resume"];
    refuse_each(&[
        ("resume", invalid, RESUME, 1, words),
        ("resume with a config", invalid, with_config, 1, words),
        ("resume the latest", invalid, latest, 1, words),
        ("evaluate", invalid, EVALUATE, 1, words),
        ("resume with another rate", another, RESUME, 1, words),
        ("evaluate with another rate", another, EVALUATE, 1, words),
        (
            "cut at a line",
            |dir| {
                let config = dir.read("runs/tiny/config.toml");
                let end = config.find("[training").unwrap();
                dir.write("runs/tiny/config.toml", &config.as_bytes()[..end]);
            },
            RESUME,
            1,
            words,
        ),
        (
            "deleted",
            |dir| remove(dir, "runs/tiny/config.toml"),
            RESUME,
            1,
            &["runs/tiny is not a run directory", "no config.toml", "give the directory of a run"],
        ),
    ]);
}

#[test]
fn a_damaged_environment_is_rejected() {
    let words: &[_] = &["runs/tiny/environment.json is damaged", "restore", "a backup"];
    let missing: &[_] = &["cannot read runs/tiny/environment.json", "check that it exists"];
    refuse_each(&[
        ("cut, resume", |dir| cut(dir, "runs/tiny/environment.json"), RESUME, 1, words),
        ("cut, evaluate", |dir| cut(dir, "runs/tiny/environment.json"), EVALUATE, 1, words),
        ("missing, resume", |dir| remove(dir, "runs/tiny/environment.json"), RESUME, 1, missing),
        (
            "a class of another name",
            |dir| edit(dir, "runs/tiny/environment.json", "\"red\"", "\"rod\""),
            EVALUATE,
            1,
            words,
        ),
        (
            "images larger than any memory",
            |dir| {
                let size = "6,\n      60000000000000000,";
                edit(dir, "runs/tiny/environment.json", "6,\n      6,", size);
            },
            EVALUATE,
            1,
            words,
        ),
    ]);
}

#[test]
fn resuming_with_another_experiment_is_rejected_with_every_difference() {
    let resume_with: [(&str, &[&str]); 5] = [
        ("seed=2", &["seed: 1 in the run, 2 now"]),
        ("model.mlp.hidden=[16]", &["model.mlp.hidden: [8] in the run, [16] now"]),
        ("training.batch_size=8", &["training.batch_size: 16 in the run, 8 now"]),
        ("split.validation_fraction=0.1", &["split.validation_fraction: 0.2 in the run, 0.1 now"]),
        ("input.normalization=none", &["input.normalization: \"standardize\" in the run"]),
    ];
    let dir = trained();
    run_cases(resume_with.map(|(assignment, words)| {
        let args = [RESUME, &["--set", assignment]].concat();
        let words = [&["runs/tiny"], words, &["without --resume"]].concat();
        (assignment, {
            let dir = &dir;
            move || dir.refuses(&args, 2, &words)
        })
    }));
}

#[test]
fn changed_or_missing_data_are_rejected() {
    let change: fn(&TestDir) = |dir| {
        let images = Examples { labels: vec![1; 60], ..coloured(60) };
        let classes = ["red", "green", "blue"].map(String::from);
        data_hdf5::write(&dir.path("data/train.h5"), SplitKind::Train, &images, &classes).unwrap();
    };
    let words: &[_] = &["the train set", "runs/tiny", "restore the data"];
    refuse_each(&[
        ("changed, resume", change, RESUME, 1, words),
        ("changed, evaluate", change, EVALUATE, 1, words),
        (
            "missing, resume",
            |dir| remove(dir, "data/test.h5"),
            RESUME,
            1,
            &["data/test.h5 is missing", "put it there"],
        ),
        (
            "missing, evaluate",
            |dir| remove(dir, "data/test.h5"),
            EVALUATE,
            1,
            &["data/test.h5 is missing", "put it there"],
        ),
    ]);
}

#[test]
fn truncated_metrics_are_rejected() {
    let words = |file: &'static str| ["runs/tiny/", file, "at the last checkpoint", "a backup"];
    let (lines, table) = (words("metrics.jsonl has"), words("metrics.csv has"));
    refuse_each(&[
        ("lines cut", |dir| cut(dir, "runs/tiny/metrics.jsonl"), RESUME, 1, &lines),
        ("table cut", |dir| cut(dir, "runs/tiny/metrics.csv"), RESUME, 1, &table),
        ("lines deleted", |dir| remove(dir, "runs/tiny/metrics.jsonl"), RESUME, 1, &lines),
    ]);
}

#[test]
fn edited_metrics_are_rejected() {
    let edited: fn(&TestDir) = |dir| edit(dir, "runs/tiny/metrics.csv", "1,3,", "1,4,");
    let flipped: fn(&TestDir) = |dir| flip_a_byte(dir, "runs/tiny/metrics.jsonl");
    refuse_each(&[
        ("table", edited, RESUME, 1, &["metrics.csv is damaged", "a backup"]),
        ("lines", flipped, RESUME, 1, &["metrics.jsonl is damaged", "a backup"]),
    ]);
}

#[test]
fn a_best_checkpoint_of_another_run_is_rejected() {
    let dir = TestDir::new();
    // A linear model at this rate has a loss of 0 from the first epoch on.
    let linear = ["--set", "model.mlp.hidden=[]", "--set", "optimizer.adam.learning_rate=100"];
    dir.succeed(&[TRAIN, &linear].concat());
    let other = ["--set", "seed=9", "--run-dir", "runs/other"];
    dir.succeed(&[TRAIN, &linear, &other].concat());
    let best = |run: &str| format!("runs/{run}/checkpoints/epoch-000002-step-000000");
    swap(&dir, &best("tiny"), &best("other"));
    remove(&dir, "runs/tiny/best_model.bpk");
    for args in [EVALUATE, RESUME] {
        dir.refuses(args, 1, &[&best("tiny"), "belongs to another run", "restore"]);
    }
}

#[test]
fn a_new_run_does_not_overwrite_a_run_directory() {
    let args: &[_] = &["--config", "tiny.toml", "--run-dir", "runs/tiny"];
    refuse_each(&[(
        "exists",
        |_| (),
        args,
        1,
        &["runs/tiny already exists", "--resume runs/tiny"],
    )]);
}

#[test]
fn the_directory_of_a_killed_start_is_reused() {
    let dir = TestDir::new();
    for directory in ["runs/tiny", "runs/named"] {
        fs::create_dir_all(dir.path(directory)).unwrap();
        dir.write(&format!("{directory}/environment.12345.tmp"), "{");
        dir.write(&format!("{directory}/lock"), "process 12345");
    }
    dir.succeed(TRAIN);
    dir.succeed(&[TRAIN, &["--run-dir", "runs/named"]].concat());
    assert_eq!(dir.names("runs"), ["named", "tiny"]);
    assert!(!dir.names("runs/tiny").contains(&"environment.12345.tmp".to_owned()));
}

#[test]
fn resuming_a_run_of_another_config_is_rejected() {
    let rename: fn(&TestDir) = |dir| dir.write("other.toml", TINY.replace("tiny", "other"));
    let latest: &[_] = &["--config", "other.toml", "--resume"];
    let named: &[_] = &["--config", "other.toml", "--resume", "runs/tiny"];
    refuse_each(&[
        ("the latest", rename, latest, 1, &["no run of `other`", "without --resume"]),
        (
            "a given run",
            rename,
            named,
            2,
            &["name: \"tiny\" in the run, \"other\" now", "--resume"],
        ),
    ]);
}

#[test]
fn resume_does_not_replace_a_damaged_latest_run_by_an_older_one() {
    let damage: fn(&TestDir) = |dir| {
        dir.succeed(TRAIN);
        edit(dir, "runs/tiny-2/config.toml", "epochs = 3", "epochs = ");
    };
    let args: &[_] = &["--config", "tiny.toml", "--resume"];
    let words: &[_] = &["runs/tiny-2/config.toml is damaged", "a backup"];
    refuse_each(&[("damaged", damage, args, 1, words)]);
}

#[test]
fn a_run_without_a_checkpoint_cannot_be_evaluated() {
    let words: &[_] = &["runs/tiny has no checkpoint yet", "--resume runs/tiny"];
    let absent: fn(&TestDir) = |dir| {
        remove(dir, "runs/tiny/checkpoints");
    };
    let empty: fn(&TestDir) = |dir| {
        remove(dir, "runs/tiny/checkpoints");
        fs::create_dir(dir.path("runs/tiny/checkpoints")).unwrap();
    };
    refuse_each(&[
        ("none, evaluate", empty, EVALUATE, 1, words),
        ("none, predict", empty, &["predict", "runs/tiny", "image.png"], 1, words),
        ("no directory", absent, EVALUATE, 1, words),
    ]);
}

#[test]
fn evaluating_a_missing_validation_set_fails() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml", "--set", "split.validation_fraction=0.0"]);
    let words = ["runs/tiny has no validation set", "`split.validation_fraction`"];
    dir.refuses(&["evaluate", "runs/tiny", "--split", "validation"], 1, &words);
}

#[test]
fn other_files_beside_the_checkpoints_are_ignored() {
    let dir = trained();
    dir.write("runs/tiny/checkpoints/.DS_Store", "stray");
    dir.write("runs/tiny/checkpoints/notes.txt", "stray");
    dir.succeed(RESUME);
    assert_eq!(dir.names("runs/tiny/checkpoints")[..2], [".DS_Store", CHECKPOINTS[0]]);
}

#[test]
fn a_running_run_cannot_be_resumed() {
    let dir = TestDir::new();
    let long = [TRAIN, &["--set", "training.epochs=1000000", "--ui", "none"]].concat();
    let running = Running(dir.start(&long));
    let process = format!("process {}", running.0.id());
    // The lock is acquired before this directory is created.
    wait_for(&dir.path("runs/tiny/checkpoints"));
    let output = dir.trainer(RESUME);
    output.refused(1, &["runs/tiny is in use by", &process, "wait until that process has ended"]);
}

/// A process that is killed on drop.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_secs(30), "no {}", path.display());
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_folder_instead_of_the_metrics_is_rejected() {
    let replace: fn(&TestDir) = |dir| {
        remove(dir, "runs/tiny/metrics.csv");
        fs::create_dir(dir.path("runs/tiny/metrics.csv")).unwrap();
    };
    let words: &[_] = &["cannot read runs/tiny/metrics.csv", "check that it exists"];
    refuse_each(&[("a folder", replace, RESUME, 1, words)]);
}

#[test]
fn the_run_tiny_2_of_a_config_named_tiny_2_is_not_a_run_of_tiny() {
    let dir = TestDir::new();
    dir.succeed(&[TRAIN, &["--set", "name=tiny-2"]].concat());
    assert_eq!(dir.names("runs"), ["tiny-2"]);
    dir.refuses(
        &["--config", "tiny.toml", "--resume"],
        1,
        &["no run of `tiny`", "start a new run"],
    );
}
