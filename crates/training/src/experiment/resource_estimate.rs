//! Memory and disk space of a run, estimated before it starts.

use std::fs;
use std::path::Path;

use data::Split;
use rustix::fs::statvfs;
use support::memory;

use crate::config::{BatchSize, OnNan, RunConfig};
use crate::error::{RunError, shortage};
use crate::model::EVALUATION_BATCH;

/// Bytes that a run needs in addition to those it already uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceEstimate {
    /// Main memory.
    pub memory: u64,
    /// Disk space in the run directory.
    pub disk: u64,
}

/// Memory for a run with an automatic batch size on a graphics card, whose memory is not known.
const CARD_MEMORY: u64 = 4 << 30;
const F32_BYTES: u64 = 4;
/// Config, metrics, plots, logs.
const SMALL_FILES: u64 = 4 << 20;

impl ResourceEstimate {
    /// Estimates a run of `config` with `data` already in memory. Tensors count as main memory if
    /// `is_processor`. Fails if the estimate overflows 64 bits.
    pub fn new(config: &RunConfig, data: &Split, is_processor: bool) -> Result<Self, RunError> {
        let estimate = Self::compute(config, data, is_processor);
        estimate.ok_or(RunError::TooLarge { needed: None, available: 0 })
    }

    fn compute(config: &RunConfig, data: &Split, is_processor: bool) -> Option<Self> {
        let parameters = config.parameters(data.train.shape, data.classes.len())? as u64;
        let saved = parameters.checked_mul(1 + config.optimizer.moments())?;
        let tensors = if is_processor { tensors(config, data, parameters, saved)? } else { 0 };
        // A checkpoint is in memory twice: as records and as bytes.
        let memory = saved.checked_mul(2)?.checked_add(tensors)?.checked_mul(F32_BYTES)?;
        let checkpoints =
            checkpoint_count(config, data).checked_mul(saved)?.checked_add(parameters)?;
        let disk = checkpoints.checked_mul(F32_BYTES)?.checked_add(SMALL_FILES)?;
        Some(Self { memory, disk })
    }

    /// The batch size of `config`, the automatic one as a number.
    pub fn batch_size(config: &RunConfig, data: &Split, is_processor: bool) -> Option<BatchSize> {
        if config.training.batch_size != Some(BatchSize::Auto) {
            return config.training.batch_size;
        }
        let limit = match memory::available() {
            Some(available) if is_processor => available / 2,
            _ => CARD_MEMORY,
        };
        let fits = |size| {
            let mut config = config.clone();
            config.training.batch_size = Some(BatchSize::Fixed(size));
            let memory = Self::compute(&config, data, true).map(|estimate| estimate.memory);
            memory.is_some_and(|memory| memory <= limit) && config.check_against(data).is_ok()
        };
        Some(BatchSize::Fixed(BatchSize::automatic(data.train.len(), fits)))
    }

    /// Fails if less memory is available.
    pub fn check_memory(&self) -> Result<(), RunError> {
        match memory::available() {
            Some(available) if available < self.memory => {
                Err(RunError::TooLarge { needed: Some(self.memory), available })
            }
            _ => Ok(()),
        }
    }

    /// Fails if less disk space is available in `run`, which already has the files in
    /// `checkpoints`.
    pub fn check_disk(&self, run: &Path, checkpoints: &Path) -> Result<(), RunError> {
        let needed = self.disk.saturating_sub(size(checkpoints));
        match space(run) {
            Some(available) if available < needed => {
                let what = format!("of disk space in {}", run.display());
                Err(RunError::Other(format!(
                    "the run needs {}\n  free disk space, or keep fewer checkpoints: `training.checkpoint.keep_last`",
                    shortage(Some(needed), &what, available, "free")
                )))
            }
            _ => Ok(()),
        }
    }
}

/// Values of a step: weights and gradients, a copy of them during the update, optimizer state,
/// prefetched batches and activations.
fn tensors(config: &RunConfig, data: &Split, parameters: u64, saved: u64) -> Option<u64> {
    let (count, width) = (data.train.len() as u64, data.train.width() as u64);
    let (batch, loader) = (config.training.batch_size(data.train.len()), &config.training.loader);
    let ahead = (loader.workers * loader.prefetch + 2) as u64 * batch as u64;
    let examples = ahead.max(EVALUATION_BATCH as u64).min(count);
    let outputs = config.outputs(data.classes.len());
    let activations = config.model.activation_count(data.train.shape, outputs)? as u64;
    let layers =
        activations.checked_mul(batch.max(EVALUATION_BATCH.min(data.train.len())) as u64)?;
    parameters
        .checked_mul(3)?
        .checked_add(saved)?
        .checked_add(layers)?
        .checked_add(examples * width)
}

/// Largest number of checkpoints on disk: the last ones, the best, the one being written, and the
/// rollback target.
fn checkpoint_count(config: &RunConfig, data: &Split) -> u64 {
    let training = &config.training;
    let made = match training.checkpoint.every_steps {
        Some(every) => training.steps(data.train.len()).div_ceil(every).saturating_add(1),
        None => 1,
    };
    let made = made.saturating_mul(training.most_epochs());
    let others = if training.on_nan == OnNan::Rollback { 3 } else { 2 };
    (training.checkpoint.keep_last.min(made) as u64).saturating_add(others)
}

/// Free disk space at `path`, which need not exist.
fn space(path: &Path) -> Option<u64> {
    let path = std::path::absolute(path).ok()?;
    let disk = path.ancestors().find_map(|path| statvfs(path).ok())?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// Bytes in the subdirectories of `directory`.
fn size(directory: &Path) -> u64 {
    let entries = |directory: &Path| fs::read_dir(directory).into_iter().flatten().flatten();
    let files = entries(directory).flat_map(|entry| entries(&entry.path()));
    files.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_on_a_graphics_card_need_main_memory_only_for_checkpoints() {
        let experiment =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
        let config = RunConfig::read(&experiment, &[]).unwrap();
        let data = config.load_data().unwrap().0;
        let estimate = |is_processor| ResourceEstimate::new(&config, &data, is_processor).unwrap();
        let parameters = config.parameters(data.train.shape, data.classes.len()).unwrap() as u64;
        let saved = parameters * (1 + config.optimizer.moments());
        assert_eq!(estimate(false).memory, 2 * saved * F32_BYTES);
        assert!(estimate(true).memory > estimate(false).memory + 3 * parameters * F32_BYTES);
        assert_eq!(estimate(true).disk, estimate(false).disk);
    }
}
