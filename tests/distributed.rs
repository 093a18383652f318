//! Training by several processes: the bits of one process, whatever happens to the workers.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::resuming::assert_same_bits;
use crate::terminal::wait_until;
use crate::test_dir::{ProgramOutput, TINY, TestDir};
use crate::training::json;

/// Steps of several parts, of which the last one is short.
const STEPS: [&str; 4] = ["--set", "training.batch_size=7", "--set", "training.accumulation=3"];

fn train(dir: &TestDir, run: &str, options: &[&str]) -> ProgramOutput {
    let directory = format!("runs/{run}");
    let args = ["train", "tiny.toml", "--ui", "plain", "--run-dir", &directory];
    dir.trainer(&[&args, &STEPS[..], options].concat())
}

/// Starts a long run.
fn start(dir: &TestDir, run: &str, options: &[&str]) -> Child {
    let directory = format!("runs/{run}");
    let args = ["train", "tiny.toml", "--ui", "plain", "--run-dir", &directory];
    let epochs = ["--set", "training.epochs=300"];
    let child = dir.start(&[&args, &STEPS[..], &epochs, options].concat());
    wait_until(|| !dir.names(&format!("runs/{run}/checkpoints")).is_empty());
    child
}

/// Process ids of the local workers of a trainer, the oldest first.
fn workers_of(trainer: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{trainer}/task")).into_iter().flatten();
    let children =
        tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("children")).ok());
    let children: String = children.collect();
    let mut workers: Vec<_> =
        children.split_whitespace().filter(|id| is_worker(id)).map(str::to_owned).collect();
    workers.sort_by_key(|id| id.parse::<u32>().unwrap());
    workers
}

fn is_worker(id: &str) -> bool {
    let command = fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
    command.split('\0').nth(1) == Some("worker")
}

fn signal(name: &str, id: &str) {
    Command::new("kill").args([name, id]).status().unwrap();
}

/// A worker that runs until it is dropped, with the address that it has printed.
struct Worker {
    process: Child,
    address: String,
}

