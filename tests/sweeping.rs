use std::fs;
use std::time::Duration;

use crate::place::Place;
use crate::resuming::stop;
use crate::training::json;

const GRID: &str = r#"config = "tiny.toml"
seeds = 2

[grid]
"optimizer.adam.learning_rate" = [1e-2, 1e-9]
"training.batch_size" = [8, 16]
"#;

fn place(sweep: &str) -> Place {
    let place = Place::new();
    place.write("sweep.toml", sweep);
    place
}

#[test]
fn every_combination_is_trained_with_every_seed_and_the_best_is_written_out() {
    let place = place(GRID);
    let ran = place.succeed(&["sweep", "sweep.toml", "--jobs", "1"]);
    assert!(ran.stdout.contains("best setting selected by validation accuracy"), "{}", ran.stdout);
    let runs = place.names("runs/sweep-tiny");
    let trained = runs.iter().filter(|name| name.contains("-seed-")).count();
    assert_eq!(trained, 8);
    let table = json(&place.read("runs/sweep-tiny/table.json"));
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0]["overrides"]["optimizer.adam.learning_rate"], "0.01");
    assert!(rows[0]["mean"].as_f64() > rows[3]["mean"].as_f64(), "{table:#}");
    assert_eq!(rows[0]["validation_accuracy"].as_array().unwrap().len(), 2);
    let page = place.read("runs/sweep-tiny/report.html");
    assert_eq!(page.matches("<polyline").count(), 4);
    // The best config can be trained directly.
    place.succeed(&["--config", "runs/sweep-tiny/best.toml", "--run-dir", "again"]);
    assert!(place.read("runs/sweep-tiny/best.toml").contains("learning_rate = 0.01"));
}

#[test]
fn a_run_of_a_sweep_is_that_of_the_config_to_the_bit_though_halving_interrupts_it() {
    let place = place(
        "config = \"tiny.toml\"\n[grid]\n\"optimizer.adam.learning_rate\" = [1e-2, 1e-9, 1e-8]\n[halving]\nepochs = 1\n",
    );
    place.succeed(&["sweep", "sweep.toml", "--jobs", "1"]);
    let table = json(&place.read("runs/sweep-tiny/table.json"));
    let epochs: Vec<_> = table["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["epochs"].as_u64().unwrap())
        .collect();
    assert_eq!(epochs, [3, 1, 1]);
    place.succeed(&["--config", "tiny.toml"]);
    assert_eq!(
        fs::read(place.path("runs/sweep-tiny/001-seed-1/best_model.bpk")).unwrap(),
        fs::read(place.path("runs/tiny/best_model.bpk")).unwrap(),
    );
}

#[test]
fn a_sweep_that_was_stopped_continues_and_repeats_nothing() {
    let place = place(&GRID.replace("seeds = 2", "seeds = 1").replace("[8, 16]", "[8]"));
    let config = place.read("tiny.toml").replace("epochs = 3", "epochs = 300");
    place.write("tiny.toml", config);
    let whole = place.succeed(&["sweep", "sweep.toml", "--jobs", "1", "--out", "whole"]);
    let child = place.start(&["sweep", "sweep.toml", "--jobs", "1", "--out", "parts"]);
    let ran = stop(&place, "parts/001-seed-1", child, "-INT", Duration::from_millis(100));
    assert!(ran.code == Some(130) || ran.code == Some(0), "{ran:#?}");
    let continued = place.succeed(&["sweep", "--resume", "parts", "--jobs", "1"]);
    let table = |ran: &crate::place::Ran| {
        ran.stdout
            .lines()
            .skip_while(|line| !line.starts_with("rank"))
            .take(3)
            .map(String::from)
            .collect::<Vec<_>>()
    };
    assert_eq!(table(&continued), table(&whole));
    let again = place.succeed(&["sweep", "--resume", "parts", "--jobs", "1"]);
    assert_eq!(table(&again), table(&whole));
}

#[test]
fn sampled_settings_are_determined_by_the_seed() {
    let sweep = "config = \"tiny.toml\"\n[random]\ntrials = 3\nseed = 5\n[random.keys]\n\"optimizer.adam.learning_rate\" = { log_uniform = [1e-4, 1e-1] }\n";
    let place = place(sweep);
    let settings = |out: &str| {
        let ran = place.succeed(&["sweep", "sweep.toml", "--out", out, "--json"]);
        let ranking = json(&ran.stdout);
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
    let place = place("config = \"tiny.toml\"\n[grid]\n\"optimizer.adam.learning_rat\" = [1]\n");
    place.trainer(&["sweep", "sweep.toml"]).refused(2, &["learning_rat", "learning_rate"]);
    place.write("sweep.toml", "config = \"tiny.toml\"\n");
    place.trainer(&["sweep", "sweep.toml"]).refused(2, &["sweep.toml", "[grid]"]);
    place.trainer(&["sweep", "none.toml"]).refused(2, &["none.toml"]);
    place.trainer(&["sweep", "--resume", "data"]).refused(2, &["data", "trainer sweep"]);
    let config =
        place.read("tiny.toml").replace("validation_fraction = 0.2", "validation_fraction = 0.0");
    place.write("tiny.toml", config);
    place.write("sweep.toml", "config = \"tiny.toml\"\n[grid]\nseed = [1]\n");
    place.trainer(&["sweep", "sweep.toml"]).refused(2, &["split.validation_fraction"]);
    assert!(place.names("runs").is_empty(), "nothing is created");
}
