use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;

use tokio::runtime;
use training::{Predictor, RunError};

use crate::app::App;
use crate::batcher::{self, Job};
use crate::metrics::Metrics;
use crate::model::{Model, ModelSource};
use crate::{connections, reload};

/// A server of models.
#[derive(Default)]
pub struct Server {
    models: BTreeMap<String, (Model, Predictor, Receiver<Job>)>,
}

impl Server {
    /// Loads the model of `source`. Requests call it `name`, which replaces an
    /// earlier model of that name.
    ///
    /// # Errors
    ///
    /// If the model cannot be loaded, or fails to classify an example of zeros.
    pub fn add(&mut self, name: &str, source: ModelSource) -> Result<(), RunError> {
        self.models.insert(name.to_owned(), Model::load(name, source)?);
        Ok(())
    }

    /// Answers requests until `is_stopped`, which is polled. Then the requests of all accepted
    /// connections are answered, for at most 30 seconds.
    ///
    /// # Errors
    ///
    /// If the operating system refuses a thread or the listener.
    pub fn run(self, listener: TcpListener, is_stopped: impl Fn() -> bool) -> io::Result<()> {
        let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
        let metrics = Metrics::default();
        let mut models = BTreeMap::new();
        for (name, (model, trained, jobs)) in self.models {
            let model = Arc::new(model);
            let (of_thread, batch_sizes) = (Arc::clone(&model), metrics.batch_sizes(&name));
            let compute = move || batcher::run(trained, &jobs, &of_thread, &batch_sizes);
            spawn(&format!("model {name}"), compute)?;
            models.insert(name, model);
        }
        let watched = models.values().cloned().collect();
        spawn("reload", || reload::watch(watched))?;
        let app = Arc::new(App::new(models, metrics));
        listener.set_nonblocking(true)?;
        let served = runtime.block_on(connections::serve(listener, app, is_stopped));
        // Work whose request was given up.
        runtime.shutdown_background();
        served
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.into()).spawn(work).map(drop)
}
