//! Examples that are read from their file during training.

use std::fs::{self, File};
use std::time::{Duration, Instant};

use crate::resuming::assert_same_bits;
use crate::test_dir::{ProgramOutput, TestDir};

const IN_FILE: [&str; 2] = ["--set", "dataset.hdf5.in_memory=false"];
const IN_MEMORY: [&str; 2] = ["--set", "dataset.hdf5.in_memory=true"];

#[test]
fn a_run_has_the_same_result_with_data_in_memory_or_in_the_file() {
    let dir = TestDir::new();
    let run = |directory: &str, options: &[&str]| {
        let args = ["--config", "tiny.toml", "--run-dir", directory];
        dir.succeed(&[&args, options].concat());
    };
    run("runs/whole", &IN_MEMORY);
    run("runs/file", &IN_FILE);
    assert_same_bits(&dir, "runs/file", "runs/whole");
    let workers = ["--set", "training.loader.workers=2"];
    run("runs/workers", &[&IN_FILE[..], &workers].concat());
    assert_same_bits(&dir, "runs/workers", "runs/whole");

    run("runs/both", &[&IN_FILE[..], &["--set", "training.epochs=2"]].concat());
    let more = ["--set", "training.epochs=3"];
    let resumed = ["--config", "tiny.toml", "--resume", "runs/both"];
    dir.succeed(&[&resumed, &IN_MEMORY[..], &more].concat());
    assert_same_bits(&dir, "runs/both", "runs/whole");
}

#[test]
fn an_evaluation_has_the_same_result_with_data_in_memory_or_in_the_file() {
    let dir = TestDir::new();
    let scores = |directory: &str, options: &[&str]| {
        let args = ["--config", "tiny.toml", "--run-dir", directory];
        dir.succeed(&[&args, options].concat());
        ["train", "validation", "test"]
            .map(|split| dir.succeed(&["evaluate", directory, "--split", split, "--json"]).stdout)
    };
    assert_eq!(scores("runs/file", &IN_FILE), scores("runs/whole", &IN_MEMORY));
}

#[test]
fn truncating_the_data_fails_the_run_which_resumes_with_the_restored_file() {
    let dir = TestDir::new();
    let long = [
        "--set",
        "training.epochs=4000",
        "--set",
        "training.report_every_epochs=100",
        "--set",
        "training.loader.workers=1",
    ];
    let start = |directory| {
        [&["--config", "tiny.toml", "--run-dir", directory], &IN_FILE[..], &long].concat()
    };
    dir.succeed(&start("runs/whole"));
    let (data, intact) = (dir.path("data/train.h5"), fs::read(dir.path("data/train.h5")).unwrap());

    let run = dir.start(&start("runs/cut"));
    wait_for(|| dir.path("runs/cut/metrics.jsonl").exists());
    File::options().write(true).open(&data).unwrap().set_len(3000).unwrap();
    let output: ProgramOutput = run.wait_with_output().unwrap().into();
    let words = ["could not be loaded", "data/train.h5: was changed while it was in use", "resume"];
    output.refused(1, &words);

    fs::write(&data, intact).unwrap();
    dir.succeed(&["--resume", "runs/cut"]);
    assert_same_bits(&dir, "runs/cut", "runs/whole");
}

#[test]
fn streaming_compressed_data_is_rejected_with_a_remedy() {
    let dir = TestDir::new();
    let path = dir.path("data/train.h5");
    let file = hdf5::File::open_rw(&path).unwrap();
    let (shape, pixels) = {
        let pixels = file.dataset("train_set_x").unwrap();
        (pixels.shape(), pixels.read_raw::<u8>().unwrap())
    };
    file.unlink("train_set_x").unwrap();
    put(&file, |set| set.chunk([4, 6, 6, 3]).deflate(4), &shape, &pixels);
    // Writes the data.
    file.close().unwrap();
    dir.succeed(&["--config", "tiny.toml"]);
    let args = [&["--config", "tiny.toml"], &IN_FILE[..]].concat();
    dir.refuses(&args, 1, &["`/train_set_x` is not stored row by row", "a.visititems("]);
}

fn put(
    file: &hdf5::File,
    storage: impl Fn(hdf5::DatasetBuilder) -> hdf5::DatasetBuilder,
    shape: &[usize],
    pixels: &[u8],
) {
    let set = storage(file.new_dataset_builder()).empty::<u8>().shape(shape);
    set.create("train_set_x").unwrap().write_raw(pixels).unwrap();
}

/// Streams a file of 300 MB.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_a_file_that_is_streamed() {
    const COUNT: usize = 100_000;
    const WIDTH: usize = 32 * 32 * 3;
    let dir = TestDir::new();
    let file = hdf5::File::create(dir.path("data/large.h5")).unwrap();
    put(&file, |set| set, &[COUNT, 32, 32, 3], &vec![7; COUNT * WIDTH]);
    let labels: Vec<i64> = (0..COUNT as i64).map(|item| item % 3).collect();
    file.new_dataset_builder().with_data(&labels).create("train_set_y").unwrap();
    file.close().unwrap();

    let config = "name = 'large'\n[dataset.hdf5]\ndirectory = 'data'\ntrain = 'large.h5'\n\
                  in_memory = false\n[split]\nvalidation_fraction = 0.1\ntest_fraction = 0.1\n\
                  [model.mlp]\nhidden = []\n[optimizer.sgd]\nlearning_rate = 1e-3\n[training]\nepochs = 1\nbatch_size = 256\n";
    dir.write("large.toml", config);
    let mut run = dir.start(&["--config", "large.toml", "--device", "flex", "--ui", "none"]);
    let status = format!("/proc/{}/status", run.id());
    let mut peak = 0;
    wait_for(|| {
        peak = peak.max(peak_memory(&fs::read_to_string(&status).unwrap_or_default()));
        run.try_wait().unwrap().is_some()
    });
    let output: ProgramOutput = run.wait_with_output().unwrap().into();
    assert_eq!(output.code, Some(0), "{output:#?}");
    assert!((1..150_000).contains(&peak), "{peak} KiB for a file of 300,000");
}

/// Peak memory of a process in KiB, from its `/proc/<id>/status`.
#[cfg(target_os = "linux")]
fn peak_memory(status: &str) -> usize {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn wait_for(mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !done() {
        assert!(Instant::now() < deadline, "timed out");
        std::thread::sleep(Duration::from_millis(1));
    }
}