impl Worker {
    fn start(dir: &TestDir, args: &[&str]) -> Self {
        let mut command = dir.command(&[&["worker", "--token-file", "token"], args].concat());
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("a worker listens on ").unwrap().to_owned();
        Self { process, address }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn with_token() -> TestDir {
    let dir = TestDir::new();
    dir.write("token", "secret-of-the-workers\n");
    dir
}

#[test]
fn any_number_of_workers_gives_the_bits_of_one_process() {
    let dir = TestDir::new();
    let mlp = "model.mlp={hidden=[6], batch_norm=\"before_activation\"}";
    let cnn = "model.cnn={channels=[3], hidden=[5], batch_norm=true, dropout=0.3}";
    let mixed = "augmentation=[\"flip_horizontal\", {cutmix=1.0}]";
    let resnet = "model.resnet={channels=[3, 4], blocks=1}";
    let average = "training.ema.decay=0.9";
    let ahead = "training.loader.workers=1";
    for (name, settings) in
        [("mlp", vec![mlp, average]), ("cnn", vec![cnn, mixed, ahead]), ("resnet", vec![resnet])]
    {
        let settings: Vec<_> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
        let alone = train(&dir, name, &settings);
        assert_eq!(alone.code, Some(0), "{alone:#?}");
        for workers in ["local:1", "local:2", "local:4"] {
            let run = format!("{name}-{workers}");
            let by = train(&dir, &run, &[&settings[..], &["--workers", workers]].concat());
            assert_eq!(by.code, Some(0), "{by:#?}");
            assert_eq!(by.stderr, "");
            assert_same_bits(&dir, &format!("runs/{run}"), &format!("runs/{name}"));
        }
    }
    let output = train(&dir, "many", &["--workers", "local:4"]);
    assert!(output.stdout.contains("4 workers; each step is 3 batches of 7"), "{output:#?}");
    assert!(output.stdout.contains("1 of them have nothing to do"), "{output:#?}");
}

#[test]
fn killed_workers_cost_no_bit() {
    let dir = TestDir::new();
    assert_eq!(train(&dir, "alone", &["--set", "training.epochs=600"]).code, Some(0));
    let longer = "training.epochs=600";
    let mut child = start(&dir, "killed", &["--workers", "local:3", "--set", longer]);
    let mut messages = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut kills = 0;
    while let [oldest, _, _] = workers_of(child.id()).as_slice() {
        signal("-KILL", oldest);
        kills += 1;
        // Two of three are left at least until then; there are no more messages if the run has ended.
        messages.find(|message| message.as_ref().unwrap().contains("is back"));
    }
    let output = ProgramOutput::from(child.wait_with_output().unwrap());
    assert_eq!(output.code, Some(0), "{output:#?}");
    assert!(kills > 3, "{kills}");
    assert_same_bits(&dir, "runs/killed", "runs/alone");
}

#[test]
fn a_run_without_workers_left_stops_with_a_checkpoint() {
    let dir = TestDir::new();
    assert_eq!(train(&dir, "alone", &["--set", "training.epochs=300"]).code, Some(0));
    let child = start(&dir, "lost", &["--workers", "local:2"]);
    workers_of(child.id()).iter().for_each(|worker| signal("-KILL", worker));
    let output = ProgramOutput::from(child.wait_with_output().unwrap());
    assert_eq!(output.code, Some(3), "{output:#?}");
    assert!(output.stderr.contains("0 of 2 workers are left"), "{output:#?}");
    assert!(output.stdout.contains("resume: trainer --resume runs/lost"), "{output:#?}");
    assert_eq!(json(&dir.read("runs/lost/status.json"))["status"], "stopped");
    dir.succeed(&["--resume", "runs/lost"]);
    assert_same_bits(&dir, "runs/lost", "runs/alone");
}

#[test]
fn others_compute_the_part_of_a_worker_that_does_not_answer() {
    let dir = TestDir::new();
    let longer = ["--set", "training.epochs=1500"];
    assert_eq!(train(&dir, "alone", &longer).code, Some(0));
    let options = ["--workers", "local:2", "--set", "distributed.answer_within=1"];
    let child = start(&dir, "late", &[&options[..], &longer].concat());
    let workers = workers_of(child.id());
    signal("-STOP", &workers[0]);
    thread::sleep(Duration::from_secs(2));
    let checkpoints = dir.names("runs/late/checkpoints");
    wait_until(|| dir.names("runs/late/checkpoints") != checkpoints);
    assert_eq!(workers_of(child.id()), workers);
    signal("-CONT", &workers[0]);
    let output = ProgramOutput::from(child.wait_with_output().unwrap());
    assert_eq!(output.code, Some(0), "{output:#?}");
    assert!(output.stderr.contains("has not answered for 1 s"), "{output:#?}");
    assert!(output.stderr.contains("answers again"), "{output:#?}");
    assert_same_bits(&dir, "runs/late", "runs/alone");
}

#[test]
fn local_workers_end_with_a_trainer_that_is_killed() {
    let dir = TestDir::new();
    let mut child = start(&dir, "killed", &["--workers", "local:2"]);
    let workers = workers_of(child.id());
    assert_eq!(workers.len(), 2);
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until(|| !workers.iter().any(|worker| is_worker(worker)));
    // With another number of them.
    let resume = ["--resume", "runs/killed", "--epochs", "320", "--workers", "local:3"];
    dir.succeed(&resume);
    let whole = ["--epochs", "320"];
    assert_eq!(train(&dir, "alone", &whole).code, Some(0));
    assert_same_bits(&dir, "runs/killed", "runs/alone");
}

#[test]
fn workers_that_run_already_train_unencrypted_or_encrypted() {
    let dir = with_token();
    assert_eq!(train(&dir, "alone", &[]).code, Some(0));
    let plain = Worker::start(&dir, &["--listen", "127.0.0.1:0"]);
    let encrypted =
        Worker::start(&dir, &["--listen", "127.0.0.1:47447", "--key-file", "worker.key"]);
    let id = encrypted.address.split('@').next().unwrap();
    dir.write("workers", format!("# both\n{}\n{id}@127.0.0.1:47447\n", plain.address));
    for run in ["first", "second"] {
        let by = train(&dir, run, &["--workers", "workers", "--token-file", "token"]);
        assert_eq!((by.code, by.stderr.as_str()), (Some(0), ""), "{}", by.stdout);
        assert_same_bits(&dir, &format!("runs/{run}"), "runs/alone");
    }
}

#[test]
fn a_worker_survives_garbage() {
    let dir = with_token();
    let worker = Worker::start(&dir, &["--listen", "127.0.0.1:0"]);
    for number in 0..200 {
        let mut stream = TcpStream::connect(&worker.address).unwrap();
        let bytes: Vec<u8> = (0..500_u32).map(|at| (at * number % 251) as u8).collect();
        // It may have closed the connection.
        stream.write_all(&bytes).ok();
        if number % 2 == 0 {
            stream.write_all(b"GET /session HTTP/1.1\r\nupgrade: websocket\r\n\r\n").ok();
        }
    }
    let by = train(&dir, "by", &["--workers", &worker.address, "--token-file", "token"]);
    assert_eq!(by.code, Some(0), "{by:#?}");
}

#[test]
fn workers_with_another_token_or_other_data_are_refused_before_anything_is_written() {
    let dir = with_token();
    let worker = Worker::start(&dir, &["--listen", "127.0.0.1:0"]);
    dir.write("other", "another secret\n");
    dir.write("empty", "\n");
    let refused = |options: &[&str], words: &[&str]| {
        let started = Instant::now();
        train(&dir, "refused", &[&["--workers", &worker.address], options].concat())
            .refused(2, words);
        assert!(started.elapsed() < Duration::from_secs(5));
        assert!(!dir.path("runs").exists());
    };
    refused(&["--token-file", "other"], &["another token", "--token-file"]);
    refused(&["--token-file", "empty"], &["the token is empty"]);
    refused(&[], &["asks for its token", "--token-file"]);
    let other_data = ["--token-file", "token", "--set", "split.validation_fraction=0.3"];
    // The worker has the same files: it would split them in the same way.
    let by = train(&dir, "same", &[&["--workers", &worker.address], &other_data[..]].concat());
    assert_eq!(by.code, Some(0), "{by:#?}");
    fs::remove_dir_all(dir.path("runs")).unwrap();

    let elsewhere = with_token();
    let mut bytes = fs::read(elsewhere.path("data/train.h5")).unwrap();
    // A pixel.
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    elsewhere.write("data/train.h5", bytes);
    let place = elsewhere.path("data").display().to_string();
    let changed = format!("dataset.hdf5.directory={place:?}");
    let worker = Worker::start(&dir, &["--listen", "127.0.0.1:0", "--set", &changed]);
    let by = train(&dir, "refused", &["--workers", &worker.address, "--token-file", "token"]);
    by.refused(2, &[&worker.address, "train set differs", "--set"]);
    assert!(!dir.path("runs").exists());
}

/// Passes connections on to `target`, and counts the bytes that are sent and answered.
fn counting_proxy(target: String) -> (String, [Arc<AtomicU64>; 2]) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let counts = [Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0))];
    let [sent, answered] = counts.clone();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(&target).unwrap();
            copy(client.try_clone().unwrap(), server.try_clone().unwrap(), Arc::clone(&sent));
            copy(server, client, Arc::clone(&answered));
        }
    });
    (address, counts)
}

