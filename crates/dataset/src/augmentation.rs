//! Random changes of training images: `augmentation = [..]`, in the order of the list.

mod affine;
mod canvas;
mod colour;
mod cutout;
mod geometry;
mod mixing;
mod random;
mod resample;
mod stage;
#[cfg(test)]
mod tests;

use config::Check;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::examples::{Examples, Values};
use crate::scaler::Scaler;
use crate::statistics::Normalization;
use canvas::Canvas;
use mixing::Mixing;
use stage::Stage;

pub(crate) use canvas::lanes;
pub use mixing::{Mix, Moment};

/// One change of training images. Each image draws its own, uniformly.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Augmentation {
    /// Left and right exchanged, with probability 1/2.
    FlipHorizontal,
    /// Top and bottom exchanged, with probability 1/2.
    FlipVertical,
    /// Turned around the centre by up to so many degrees either way. Edges are repeated; changes of
    /// place in a row are one bilinear resampling.
    Rotate(#[schemars(range(min = 0, max = 180))] f64),
    /// Magnified around the centre by a factor between these two.
    Scale(#[schemars(inner(range(min = 0.1, max = 10)))] [f64; 2]),
    /// Moved by up to this share of the width and of the height, either way. Edges are repeated.
    Translate(#[schemars(range(min = 0, max = 1))] f64),
    /// Cut out of the image padded by so many pixels: moved by up to so many, in whole pixels.
    Crop(#[schemars(range(min = 1, max = 65_536))] usize),
    /// Times a factor of up to so much more or less than 1.
    Brightness(#[schemars(range(min = 0, max = 1))] f64),
    /// The distance from the mean grey of the image times such a factor.
    Contrast(#[schemars(range(min = 0, max = 1))] f64),
    /// Turned around the grey axis of YIQ by up to so many degrees either way.
    Hue(#[schemars(range(min = 0, max = 180))] f64),
    /// A square of so many pixels a side, its centre anywhere, filled with the mean of the training
    /// set (DeVries and Taylor 2017).
    Cutout(#[schemars(range(min = 1, max = 65_536))] usize),
    /// Each image mixed with another of its batch, in one proportion of Beta(alpha, alpha) a batch
    /// (Zhang et al. 2018). Stands last.
    Mixup(#[schemars(range(min = 0.01, max = 100))] f64),
    /// A box of each image taken from another of its batch, of an area by Beta(alpha, alpha), one a
    /// batch (Yun et al. 2019). Stands last.
    Cutmix(#[schemars(range(min = 0.01, max = 100))] f64),
}

/// The most changes of a list.
const MOST: usize = 64;

const NOT_LAST: &str =
    "it mixes whole batches: let it be the last of the list, and only one of `mixup` and `cutmix`";

impl Augmentation {
    /// Notes every value of `list` that cannot be meant.
    pub fn check_all(list: &[Self], check: &mut Check) {
        check.require(
            "augmentation",
            list.len() <= MOST,
            format_args!("{} changes are more than {MOST}", list.len()),
        );
        check.table("augmentation", |check| {
            for (index, augmentation) in list.iter().enumerate() {
                let is_last = index + 1 == list.len();
                check.table(&index.to_string(), |check| augmentation.check(is_last, check));
            }
        });
    }

    /// Fails if `list` cannot be done to `examples`.
    pub fn check_against(list: &[Self], examples: &Examples) -> Result<(), DatasetError> {
        let [height, width, channels] = examples.shape;
        if !list.is_empty() && !examples.are_images() {
            return Err(DatasetError::NotAugmentable { features: channels });
        }
        let refused = |reason: String| Err(DatasetError::Augmentation { reason });
        list.iter().try_for_each(|augmentation| match augmentation {
            Self::Hue(_) if channels != 3 => {
                refused("`hue` turns colours, and the images are grey".to_owned())
            }
            Self::Crop(size) | Self::Cutout(size) if *size >= height.min(width) => {
                let name = if matches!(augmentation, Self::Crop(_)) { "crop" } else { "cutout" };
                refused(format!("`{name} = {size}` is no less than images of {width} x {height}"))
            }
            _ => Ok(()),
        })
    }

    fn check(&self, is_last: bool, check: &mut Check) {
        match *self {
            Self::Scale([least, most]) => {
                check.require("scale", least <= most, "the first factor is above the second");
            }
            Self::Mixup(_) => check.require("mixup", is_last, NOT_LAST),
            Self::Cutmix(_) => check.require("cutmix", is_last, NOT_LAST),
            _ => {}
        }
    }
}

/// The inputs of an image, and which of all images and which of those in memory it is.
type Row<'a> = (&'a mut [f32], (&'a usize, &'a usize));

/// A list of [`Augmentation`]s, ready for the images of one training set.
#[derive(Debug)]
pub struct Augmenter {
    seed: u64,
    stages: Vec<Stage>,
    mixing: Option<Mixing>,
    /// The mean of each channel.
    mean: [f32; 4],
}

impl Augmenter {
    /// What `list` does to `train` in the run with `seed`; `None` if that is nothing.
    ///
    /// # Errors
    ///
    /// If it lies in a file that cannot be read.
    pub fn new(
        list: &[Augmentation],
        train: &Examples,
        seed: u64,
    ) -> Result<Option<Self>, DatasetError> {
        let cuts = list.iter().any(|one| matches!(one, Augmentation::Cutout(_)));
        let mean = if cuts { mean(train)? } else { [0.0; 4] };
        let stages = Stage::all(list);
        Ok((!list.is_empty()).then(|| Self { seed, stages, mixing: Mixing::of(list), mean }))
    }

    /// The inputs of the training `examples` at `items` as `epoch` sees them, `[items.len(), width]`:
    /// a function of the seed, the epoch and the item. They share the work of all threads if it is
    /// `parallel`. Features stay as they are.
    ///
    /// # Errors
    ///
    /// If they lie in a file that cannot be read, or is no longer what it was.
    ///
    /// # Panics
    ///
    /// If there is no such example.
    pub fn inputs(
        &self,
        examples: &Examples,
        items: &[usize],
        scaler: &Scaler,
        epoch: u64,
        parallel: bool,
    ) -> Result<Vec<f32>, DatasetError> {
        let (examples, places) = examples.in_memory(items)?;
        let Values::Pixels(pixels) = &examples.values else {
            return examples.inputs(&places, scaler);
        };
        let width = examples.width();
        let change = |canvas: &mut Canvas, (inputs, (&item, &place)): Row| {
            canvas.load(examples.row(pixels, place), examples.shape);
            let mut rng = random::of_image(self.seed, epoch, item);
            self.stages.iter().for_each(|stage| stage.apply(canvas, self.mean, &mut rng));
            canvas.store(scaler, inputs);
        };
        let mut inputs = vec![0.0; items.len() * width];
        if parallel {
            let items = items.par_iter().zip(&*places);
            let rows = inputs.par_chunks_exact_mut(width).zip(items);
            rows.for_each_init(Canvas::default, change);
        } else {
            let mut canvas = Canvas::default();
            let rows = inputs.chunks_exact_mut(width).zip(items.iter().zip(&*places));
            rows.for_each(|row| change(&mut canvas, row));
        }
        Ok(inputs)
    }

    /// Mixes the `inputs` of images of `shape` with each other at `moment`, and says with the
    /// `labels` of which; `None` if none are mixed.
    pub fn mix(
        &self,
        inputs: &mut [f32],
        shape: [usize; 3],
        labels: &[u32],
        moment: Moment,
    ) -> Option<Mix> {
        let mixing = self.mixing.as_ref()?;
        Some(mixing.apply(inputs, shape, labels, &mut random::of_batch(self.seed, moment)))
    }
}

/// The mean of each channel of `train`.
fn mean(train: &Examples) -> Result<[f32; 4], DatasetError> {
    let means = Normalization::Standardize.fit(train)?.shift;
    Ok(lanes(means.iter().copied()))
}
