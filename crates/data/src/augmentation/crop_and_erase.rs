use config::Check;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::region::Region;

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

impl RandomResizedCrop {
    /// Samples the part of an image of `size`, height and width.
    pub fn region(self, size: [usize; 2], rng: &mut impl Rng) -> Region {
        let region = Region::sample(size, size, self.area, self.aspect, rng);
        region.unwrap_or_else(|| Region::centre(size, self.aspect))
    }

    /// Reports invalid values.
    pub fn check(self, check: &mut Check) {
        check_ranges(self.area, self.aspect, check);
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

impl RandomErasing {
    /// Samples the rectangle of an image of `size`, height and width, smaller than it on both sides.
    pub fn region(self, [height, width]: [usize; 2], rng: &mut impl Rng) -> Option<Region> {
        let most = [width, height].map(|side| side.saturating_sub(1));
        let erased = rng.random_bool(self.probability);
        let sampled = || Region::sample([width, height], most, self.area, self.aspect, rng);
        // The aspect is height by width: a rectangle of the transposed image.
        let Region { rows, columns } = erased.then(sampled)??;
        Some(Region { rows: columns, columns: rows })
    }

    /// Reports invalid values.
    pub fn check(self, check: &mut Check) {
        check_ranges(self.area, self.aspect, check);
    }
}

fn check_ranges(area: [f64; 2], aspect: [f64; 2], check: &mut Check) {
    for (key, [least, most]) in [("area", area), ("aspect", aspect)] {
        check.require(key, least <= most, "the first number is above the second");
    }
}
