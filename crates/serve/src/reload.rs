use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::model::Model;

/// Time between two looks at the files of the models.
const INTERVAL: Duration = Duration::from_secs(1);

/// Loads models whose files change, for ever. A model that cannot be loaded leaves the old one in use.
pub fn watch(models: Vec<Arc<Model>>) {
    let models = models.into_iter().map(|model| (model.first_stamp.clone(), model));
    let mut watched: Vec<_> = models.collect();
    loop {
        thread::sleep(INTERVAL);
        for (seen, model) in &mut watched {
            let now = model.stamp();
            if *seen == now || !now.has_model() {
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
