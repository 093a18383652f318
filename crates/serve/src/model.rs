use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use artifacts::{DataIdentity, RunDir};
use data::{Examples, Values};
use data_sources::images::Frame;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use training::{ModelOutput, ModelRegistry, Predictor, RunError, TrainedModel};

use crate::api_error::ApiError;
use crate::batcher::Job;

/// Maximum number of examples of a request.
pub const MAX_EXAMPLES: usize = 256;
/// Maximum number of examples that a model has accepted and not answered.
const QUEUE: usize = 1024;

/// The run whose model is served.
pub struct ModelSource {
    run: RunDir,
    device: Option<String>,
    registry: ModelRegistry,
}

/// A served model.
pub struct Model {
    pub name: String,
    /// State of its files before it was loaded.
    pub first_stamp: Stamp,
    pub source: ModelSource,
    /// Identity of its data: shape and kind of its inputs, and its classes.
    pub identity: DataIdentity,
    /// Number of logits of an example.
    pub logits: usize,
    /// Shape and fit of its images; `None` for a model of points.
    frame: Option<Frame>,
    /// A model that was loaded and is not used yet.
    next: Mutex<Option<Predictor>>,
    jobs: Sender<Job>,
    queue: Arc<Semaphore>,
}

/// Time of change and length of the best model and of the summary of a run, those that there are.
pub type Stamp = [Option<(SystemTime, u64)>; 2];

impl ModelSource {
    /// The run at `path`. Its model is built in or in `registry`, and runs on `device`, otherwise on the
    /// best device.
    ///
    /// # Errors
    ///
    /// If there is no run.
    pub fn new(
        path: &Path,
        device: Option<&str>,
        registry: &ModelRegistry,
    ) -> Result<Self, RunError> {
        let (run, device) = (RunDir::open(path)?, device.map(str::to_owned));
        Ok(Self { run, device, registry: registry.clone() })
    }

    fn open(&self) -> Result<Predictor, RunError> {
        let run = self.run.clone().model_run();
        let model = TrainedModel::open(run.path(), self.device.as_deref(), &self.registry)?;
        Ok(model.into_predictor())
    }

    /// The best model alone: a damaged one is not replaced by that of a checkpoint.
    fn open_best(&self) -> Result<Predictor, RunError> {
        let run = self.run.clone().model_run();
        Predictor::open(&run.best_model(), self.device.as_deref(), &self.registry)
    }

    pub(crate) fn stamp(&self) -> Stamp {
        let run = self.run.clone().model_run();
        [run.best_model(), run.summary()].map(|path| {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        })
    }
}

impl Model {
    /// Loads the model of `source`, which is to compute the jobs of the receiver.
    pub fn load(
        name: &str,
        source: ModelSource,
    ) -> Result<(Self, Predictor, Receiver<Job>), RunError> {
        let first_stamp = source.stamp();
        let trained = source.open()?;
        let (jobs, receiver) = channel();
        let model = Self {
            name: name.to_owned(),
            first_stamp,
            source,
            identity: trained.data_identity().clone(),
            logits: try_out(&trained)?,
            frame: trained.frame().ok(),
            next: Mutex::new(None),
            jobs,
            queue: Arc::new(Semaphore::new(QUEUE)),
        };
        Ok((model, trained, receiver))
    }

    /// Shape and fit of the images that the model classifies.
    pub fn frame(&self) -> Result<Frame, ApiError> {
        let features = "the model classifies points: send their features to /v2/models/NAME/infer";
        self.frame.ok_or_else(|| ApiError::bad_request(features))
    }

    /// Takes places in the queue for `examples`, if there are any.
    pub fn queue(&self, examples: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        if !(1..=MAX_EXAMPLES).contains(&examples) {
            let message = format!("{examples} examples: send 1 to {MAX_EXAMPLES} in a request");
            return Err(ApiError::bad_request(message));
        }
        let places = Arc::clone(&self.queue).try_acquire_many_owned(examples as u32);
        places.map_err(|_| ApiError::busy("the queue of the model is full"))
    }

    /// Number of examples in the queue.
    pub fn queue_depth(&self) -> usize {
        QUEUE - self.queue.available_permits()
    }

    /// Computes `examples`, which have their `places` in the queue.
    pub async fn outputs(
        &self,
        examples: Examples,
        places: OwnedSemaphorePermit,
    ) -> Result<Vec<ModelOutput>, ApiError> {
        let (answer, outputs) = oneshot::channel();
        let ended = "the thread of the model has ended";
        let sent = self.jobs.send(Job { examples, answer, places });
        sent.map_err(|_| ApiError::internal(ended))?;
        outputs.await.map_err(|_| ApiError::internal(ended))?.map_err(ApiError::internal)
    }

    /// The model that is to replace the present one, if there is any.
    pub fn take_next(&self) -> Option<Predictor> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Loads the model again and uses it from the next batch on, unless it cannot be used in the place of
    /// the old one; an error says why.
    pub fn reload(&self) -> Result<(), String> {
        let model = self.source.open_best().map_err(|error| error.to_string())?;
        let logits = try_out(&model).map_err(|error| error.to_string())?;
        let (old, new) = (&self.identity, model.data_identity());
        let same = old.shape == new.shape
            && old.are_images == new.are_images
            && old.classes == new.classes
            && self.logits == logits;
        if !same {
            return Err("it has other inputs or classes; restart the server to use it".to_owned());
        }
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(model);
        Ok(())
    }
}

/// Classifies one example of zeros, and returns the number of its logits.
fn try_out(model: &Predictor) -> Result<usize, RunError> {
    let DataIdentity { shape, are_images, .. } = *model.data_identity();
    let size = shape.iter().product();
    let values =
        if are_images { Values::Pixels(vec![0; size]) } else { Values::Features(vec![0.0; size]) };
    let example = Examples::new(shape, values, vec![0]);
    let outputs = model.outputs(&example)?;
    Ok(outputs.first().map_or(0, |output| output.logits.len()))
}
