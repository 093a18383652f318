use std::fs;
use std::time::Duration;

use crate::resuming::stop;
use crate::test_dir::TestDir;
use crate::training::json;

const GRID: &str = r#"config = "tiny.toml"
seeds = 2

[grid]
"optimizer.adam.learning_rate" = [1e-2, 1e-9]
"training.batch_size" = [8, 16]
"#;

fn test_dir(sweep: &str) -> TestDir {
    let dir = TestDir::new();
    dir.write("sweep.toml", sweep);
    dir
}

#[test]
fn every_combination_is_trained_with_every_seed_and_the_best_config_is_saved() {
    let dir = test_dir(GRID);
    let output = dir.succeed(&["sweep", "sweep.toml", "--jobs", "1"]);
    assert!(
        output.stdout.contains("best setting selected by validation accuracy"),
        "{}",
        output.stdout
    );
    let runs = dir.names("runs/sweep-tiny");
    let trained = runs.iter().filter(|name| name.contains("-seed-")).count();
    assert_eq!(trained, 8);
    let table = json(&dir.read("runs/sweep-tiny/table.json"));
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0]["overrides"]["optimizer.adam.learning_rate"], "0.01");
    assert!(rows[0]["mean"].as_f64() > rows[3]["mean"].as_f64(), "{table:#}");
    assert_eq!(rows[0]["validation_accuracy"].as_array().unwrap().len(), 2);
    let page = dir.read("runs/sweep-tiny/report.html");
    assert_eq!(page.matches("<polyline").count(), 4);
    // The best config can be trained directly.
    dir.succeed(&["--config", "runs/sweep-tiny/best.toml", "--run-dir", "again"]);
    assert!(dir.read("runs/sweep-tiny/best.toml").contains("learning_rate = 0.01"));
}

