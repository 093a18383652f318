//! An image to be classified.

use std::fs;
use std::sync::LazyLock;

use training::Trained;

use super::experiment::Experiment;

static EXPERIMENT: LazyLock<Experiment> = LazyLock::new(Experiment::new);

thread_local! {
    static TRAINED: Trained = Trained::open(&EXPERIMENT.run(), Some("flex")).unwrap();
}

/// Classifies the image file of these `bytes`.
pub fn read(bytes: &[u8]) {
    let path = EXPERIMENT.path("image");
    fs::write(&path, bytes).unwrap();
    TRAINED.with(|trained| {
        if let Ok(predictions) = trained.predict_images(&[path]) {
            assert!(predictions.iter().all(|prediction| prediction.probability.is_finite()));
        }
    });
}
