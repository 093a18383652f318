use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use data_sources::images::{DecodedImage, Frame, ImageHeader};
use tokio::sync::Semaphore;

/// Maximum number of pixels of an image, and of all images that are decoded at once.
const MAX_PIXELS: u64 = 25_000_000;
/// The unit of the semaphore, in pixels.
const UNIT: u64 = 1000;

/// Decodes images, at most one per processor core, on threads of their own.
pub struct Decoders {
    /// Pixels that may still be decoded at once.
    room: Arc<Semaphore>,
    /// The least that an image takes of it, so that there are not more images than cores.
    least: u64,
}

impl Default for Decoders {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let room = MAX_PIXELS / UNIT;
        Self { room: Arc::new(Semaphore::new(room as usize)), least: room / cores as u64 }
    }
}

impl Decoders {
    /// Decodes an image, and resizes it to pixels of `frame`. An error is the reason why it cannot be
    /// read.
    pub async fn decode(&self, image: Vec<u8>, frame: Frame) -> Result<Vec<u8>, String> {
        let [height, width] = ImageHeader::read(&image)
            .map_err(|error| error.to_string())?
            .size
            .map(|side| side as u64);
        let share = (height * width / UNIT).clamp(self.least, MAX_PIXELS / UNIT);
        let room = Arc::clone(&self.room).acquire_many_owned(share as u32).await;
        let decode = move || {
            let pixels = DecodedImage::decode_at_most(&image, MAX_PIXELS)
                .map(|decoded| decoded.pixels(frame));
            drop((image, room));
            pixels
        };
        let pixels = tokio::task::spawn_blocking(decode).await;
        pixels.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}
