use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use data::{Examples, Values};
use prometheus_client::metrics::histogram::Histogram;
use support::panics;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use training::{ModelOutput, Predictor};

use crate::model::Model;

/// Number of examples from which on a batch waits for no others.
const FULL: usize = 32;
/// Time that a batch waits for others.
const WAIT: Duration = Duration::from_millis(2);

/// Examples of one request.
pub struct Job {
    pub examples: Examples,
    pub answer: oneshot::Sender<Result<Vec<ModelOutput>, String>>,
    /// Its places in the queue.
    pub places: OwnedSemaphorePermit,
}

/// Computes `jobs` in batches by `trained`, or what replaces it, for ever.
pub fn run(mut trained: Predictor, jobs: &Receiver<Job>, model: &Model, batch_sizes: &Histogram) {
    while let Ok(first) = jobs.recv() {
        let batch = fill(first, jobs);
        batch_sizes.observe(size(&batch) as f64);
        trained = answer(batch, model.take_next().unwrap_or(trained));
    }
}

/// The jobs of the next batch.
fn fill(first: Job, jobs: &Receiver<Job>) -> Vec<Job> {
    let deadline = Instant::now() + WAIT;
    let mut batch = vec![first];
    while size(&batch) < FULL {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(job) = jobs.recv_timeout(left) else { break };
        batch.push(job);
    }
    batch
}

fn size(batch: &[Job]) -> usize {
    batch.iter().map(|job| job.examples.len()).sum()
}

/// Computes a batch by `model`, and returns that.
fn answer(batch: Vec<Job>, model: Predictor) -> Predictor {
    let examples = concatenated(&batch, model.data_identity().shape);
    // On a thread of rayon's, which would otherwise be woken for every piece of work.
    let (model, outputs) = rayon::scope(|_| {
        let outputs = panics::catch(|| model.outputs(&examples));
        (model, outputs)
    });
    let outputs = outputs.and_then(|outputs| outputs.map_err(|error| error.to_string()));
    let mut outputs = outputs.map(Vec::into_iter);
    for job in batch {
        let own = match &mut outputs {
            Ok(outputs) => Ok(outputs.take(job.examples.len()).collect()),
            Err(error) => Err(error.clone()),
        };
        drop(job.places);
        // A client that has gone receives nothing.
        let _ = job.answer.send(own);
    }
    model
}

fn concatenated(batch: &[Job], shape: [usize; 3]) -> Examples {
    let (mut pixels, mut features) = (Vec::new(), Vec::new());
    for job in batch {
        match &job.examples.values {
            Values::Pixels(values) => pixels.extend_from_slice(values),
            Values::Features(values) => features.extend_from_slice(values),
            Values::Stored(_) => {}
        }
    }
    let values =
        if features.is_empty() { Values::Pixels(pixels) } else { Values::Features(features) };
    Examples::new(shape, values, vec![0; size(batch)])
}
