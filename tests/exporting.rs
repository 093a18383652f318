//! `trainer export`. What other programs compute with the files is compared by `scripts/test_export`.

use std::fs;

use export::web::{RUNTIME, RUNTIME_VERSION};

use crate::test_dir::TestDir;

#[test]
fn a_model_is_exported_with_equal_bytes_and_nothing_is_replaced() {
    let dir = TestDir::new();
    dir.succeed(&["train", "tiny.toml"]);
    let output = dir.succeed(&["export", "tiny", "--to", "onnx"]);
    assert_eq!(output.stdout.trim(), "tiny.onnx");
    dir.succeed(&["export", "runs/tiny", "--to", "onnx", "--out", "models/again.onnx"]);
    let bytes = |name: &str| fs::read(dir.path(name)).unwrap();
    assert!(bytes("tiny.onnx") == bytes("models/again.onnx"));
    dir.trainer(&["export", "tiny", "--to", "onnx"])
        .refused(2, &["tiny.onnx already exists", "--out"]);
    dir.succeed(&["export", "tiny", "--to", "safetensors"]);
    assert_eq!(dir.names("tiny-pytorch"), ["model.py", "model.safetensors"]);
    dir.trainer(&["export", "none", "--to", "onnx"]).refused(2, &["no run none"]);
}

#[test]
fn a_page_is_a_folder_of_equal_bytes_with_the_runtime_of_browsers() {
    let dir = TestDir::new();
    dir.succeed(&["train", "tiny.toml"]);
    dir.trainer(&["export", "tiny", "--to", "web"])
        .refused(2, &["ONNX Runtime for browsers is not in", "run scripts/onnxruntime_web"]);
    assert!(!dir.path("tiny-web").exists());
    let cache = dir.path("cache/trainer-onnxruntime-web");
    fs::create_dir_all(&cache).unwrap();
    RUNTIME.iter().for_each(|(name, _)| fs::write(cache.join(name), name).unwrap());
    let output = dir.succeed(&["export", "tiny", "--to", "web"]);
    assert_eq!(output.stdout.trim(), "tiny-web");
    let names = dir.names("tiny-web");
    assert_eq!(
        names.join(" "),
        "classifier.js icon.svg index.html model.onnx models.json onnxruntime-license.txt ort.js ort.wasm page.js pixels.js style.css"
    );
    assert_eq!(
        dir.read("tiny-web/models.json"),
        r#"[{"classes":["red","green","blue"],"fit":"stretch","name":"tiny","shape":[6,6,3]}]"#
    );
    let cache = cache.to_str().unwrap();
    dir.succeed(&["export", "tiny", "--to", "web", "--out", "again", "--runtime", cache]);
    dir.succeed(&["export", "tiny", "--to", "onnx"]);
    let bytes = |name: &str| fs::read(dir.path(name)).unwrap();
    for name in &names {
        assert!(bytes(&format!("tiny-web/{name}")) == bytes(&format!("again/{name}")), "{name}");
    }
    assert!(bytes("tiny-web/model.onnx") == bytes("tiny.onnx"));
    assert_eq!(dir.read("tiny-web/ort.js"), RUNTIME[0].0);
    dir.trainer(&["export", "tiny", "--to", "web", "--out", "other", "--runtime", "runs"])
        .refused(2, &["is not in runs"]);
    dir.trainer(&["export", "tiny", "--to", "onnx", "--out", "other", "--runtime", cache])
        .refused(2, &["--runtime is for --to web"]);
}

#[test]
fn the_script_fetches_the_runtime_that_the_program_takes() {
    let script = include_str!("../scripts/onnxruntime_web");
    assert!(script.contains(&format!("version={RUNTIME_VERSION}\n")));
    let names = RUNTIME.map(|(name, _)| name).join(" ");
    assert!(script.contains(&format!("files=({names})\n")));
}
