use config::Check;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::examples::Examples;

/// Random change of training images. Its parameters are sampled uniformly for each image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Augmentation {
    /// Horizontal flip with probability 1/2.
    FlipHorizontal,
    /// Vertical flip with probability 1/2.
    FlipVertical,
    /// Rotation about the centre by up to this many degrees in either direction. Edges are repeated;
    /// consecutive geometric changes are one bilinear resampling.
    Rotate(#[schemars(range(min = 0, max = 180))] f64),
    /// Magnification about the centre by a factor between these two.
    Scale(#[schemars(inner(range(min = 0.1, max = 10)))] [f64; 2]),
    /// Translation by up to this fraction of width and height in either direction. Edges are repeated.
    Translate(#[schemars(range(min = 0, max = 1))] f64),
    /// Random crop of the image padded by this many pixels: translation by whole pixels.
    Crop(#[schemars(range(min = 1, max = 65_536))] usize),
    /// Random part of the image, resized to its size, as torchvision's `RandomResizedCrop`.
    RandomResizedCrop(RandomResizedCrop),
    /// One operation of random strength per image, as torchvision's `TrivialAugmentWide` (Müller and Hutter
    /// 2021): shear, translation by up to 45 %, rotation by up to 135 degrees, brightness, colour, contrast,
    /// sharpness, posterizing, solarizing, automatic contrast, equalization, or none. Edges are repeated.
    TrivialAugment,
    /// Multiplication by a factor from 1 - x to 1 + x, as torchvision's `ColorJitter`. Values are clamped
    /// after consecutive changes of colour, and not rounded.
    Brightness(#[schemars(range(min = 0, max = 1))] f64),
    /// Multiplication of the distance from the mean grey of the image by a factor from 1 - x to 1 + x.
    Contrast(#[schemars(range(min = 0, max = 1))] f64),
    /// Multiplication of the distance from the grey value of each pixel by a factor from 1 - x to 1 + x. Grey
    /// images do not change.
    Saturation(#[schemars(range(min = 0, max = 1))] f64),
    /// Rotation about the grey axis of YIQ by up to this many degrees in either direction, which keeps the
    /// grey value; torchvision rotates in HSV.
    Hue(#[schemars(range(min = 0, max = 180))] f64),
    /// Square with sides of this many pixels at a random centre, filled with the mean of the training
    /// set (DeVries and Taylor 2017).
    Cutout(#[schemars(range(min = 1, max = 65_536))] usize),
    /// Random rectangle filled with the mean of the training set (Zhong et al. 2020), as torchvision's
    /// `RandomErasing`.
    RandomErasing(RandomErasing),
    /// Each image blended with another of its batch, in a proportion from Beta(alpha, alpha) per batch
    /// (Zhang et al. 2018). Must be last.
    Mixup(#[schemars(range(min = 0.01, max = 100))] f64),
    /// Box of each image replaced by that of another image of its batch, with an area from
    /// Beta(alpha, alpha) per batch (Yun et al. 2019). Must be last.
    Cutmix(#[schemars(range(min = 0.01, max = 100))] f64),
}

/// For example `{ random_resized_crop = { area = [0.3, 1.0] } }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RandomResizedCrop {
    /// Range of the area of the part, as a fraction of the image.
    #[schemars(inner(range(min = 0.001, max = 1)))]
    pub area: [f64; 2],
    /// Range of the width of the part divided by its height, log-uniform.
    #[schemars(inner(range(min = 0.01, max = 100)))]
    pub aspect: [f64; 2],
}

impl Default for RandomResizedCrop {
    fn default() -> Self {
        Self { area: [0.08, 1.0], aspect: [3.0 / 4.0, 4.0 / 3.0] }
    }
}

/// For example `{ random_erasing = { probability = 0.25 } }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RandomErasing {
    /// Probability with which an image has a rectangle.
    #[schemars(range(min = 0, max = 1))]
    pub probability: f64,
    /// Range of the area of the rectangle, as a fraction of the image.
    #[schemars(inner(range(min = 0.001, max = 1)))]
    pub area: [f64; 2],
    /// Range of the height of the rectangle divided by its width, log-uniform.
    #[schemars(inner(range(min = 0.01, max = 100)))]
    pub aspect: [f64; 2],
}

impl Default for RandomErasing {
    fn default() -> Self {
        Self { probability: 0.5, area: [0.02, 0.33], aspect: [0.3, 3.3] }
    }
}

/// Maximum length of a list.
const MAX_LENGTH: usize = 64;

const NOT_LAST: &str =
    "it mixes whole batches: put it last in the list, and use only one of `mixup` and `cutmix`";

impl Augmentation {
    /// Reports invalid values of `list`.
    pub fn check_all(list: &[Self], check: &mut Check) {
        check.require(
            "augmentation",
            list.len() <= MAX_LENGTH,
            format_args!("{} changes are more than {MAX_LENGTH}", list.len()),
        );
        check.table("augmentation", |check| {
            for (index, augmentation) in list.iter().enumerate() {
                let is_last = index + 1 == list.len();
                check.table(&index.to_string(), |check| augmentation.check(is_last, check));
            }
        });
    }

    /// Fails if `examples` are not images, or too small or grey for a change of `list`.
    pub fn check_against(list: &[Self], examples: &Examples) -> Result<(), DatasetError> {
        let [height, width, channels] = examples.shape;
        if !list.is_empty() && !examples.are_images() {
            return Err(DatasetError::Augmentation(format!(
                "`augmentation` changes images, and these data are examples of {channels} features\n  \
                 remove it from the config"
            )));
        }
        let refused = |reason: &str| {
            let message = format!("{reason}\n  change or remove it in `augmentation`");
            Err(DatasetError::Augmentation(message))
        };
        list.iter().try_for_each(|augmentation| match augmentation {
            Self::Hue(_) if channels != 3 => {
                refused("`hue` changes colours, and the images are grey")
            }
            Self::Crop(size) | Self::Cutout(size) if *size >= height.min(width) => {
                let name = if matches!(augmentation, Self::Crop(_)) { "crop" } else { "cutout" };
                let size = format!("`{name} = {size}`");
                refused(&format!("{size} is not smaller than images of {width} x {height}"))
            }
            _ => Ok(()),
        })
    }

    fn check(&self, is_last: bool, check: &mut Check) {
        match *self {
            Self::Scale([least, most]) => {
                check.require("scale", least <= most, "the first factor is above the second");
            }
            Self::RandomResizedCrop(RandomResizedCrop { area, aspect }) => {
                check.table("random_resized_crop", |check| check_ranges(area, aspect, check));
            }
            Self::RandomErasing(RandomErasing { area, aspect, .. }) => {
                check.table("random_erasing", |check| check_ranges(area, aspect, check));
            }
            Self::Mixup(_) => check.require("mixup", is_last, NOT_LAST),
            Self::Cutmix(_) => check.require("cutmix", is_last, NOT_LAST),
            _ => {}
        }
    }
}

fn check_ranges(area: [f64; 2], aspect: [f64; 2], check: &mut Check) {
    for (key, [least, most]) in [("area", area), ("aspect", aspect)] {
        check.require(key, least <= most, "the first number is above the second");
    }
}