#[test]
fn a_trial_interrupted_by_halving_equals_a_run_of_its_config() {
    let dir = test_dir(
        "config = \"tiny.toml\"\n[grid]\n\"optimizer.adam.learning_rate\" = [1e-2, 1e-9, 1e-8]\n[halving]\nepochs = 1\n",
    );
    dir.succeed(&["sweep", "sweep.toml", "--jobs", "1"]);
    let table = json(&dir.read("runs/sweep-tiny/table.json"));
    let epochs: Vec<_> = table["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["epochs"].as_u64().unwrap())
        .collect();
    assert_eq!(epochs, [3, 1, 1]);
    dir.succeed(&["--config", "tiny.toml"]);
    assert_eq!(
        fs::read(dir.path("runs/sweep-tiny/001-seed-1/best_model.bpk")).unwrap(),
        fs::read(dir.path("runs/tiny/best_model.bpk")).unwrap(),
    );
}

#[test]
fn a_stopped_sweep_continues_without_repeating_runs() {
    let dir = test_dir(&GRID.replace("seeds = 2", "seeds = 1").replace("[8, 16]", "[8]"));
    let config = dir.read("tiny.toml").replace("epochs = 3", "epochs = 300");
    dir.write("tiny.toml", config);
    let whole = dir.succeed(&["sweep", "sweep.toml", "--jobs", "1", "--out", "whole"]);
    let child = dir.start(&["sweep", "sweep.toml", "--jobs", "1", "--out", "parts"]);
    let output = stop(&dir, "parts/001-seed-1", child, "-INT", Duration::from_millis(100));
    assert!(output.code == Some(130) || output.code == Some(0), "{output:#?}");
    let continued = dir.succeed(&["sweep", "--resume", "parts", "--jobs", "1"]);
    let table = |output: &crate::test_dir::ProgramOutput| {
        output
            .stdout
            .lines()
            .skip_while(|line| !line.starts_with("rank"))
            .take(3)
            .map(String::from)
            .collect::<Vec<_>>()
    };
    assert_eq!(table(&continued), table(&whole));
    let again = dir.succeed(&["sweep", "--resume", "parts", "--jobs", "1"]);
    assert_eq!(table(&again), table(&whole));
}

#[test]
fn sampled_settings_are_determined_by_the_seed() {
    let sweep = "config = \"tiny.toml\"\n[random]\ntrials = 3\nseed = 5\n[random.keys]\n\"optimizer.adam.learning_rate\" = { log_uniform = [1e-4, 1e-1] }\n";
    let dir = test_dir(sweep);
    let settings = |out: &str| {
        let output = dir.succeed(&["sweep", "sweep.toml", "--out", out, "--json"]);
        let ranking = json(&output.stdout);
        ranking["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["overrides"].to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(settings("one"), settings("other"));
}

#[test]
fn invalid_sweeps_are_rejected() {
    let dir = test_dir("config = \"tiny.toml\"\n[grid]\n\"optimizer.adam.learning_rat\" = [1]\n");
    let words = ["sweep.toml:3:", "learning_rat", "did you mean `learning_rate`?"];
    dir.trainer(&["sweep", "sweep.toml"]).refused(2, &words);
    let random = "config = \"tiny.toml\"\n[random]\ntrials = 2\n[random.keys]\n\"training.epochs\" = { choice = [0] }\n";
    dir.write("sweep.toml", random);
    dir.trainer(&["sweep", "sweep.toml"]).refused(2, &["sweep.toml:5:", "between 1 and"]);
    dir.write("sweep.toml", TPE.replace("[8, 16]", "[0, 4]"));
    dir.trainer(&["sweep", "sweep.toml"]).refused(2, &["sweep.toml:10:", "between 1 and"]);
    dir.write("sweep.toml", TPE.replace("[8, 16]", "[16, 8]"));
    dir.trainer(&["sweep", "sweep.toml"]).refused(2, &["sweep.toml:10:", "lower number first"]);
    dir.write("sweep.toml", format!("{TPE}[grid]\nseed = [1]\n"));
    dir.trainer(&["sweep", "sweep.toml"]).refused(2, &["one of [grid], [random] and [tpe]"]);
    dir.write(
        "sweep.toml",
        TPE.replace("[halving]", "\"training.report_every_epochs\" = { choice = [2] }\n[halving]"),
    );
    dir.trainer(&["sweep", "sweep.toml"]).refused(2, &["after 2 epochs", "halving.epochs"]);
    dir.write("sweep.toml", "config = \"tiny.toml\"\n");
    dir.trainer(&["sweep", "sweep.toml"]).refused(2, &["sweep.toml", "[grid]"]);
    let words = ["cannot read the sweep none.toml", "[grid]"];
    dir.trainer(&["sweep", "none.toml"]).refused(2, &words);
    dir.trainer(&["sweep", "--resume", "data"]).refused(2, &["data", "trainer sweep"]);
    let tiny = dir.read("tiny.toml");
    dir.write("tiny.toml", tiny.replace("epochs = 3", "max_minutes = 0.02"));
    dir.write("sweep.toml", "config = \"tiny.toml\"\n[grid]\nseed = [1]\n");
    dir.trainer(&["sweep", "sweep.toml"]).refused(2, &["set training.epochs"]);
    let config = tiny.replace("validation_fraction = 0.2", "validation_fraction = 0.0");
    dir.write("tiny.toml", config);
    dir.trainer(&["sweep", "sweep.toml"]).refused(2, &["split.validation_fraction"]);
    assert!(dir.names("runs").is_empty(), "files were created");
}

#[test]
fn equal_scores_share_a_rank_and_intervals_lie_within_the_scores() {
    let grid = "config = \"tiny.toml\"\nseeds = 3\n[grid]\n\"training.loader.workers\" = [0, 1]\n";
    let dir = test_dir(&format!("{grid}[halving]\nepochs = 3\n"));
    let output = dir.succeed(&["sweep", "sweep.toml", "--jobs", "1"]);
    let rows = output.stdout.lines().filter(|line| line.trim_start().starts_with("1  "));
    assert_eq!(rows.count(), 2, "{}", output.stdout);
    let table = json(&dir.read("runs/sweep-tiny/table.json"));
    for row in table["rows"].as_array().unwrap() {
        let scores = row["validation_accuracy"].as_array().unwrap();
        let ends = [scores[0].clone(), scores[2].clone()];
        assert_eq!(row["interval"].as_array().unwrap()[..], ends, "{row:#}");
    }
}

#[test]
fn the_rungs_of_halving_have_headings() {
    let dir = test_dir(
        "config = \"tiny.toml\"\n[grid]\n\"optimizer.adam.learning_rate\" = [1e-2, 1e-9, 1e-8]\n[halving]\nepochs = 1\n",
    );
    let output = dir.succeed(&["sweep", "sweep.toml", "--jobs", "1"]).stdout;
    let headings: Vec<_> = output.lines().filter(|line| line.starts_with("trained for")).collect();
    assert_eq!(headings, ["trained for 3 epochs: 1 setting", "trained for 1 epochs: 2 settings"]);
    let page = dir.read("runs/sweep-tiny/report.html");
    // Rank, accuracy, epochs and rounds: the setting that went on is the first.
    assert!(page.contains("<td>3</td><td>2</td><td>0.01</td>"), "{page}");
    assert_eq!(page.matches("<td>1</td><td>1</td>").count(), 2);
}

const TPE: &str = r#"config = "tiny.toml"

[tpe]
trials = 12
startup = 6
batch = 3

[tpe.keys]
"optimizer.adam.learning_rate" = { log_uniform = [1e-9, 1e-1] }
"training.batch_size" = { integer = [8, 16] }

[halving]
epochs = 1
"#;

#[test]
fn tpe_suggests_the_same_settings_for_any_number_of_jobs_and_after_a_stop() {
    let dir = test_dir(TPE);
    let output = dir.succeed(&["sweep", "sweep.toml", "--jobs", "1", "--out", "one"]);
    assert!(output.stdout.contains("importance  key"), "{}", output.stdout);
    assert!(dir.read("one/report.html").contains("Importance"));
    let table = json(&dir.read("one/table.json"));
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 12);
    let epochs: Vec<_> = rows.iter().map(|row| row["epochs"].as_u64().unwrap()).collect();
    let finished = epochs.iter().filter(|epochs| **epochs == 3).count();
    assert!((2..=6).contains(&finished) && epochs[0] == 3, "{epochs:?}");
    dir.succeed(&["sweep", "sweep.toml", "--jobs", "4", "--out", "four"]);
    assert_eq!(json(&dir.read("four/table.json")), table);
    // As if it had been killed after seven trials, one of them not ranked yet.
    for trial in 8..=12 {
        fs::remove_dir_all(dir.path(format!("four/{trial:03}-seed-1"))).unwrap();
    }
    fs::remove_file(dir.path("four/table.json")).unwrap();
    dir.succeed(&["sweep", "--resume", "four", "--jobs", "2"]);
    assert_eq!(json(&dir.read("four/table.json")), table);
}

#[test]
fn the_epochs_of_a_setting_are_those_it_was_trained() {
    let dir = test_dir("config = \"tiny.toml\"\n[grid]\n\"training.epochs\" = [2, 4]\n");
    dir.succeed(&["sweep", "sweep.toml", "--jobs", "1"]);
    let table = json(&dir.read("runs/sweep-tiny/table.json"));
    for row in table["rows"].as_array().unwrap() {
        assert_eq!(row["epochs"].to_string(), row["overrides"]["training.epochs"], "{row:#}");
    }
}
