//! Which changes of a config a resumed run may bring.

use std::collections::BTreeMap;
use std::io;

use dataset::sha256;
use toml::Value;

use crate::config::RunConfig;
use crate::environment::DataIdentity;
use crate::error::RunError;
use crate::run_dir::{RunDir, write_file};

/// The keys that may change between two parts of a run: they leave what is already done valid.
/// The data are compared by their content rather than by where they lie.
const CHANGEABLE: [&str; 6] = [
    "dataset",
    "device",
    "reference",
    "training.checkpoint",
    "training.early_stopping",
    "training.epochs",
];

/// Fails if `config` is not that of the run in `directory`, but for what may change.
pub fn must_continue(config: &RunConfig, directory: &RunDir) -> Result<(), RunError> {
    let then = fixed_keys(&RunConfig::read(&directory.config(), &[])?)?;
    let now = fixed_keys(config)?;
    let show = |keys: &BTreeMap<String, Value>, key: &str| {
        keys.get(key).map_or_else(|| "absent".to_owned(), Value::to_string)
    };
    let mut keys: Vec<_> = then.keys().chain(now.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| then.get(*key) != now.get(*key));
    if keys.is_empty() {
        return Ok(());
    }
    let differences = keys
        .into_iter()
        .map(|key| format!("{key}: {} in the run, {} now", show(&then, key), show(&now, key)));
    Err(RunError::ResumeConflict {
        run: directory.path().to_owned(),
        differences: differences.collect(),
    })
}

/// What the checkpoints of a new run are marked with.
pub fn identity(config: &RunConfig, data: &DataIdentity) -> Result<String, RunError> {
    Ok(sha256(format!("{:?}{:?}", fixed_keys(config)?, data.sha256).as_bytes()))
}

/// Every key of `config` that a resumed run must not change, by its dotted path.
fn fixed_keys(config: &RunConfig) -> Result<BTreeMap<String, Value>, RunError> {
    let table =
        toml::Table::try_from(config).map_err(|error| RunError::Record(error.to_string()))?;
    let mut keys = BTreeMap::new();
    flatten("", table, &mut keys);
    let changeable = |key: &str| {
        CHANGEABLE.iter().any(|prefix| {
            key.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    keys.retain(|key, _| !changeable(key));
    Ok(keys)
}

/// Writes the resolved `config` into the run.
pub fn write_config(config: &RunConfig, directory: &RunDir) -> Result<(), RunError> {
    let path = directory.config();
    let text = toml::to_string_pretty(config)
        .map_err(|error| RunError::write(&path, io::Error::other(error)))?;
    write_file(&path, text.as_bytes())
}

fn flatten(prefix: &str, table: toml::Table, keys: &mut BTreeMap<String, Value>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(table) if !table.is_empty() => flatten(&key, table, keys),
            value => drop(keys.insert(key, value)),
        }
    }
}
