//! The text of a config.

use std::fs;
use std::sync::LazyLock;

use tempfile::TempDir;
use training::RunConfig;

static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().unwrap());

/// Reads `bytes` as a config. An accepted config must read the same from a run directory.
pub fn read(bytes: &[u8]) {
    let path = DIRECTORY.path().join("config.toml");
    fs::write(&path, bytes).unwrap();
    if let Ok(config) = RunConfig::read(&path, &[]) {
        fs::write(&path, toml::to_string_pretty(&config).unwrap()).unwrap();
        assert_eq!(RunConfig::read(&path, &[]).unwrap(), config);
    }
}
