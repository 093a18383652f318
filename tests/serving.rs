//! `trainer serve`, by requests to the running program.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use image::{Rgb, RgbImage};
use serde_json::{Value, json};

use crate::test_dir::{ProgramOutput, TestDir};
use crate::training;

/// A running server, killed on drop.
struct Server {
    child: Option<Child>,
    address: String,
}

/// Status, head and body of a response.
struct Response {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Response {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Asserts a status and an error message with each of `words`.
    #[track_caller]
    fn refused(&self, status: u16, words: &[&str]) {
        let error = String::from_utf8_lossy(&self.body).into_owned();
        assert_eq!(self.status, status, "{error}");
        let error = self.json()["error"].as_str().unwrap().to_owned();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
}

impl Server {
    fn start(dir: &TestDir, runs: &[&str]) -> Self {
        let bind: &[_] = if runs.contains(&"--bind") { &[] } else { &["--bind", "127.0.0.1:0"] };
        let mut child = dir.start(&[&["serve"], bind, runs].concat());
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().split_once("http://").unwrap().1.to_owned();
        Self { child: Some(child), address }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    fn request(&self, method: &str, path: &str, head: &str, body: &[u8]) -> Response {
        let mut stream = self.connect();
        stream.write_all(&request(method, path, head, body)).unwrap();
        response(&mut stream)
    }

    fn get(&self, path: &str) -> Response {
        self.request("GET", path, "", b"")
    }

    fn post(&self, path: &str, body: &[u8]) -> Response {
        self.request("POST", path, "", body)
    }

    /// The answer to an inference request of a JSON text.
    fn infer(&self, model: &str, request: &Value) -> Response {
        self.post(&format!("/v2/models/{model}/infer"), request.to_string().as_bytes())
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        Command::new("kill").args([signal, &id]).status().unwrap();
    }

    fn output(mut self) -> ProgramOutput {
        self.child.take().unwrap().wait_with_output().unwrap().into()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn request(method: &str, path: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n{head}\r\n");
    [head.as_bytes(), body].concat()
}

/// Reads one response.
fn response(stream: &mut TcpStream) -> Response {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "no response: {head}");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Response { status, head, body }
}

/// A trained run `tiny` on images of 6x6x3.
fn trained() -> TestDir {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    dir
}

/// Writes three images of other sizes, and returns their names.
fn images(dir: &TestDir) -> [&'static str; 3] {
    let names = ["red.png", "green.jpg", "blue.png"];
    for (name, colour) in names.iter().zip([[220, 20, 20], [20, 220, 20], [20, 20, 220]]) {
        RgbImage::from_pixel(9, 7, Rgb(colour)).save(dir.path(name)).unwrap();
    }
    names
}

/// Asserts equal documents, with numbers within 1e-6.
#[track_caller]
fn assert_close(found: &Value, expected: &Value) {
    match (found, expected) {
        (Value::Number(one), Value::Number(other)) => {
            let difference = one.as_f64().unwrap() - other.as_f64().unwrap();
            assert!(difference.abs() < 1e-6, "{found} is not {expected}");
        }
        (Value::Array(one), Value::Array(other)) => {
            assert_eq!(one.len(), other.len(), "{found} is not {expected}");
            one.iter().zip(other).for_each(|(one, other)| assert_close(one, other));
        }
        (Value::Object(one), Value::Object(other)) => {
            assert!(one.keys().eq(other.keys()), "{found} is not {expected}");
            one.values().zip(other.values()).for_each(|(one, other)| assert_close(one, other));
        }
        _ => assert_eq!(found, expected),
    }
}

/// A form whose parts are files.
fn form(files: &[(&str, Vec<u8>)]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, content) in files {
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"image\"; filename=\"{name}\"\r\n\r\n"
        );
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(b"--edge--\r\n");
    ("Content-Type: multipart/form-data; boundary=edge\r\n".to_owned(), body)
}

#[test]
fn images_have_the_predictions_of_predict() {
    let dir = trained();
    let names = images(&dir);
    let predict =
        |name: &str| training::json(&dir.succeed(&["predict", "tiny", name, "--json"]).stdout);
    let server = Server::start(&dir, &["tiny"]);
    for name in names {
        let mut answer =
            server.post("/predictions/tiny", &fs::read(dir.path(name)).unwrap()).json();
        assert_eq!(answer["predictions"][0]["input"], "-");
        answer["predictions"][0]["input"] = name.into();
        assert_close(&answer, &predict(name));
    }
    let mut files: Vec<_> =
        names.iter().map(|&name| (name, fs::read(dir.path(name)).unwrap())).collect();
    files.insert(1, ("notes.txt", b"not an image".to_vec()));
    let (head, body) = form(&files);
    let answer = server.request("POST", "/predictions/tiny", &head, &body).json();
    for (name, found) in names.iter().zip(answer["predictions"].as_array().unwrap()) {
        assert_close(found, &predict(name)["predictions"][0]);
    }
    assert_eq!(answer["unreadable"][0]["input"], "notes.txt");
    let (head, body) = form(&files[1..2]);
    let none = server.request("POST", "/predictions/tiny", &head, &body);
    none.refused(422, &["notes.txt: "]);
}

#[test]
fn tensors_are_json_flat_or_nested_or_binary() {
    let dir = trained();
    let pixels: Vec<u8> = (0..216).map(|value| (value * 7 % 256) as u8).collect();
    RgbImage::from_raw(6, 6, pixels[..108].to_vec()).unwrap().save(dir.path("one.png")).unwrap();
    let predicted = training::json(&dir.succeed(&["predict", "tiny", "one.png", "--json"]).stdout);
    let predicted = &predicted["predictions"][0]["probabilities"];

    let server = Server::start(&dir, &["tiny"]);
    let input = |data: Value| json!({ "name": "image", "shape": [2, 6, 6, 3], "datatype": "UINT8", "data": data });
    let flat = json!({ "id": "7", "inputs": [input(json!(pixels))] });
    let answer = server.infer("tiny", &flat).json();
    assert_eq!((&answer["model_name"], &answer["id"]), (&json!("tiny"), &json!("7")));
    let outputs = &answer["outputs"];
    for (output, name) in outputs.as_array().unwrap().iter().zip(["probabilities", "logits"]) {
        assert_eq!(output["name"], name);
        assert_eq!(output["shape"], json!([2, 3]));
        assert_eq!(output["datatype"], "FP32");
    }
    for class in 0..3 {
        assert_close(&outputs[0]["data"][class], &predicted[class]["probability"]);
    }
    let rows: Vec<_> = pixels.chunks(18).map(|row| row.chunks(3).collect::<Vec<_>>()).collect();
    let nested = json!([rows[..6], rows[6..]]);
    let only = json!([{ "name": "logits" }]);
    let nested = json!({ "inputs": [input(nested)], "outputs": only });
    let logits = server.infer("tiny", &nested).json();
    assert_close(&logits["outputs"], &json!([outputs[1]]));

    let header = json!({
        "parameters": { "binary_data_output": true },
        "inputs": [{ "name": "image", "shape": [2, 6, 6, 3], "datatype": "UINT8", "parameters": { "binary_data_size": 216 } }],
        "outputs": [{ "name": "logits" }],
    });
    let header = header.to_string();
    let length = format!("Inference-Header-Content-Length: {}\r\n", header.len());
    let body = [header.as_bytes(), &pixels].concat();
    let binary = server.request("POST", "/v2/models/tiny/infer", &length, &body);
    let (_, length) = binary.head.split_once("inference-header-content-length: ").unwrap();
    let length: usize = length.lines().next().unwrap().parse().unwrap();
    let found: Value = serde_json::from_slice(&binary.body[..length]).unwrap();
    assert_eq!(found["outputs"][0]["parameters"]["binary_data_size"], 24);
    let values: Vec<_> = binary.body[length..].as_chunks().0.to_vec();
    let values: Vec<_> = values.into_iter().map(f32::from_le_bytes).collect();
    assert_close(&json!(values), &outputs[1]["data"]);
}

#[test]
fn models_of_points_are_served_beside_those_of_images() {
    let dir = trained();
    dir.write("points.toml", super::screen::POINTS);
    dir.succeed(&["train", "points.toml"]);
    let server = Server::start(&dir, &["runs/points", "tiny"]);
    assert_eq!(server.get("/v2/models").json(), json!({ "models": ["points", "tiny"] }));
    let metadata = server.get("/v2/models/points").json();
    assert_eq!(metadata["inputs"][0]["shape"], json!([-1, 2]));
    assert_eq!(metadata["outputs"][1]["shape"], json!([-1, 1]));
    let input = |data: Value| json!({ "inputs": [{ "name": "features", "shape": [2, 2], "datatype": "FP32", "data": data }] });
    let answer = server.infer("points", &input(json!([[0.5, -0.5], [1, 2]]))).json();
    let args = ["predict", "points", "--features", "0.5,-0.5", "--features", "1,2", "--json"];
    let predicted = training::json(&dir.succeed(&args).stdout);
    for (at, value) in answer["outputs"][0]["data"].as_array().unwrap().iter().enumerate() {
        let row = &predicted["predictions"][at / 2]["probabilities"];
        assert_close(value, &row[at % 2]["probability"]);
    }
    server.infer("points", &input(json!([1e39, 0, 0, 0]))).refused(400, &["finite"]);
    server.post("/predictions/points", b"").refused(400, &["/v2/models/NAME/infer"]);
}

#[test]
fn invalid_requests_have_errors_that_name_the_cause() {
    let dir = trained();
    let server = Server::start(&dir, &["tiny"]);
    let image = |key: &str, value: Value| {
        let mut input =
            json!({ "name": "image", "shape": [1, 6, 6, 3], "datatype": "UINT8", "data": [0] });
        input[key] = value;
        json!({ "inputs": [input] })
    };
    let zeros = json!(vec![0; 108]);
    for (request, words) in [
        (json!({}), &["inputs"][..]),
        (json!({ "inputs": [] }), &["one input"]),
        (image("name", json!("x")), &["\"x\"", "\"image\""]),
        (image("datatype", json!("FP32")), &["FP32", "UINT8 [-1, 6, 6, 3]"]),
        (image("shape", json!([1, 64, 64, 3])), &["[1, 64, 64, 3]"]),
        (image("data", json!([0, 1])), &["2 values"]),
        (image("data", json!(["a"])), &["a number"]),
        (image("data", json!(vec![0.5; 108])), &["0 to 255"]),
        (image("data", json!(vec![256; 108])), &["0 to 255"]),
        (image("parameters", json!({ "binary_data_size": 1 })), &["both data"]),
        (image("shape", json!([0, 6, 6, 3])), &["values"]),
    ] {
        server.infer("tiny", &request).refused(400, words);
    }
    let mut unknown = image("data", zeros);
    unknown["outputs"] = json!([{ "name": "classes" }]);
    server.infer("tiny", &unknown).refused(400, &["classes", "probabilities"]);
    server.infer("none", &json!({})).refused(404, &["/v2/models"]);
    server.post("/predictions/..%2Ftiny", b"").refused(404, &["no such model"]);
    server.get("/runs/tiny/config.toml").refused(404, &["/openapi.json"]);
    let wrong_method = server.post("/v2/models/tiny", b"");
    wrong_method.refused(405, &[]);
    assert!(wrong_method.head.contains("allow: GET"), "{}", wrong_method.head);

    server.post("/predictions/tiny", b"").refused(422, &["-: "]);
    // The header of a BMP file, at bytes 18 to 25, is its size.
    let mut bomb = Vec::new();
    let bytes = &mut std::io::Cursor::new(&mut bomb);
    RgbImage::new(2, 2).write_to(bytes, image::ImageFormat::Bmp).unwrap();
    bomb[18..26].copy_from_slice(&[[0x80, 0x3e, 0, 0]; 2].concat());
    server.post("/predictions/tiny", &bomb).refused(422, &["16000 x 16000", "25 megapixels"]);
    server.post("/predictions/tiny", &vec![0; (8 << 20) + 1]).refused(413, &["8 MiB"]);
    let (head, body) = form(&vec![("a.png", Vec::new()); 257]);
    server.request("POST", "/predictions/tiny", &head, &body).refused(400, &["256"]);
}

#[test]
fn bodies_that_exceed_the_memory_for_all_are_refused() {
    let dir = trained();
    let server = Server::start(&dir, &["tiny"]);
    let mut request = request("POST", "/predictions/tiny", "", &vec![0; 8 << 20]);
    request.pop();
    let connections: Vec<_> = (0..9)
        .map(|_| {
            let mut stream = server.connect();
            // The server does not receive the body that it refuses.
            stream.write_all(&request).ok();
            stream.set_nonblocking(true).unwrap();
            stream
        })
        .collect();
    let refused = loop {
        let has_answer = |stream: &&TcpStream| stream.peek(&mut [0]).is_ok();
        if let Some(stream) = connections.iter().find(has_answer) {
            break stream;
        }
        sleep(Duration::from_millis(5));
    };
    let mut refused = refused.try_clone().unwrap();
    refused.set_nonblocking(false).unwrap();
    let answer = response(&mut refused);
    answer.refused(503, &["too many requests"]);
    assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
    assert_eq!(server.get("/v2/health/live").json(), json!({ "live": true }));
}

#[test]
fn the_metrics_count_requests_and_batches_and_the_document_has_all_paths() {
    let dir = trained();
    let server = Server::start(&dir, &["tiny"]);
    images(&dir);
    server.post("/predictions/tiny", &fs::read(dir.path("red.png")).unwrap());
    server.post("/predictions/x", b"");
    let metrics = String::from_utf8(server.get("/metrics").body).unwrap();
    for line in [
        "http_requests_total{route=\"/predictions/{model_name}\",status=\"200\"} 1",
        "http_requests_total{route=\"/predictions/{model_name}\",status=\"404\"} 1",
        "http_request_duration_seconds_count{route=\"/predictions/{model_name}\"} 2",
        "batch_size_sum{model=\"tiny\"} 1.0",
        "queue_depth{model=\"tiny\"} 0",
    ] {
        assert!(metrics.contains(&format!("{line}\n")), "no {line} in {metrics}");
    }
    let document = server.get("/openapi.json").json();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = path.replace("{model_name}", "tiny");
        for method in methods.as_object().unwrap().keys() {
            let status = server.request(&method.to_uppercase(), &path, "", b"").status;
            assert!(
                methods[method]["responses"].get(status.to_string()).is_some(),
                "{path} {status}"
            );
        }
    }
    let page = server.get("/");
    assert!(page.head.contains("content-security-policy: default-src 'none'"), "{}", page.head);
}

#[test]
fn a_signal_ends_the_server_after_the_requests_of_all_connections() {
    let dir = trained();
    images(&dir);
    let request = request("POST", "/predictions/tiny", "", &fs::read(dir.path("red.png")).unwrap());
    for signal in ["-TERM", "-INT"] {
        let server = Server::start(&dir, &["tiny"]);
        let (mut idle, mut started) = (server.connect(), server.connect());
        let (first, rest) = request.split_at(request.len() / 2);
        started.write_all(first).unwrap();
        idle.write_all(&request).unwrap();
        assert_eq!(response(&mut idle).status, 200);
        server.signal(signal);
        // It listens until it has seen the signal.
        while TcpStream::connect(&server.address).is_ok() {
            sleep(Duration::from_millis(5));
        }
        for (stream, bytes) in [(&mut idle, &request[..]), (&mut started, rest)] {
            stream.write_all(bytes).unwrap();
            let answer = response(stream);
            assert_eq!(answer.status, 200);
            assert!(answer.head.contains("connection: close"), "{}", answer.head);
        }
        let output = server.output();
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    }
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let dir = trained();
    let server = Server::start(&dir, &["tiny"]);
    let mut started = server.connect();
    started.write_all(b"POST /predictions/tiny HTTP/1.1\r\nContent-Length: 9\r\n\r\n").unwrap();
    server.signal("-TERM");
    while TcpStream::connect(&server.address).is_ok() {
        sleep(Duration::from_millis(5));
    }
    server.signal("-TERM");
    assert_eq!(server.output().code, Some(143));
}

#[test]
fn a_new_best_model_is_loaded_and_a_broken_one_is_not() {
    let dir = trained();
    dir.succeed(&["--config", "tiny.toml", "--set", "seed=2", "--set", "name=other"]);
    let mut server = Server::start(&dir, &["tiny"]);
    let pixels = json!(vec![100; 108]);
    let input =
        json!({ "name": "image", "shape": [1, 6, 6, 3], "datatype": "UINT8", "data": pixels });
    let probabilities = |server: &Server| {
        server.infer("tiny", &json!({ "inputs": [input] })).json()["outputs"].clone()
    };
    let old = probabilities(&server);
    let copy = |name: &str, content: &[u8]| {
        dir.write("new", content);
        fs::rename(dir.path("new"), dir.path("runs/tiny").join(name)).unwrap();
    };
    copy("best_model.bpk", b"broken");
    let stderr = server.child.as_mut().unwrap().stderr.take().unwrap();
    let mut warning = String::new();
    BufReader::new(stderr).read_line(&mut warning).unwrap();
    assert!(warning.contains("tiny: the old model stays in use"), "{warning}");
    assert_eq!(probabilities(&server), old);
    for name in ["best_model.bpk", "summary.json"] {
        copy(name, &fs::read(dir.path("runs/other").join(name)).unwrap());
    }
    while probabilities(&server) == old {
        sleep(Duration::from_millis(20));
    }
    let other = Server::start(&dir, &["other"]);
    let request = json!({ "inputs": [input] });
    let expected = other.infer("other", &request).json();
    assert_close(&probabilities(&server), &expected["outputs"]);
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let dir = trained();
    dir.trainer(&["serve", "tinyy"]).refused(2, &["no run tinyy", "did you mean `tiny`"]);
    fs::create_dir(dir.path("copies")).unwrap();
    dir.shell("cp -r runs/tiny copies/tiny");
    let same = dir.trainer(&["serve", "tiny", "copies/tiny/"]);
    same.refused(2, &["runs/tiny and copies/tiny/ are both called tiny"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    dir.trainer(&["serve", "tiny", "--bind", &address]).refused(1, &[&address, "in use", "--bind"]);
    dir.trainer(&["serve", "tiny", "--bind", "nowhere"]).refused(1, &["nowhere", "--bind"]);
    let server = Server::start(&dir, &["tiny", "--bind", "0.0.0.0:0"]);
    server.signal("-TERM");
    let output = server.output();
    assert!(output.stderr.contains("no authentication"), "{}", output.stderr);
}
