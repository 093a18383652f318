//! What a run will need, known before it starts.

use std::fs;
use std::path::Path;

use dataset::{Split, memory};
use rustix::fs::statvfs;

use crate::config::RunConfig;
use crate::error::RunError;
use crate::session::{EVALUATION_BATCH, OnNan};

/// What a run needs beside what it has, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// In the memory of the machine.
    pub memory: u64,
    /// On the disk of the run directory.
    pub disk: u64,
}

/// Numbers are f32.
const NUMBER: u64 = 4;
/// Config, metrics, pictures, logs.
const SMALL_FILES: u64 = 4 << 20;

impl Estimate {
    /// What `config` needs with `data` in memory already. With the tensors on a graphics card,
    /// `is_processor` is false. Fails if that is no number of 64 bits.
    pub fn of(config: &RunConfig, data: &Split, is_processor: bool) -> Result<Self, RunError> {
        let estimate = Self::counted(config, data, is_processor);
        estimate.ok_or(RunError::TooLarge { needed: None, available: 0 })
    }

    fn counted(config: &RunConfig, data: &Split, is_processor: bool) -> Option<Self> {
        let parameters = config.parameters(data.train.shape, data.classes.len())? as u64;
        let saved = parameters.checked_mul(1 + config.optimizer.moments())?;
        let tensors = if is_processor { tensors(config, data, parameters, saved)? } else { 0 };
        // A checkpoint is put together in memory: records, and the same as bytes.
        let memory = saved.checked_mul(2)?.checked_add(tensors)?.checked_mul(NUMBER)?;
        let checkpoints = kept(config, data).checked_mul(saved)?.checked_add(parameters)?;
        let disk = checkpoints.checked_mul(NUMBER)?.checked_add(SMALL_FILES)?;
        Some(Self { memory, disk })
    }

    /// Fails if there is less memory than is needed.
    pub fn must_fit_memory(&self) -> Result<(), RunError> {
        match memory::available() {
            Some(available) if available < self.memory => {
                Err(RunError::TooLarge { needed: Some(self.memory), available })
            }
            _ => Ok(()),
        }
    }

    /// Fails if there is less space than is needed around `run`, which holds some checkpoints
    /// already.
    pub fn must_fit_disk(&self, run: &Path, checkpoints: &Path) -> Result<(), RunError> {
        let needed = self.disk.saturating_sub(size(checkpoints));
        match space(run) {
            Some(available) if available < needed => {
                Err(RunError::NoSpace { run: run.to_owned(), needed, available })
            }
            _ => Ok(()),
        }
    }
}

/// The numbers of a step: weights and gradients, each once more while they are changed, what the
/// optimiser knows, the batches ahead, and what the layers keep.
fn tensors(config: &RunConfig, data: &Split, parameters: u64, saved: u64) -> Option<u64> {
    let (count, width) = (data.train.len() as u64, data.train.width() as u64);
    let (batch, loader) = (config.training.batch_size(data.train.len()), &config.training.loader);
    let ahead = (loader.workers * loader.prefetch + 2) as u64 * batch as u64;
    let examples = ahead.max(EVALUATION_BATCH as u64).min(count);
    let activations = config.activations(data.train.shape, data.classes.len())? as u64;
    let layers =
        activations.checked_mul(batch.max(EVALUATION_BATCH.min(data.train.len())) as u64)?;
    parameters
        .checked_mul(3)?
        .checked_add(saved)?
        .checked_add(layers)?
        .checked_add(examples * width)
}

/// How many checkpoints are on the disk at once: the last ones, the best, the one that is being
/// written, and one to go back to.
fn kept(config: &RunConfig, data: &Split) -> u64 {
    let training = &config.training;
    let made = match training.checkpoint.every_steps {
        Some(every) => training.steps(data.train.len()).div_ceil(every).saturating_add(1),
        None => 1,
    };
    let made = made.saturating_mul(training.epochs);
    let others = if training.on_nan == OnNan::Rollback { 3 } else { 2 };
    (training.checkpoint.keep_last.min(made) as u64).saturating_add(others)
}

/// The space that is free around `path`, which need not be there yet.
fn space(path: &Path) -> Option<u64> {
    let path = std::path::absolute(path).ok()?;
    let disk = path.ancestors().find_map(|path| statvfs(path).ok())?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// The bytes in the directories of `directory`.
fn size(directory: &Path) -> u64 {
    let entries = |directory: &Path| fs::read_dir(directory).into_iter().flatten().flatten();
    let files = entries(directory).flat_map(|entry| entries(&entry.path()));
    files.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_the_tensors_on_a_graphics_card_the_machine_holds_only_what_is_saved() {
        let experiment =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
        let config = RunConfig::read(&experiment, &[]).unwrap();
        let data = config.split.apply(config.dataset.load().unwrap(), config.seed).unwrap();
        let of = |is_processor| Estimate::of(&config, &data, is_processor).unwrap();
        let parameters = config.parameters(data.train.shape, data.classes.len()).unwrap() as u64;
        let saved = parameters * (1 + config.optimizer.moments());
        assert_eq!(of(false).memory, 2 * saved * NUMBER);
        assert!(of(true).memory > of(false).memory + 3 * parameters * NUMBER);
        assert_eq!(of(true).disk, of(false).disk);
    }
}
