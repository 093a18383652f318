//! Invalid command lines: exit code 2, the flag in the message, no files written.

use std::fs;

use crate::broken_configs::run_cases;
use crate::test_dir::TestDir;

/// Arguments separated by spaces, and the expected parts of the message.
type Line<'a> = (&'a str, &'a [&'a str]);

fn refuse_each(code: i32, lines: &[Line]) {
    run_cases(lines.iter().map(|&(line, words)| {
        let args: Vec<_> = line.split(' ').filter(|word| !word.is_empty()).collect();
        (line, move || TestDir::new().refuses(&args, code, words))
    }));
}

#[test]
fn an_unknown_flag_or_command_is_named_and_points_to_the_help() {
    refuse_each(
        2,
        &[
            ("--cofnig tiny.toml", &["'--cofnig'", "'--config'"]),
            ("--config tiny.toml --epoch 3", &["'--epoch'", "'--epochs'"]),
            ("tiny.toml", &["`tiny.toml` is not a command", "trainer train tiny.toml"]),
            ("tarin --config tiny.toml", &["'tarin'", "'train'"]),
            ("data sythesize", &["'sythesize'", "'synthesize'"]),
            ("devices flex", &["'flex'", "--help"]),
        ],
    );
}

#[test]
fn a_missing_argument_is_named() {
    refuse_each(
        2,
        &[
            ("", &["Usage:", "--config <FILE>"]),
            ("train", &["which experiment?", "trainer train configs/signs.toml"]),
            ("gradcheck", &["required", "<CONFIG>", "--help"]),
            ("--config", &["a value is required", "--config <FILE>", "--help"]),
            ("--config tiny.toml --set", &["a value is required", "--set <KEY=VALUE>", "--help"]),
            ("--resume", &["which run?", "--resume runs/signs"]),
            ("evaluate", &["required", "<RUN>", "--help"]),
            ("predict runs/tiny", &["required", "<IMAGE>", "--help"]),
            ("data synthesize", &["required", "--out <DIR>", "--help"]),
        ],
    );
}

#[test]
fn an_invalid_value_of_a_flag_lists_the_valid_ones() {
    refuse_each(
        2,
        &[
            ("--config tiny.toml --ui bogus", &["'bogus'", "auto, dashboard, plain, none"]),
            ("evaluate runs/tiny --split all", &["'all'", "train, validation, test"]),
            ("data synthesize --out synthetic --train 0", &["'0'", "--train", "is not in 1..="]),
            ("data synthesize --out synthetic --test many", &["'many'", "--test", "--help"]),
        ],
    );
}

#[test]
fn conflicting_flags_are_both_named() {
    let resume = "--config tiny.toml --resume runs/tiny --run-dir runs/other";
    refuse_each(
        2,
        &[
            (resume, &["'--resume [<RUN>]'", "'--run-dir <DIR>'", "--help"]),
            ("--config tiny.toml -q -v", &["'--quiet'", "'--verbose...'", "--help"]),
            ("--config tiny.toml --config tiny.toml", &["'--config <FILE>'", "multiple", "--help"]),
        ],
    );
}

#[test]
fn an_unknown_device_lists_those_of_this_build() {
    refuse_each(
        2,
        &[
            (
                "--config tiny.toml --device abacus",
                &["unknown device `abacus`", "use flex, ndarray"],
            ),
            ("--config tiny.toml --device gpu", &["no device for `gpu`", "use flex", "`wgpu`"]),
            ("--config tiny.toml --device flex:first", &["`flex:first`", "use flex, ndarray"]),
            ("--config tiny.toml --device flex:3", &["`flex:3`", "use flex, ndarray"]),
            ("--config tiny.toml --device cuda", &["`cuda`", "use flex", "feature `cuda`"]),
        ],
    );
}

#[test]
fn the_dashboard_needs_a_terminal() {
    let words = ["--ui dashboard needs a terminal", "--ui plain"];
    TestDir::new().refuses(&["--config", "tiny.toml", "--ui", "dashboard"], 2, &words);
}

