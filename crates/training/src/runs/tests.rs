use std::fs;

use tempfile::TempDir;

use artifacts::{Environment, RunLock, StatusFile, StatusKind};

use super::*;
use crate::config::RunConfig;

/// A directory of runs.
struct Runs(TempDir);

impl Runs {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// A run that has just been started.
    fn start(&self, name: &str, overrides: &[&str]) -> (RunDir, RunLock) {
        let config =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
        let overrides: Vec<_> = overrides.iter().copied().map(String::from).collect();
        let config = RunConfig::read(&config, &overrides).unwrap();
        let (_, mut data) = config.load_data().unwrap();
        data.sha256.clear();
        let (run, lock) = RunDir::create(&self.0.path().join(name)).unwrap();
        Environment::new("it".into(), None, "flex", config.seed, data).write(&run).unwrap();
        run.write_config(&toml::to_string_pretty(&config).unwrap()).unwrap();
        (run, lock)
    }

    /// A run that was killed right after its start.
    fn run(&self, name: &str, overrides: &[&str]) -> RunDir {
        self.start(name, overrides).0
    }

    fn list(&self) -> Vec<RunEntry> {
        list(self.0.path(), &ModelRegistry::new()).unwrap()
    }
}

fn record(run: &RunDir) -> RunRecord {
    RunRecord::read(run.path(), &ModelRegistry::new()).unwrap()
}

/// Names and statuses.
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
fn a_run_is_running_while_a_process_has_its_lock() {
    let runs = Runs::new();
    let (run, lock) = runs.start("one", &[]);
    let running = record(&run);
    assert_eq!(running.status, RunStatus::Running);
    assert_eq!(running.reason.unwrap(), format!("process {}", std::process::id()));
    drop(lock);
    assert_eq!(record(&run).status, RunStatus::Interrupted);
}

#[test]
fn the_progress_of_an_unfinished_run_is_that_of_its_newest_checkpoint() {
    let runs = Runs::new();
    let (run, lock) = runs.start("one", &[]);
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
    assert_eq!((stopped.epochs_done, stopped.epochs), (3, Some(10_000)));
    assert_eq!((stopped.best_epoch, stopped.validation_accuracy), (Some(3), Some(0.7)));
    assert_eq!((stopped.test_accuracy, stopped.seconds), (None, None));
}

#[test]
fn the_recorded_status_distinguishes_failed_stopped_and_interrupted_runs() {
    let runs = Runs::new();
    let run = runs.run("one", &[]);
    let cases = [
        (StatusKind::Failed, RunStatus::Failed, Some("the loss is NaN")),
        (StatusKind::Stopped, RunStatus::Stopped, Some("terminated by SIGTERM")),
        (StatusKind::Running, RunStatus::Interrupted, None),
    ];
    for (recorded, status, reason) in cases {
        StatusFile::write(&run, recorded, reason.map(String::from), 0.0).unwrap();
        let record = record(&run);
        assert_eq!((record.status, record.reason.as_deref()), (status, reason));
    }
}

#[test]
fn damaged_runs_and_other_directories_are_listed_too() {
    let runs = Runs::new();
    for name in ["a-10", "a-2", "a", "damaged", "no-sum", "no-summary"] {
        runs.run(name, &[]);
    }
    let at = |name: &str| runs.0.path().join(name);
    fs::write(at("damaged/environment.json"), "{}").unwrap();
    fs::write(at("no-sum/config.toml"), "name = \"a\"").unwrap();
    fs::write(at("no-summary/summary.json"), "{").unwrap();
    fs::create_dir_all(at("folder/of/things")).unwrap();
    fs::create_dir(at("sweep")).unwrap();
    runs.run("sweep/one", &[]);
    fs::create_dir(at(".removed-7-b")).unwrap();
    fs::write(at("notes.txt"), "").unwrap();
    let listed = runs.list();
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
    // They may or may not have been started within one second.
    names.sort_unstable();
    assert_eq!(names, ["a", "a-10", "a-2"]);
    let reason = |index: usize| match &listed[index] {
        RunEntry::Unreadable(other) => other.reason.clone(),
        RunEntry::Run(_) => String::new(),
    };
    assert!(reason(0).contains("environment.json is damaged"), "{}", reason(0));
    assert!(reason(3).contains("summary.json is damaged"), "{}", reason(3));
    assert!(reason(4).contains("it contains runs"), "{}", reason(4));
}

#[test]
fn runs_started_in_the_same_second_are_listed_by_number() {
    let runs = Runs::new();
    let started = record(&runs.run("a", &[]));
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
fn the_comparison_has_the_differing_keys_with_all_values() {
    let runs = Runs::new();
    let runs = [
        runs.run("one", &[]),
        runs.run("two", &["seed=5", "training.batch_size=32"]),
        runs.run("three", &["objective.head=sigmoid"]),
    ];
    let records = runs.each_ref().map(record);
    let comparison = Comparison::new(&records).unwrap();
    let keys: Vec<_> = comparison
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
    assert_eq!(keys, expected);
    assert!(comparison.environment.is_empty() && comparison.has_equal_data());
}

#[test]
fn scores_on_other_data_are_not_comparable() {
    let runs = Runs::new();
    let mut records = ["one", "two"].map(|name| record(&runs.run(name, &[])));
    for (record, sum) in records.iter_mut().zip(["a", "b"]) {
        record.environment.data.sha256.insert("test".into(), sum.repeat(64));
    }
    let comparison = Comparison::new(&records).unwrap();
    assert!(!comparison.has_equal_data());
    assert_eq!(comparison.environment[0].key, "data.test");
    let sums = ["a", "b"].map(|sum| Some(toml::Value::String(sum.repeat(12))));
    assert_eq!(comparison.environment[0].values, sums);
}

#[test]
fn the_best_run_is_finished_and_on_ties_has_the_lower_loss() {
    let runs = Runs::new();
    let run = record(&runs.run("one", &[]));
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
    assert_eq!(best(SplitKind::Test), Some("b"));
    assert_eq!(best(SplitKind::Validation), Some("a"));
    assert_eq!(best(SplitKind::Train), None);
}
