//! `trainer export`. What other programs compute with the files is compared by `scripts/test_export`.

use std::fs;

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
