//! The shipped configs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::screen::assert_fits;
use crate::test_dir::TestDir;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Paths of all shipped configs.
pub fn configs() -> Vec<PathBuf> {
    let directories = ["", "course1", "course2"].map(|name| root().join("configs").join(name));
    let entries = directories.iter().flat_map(|directory| fs::read_dir(directory).unwrap());
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths
}

#[test]
fn every_shipped_config_runs_for_three_epochs_on_generated_data() {
    let configs = configs();
    assert!(configs.len() >= 20);
    for config in configs {
        let dir = TestDir::new();
        let config = config.to_str().unwrap();
        let output = dir.succeed(&["--config", config, "--set", "training.epochs=3"]);
        assert!(output.stdout.contains("done in"), "{config}: {output:#?}");
        assert_fits(&output.stdout);
        assert_fits(&dir.succeed(&["model", "summary", config]).stdout);
        assert_fits(&dir.succeed(&["config", "show", config, "--origins"]).stdout);
    }
}

#[test]
fn every_config_header_states_command_time_and_score() {
    for config in configs() {
        let text = fs::read_to_string(&config).unwrap();
        let header: Vec<_> = text.lines().take_while(|line| line.starts_with('#')).collect();
        let header = header.join("\n");
        for word in ["scripts/trainer --config configs/", " s ", "%"] {
            assert!(header.contains(word), "{}: no {word:?} in\n{header}", config.display());
        }
    }
}
