//! Checkpoints and run directories that cannot be trusted: the newest whole checkpoint is used,
//! or the command fails and leaves every checkpoint as it was.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use data::Examples;
use data::SplitKind;

use crate::broken_configs::each;
use crate::place::{Place, TINY, coloured};

/// What is wrong, what makes it so, the arguments, the exit code, and the words to expect.
type Break<'a> = (&'a str, fn(&Place), &'a [&'a str], i32, &'a [&'a str]);

/// What is damaged, what does it, and the file that must be named.
type Damage<'a> = (&'a str, fn(&Place), &'a str);

/// The two checkpoints that a finished run of `tiny.toml` leaves, the newest one last.
const CHECKPOINTS: [&str; 2] = ["epoch-000003-step-000000", "epoch-000004-step-000000"];

const TRAIN: &[&str] = &["--config", "tiny.toml"];
const RESUME: &[&str] = &["--resume", "runs/tiny"];
const EVALUATE: &[&str] = &["evaluate", "runs/tiny"];

/// A place with a finished run.
fn trained() -> Place {
    let place = Place::new();
    place.succeed(TRAIN);
    assert_eq!(place.names("runs/tiny/checkpoints"), CHECKPOINTS);
    place
}

fn refuse_each(breaks: &[Break]) {
    each(breaks.iter().map(|&(case, spoil, args, code, words)| {
        let test = move || {
            let place = trained();
            spoil(&place);
            place.refuses(args, code, words);
        };
        (case, test)
    }));
}

/// The path of a file of checkpoint 0 or 1, the newest.
fn file(checkpoint: usize, name: &str) -> String {
    format!("runs/tiny/checkpoints/{}/{name}", CHECKPOINTS[checkpoint])
}

