//! Runs the fuzz targets on the corpus of `fuzz/`, without a fuzzer: the initial inputs and those
//! that once caused a failure.

#[path = "../../../fuzz/targets/checkpoint.rs"]
mod checkpoint;
#[path = "../../../fuzz/targets/config.rs"]
mod config;
#[path = "../../../fuzz/targets/fixture.rs"]
mod fixture;
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
    assert!(inputs > 0, "the corpus of {target} is empty");
}

#[test]
fn the_checkpoint_corpus_is_read_without_a_panic() {
    replay("checkpoint", checkpoint::read);
}

#[test]
fn the_config_corpus_is_read_without_a_panic() {
    replay("config", config::read);
}

#[test]
fn the_hdf5_corpus_is_read_without_a_panic() {
    replay("hdf5", hdf5::read);
}

#[test]
fn the_image_corpus_is_read_without_a_panic() {
    replay("image", image::read);
}
