//! Runs that exceed the memory, the disk or the limits of a model are refused before anything is
//! written.

use crate::test_dir::TestDir;

#[test]
fn a_model_that_does_not_fit_into_memory_is_refused() {
    let dir = TestDir::new();
    for hidden in ["model.mlp.hidden=[65536,65536]", "model.mlp.hidden=[65536,65536,65536,65536]"] {
        let args = ["--config", "tiny.toml", "--set", hidden];
        dir.trainer(&args).refused(2, &["of memory", "are available", "reduce the model"]);
    }
    assert!(!dir.path("runs").exists());
}

#[test]
fn a_model_that_is_incompatible_with_the_data_is_refused() {
    let dir = TestDir::new();
    let images = dir.read("tiny.toml");
    let convolutions = images.replace("[model.mlp]", "[model.cnn]").replace("hidden = [8]", "");
    dir.write("cnn.toml", &convolutions);
    let stages = ["--set", "model.cnn.channels=[4,4,4,4]"];
    let args = [&["--config", "cnn.toml"][..], &stages].concat();
    dir.trainer(&args)
        .refused(2, &["incompatible with examples of", "4 stages", "less than one pixel"]);
    let source = "[dataset.hdf5]\ndirectory = \"data\"\ntrain = \"train.h5\"\ntest = \"test.h5\"\n";
    dir.write("points.toml", convolutions.replace(source, "[dataset.points]\n"));
    let args = ["--config", "points.toml"];
    dir.trainer(&args).refused(2, &["1 x 1 x 2", "plain features", "[model.mlp]"]);
}

#[test]
fn checkpoints_that_do_not_fit_on_the_disk_are_refused() {
    let dir = TestDir::new();
    let keep = ["training.checkpoint.keep_last=1000000", "training.epochs=10000000"];
    let args = ["--config", "tiny.toml", "--set", "model.mlp.hidden=[4000]"];
    let keep = keep.map(|key| ["--set", key]).concat();
    dir.trainer(&[&args[..], &keep].concat())
        .refused(1, &["of disk space in", "are free", "keep_last"]);
    assert_eq!(dir.names("runs"), [""; 0]);
}
