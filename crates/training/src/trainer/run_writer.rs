use artifacts::{CommittedMetrics, EpochMetrics, EventFile, MetricsFiles, RunDir, Stopwatch};

use super::checkpoint::{CheckpointWriter, Checkpoints, Snapshot};
use super::state::TrainingState;
use crate::error::RunError;

/// Writes what a run leaves in its directory while it trains.
pub struct RunWriter {
    directory: RunDir,
    metrics: MetricsFiles,
    tensorboard: EventFile,
    pub checkpoints: CheckpointWriter,
    pub stopwatch: Stopwatch,
    /// Whether the next times are the first ones since the run was resumed.
    is_resumed: bool,
}

impl RunWriter {
    /// Opens the files of a run that continues from `state` and keeps `keep_last` checkpoints.
    pub fn open(
        directory: RunDir,
        checkpoints: Checkpoints,
        state: &TrainingState,
        keep_last: usize,
    ) -> Result<Self, RunError> {
        let metrics = MetricsFiles::open(&directory, &state.metrics)?;
        let tensorboard = EventFile::create(&directory, state.step)?;
        let is_resumed = state.step > 0;
        let stopwatch = Stopwatch::start(0, is_resumed);
        let checkpoints = CheckpointWriter::new(checkpoints, keep_last);
        Ok(Self { directory, metrics, tensorboard, checkpoints, stopwatch, is_resumed })
    }

    /// Discards everything written after `state`.
    pub fn roll_back(&mut self, state: &TrainingState) -> Result<(), RunError> {
        self.metrics = MetricsFiles::open(&self.directory, &state.metrics)?;
        Ok(self.tensorboard.restart(state.step)?)
    }

    /// Starts to time a reported epoch of which an earlier process has seen `examples`.
    pub fn start_epoch(&mut self, examples: u64) {
        self.stopwatch = Stopwatch::start(examples, self.is_resumed);
    }

    /// Records the times of an epoch whose evaluation and checkpoint are done.
    pub fn record_times(&mut self) -> Result<(), RunError> {
        self.is_resumed = false;
        Ok(self.stopwatch.record(&self.directory)?)
    }

    pub fn append(&mut self, metrics: &EpochMetrics) -> Result<(), RunError> {
        self.metrics.append(metrics)?;
        Ok(self.tensorboard.append(metrics)?)
    }

    pub fn metrics(&self) -> CommittedMetrics {
        self.metrics.extent()
    }

    /// Starts to commit a checkpoint, as [`CheckpointWriter::commit`].
    pub fn commit(&mut self, snapshot: Snapshot) -> Result<(), RunError> {
        self.stopwatch.start_part();
        self.checkpoints.commit(snapshot, self.metrics.unsynced()?)?;
        self.stopwatch.end_part(|phases| &mut phases.checkpoint);
        Ok(())
    }
}
