//! The inputs that the fuzzers of `fuzz/` start from, and those that once broke something, read by
//! the same code without a fuzzer.

#[path = "../../../fuzz/targets/checkpoint.rs"]
mod checkpoint;
#[path = "../../../fuzz/targets/config.rs"]
mod config;
#[path = "../../../fuzz/targets/experiment.rs"]
mod experiment;
#[path = "../../../fuzz/targets/hdf5.rs"]
mod hdf5;
#[path = "../../../fuzz/targets/image.rs"]
mod image;

use std::fs;
use std::path::Path;

fn replay(target: &str, read: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        read(&fs::read(path).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0, "there is no corpus of {target}");
}

#[test]
fn the_corpus_of_checkpoints_is_read_without_a_panic() {
    replay("checkpoint", checkpoint::read);
}

#[test]
fn the_corpus_of_configs_is_read_without_a_panic() {
    replay("config", config::read);
}

#[test]
fn the_corpus_of_data_sets_is_read_without_a_panic() {
    replay("hdf5", hdf5::read);
}

#[test]
fn the_corpus_of_images_is_read_without_a_panic() {
    replay("image", image::read);
}
