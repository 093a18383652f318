//! Command lines that cannot be meant: exit code 2, the flag named, nothing written.

use std::fs;

use crate::broken_configs::each;
use crate::place::Place;

/// The arguments, separated by spaces, and the words to expect.
type Line<'a> = (&'a str, &'a [&'a str]);

fn refuse_each(code: i32, lines: &[Line]) {
    each(lines.iter().map(|&(line, words)| {
        let args: Vec<_> = line.split(' ').filter(|word| !word.is_empty()).collect();
        (line, move || Place::new().refuses(&args, code, words))
    }));
}

#[test]
fn an_unknown_flag_or_command_is_named_with_where_to_find_help() {
    refuse_each(
        2,
        &[
            ("--cofnig tiny.toml", &["'--cofnig'", "'--config'"]),
            ("--config tiny.toml --epochs 3", &["'--epochs'", "--help"]),
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
            ("train", &["required", "--config <FILE>", "--help"]),
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
fn a_value_that_a_flag_does_not_take_is_answered_with_those_that_it_does() {
    refuse_each(
        2,
        &[
            ("--config tiny.toml --ui bogus", &["'bogus'", "auto, dashboard, plain, none"]),
            ("evaluate runs/tiny --split all", &["'all'", "train, validation, test"]),
            ("data synthesize --out drawn --train 0", &["'0'", "--train", "is not in 1..="]),
            ("data synthesize --out drawn --test many", &["'many'", "--test", "--help"]),
        ],
    );
}

#[test]
fn flags_that_exclude_each_other_are_both_named() {
    let resume = "--config tiny.toml --resume runs/tiny --run-dir runs/other";
    refuse_each(
        2,
        &[
            (resume, &["'--resume [<DIR>]'", "'--run-dir <DIR>'", "--help"]),
            ("--config tiny.toml -q -v", &["'--quiet'", "'--verbose...'", "--help"]),
            ("--config tiny.toml --config tiny.toml", &["'--config <FILE>'", "multiple", "--help"]),
        ],
    );
}

#[test]
fn a_device_that_is_not_there_is_answered_with_how_to_find_one() {
    refuse_each(
        2,
        &[
            ("--config tiny.toml --device abacus", &["`abacus`", "`trainer devices` lists"]),
            (
                "--config tiny.toml --device flex:first",
                &["`flex:first`", "`trainer devices` lists"],
            ),
            ("--config tiny.toml --device flex:3", &["`flex:3`", "`trainer devices` lists"]),
            ("--config tiny.toml --device cuda", &["`cuda`", "choose one of", "--features cuda"]),
        ],
    );
}

#[test]
fn the_dashboard_is_refused_where_there_is_no_terminal() {
    let words = ["--ui dashboard needs a terminal", "--ui plain"];
    Place::new().refuses(&["--config", "tiny.toml", "--ui", "dashboard"], 2, &words);
}

#[test]
fn a_command_that_needs_a_run_names_the_directory_that_is_none() {
    refuse_each(
        1,
        &[
            ("evaluate runs/tiny", &["runs/tiny", "no config.toml", "name a directory"]),
            ("evaluate tiny.toml", &["tiny.toml", "no config.toml", "name a directory"]),
            ("predict data image.png", &["data", "no config.toml", "name a directory"]),
            ("--resume data", &["data", "no config.toml", "name a directory"]),
            ("--config tiny.toml --resume", &["`tiny`", "in runs/", "start one without --resume"]),
        ],
    );
}

#[test]
fn a_new_run_never_takes_the_place_of_anything() {
    refuse_each(
        1,
        &[
            ("--config tiny.toml --run-dir data", &["data exists", "--run-dir"]),
            ("--config tiny.toml --run-dir tiny.toml", &["tiny.toml exists", "--run-dir"]),
            (
                "--config tiny.toml --run-dir tiny.toml/run",
                &["tiny.toml", "is a file", "--run-dir"],
            ),
        ],
    );
}

#[test]
fn a_file_in_the_place_of_the_directory_of_runs_is_named() {
    let place = Place::new();
    place.write("runs", "");
    place.refuses(&["--config", "tiny.toml"], 1, &["runs", "is a file", "--run-dir"]);
}

#[test]
fn drawn_data_go_only_where_there_is_room_for_them() {
    let place = Place::new();
    fs::create_dir_all(place.path("drawn/test_signs.h5")).unwrap();
    let args = ["data", "synthesize", "--train", "2", "--test", "2", "--out"];
    let (file, folder) = ([&args[..], &["tiny.toml"]].concat(), [&args[..], &["drawn"]].concat());
    place.refuses(&file, 2, &["tiny.toml", "name another one with --out"]);
    place.refuses(&folder, 2, &["drawn/test_signs.h5 exists", "name another directory with --out"]);
    assert!(place.names("drawn").iter().all(|name| !name.ends_with(".partial")));
}