fn flip_a_byte(place: &Place, path: &str) {
    let mut bytes = fs::read(place.path(path)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    place.write(path, bytes);
}

fn cut(place: &Place, path: &str) {
    let bytes = fs::read(place.path(path)).unwrap();
    place.write(path, &bytes[..bytes.len() / 2]);
}

fn remove(place: &Place, path: &str) {
    let path = place.path(path);
    if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
}

fn swap(place: &Place, one: &str, other: &str) {
    fs::rename(place.path(one), place.path("swapped")).unwrap();
    fs::rename(place.path(other), place.path(one)).unwrap();
    fs::rename(place.path("swapped"), place.path(other)).unwrap();
}

/// Replaces `from` by `to` in a file that holds it.
fn edit(place: &Place, path: &str, from: &str, to: &str) {
    let text = place.read(path);
    assert!(text.contains(from), "{from:?} is not in {path}: {text}");
    place.write(path, text.replacen(from, to, 1));
}

/// Puts `bytes` into the newest checkpoint, with the sum of a file that was meant to be so.
fn forge(place: &Place, name: &str, bytes: impl AsRef<[u8]>) {
    remove(place, &format!("runs/tiny/checkpoints/{}", CHECKPOINTS[0]));
    place.write(&file(1, name), bytes);
    let mut command = Command::new("sha256sum");
    command.args(["model.bpk", "optimizer.bpk", "state.json"]);
    let sums = command.current_dir(place.path(file(1, ""))).output().unwrap();
    place.write(&file(1, "SHA256SUMS"), sums.stdout);
}

fn forge_state(place: &Place, from: &str, to: &str) {
    edit(place, &file(1, "state.json"), from, to);
    let state = place.read(file(1, "state.json"));
    forge(place, "state.json", state);
}

/// Replaces the checkpoints of the run by those of a run with another seed.
fn take_foreign_checkpoints(place: &Place) {
    place.succeed(&["--config", "tiny.toml", "--set", "seed=9", "--run-dir", "runs/other"]);
    swap(place, "runs/tiny/checkpoints", "runs/other/checkpoints");
}

#[test]
fn a_damaged_checkpoint_is_passed_over_for_the_one_before() {
    let damages: [Damage; 8] = [
        ("model flipped", |place| flip_a_byte(place, &file(1, "model.bpk")), "model.bpk"),
        ("optimiser flipped", |place| flip_a_byte(place, &file(1, "optimizer.bpk")), "optimizer"),
        ("state flipped", |place| flip_a_byte(place, &file(1, "state.json")), "state.json"),
        ("sums flipped", |place| flip_a_byte(place, &file(1, "SHA256SUMS")), "SHA256SUMS"),
        ("model cut short", |place| cut(place, &file(1, "model.bpk")), "model.bpk"),
        ("optimiser deleted", |place| remove(place, &file(1, "optimizer.bpk")), "optimizer.bpk"),
        ("sums deleted", |place| remove(place, &file(1, "SHA256SUMS")), "SHA256SUMS"),
        (
            "model of the one before",
            |place| {
                fs::copy(place.path(file(0, "model.bpk")), place.path(file(1, "model.bpk")))
                    .unwrap();
            },
            "model.bpk",
        ),
    ];
    each(damages.map(|(case, damage, named)| (case, move || passed_over(damage, named))));
}

/// Resumes from the checkpoint before the damaged one to the same end.
fn passed_over(damage: fn(&Place), named: &str) {
    let place = trained();
    let (metrics, model) = (place.read("runs/tiny/metrics.csv"), file(1, "model.bpk"));
    let weights = fs::read(place.path(&model)).unwrap();
    damage(&place);
    let ran = place.succeed(RESUME);
    assert!(ran.stdout.contains("resuming runs/tiny after epoch 2, step 6"), "{ran:#?}");
    assert!(ran.stderr.contains(CHECKPOINTS[1]) && ran.stderr.contains(named), "{ran:#?}");
    assert_eq!(place.read("runs/tiny/metrics.csv"), metrics);
    assert!(fs::read(place.path(&model)).unwrap() == weights, "another model after the repair");
}

#[test]
fn checkpoints_that_are_all_damaged_are_all_named() {
    let damage: fn(&Place) = |place| {
        flip_a_byte(place, &file(0, "model.bpk"));
        cut(place, &file(1, "optimizer.bpk"));
    };
    let words: &[_] = &[CHECKPOINTS[0], "model.bpk", CHECKPOINTS[1], "optimizer.bpk", "a backup"];
    refuse_each(&[
        ("resume", damage, RESUME, 1, words),
        ("evaluate", damage, EVALUATE, 1, words),
        ("predict", damage, &["predict", "runs/tiny", "tiny.toml"], 1, words),
    ]);
}

#[test]
fn checkpoints_under_each_others_names_are_refused() {
    let spoil: fn(&Place) = |place| swap(place, &file(0, ""), &file(1, ""));
    let words: &[_] = &[CHECKPOINTS[0], CHECKPOINTS[1], "a backup"];
    refuse_each(&[("resume", spoil, RESUME, 1, words), ("evaluate", spoil, EVALUATE, 1, words)]);
}

#[test]
fn checkpoints_of_another_run_are_refused() {
    let words: &[_] = &[CHECKPOINTS[0], CHECKPOINTS[1], "belongs to another run", "a backup"];
    refuse_each(&[
        ("resume", take_foreign_checkpoints, RESUME, 1, words),
        ("evaluate", take_foreign_checkpoints, EVALUATE, 1, words),
    ]);
}

#[test]
fn a_damaged_best_checkpoint_is_never_replaced_by_another_in_silence() {
    let place = Place::new();
    // A linear model at this rate has a loss of 0 from the first epoch on.
    let linear = ["--set", "model.mlp.hidden=[]", "--set", "optimizer.adam.learning_rate=100"];
    place.succeed(&[TRAIN, &linear].concat());
    let path = "runs/tiny/checkpoints/epoch-000002-step-000000/model.bpk";
    flip_a_byte(&place, path);
    place.refuses(EVALUATE, 1, &[path, "a backup"]);
}

#[test]
fn a_checkpoint_that_its_sums_confirm_but_no_run_has_written_is_refused() {
    refuse_each(&[
        ("model", |place| forge(place, "model.bpk", "weights"), RESUME, 1, &["does not match"]),
        ("model", |place| forge(place, "model.bpk", "weights"), EVALUATE, 1, &["does not match"]),
        ("optimiser", |place| forge(place, "optimizer.bpk", "m"), RESUME, 1, &["does not match"]),
        ("state", |place| forge(place, "state.json", "{}"), RESUME, 1, &["state.json", "a backup"]),
        (
            "epoch 0",
            |place| forge_state(place, "\"epoch\": 4", "\"epoch\": 0"),
            RESUME,
            1,
            &["state.json", "a backup"],
        ),
        (
            "a best checkpoint elsewhere",
            |place| forge_state(place, CHECKPOINTS[1], "../../other/epoch"),
            EVALUATE,
            1,
            &["a backup"],
        ),
    ]);
}

#[test]
fn a_run_whose_own_config_was_changed_in_place_is_refused_whether_it_is_still_one_or_not() {
    let broken: fn(&Place) = |place| edit(place, "runs/tiny/config.toml", "[split]", "[split");
    let another: fn(&Place) = |place| edit(place, "runs/tiny/config.toml", "= 0.01", "= 0.03");
    let words: &[_] = &["runs/tiny/config.toml is damaged", "a backup"];
    let with_config: &[_] = &["--config", "tiny.toml", "--resume", "runs/tiny"];
    let latest: &[_] = &["--config", "tiny.toml", "--resume"];
    refuse_each(&[
        ("resume", broken, RESUME, 1, words),
        ("resume with a config", broken, with_config, 1, words),
        ("resume the latest", broken, latest, 1, words),
        ("evaluate", broken, EVALUATE, 1, words),
        ("resume with another rate", another, RESUME, 1, words),
        ("evaluate with another rate", another, EVALUATE, 1, words),
        (
            "cut at a line",
            |place| {
                let config = place.read("runs/tiny/config.toml");
                let end = config.find("[training").unwrap();
                place.write("runs/tiny/config.toml", &config.as_bytes()[..end]);
            },
            RESUME,
            1,
            words,
        ),
        (
            "deleted",
            |place| remove(place, "runs/tiny/config.toml"),
            RESUME,
            1,
            &["runs/tiny is not a run directory", "no config.toml", "give the directory of a run"],
        ),
    ]);
}

#[test]
fn a_broken_environment_is_named() {
    let words: &[_] = &["runs/tiny/environment.json is damaged", "restore", "a backup"];
    let missing: &[_] = &["cannot read runs/tiny/environment.json", "check that it exists"];
    refuse_each(&[
        ("cut, resume", |place| cut(place, "runs/tiny/environment.json"), RESUME, 1, words),
        ("cut, evaluate", |place| cut(place, "runs/tiny/environment.json"), EVALUATE, 1, words),
        ("gone, resume", |place| remove(place, "runs/tiny/environment.json"), RESUME, 1, missing),
        (
            "a class of another name",
            |place| edit(place, "runs/tiny/environment.json", "\"red\"", "\"rod\""),
            EVALUATE,
            1,
            words,
        ),
        (
            "images larger than any memory",
            |place| {
                let size = "6,\n      60000000000000000,";
                edit(place, "runs/tiny/environment.json", "6,\n      6,", size);
            },
            EVALUATE,
            1,
            words,
        ),
    ]);
}

#[test]
fn a_resume_with_another_experiment_is_refused_with_every_difference() {
    let resume_with: [(&str, &[&str]); 5] = [
        ("seed=2", &["seed: 1 in the run, 2 now"]),
        ("model.mlp.hidden=[16]", &["model.mlp.hidden: [8] in the run, [16] now"]),
        ("training.batch_size=8", &["training.batch_size: 16 in the run, 8 now"]),
        ("split.validation_fraction=0.1", &["split.validation_fraction: 0.2 in the run, 0.1 now"]),
        ("input.normalization=none", &["input.normalization: \"standardize\" in the run"]),
    ];
    let place = trained();
    each(resume_with.map(|(assignment, words)| {
        let args = [RESUME, &["--set", assignment]].concat();
        let words = [&["runs/tiny"], words, &["without --resume"]].concat();
        (assignment, {
            let place = &place;
            move || place.refuses(&args, 2, &words)
        })
    }));
}

#[test]
fn data_that_are_not_those_of_the_run_are_refused() {
    let spoil: fn(&Place) = |place| {
        let images = Examples { labels: vec![1; 60], ..coloured(60) };
        let classes = ["red", "green", "blue"].map(String::from);
        data_hdf5::write(&place.path("data/train.h5"), SplitKind::Train, &images, &classes)
            .unwrap();
    };
    let words: &[_] = &["the train set", "runs/tiny", "restore the data"];
    refuse_each(&[
        ("changed, resume", spoil, RESUME, 1, words),
        ("changed, evaluate", spoil, EVALUATE, 1, words),
        (
            "gone, resume",
            |place| remove(place, "data/test.h5"),
            RESUME,
            1,
            &["data/test.h5 is missing", "put it there"],
        ),
        (
            "gone, evaluate",
            |place| remove(place, "data/test.h5"),
            EVALUATE,
            1,
            &["data/test.h5 is missing", "put it there"],
        ),
    ]);
}

#[test]
fn metrics_that_lost_rows_are_refused() {
    let words = |file: &'static str| ["runs/tiny/", file, "at the last checkpoint", "a backup"];
    let (lines, table) = (words("metrics.jsonl has"), words("metrics.csv has"));
    refuse_each(&[
        ("lines cut", |place| cut(place, "runs/tiny/metrics.jsonl"), RESUME, 1, &lines),
        ("table cut", |place| cut(place, "runs/tiny/metrics.csv"), RESUME, 1, &table),
        ("lines deleted", |place| remove(place, "runs/tiny/metrics.jsonl"), RESUME, 1, &lines),
    ]);
}

#[test]
fn metrics_that_were_changed_in_place_are_refused() {
    let edited: fn(&Place) = |place| edit(place, "runs/tiny/metrics.csv", "1,3,", "1,4,");
    let flipped: fn(&Place) = |place| flip_a_byte(place, "runs/tiny/metrics.jsonl");
    refuse_each(&[
        ("table", edited, RESUME, 1, &["metrics.csv is damaged", "a backup"]),
        ("lines", flipped, RESUME, 1, &["metrics.jsonl is damaged", "a backup"]),
    ]);
}

#[test]
fn a_best_checkpoint_of_another_run_is_never_taken_for_that_of_this_one() {
    let place = Place::new();
    // A linear model at this rate has a loss of 0 from the first epoch on.
    let linear = ["--set", "model.mlp.hidden=[]", "--set", "optimizer.adam.learning_rate=100"];
    place.succeed(&[TRAIN, &linear].concat());
    let other = ["--set", "seed=9", "--run-dir", "runs/other"];
    place.succeed(&[TRAIN, &linear, &other].concat());
    let best = |run: &str| format!("runs/{run}/checkpoints/epoch-000002-step-000000");
    swap(&place, &best("tiny"), &best("other"));
    for args in [EVALUATE, RESUME] {
        place.refuses(args, 1, &[&best("tiny"), "belongs to another run", "restore"]);
    }
}

#[test]
fn a_run_directory_is_never_taken_twice() {
    let args: &[_] = &["--config", "tiny.toml", "--run-dir", "runs/tiny"];
    refuse_each(&[("taken", |_| (), args, 1, &["runs/tiny already exists", "--resume runs/tiny"])]);
}

#[test]
fn what_a_killed_start_left_is_taken_up_by_the_next_one() {
    let place = Place::new();
    for directory in ["runs/tiny", "runs/named"] {
        fs::create_dir_all(place.path(directory)).unwrap();
        place.write(&format!("{directory}/environment.12345.tmp"), "{");
        place.write(&format!("{directory}/lock"), "process 12345");
    }
    place.succeed(TRAIN);
    place.succeed(&[TRAIN, &["--run-dir", "runs/named"]].concat());
    assert_eq!(place.names("runs"), ["named", "tiny"]);
    assert!(!place.names("runs/tiny").contains(&"environment.12345.tmp".to_owned()));
}

#[test]
fn a_run_that_is_not_of_the_config_is_refused() {
    let spoil: fn(&Place) = |place| place.write("other.toml", TINY.replace("tiny", "other"));
    let latest: &[_] = &["--config", "other.toml", "--resume"];
    let named: &[_] = &["--config", "other.toml", "--resume", "runs/tiny"];
    refuse_each(&[
        ("the latest", spoil, latest, 1, &["no run of `other`", "without --resume"]),
        ("a named one", spoil, named, 2, &["name: \"tiny\" in the run, \"other\" now", "--resume"]),
    ]);
}

#[test]
fn a_broken_latest_run_is_never_passed_over_for_an_older_one() {
    let spoil: fn(&Place) = |place| {
        place.succeed(TRAIN);
        edit(place, "runs/tiny-2/config.toml", "epochs = 3", "epochs = ");
    };
    let args: &[_] = &["--config", "tiny.toml", "--resume"];
    let words: &[_] = &["runs/tiny-2/config.toml is damaged", "a backup"];
    refuse_each(&[("broken", spoil, args, 1, words)]);
}

#[test]
fn a_run_without_a_checkpoint_cannot_be_used_yet() {
    let words: &[_] = &["runs/tiny has no checkpoint yet", "--resume runs/tiny"];
    let empty: fn(&Place) = |place| {
        remove(place, "runs/tiny/checkpoints");
        fs::create_dir(place.path("runs/tiny/checkpoints")).unwrap();
    };
    let absent: fn(&Place) = |place| remove(place, "runs/tiny/checkpoints");
    refuse_each(&[
        ("none, evaluate", empty, EVALUATE, 1, words),
        ("none, predict", empty, &["predict", "runs/tiny", "image.png"], 1, words),
        ("no directory", absent, EVALUATE, 1, words),
    ]);
}

#[test]
fn a_validation_set_that_is_not_there_cannot_be_evaluated() {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml", "--set", "split.validation_fraction=0.0"]);
    let words = ["runs/tiny has no validation set", "evaluate `test` or `train`"];
    place.refuses(&["evaluate", "runs/tiny", "--split", "validation"], 1, &words);
}

#[test]
fn a_stray_file_beside_the_checkpoints_disturbs_nothing() {
    let place = trained();
    place.write("runs/tiny/checkpoints/.DS_Store", "stray");
    place.write("runs/tiny/checkpoints/notes.txt", "stray");
    place.succeed(RESUME);
    assert_eq!(place.names("runs/tiny/checkpoints")[..2], [".DS_Store", CHECKPOINTS[0]]);
}

#[test]
fn a_run_that_another_process_is_running_is_left_alone() {
    let place = Place::new();
    let long = [TRAIN, &["--set", "training.epochs=1000000", "--ui", "none"]].concat();
    let running = Running(place.start(&long));
    let process = format!("process {}", running.0.id());
    // The lock is taken before this directory is made.
    wait_for(&place.path("runs/tiny/checkpoints"));
    let ran = place.trainer(RESUME);
    ran.refused(1, &["runs/tiny is in use by", &process, "wait until that process has ended"]);
}

/// A process that ends with the test, however the test ends.
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
fn a_folder_in_the_place_of_the_metrics_is_named() {
    let spoil: fn(&Place) = |place| {
        remove(place, "runs/tiny/metrics.csv");
        fs::create_dir(place.path("runs/tiny/metrics.csv")).unwrap();
    };
    let words: &[_] = &["cannot read runs/tiny/metrics.csv", "check that it exists"];
    refuse_each(&[("a folder", spoil, RESUME, 1, words)]);
}

#[test]
fn a_run_of_a_config_whose_name_ends_in_a_number_is_none_of_the_config_without_it() {
    let place = Place::new();
    place.succeed(&[TRAIN, &["--set", "name=tiny-2"]].concat());
    assert_eq!(place.names("runs"), ["tiny-2"]);
    place.refuses(
        &["--config", "tiny.toml", "--resume"],
        1,
        &["no run of `tiny`", "start a new run"],
    );
}
