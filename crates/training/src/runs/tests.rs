use std::fs;

use tempfile::TempDir;

use super::*;
use crate::config::RunConfig;
use crate::device;
use crate::environment::{DataIdentity, Environment};
use crate::resume;
use crate::run_dir::RunLock;

/// A directory of runs.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// A run that has just been started.
    fn start(&self, name: &str, overrides: &[&str]) -> (RunDir, RunLock) {
        let config =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
        let overrides: Vec<_> = overrides.iter().copied().map(String::from).collect();
        let config = RunConfig::read(&config, &overrides).unwrap();
        let data = config.split.apply(config.dataset.load().unwrap(), config.seed).unwrap();
        let (run, lock) = RunDir::create(Some(&self.0.path().join(name)), "unused").unwrap();
        let device = device::choose(None).unwrap();
        let data = DataIdentity::of(&data);
        Environment::new("it".into(), None, &device, config.seed, data).write(&run).unwrap();
        resume::write_config(&config, &run).unwrap();
        (run, lock)
    }

    /// A run that was killed right after its start.
    fn run(&self, name: &str, overrides: &[&str]) -> RunDir {
        self.start(name, overrides).0
    }

    fn list(&self) -> Vec<RunEntry> {
        list_runs(self.0.path()).unwrap()
    }
}

fn record(run: &RunDir) -> RunRecord {
    RunRecord::read(run.path()).unwrap()
}

/// The name and the status of each.
fn statuses(listed: &[RunEntry]) -> Vec<(&str, &str)> {
    fn status(listed: &RunEntry) -> (&str, &str) {
        match listed {
            RunEntry::Run(record) => (record.run.as_str(), record.status.as_str()),
            RunEntry::Unreadable(other) => (other.run.as_str(), other.status),
        }
    }
    listed.iter().map(status).collect()
}

fn row(epoch: usize, accuracy: f64, loss: f64) -> String {
    format!(
        "{{\"epoch\":{epoch},\"step\":1,\"learning_rate\":0.1,\"train_loss\":1.0,\"train_accuracy\":0.5,\
         \"validation_loss\":{loss},\"validation_accuracy\":{accuracy}}}\n"
    )
}

#[test]
fn a_run_is_running_as_long_as_a_process_has_its_lock() {
    let place = Place::new();
    let (run, lock) = place.start("one", &[]);
    let running = record(&run);
    assert_eq!(running.status, RunStatus::Running);
    assert_eq!(running.why.unwrap(), format!("process {}", std::process::id()));
    drop(lock);
    assert_eq!(record(&run).status, RunStatus::Interrupted);
}

#[test]
fn a_run_that_is_not_finished_stands_where_its_newest_checkpoint_does() {
    let place = Place::new();
    let (run, lock) = place.start("one", &[]);
    let rows = [row(1, 0.5, 1.0), row(2, 0.7, 0.9), row(3, 0.7, 0.8), row(4, 0.9, 0.5)];
    fs::write(run.metrics_jsonl(), rows.concat() + "{\"epoch\":5,").unwrap();
    for checkpoint in
        ["epoch-000003-step-000000", "epoch-000004-step-000002", ".epoch-000009-step-0"]
    {
        fs::create_dir_all(run.checkpoints().join(checkpoint)).unwrap();
    }
    let running = record(&run);
    assert_eq!((running.epochs_done, running.best_epoch), (4, Some(4)));
    drop(lock);
    let stopped = record(&run);
    assert_eq!((stopped.epochs_done, stopped.epochs), (3, 10_000));
    assert_eq!((stopped.best_epoch, stopped.validation_accuracy), (Some(3), Some(0.7)));
    assert_eq!((stopped.test_accuracy, stopped.seconds), (None, None));
}

#[test]
fn a_log_that_ends_with_an_error_makes_a_run_a_failed_one() {
    let place = Place::new();
    let run = place.run("one", &[]);
    fs::write(run.log(), format!("2026 {}the loss NaN\n", crate::plan::FAILED)).unwrap();
    let failed = record(&run);
    assert_eq!((failed.status, failed.why.unwrap().as_str()), (RunStatus::Failed, "the loss NaN"));
}

