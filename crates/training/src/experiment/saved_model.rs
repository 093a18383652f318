use std::fs;
use std::io::ErrorKind;

use artifacts::{ArtifactError, Environment, RunDir, Summary};
use support::sha256;

use crate::error::RunError;
use crate::trainer::Checkpoints;

/// The model of the best epoch of `run`, or of its last if there is no validation set, in Burn's
/// format: from `best_model.bpk`, which a finished run has, otherwise from its checkpoints.
pub fn saved_model(run: &RunDir, environment: &Environment) -> Result<Vec<u8>, RunError> {
    let error = match best_model(run) {
        Ok(bytes) => return Ok(bytes),
        Err(error) => error,
    };
    let checkpoints = Checkpoints::existing(run.checkpoints(), &environment.run);
    let Some(newest) = checkpoints.newest()? else { return Err(error) };
    if !matches!(error, RunError::NoCheckpoint { .. }) {
        let reason = error.to_string();
        let reason = reason.lines().next().unwrap_or_default();
        tracing::warn!("{reason}; the model is that of a checkpoint, without a temperature");
    }
    let checkpoint = match &newest.state.best {
        Some(best) => checkpoints.load(&best.checkpoint)?,
        None => newest,
    };
    Ok(checkpoint.into_model_bytes())
}

/// The content of `best_model.bpk`, which must be that of the summary, if there is one.
pub fn best_model(run: &RunDir) -> Result<Vec<u8>, RunError> {
    let path = run.best_model();
    let bytes = fs::read(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => RunError::NoCheckpoint { path: run.path().to_owned() },
        _ => ArtifactError::read(&path, error).into(),
    })?;
    match Summary::read(run)? {
        Some(summary) if summary.model_sha256 != sha256(&bytes) => {
            let reason = "its SHA-256 differs from that in summary.json";
            Err(ArtifactError::damaged(&path, reason).into())
        }
        _ => Ok(bytes),
    }
}