#[test]
fn a_directory_that_is_not_a_run_is_named() {
    refuse_each(
        1,
        &[
            ("evaluate tiny.toml", &["tiny.toml", "no config.toml", "give the directory of a run"]),
            ("predict data image.png", &["data", "no config.toml", "give the directory of a run"]),
            ("report data", &["data", "no config.toml", "give the directory of a run"]),
            ("--resume data", &["data", "no config.toml", "give the directory of a run"]),
            (
                "--config tiny.toml --resume",
                &["no run of `tiny`", "to resume in runs\n", "without --resume"],
            ),
        ],
    );
}

#[test]
fn a_new_run_never_overwrites_anything() {
    refuse_each(
        1,
        &[
            ("--config tiny.toml --run-dir data", &["data already exists", "--run-dir"]),
            ("--config tiny.toml --run-dir tiny.toml", &["tiny.toml already exists", "--run-dir"]),
            (
                "--config tiny.toml --run-dir tiny.toml/run",
                &["tiny.toml", "is a file", "--run-dir"],
            ),
        ],
    );
}

#[test]
fn a_file_named_like_the_directory_of_runs_is_named() {
    let dir = TestDir::new();
    dir.write("runs", "");
    dir.refuses(&["--config", "tiny.toml"], 1, &["runs", "is a file", "--run-dir"]);
}

#[test]
fn synthesize_does_not_overwrite_files() {
    let dir = TestDir::new();
    fs::create_dir_all(dir.path("synthetic/test_signs.h5")).unwrap();
    let args = ["data", "synthesize", "--train", "2", "--test", "2", "--out"];
    let (file, folder) =
        ([&args[..], &["tiny.toml"]].concat(), [&args[..], &["synthetic"]].concat());
    dir.refuses(&file, 2, &["tiny.toml", "choose another one with --out"]);
    dir.refuses(
        &folder,
        2,
        &["synthetic/test_signs.h5 already exists", "choose another directory with --out"],
    );
    assert!(dir.names("synthetic").iter().all(|name| !name.ends_with(".partial")));
}

#[test]
fn a_value_after_the_key_of_an_override_is_explained() {
    let words = ["--set training.epochs: there is no `=`", "--set training.epochs=10"];
    refuse_each(
        2,
        &[
            ("--config tiny.toml --set training.epochs 3", &words),
            ("train tiny.toml --set training.epochs 3", &words),
            ("train tiny.toml --set training.epochs", &words),
            ("model summary tiny.toml --set training.epochs 3", &words),
        ],
    );
}

#[test]
fn a_run_that_does_not_exist_is_named_with_the_most_similar_one() {
    let dir = TestDir::new();
    let words = ["no run tinny in runs", "`trainer runs list`"];
    for args in [
        &["evaluate", "tinny"][..],
        &["predict", "tinny", "a.png"],
        &["report", "tinny"],
        &["--resume", "tinny"],
        &["train", "--resume", "tinny"],
    ] {
        dir.refuses(args, 2, &words);
    }
    dir.refuses(&["evaluate", "runs/tiny"], 2, &["no run runs/tiny"]);
    dir.succeed(&["train", "tiny.toml", "--epochs", "1"]);
    dir.refuses(&["evaluate", "tinny"], 2, &["did you mean `tiny`?"]);
}

#[test]
fn a_command_for_another_kind_of_file_names_the_right_one() {
    let dir = TestDir::new();
    dir.write("sweep.toml", "config = \"tiny.toml\"\n[grid]\nseed = [1, 2]\n");
    dir.refuses(&["train", "sweep.toml"], 2, &["is a sweep", "trainer sweep sweep.toml"]);
    let words = ["tiny.toml is the config of an experiment", "trainer train tiny.toml"];
    dir.refuses(&["sweep", "tiny.toml"], 2, &words);
    let words =
        ["x.toml is the name of a config", "trainer config init data/train.h5 --out x.toml"];
    dir.refuses(&["config", "init", "x.toml"], 2, &words);
    dir.succeed(&["train", "tiny.toml", "--epochs", "1"]);
    dir.refuses(&["train", "runs/tiny"], 2, &["is a run", "trainer --resume runs/tiny"]);
}
