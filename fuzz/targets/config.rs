//! The text of a config.

use std::fs;
use std::sync::LazyLock;

use tempfile::TempDir;
use training::RunConfig;

static PLACE: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().unwrap());

/// Reads `bytes` as a config. One that is accepted must read the same from a run's directory.
pub fn read(bytes: &[u8]) {
    let path = PLACE.path().join("config.toml");
    fs::write(&path, bytes).unwrap();
    if let Ok(config) = RunConfig::read(&path, &[]) {
        fs::write(&path, toml::to_string_pretty(&config).unwrap()).unwrap();
        assert_eq!(RunConfig::read(&path, &[]).unwrap(), config);
    }
}
