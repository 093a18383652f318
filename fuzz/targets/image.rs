//! An image file to be classified.

use std::fs;
use std::sync::LazyLock;

use training::{ModelRegistry, TrainedModel};

use super::fixture::Fixture;

static FIXTURE: LazyLock<Fixture> = LazyLock::new(Fixture::new);

thread_local! {
    static MODEL: TrainedModel =
        TrainedModel::open(&FIXTURE.run(), Some("flex"), &ModelRegistry::new()).unwrap();
}

/// Classifies the image file with these `bytes`.
pub fn read(bytes: &[u8]) {
    let path = FIXTURE.path("image");
    fs::write(&path, bytes).unwrap();
    MODEL.with(|model| {
        if let Ok(predictions) = model.predict_images(&[path]) {
            assert!(predictions.iter().all(|prediction| prediction.probability.is_finite()));
        }
    });
}