fn copy(mut from: TcpStream, mut to: TcpStream, count: Arc<AtomicU64>) {
    thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            count.fetch_add(read as u64, Ordering::Relaxed);
            if to.write_all(&bytes[..read]).is_err() {
                return;
            }
        }
        to.shutdown(std::net::Shutdown::Both).ok();
    });
}

#[test]
fn weights_travel_once_in_a_step_and_gradients_once_in_a_part() {
    let dir = with_token();
    let worker = Worker::start(&dir, &["--listen", "127.0.0.1:0"]);
    let (address, [sent, answered]) = counting_proxy(worker.address.clone());
    let wide = ["--set", "model.mlp.hidden=[2000]", "--token-file", "token"];
    let by = train(&dir, "wide", &[&["--workers", &address], &wide[..]].concat());
    assert_eq!(by.code, Some(0), "{by:#?}");
    let words = by.stdout.split_once(" parameters").unwrap().0;
    let parameters: u64 = words.rsplit('\n').next().unwrap().parse().unwrap();
    // 48 examples are 7 parts in 3 steps; one more part compares the worker with the trainer.
    let (epochs, bytes) = (3, 4 * parameters);
    for (count, times) in [(sent, 1 + 3 * epochs), (answered, 1 + 7 * epochs)] {
        let ratio = count.load(Ordering::Relaxed) as f64 / (bytes * times) as f64;
        assert!((0.98..1.02).contains(&ratio), "{ratio}");
    }
}

#[test]
#[cfg(feature = "ndarray")]
fn a_worker_that_rounds_otherwise_is_refused() {
    let dir = TestDir::new();
    let cnn = "model.cnn={channels=[6], hidden=[5], batch_norm=true}";
    let other = ["--device", "flex", "--workers", "local:ndarray", "--set", cnn];
    train(&dir, "refused", &other).refused(2, &["local:ndarray 1", "other bits", "same device"]);
    assert!(!dir.path("runs").exists());
}

#[test]
fn addresses_that_cannot_be_used_are_refused() {
    let dir = with_token();
    for (address, words) in [
        ("127.0.0.1:9", ["127.0.0.1:9", "does not answer"]),
        ("192.0.2.1:7447", ["is another machine", "ID@192.0.2.1:7447"]),
        ("abc@127.0.0.1:7447", ["`abc`", "ID of a worker"]),
        ("local:0", ["0 local workers", "1 to 256"]),
        ("local:nothing", ["worker local:nothing 1", "nothing"]),
        ("somewhere", ["`somewhere`", "127.0.0.1:7447"]),
    ] {
        let by = train(&dir, "refused", &["--workers", address, "--token-file", "token"]);
        by.refused(2, &words);
        assert!(!dir.path("runs").exists(), "{address}");
    }
    dir.write("few.toml", format!("{TINY}[distributed]\nworkers = [\"local:2\"]\nminimum = 3\n"));
    dir.refuses(&["train", "few.toml"], 2, &["`distributed.minimum` is 3", "2 workers"]);
}

#[test]
fn signals_stop_a_distributed_run_and_a_worker() {
    let dir = with_token();
    let child = start(&dir, "stopped", &["--workers", "local:2"]);
    signal("-INT", &child.id().to_string());
    let output = ProgramOutput::from(child.wait_with_output().unwrap());
    assert_eq!((output.code, output.stderr.as_str()), (Some(130), ""), "{}", output.stdout);
    let mut worker = Worker::start(&dir, &["--listen", "127.0.0.1:0"]);
    signal("-TERM", &worker.process.id().to_string());
    assert_eq!(worker.process.wait().unwrap().code(), Some(143));
}
