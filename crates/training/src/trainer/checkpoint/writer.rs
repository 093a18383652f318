use std::panic::resume_unwind;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use artifacts::UnsyncedFile;

use super::{Checkpoint, Checkpoints, Snapshot};
use crate::error::RunError;

/// Commits checkpoints in a thread of its own, one at a time, while the run goes on.
///
/// A checkpoint holds the state between two steps and is complete or does not exist, as if the run
/// had waited for it. An error of the thread is that of the next call that returns one.
pub struct CheckpointWriter {
    checkpoints: Checkpoints,
    keep_last: usize,
    commit: Option<JoinHandle<Result<(), RunError>>>,
    /// The best epoch, if it has no checkpoint yet.
    best: Option<Snapshot>,
    last_commit: Instant,
}

impl CheckpointWriter {
    /// A writer that keeps the `keep_last` newest checkpoints and those that they refer to.
    pub fn new(checkpoints: Checkpoints, keep_last: usize) -> Self {
        let last_commit = Instant::now();
        Self { checkpoints, keep_last, commit: None, best: None, last_commit }
    }

    /// Time since the start or the last commit.
    pub fn age(&self) -> Duration {
        self.last_commit.elapsed()
    }

    /// Keeps the best epoch until the next commit, which precedes its own checkpoint.
    pub fn keep_best(&mut self, best: Snapshot) {
        self.best = Some(best);
    }

    /// Starts to commit a checkpoint after `metrics`, the files that it refers to, and to remove old
    /// checkpoints. Waits for the commit before it.
    pub fn commit(
        &mut self,
        snapshot: Snapshot,
        metrics: Vec<UnsyncedFile>,
    ) -> Result<(), RunError> {
        self.wait()?;
        // Unless this is a better one.
        let best = self.best.take();
        let best =
            best.filter(|best| snapshot.state().references().any(|name| name == best.name()));
        let (checkpoints, keep_last) = (self.checkpoints.clone(), self.keep_last);
        let commit = move || {
            metrics.iter().try_for_each(UnsyncedFile::sync)?;
            for snapshot in best.into_iter().chain([snapshot]) {
                let name = checkpoints.commit(&snapshot.into_checkpoint()?)?;
                tracing::debug!(name, "checkpoint committed");
            }
            checkpoints.prune(keep_last)
        };
        self.commit = Some(thread::spawn(commit));
        self.last_commit = Instant::now();
        Ok(())
    }

    /// Returns the error of a commit that has failed.
    pub fn check(&mut self) -> Result<(), RunError> {
        let is_finished = self.commit.as_ref().is_some_and(JoinHandle::is_finished);
        if is_finished { self.wait() } else { Ok(()) }
    }

    /// Waits until there is a checkpoint of everything that was committed.
    pub fn wait(&mut self) -> Result<(), RunError> {
        match self.commit.take().map(JoinHandle::join) {
            Some(Err(panic)) => resume_unwind(panic),
            Some(Ok(committed)) => committed,
            None => Ok(()),
        }
    }

    /// Loads the checkpoint `name` when it is complete.
    pub fn load(&mut self, name: &str) -> Result<Checkpoint, RunError> {
        self.wait()?;
        self.checkpoints.load(name)
    }

    /// Returns whether there are checkpoints, or will be.
    pub fn has_checkpoint(&self) -> bool {
        self.commit.is_some() || self.checkpoints.exist()
    }
}

/// Waits: the directory must not change any more when its lock is released.
impl Drop for CheckpointWriter {
    fn drop(&mut self) {
        if let Some(commit) = self.commit.take() {
            commit.join().ok();
        }
    }
}