#[test]
fn what_is_damaged_or_no_run_is_listed_beside_the_others() {
    let place = Place::new();
    for name in ["a-10", "a-2", "a", "damaged", "no-sum", "no-summary"] {
        place.run(name, &[]);
    }
    let at = |name: &str| place.0.path().join(name);
    fs::write(at("damaged/environment.json"), "{}").unwrap();
    fs::write(at("no-sum/config.toml"), "name = \"a\"").unwrap();
    fs::write(at("no-summary/summary.json"), "{").unwrap();
    fs::create_dir_all(at("folder/of/things")).unwrap();
    fs::create_dir(at("sweep")).unwrap();
    place.run("sweep/one", &[]);
    fs::create_dir(at(".removed-7-b")).unwrap();
    fs::write(at("notes.txt"), "").unwrap();
    let listed = place.list();
    let (rest, runs) = (statuses(&listed[..5]), statuses(&listed[5..]));
    assert_eq!(
        rest,
        [
            ("damaged", "damaged"),
            ("folder", "no run"),
            ("no-sum", "damaged"),
            ("no-summary", "damaged"),
            ("sweep", "no run"),
        ]
    );
    let mut names: Vec<_> = runs.iter().map(|(name, _)| *name).collect();
    // They may have been started within one second or not.
    names.sort_unstable();
    assert_eq!(names, ["a", "a-10", "a-2"]);
    let why = |index: usize| match &listed[index] {
        RunEntry::Unreadable(other) => other.why.clone(),
        RunEntry::Run(_) => String::new(),
    };
    assert!(why(0).contains("environment.json is damaged"), "{}", why(0));
    assert!(why(3).contains("summary.json is damaged"), "{}", why(3));
    assert!(why(4).contains("trainer runs list --runs"), "{}", why(4));
}

#[test]
fn runs_of_one_second_are_listed_by_their_number() {
    let place = Place::new();
    let started = record(&place.run("a", &[]));
    let named =
        |run: &str| RunEntry::Run(Box::new(RunRecord { run: run.to_owned(), ..started.clone() }));
    let mut listed = ["a-10", "b", "a-2", "a"].map(named);
    listed.sort_by(RunEntry::order);
    let names: Vec<_> = statuses(&listed).iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["a", "a-2", "a-10", "b"]);
    let earlier = RunRecord { started: "2020-01-01T00:00:00Z".into(), ..started.clone() };
    assert_eq!(RunEntry::Run(Box::new(earlier)).order(&listed[0]), Ordering::Less);
}

#[test]
fn exactly_what_differs_is_told_with_the_value_of_each_run() {
    let place = Place::new();
    let runs = [
        place.run("one", &[]),
        place.run("two", &["seed=5", "training.batch_size=32"]),
        place.run("three", &["objective.head=sigmoid"]),
    ];
    let records = runs.each_ref().map(record);
    let comparison = Comparison::of(&records).unwrap();
    let told: Vec<_> = comparison
        .config
        .iter()
        .map(|difference| {
            let shown = |value: &Option<toml::Value>| {
                value.as_ref().map_or("-".to_owned(), toml::Value::to_string)
            };
            let values: Vec<_> = difference.values.iter().map(shown).collect();
            format!("{}: {}", difference.key, values.join(" "))
        })
        .collect();
    let expected =
        ["objective.head: - - \"sigmoid\"", "seed: 3 5 3", "training.batch_size: 64 32 64"];
    assert_eq!(told, expected);
    assert!(comparison.environment.is_empty() && comparison.is_of_equal_data());
}

#[test]
fn scores_on_other_data_are_told_not_to_compare() {
    let place = Place::new();
    let mut records = ["one", "two"].map(|name| record(&place.run(name, &[])));
    for (record, sum) in records.iter_mut().zip(["a", "b"]) {
        record.environment.data.sha256.insert("test".into(), sum.repeat(64));
    }
    let comparison = Comparison::of(&records).unwrap();
    assert!(!comparison.is_of_equal_data());
    assert_eq!(comparison.environment[0].key, "data.test");
    let sums = ["a", "b"].map(|sum| Some(toml::Value::String(sum.repeat(12))));
    assert_eq!(comparison.environment[0].values, sums);
}

#[test]
fn the_best_run_is_finished_and_of_equals_the_one_of_lower_loss() {
    let place = Place::new();
    let run = record(&place.run("one", &[]));
    let finished = |name: &str, test: f64, loss: f64, validation: Option<f64>| RunRecord {
        run: name.to_owned(),
        status: RunStatus::Finished,
        test_accuracy: Some(test),
        test_loss: Some(loss),
        validation_accuracy: validation,
        ..run.clone()
    };
    let running =
        RunRecord { status: RunStatus::Running, ..finished("running", 1.0, 0.0, Some(1.0)) };
    let records = [
        running,
        finished("a", 0.9, 0.5, Some(0.8)),
        finished("b", 0.9, 0.4, Some(0.7)),
        finished("c", 0.9, 0.4, None),
    ];
    let best = |split| best(&records, split).map(|record| record.run.as_str());
    assert_eq!(best(SplitName::Test), Some("b"));
    assert_eq!(best(SplitName::Validation), Some("a"));
    assert_eq!(best(SplitName::Train), None);
}
