//! Every config that is shipped runs, and keeps what its header promises.

use std::fs;
use std::path::{Path, PathBuf};

use crate::place::Place;
use crate::screen::assert_fits;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every shipped config, by its path below `configs/`.
pub fn configs() -> Vec<PathBuf> {
    let directories = ["", "course1", "course2"].map(|name| root().join("configs").join(name));
    let entries = directories.iter().flat_map(|directory| fs::read_dir(directory).unwrap());
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths
}

#[test]
fn every_config_runs_shortened_on_what_the_program_draws() {
    let configs = configs();
    assert!(configs.len() >= 20);
    for config in configs {
        let place = Place::new();
        let config = config.to_str().unwrap();
        let ran = place.succeed(&["--config", config, "--set", "training.epochs=3"]);
        assert!(ran.stdout.contains("done in"), "{config}: {ran:#?}");
        assert_fits(&ran.stdout);
        assert_fits(&place.succeed(&["model", "summary", config]).stdout);
        assert_fits(&place.succeed(&["config", "show", config, "--origins"]).stdout);
    }
}

#[test]
fn every_header_tells_command_time_and_score() {
    for config in configs() {
        let text = fs::read_to_string(&config).unwrap();
        let header: Vec<_> = text.lines().take_while(|line| line.starts_with('#')).collect();
        let header = header.join("\n");
        for word in ["scripts/trainer --config configs/", " s ", "%"] {
            assert!(header.contains(word), "{}: no {word:?} in\n{header}", config.display());
        }
    }
}
