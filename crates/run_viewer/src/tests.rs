//! Requests to a server of a temporary folder.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use artifacts::{DataIdentity, Environment, RunDir, RunLock, StatusFile, StatusKind};
use serde_json::Value;
use tempfile::TempDir;

/// A folder of runs and its server.
struct Server {
    folder: TempDir,
    address: SocketAddr,
    is_stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Events of a client.
struct Events(BufReader<TcpStream>);

impl Server {
    fn start(bind: &str) -> Self {
        let (folder, is_stopped) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(false)));
        let listener = TcpListener::bind(bind).unwrap();
        let address = listener.local_addr().unwrap();
        let (runs, flag) = (folder.path().join("runs"), Arc::clone(&is_stopped));
        let serve = move || crate::serve(listener, runs, || flag.load(Ordering::Relaxed)).unwrap();
        Self { folder, address, is_stopped, thread: Some(thread::spawn(serve)) }
    }

    fn runs(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    /// A run whose process has the lock.
    fn run(&self, name: &str) -> (RunDir, RunLock) {
        let (run, lock) = RunDir::create(&self.runs().join(name)).unwrap();
        let data = DataIdentity {
            synthetic: false,
            sha256: [("train".to_owned(), "ab".repeat(32))].into(),
            are_images: false,
            shape: [1, 1, 2],
            classes: vec!["a".into(), "b".into()],
            fit: None,
            counts: [("train".to_owned(), 8)].into(),
        };
        Environment::new(name.into(), None, "flex", 1, data).write(&run).unwrap();
        StatusFile::write(&run, StatusKind::Running, None, 0.0).unwrap();
        run.write_config(&format!("name = \"{name}\"\n[training]\nepochs = 10\n")).unwrap();
        (run, lock)
    }

    fn request(&self, head: &str) -> TcpStream {
        let address = SocketAddr::new("127.0.0.1".parse().unwrap(), self.address.port());
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
        stream
    }

    /// The status, the head and the body of an answer.
    fn answer(&self, head: &str) -> (u16, String, String) {
        let mut answer = Vec::new();
        self.request(head).read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(" ").nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_owned())
    }

    fn get(&self, path: &str) -> (u16, String, String) {
        self.answer(&format!("GET {path} HTTP/1.1\r\nHost: {}", self.address))
    }

    fn events(&self, path: &str) -> Events {
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}", self.address);
        Events(BufReader::new(self.request(&head)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Events {
    fn next(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the events have ended");
            if let Some(data) = line.strip_prefix("data: ") {
                return serde_json::from_str(data).unwrap();
            }
        }
    }

    /// The next event that fulfils `is_it`.
    fn find(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.next();
            if is_it(&event) {
                return event;
            }
        }
    }

    /// From which point on the metrics of `run` are new, and their epochs.
    fn epochs(&mut self, run: &str) -> (u64, Vec<f64>) {
        let event = self.find(|event| event["curves"].get(run).is_some());
        let metrics = &event["curves"][run][0];
        let points = metrics["points"].as_array().unwrap();
        (
            metrics["from"].as_u64().unwrap(),
            points.iter().map(|point| point[0].as_f64().unwrap()).collect(),
        )
    }
}

fn row(epoch: usize) -> String {
    format!(
        "{{\"epoch\":{epoch},\"step\":1,\"learning_rate\":0.1,\"train_loss\":1.0,\"train_accuracy\":0.5,\
         \"validation_loss\":0.25,\"validation_accuracy\":0.{epoch}}}\n"
    )
}

/// Replaces the metrics at once.
fn replace(run: &RunDir, rows: &[usize]) {
    let text: String = rows.iter().copied().map(row).collect();
    let staged = run.path().join(".metrics");
    fs::write(&staged, text).unwrap();
    fs::rename(staged, run.metrics_jsonl()).unwrap();
}

