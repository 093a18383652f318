use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use tokio::runtime;
use training::{Predictor, RunError};

use crate::app::App;
use crate::batcher::{self, Job};
use crate::connections;
use crate::metrics::Metrics;
use crate::model::{Model, ModelSource};

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
        spawn("reload", || reload(watched))?;
        let app = Arc::new(App { models, metrics, ..App::default() });
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

/// Time between two looks at the files of the models.
const RELOAD_INTERVAL: Duration = Duration::from_secs(1);

/// Loads models whose files change, for ever. A model that cannot be loaded leaves the old one in use.
fn reload(models: Vec<Arc<Model>>) {
    let models = models.into_iter().map(|model| (model.first_stamp, model));
    let mut watched: Vec<_> = models.collect();
    loop {
        thread::sleep(RELOAD_INTERVAL);
        for (seen, model) in &mut watched {
            let now = model.source.stamp();
            if *seen == now || now[0].is_none() {
                continue;
            }
            *seen = now;
            match model.reload() {
                Ok(()) => tracing::info!("{}: the new best model is in use", model.name),
                Err(error) => tracing::warn!(
                    "{}: the old model stays in use, since the new one cannot be loaded: {error}",
                    model.name
                ),
            }
        }
    }
}
