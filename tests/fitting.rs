//! Runs that exceed the memory, the disk or the limits of a model are refused before anything is
//! written.

use crate::place::Place;

#[test]
fn a_model_that_does_not_fit_into_memory_is_refused() {
    let place = Place::new();
    for hidden in ["model.mlp.hidden=[65536,65536]", "model.mlp.hidden=[65536,65536,65536,65536]"] {
        let args = ["--config", "tiny.toml", "--set", hidden];
        place.trainer(&args).refused(2, &["of memory", "are available", "reduce the model"]);
    }
    assert!(!place.path("runs").exists());
}

#[test]
fn a_model_that_is_incompatible_with_the_data_is_refused() {
    let place = Place::new();
    let images = place.read("tiny.toml");
    let convolutions = images.replace("[model.mlp]", "[model.cnn]").replace("hidden = [8]", "");
    place.write("cnn.toml", &convolutions);
    let stages = ["--set", "model.cnn.channels=[4,4,4,4]"];
    let args = [&["--config", "cnn.toml"][..], &stages].concat();
    place
        .trainer(&args)
        .refused(2, &["incompatible with examples of", "4 stages", "less than one pixel"]);
    let source = "[dataset.hdf5]\ndirectory = \"data\"\ntrain = \"train.h5\"\ntest = \"test.h5\"\n";
    place.write("points.toml", convolutions.replace(source, "[dataset.points]\n"));
    let args = ["--config", "points.toml"];
    place.trainer(&args).refused(2, &["1 x 1 x 2", "plain features", "[model.mlp]"]);
}

#[test]
fn checkpoints_that_do_not_fit_on_the_disk_are_refused() {
    let place = Place::new();
    let keep = ["training.checkpoint.keep_last=1000000", "training.epochs=10000000"];
    let args = ["--config", "tiny.toml", "--set", "model.mlp.hidden=[4000]"];
    let keep = keep.map(|key| ["--set", key]).concat();
    place
        .trainer(&[&args[..], &keep].concat())
        .refused(1, &["of disk space in", "are free", "keep_last"]);
    assert_eq!(place.names("runs"), [""; 0]);
}
