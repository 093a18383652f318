//! An image file to be classified.

use std::sync::LazyLock;

use data_sources::images::DecodedImage;
use training::{ModelRegistry, Predictor, TrainedModel};

use super::fixture::Fixture;

static FIXTURE: LazyLock<Fixture> = LazyLock::new(Fixture::new);

thread_local! {
    static MODEL: Predictor =
        TrainedModel::open(&FIXTURE.run(), Some("flex"), &ModelRegistry::new()).unwrap().into_predictor();
}

/// Classifies the image file with these `bytes`.
pub fn read(bytes: &[u8]) {
    let Ok(image) = DecodedImage::decode(bytes) else { return };
    MODEL.with(|model| {
        let pixels = image.pixels(model.frame().unwrap());
        if let Ok(predictions) = model.predict_images(&["image".to_owned()], &[pixels]) {
            assert!(predictions.iter().all(|prediction| prediction.probability.is_finite()));
        }
    });
}