fn append(run: &RunDir, text: &str) {
    let mut file = File::options().create(true).append(true).open(run.metrics_jsonl()).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn the_page_has_all_runs_with_their_states_and_none_before_the_first() {
    let server = Server::start("127.0.0.1:0");
    let (status, head, body) = server.get("/");
    assert!(status == 200 && body.contains("There are no runs yet."), "{body}");
    assert!(
        head.contains("content-security-policy: default-src 'none'; script-src 'self'"),
        "{head}"
    );
    assert!(head.contains("x-content-type-options: nosniff"), "{head}");
    let _running = server.run("running");
    drop(server.run("killed"));
    let (failed, lock) = server.run("failed");
    append(&failed, &row(3));
    StatusFile::write(&failed, StatusKind::Failed, Some("the loss is NaN".into()), 2.5).unwrap();
    drop(lock);
    fs::write(server.run("damaged").0.environment(), "{}").unwrap();
    fs::create_dir(server.runs().join("empty")).unwrap();
    let page = server.get("/").2;
    let text = |name: &str| {
        let (_, row) = page.split_once(&format!("<tr data-run=\"{name}\"")).unwrap();
        row.split_once("</tr>").unwrap().0.to_owned()
    };
    assert!(text("running").contains("data-state=\"running\""), "{page}");
    assert!(text("killed").contains("data-state=\"interrupted\""), "{page}");
    assert!(text("damaged").contains("data-state=\"damaged\""), "{page}");
    for expected in [
        "data-state=\"failed\"",
        "the loss is NaN",
        "3 of 10",
        "0.2500",
        "30.0 % (epoch 3)",
        "2.5",
        "flex",
    ] {
        assert!(text("failed").contains(expected), "{expected}: {page}");
    }
    assert!(!page.contains("empty"), "{page}");
}

#[test]
fn rows_arrive_when_they_are_complete_and_anew_after_a_rollback() {
    let server = Server::start("127.0.0.1:0");
    let (run, _lock) = server.run("one");
    append(&run, &(row(1) + &row(2)));
    let mut events = server.events("/events/0/one");
    let first = events.next();
    assert_eq!(first["names"], serde_json::json!(["one"]));
    assert_eq!(
        first["curves"]["one"][0]["points"][1],
        serde_json::json!([2.0, 1.0, 0.25, 20.0, 0.1])
    );
    let third = row(3);
    let (half, rest) = third.split_at(20);
    append(&run, half);
    // Another client sees the state of the files, without the half of a row.
    assert_eq!(server.events("/events/0/one").epochs("one"), (0, vec![1.0, 2.0]));
    append(&run, rest);
    assert_eq!(events.epochs("one"), (2, vec![3.0]));
    replace(&run, &[1]);
    assert_eq!(events.epochs("one"), (0, vec![1.0]));
    replace(&run, &[1, 4, 5]);
    assert_eq!(events.epochs("one"), (1, vec![4.0, 5.0]));
    // A rollback after which the file is longer again at the next look.
    replace(&run, &[2, 6, 7, 8]);
    assert_eq!(events.epochs("one"), (0, vec![2.0, 6.0, 7.0, 8.0]));
}

#[test]
fn runs_appear_change_their_state_and_disappear() {
    let server = Server::start("127.0.0.1:0");
    let mut events = server.events("/events/0");
    assert_eq!(events.next()["names"], serde_json::json!([]));
    let (run, lock) = server.run("one");
    let event = events.find(|event| event["rows"].get("one").is_some());
    assert!(event["rows"]["one"].as_str().unwrap().contains("data-state=\"running\""));
    drop(lock);
    events.find(|event| {
        event["rows"]["one"].as_str().is_some_and(|row| row.contains("\"interrupted\""))
    });
    fs::remove_dir_all(run.path()).unwrap();
    events.find(|event| event["names"] == serde_json::json!([]));
}

#[test]
fn a_client_that_returns_receives_what_has_changed_since() {
    let server = Server::start("127.0.0.1:0");
    let ((one, lock), (two, other)) = (server.run("one"), server.run("two"));
    drop((lock, other));
    let version = server.events("/events/0").next()["version"].as_u64().unwrap();
    append(&one, &row(1));
    let event = server.events(&format!("/events/{version}/two")).next();
    let rows = event["rows"].as_object().unwrap();
    assert_eq!(rows.keys().collect::<Vec<_>>(), ["one"]);
    assert_eq!(event["names"].as_array().unwrap().len(), 2);
    append(&two, &row(1));
    assert_eq!(server.events("/events/0/one/two").epochs("two"), (0, vec![1.0]));
}

#[test]
fn files_have_their_types_and_folders_are_listed() {
    let server = Server::start("127.0.0.1:0");
    let (run, _lock) = server.run("one");
    fs::create_dir(run.checkpoints()).unwrap();
    let cases = [
        ("report.html", "text/html", "script-src 'unsafe-inline'"),
        ("loss.svg", "image/svg+xml", "sandbox"),
        ("config.toml", "text/plain", "sandbox"),
        ("metrics.jsonl", "text/plain", "sandbox"),
        ("status.json", "application/json", "sandbox"),
        ("best_model.bpk", "application/octet-stream", "sandbox"),
        ("checkpoints/a.js", "application/octet-stream", "sandbox"),
    ];
    for (name, content_type, policy) in cases {
        fs::write(run.path().join(name), "content").unwrap();
        let (status, head, body) = server.get(&format!("/runs/one/{name}"));
        assert_eq!((status, body.as_str()), (200, "content"));
        assert!(
            head.contains(&format!("content-type: {content_type}")) && head.contains(policy),
            "{head}"
        );
        assert_eq!(head.contains("attachment"), content_type.ends_with("stream"), "{head}");
    }
    let (_, _, listed) = server.get("/runs/one");
    assert!(
        listed.contains("href=\"/runs/one/loss.svg\"") && listed.contains("checkpoints"),
        "{listed}"
    );
    assert!(server.get("/runs/one/checkpoints/").2.contains("a.js"));
}

#[test]
fn nothing_outside_of_the_folder_is_read() {
    let server = Server::start("127.0.0.1:0");
    let (run, _lock) = server.run("one");
    let secret = server.folder.path().join("secret.json");
    fs::write(&secret, "secret").unwrap();
    fs::write(run.path().join(".hidden"), "secret").unwrap();
    fs::create_dir(server.runs().join(".removed")).unwrap();
    fs::write(server.runs().join(".removed/a.json"), "secret").unwrap();
    symlink(&secret, run.path().join("link.json")).unwrap();
    symlink(server.folder.path(), run.path().join("out")).unwrap();
    symlink("../.removed/a.json", run.path().join("to_hidden.json")).unwrap();
    let absolute = format!("/runs/{}", secret.display());
    let paths = [
        "/runs/../secret.json",
        "/runs/one/../../secret.json",
        "/runs/%2e%2e/secret.json",
        "/runs/one%2f..%2f..%2fsecret.json",
        "/runs/%252e%252e/secret.json",
        "/runs//secret.json",
        &absolute,
        &absolute.replacen("//", "/%2f", 1),
        "/runs/one/link.json",
        "/runs/one/out/secret.json",
        "/runs/one/to_hidden.json",
        "/runs/one/.hidden",
        "/runs/.removed/a.json",
        "/runs/one/status.json%00.html",
    ];
    for path in paths {
        let (status, _, body) = server.get(path);
        assert!(status == 404 && !body.contains("secret"), "{path}: {status} {body}");
    }
    let listed = server.get("/runs/one").2;
    assert!(
        !listed.contains("link.json") && !listed.contains("out") && !listed.contains("hidden"),
        "{listed}"
    );
    // A run whose files lead out is not read.
    fs::remove_file(run.status()).unwrap();
    symlink(&secret, run.status()).unwrap();
    assert!(server.get("/").2.contains("status.json is not a file"));
}

#[test]
fn a_request_must_name_the_server_and_only_read() {
    let server = Server::start("127.0.0.1:0");
    let port = server.address.port();
    let status =
        |method: &str, host: &str| server.answer(&format!("{method} / HTTP/1.1\r\nHost: {host}")).0;
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), "LOCALHOST".into()] {
        assert_eq!(status("GET", &host), 200, "{host}");
    }
    for host in
        ["evil.example", "localhost.evil.example", "10.0.0.1", "", "127.0.0.1.evil.example:80"]
    {
        assert_eq!(status("GET", host), 421, "{host}");
    }
    let own = server.address.to_string();
    let (code, _, body) = server.answer(&format!("HEAD / HTTP/1.1\r\nHost: {own}"));
    assert_eq!((code, body.as_str()), (200, ""));
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(status(method, &own), 405, "{method}");
    }
    let other = Server::start("0.0.0.0:0");
    assert_eq!(other.answer("GET / HTTP/1.1\r\nHost: a.machine").0, 200);
}
