//! Points in the plane in two classes: the data sets of the courses, drawn by formula.
//!
//! They are those of the notebooks, to the rounding of `sin`, `cos` and `ln`; only
//! [`Shape::Field`] is a likeness.

mod shapes;

use config::Check;
use data::{DatasetError, DatasetInfo, LoadedDataset};
use numpy_random::RandomState;
use serde::{Deserialize, Serialize};
use shapes::{Centres, Points};

/// The most points of one part: what a training set in memory can be meant to hold.
const MOST: usize = 1_000_000;

/// Points in the plane, drawn by formula: `[dataset.points]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PointsConfig {
    /// What the points form.
    pub shape: Shape,
    /// The number of training points.
    #[schemars(range(min = 2, max = MOST))]
    pub train: usize,
    /// The number of test points.
    #[schemars(range(min = 2, max = MOST))]
    pub test: usize,
    /// How far the points stray from the shape; each `shape` tells its measure and its default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10))]
    pub noise: Option<f64>,
    /// The inner radius of `circles` where the outer one is 1; 0.8 if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub factor: Option<f64>,
    /// NumPy's seed for the training points; the test points are those of `seed + 1`.
    #[schemars(range(max = u32::MAX - 1))]
    pub seed: u64,
}

/// What the points form.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Petals of a flower, by turns of the first and the second class. Noise: deviation of angle and radius, 0.2.
    #[default]
    Flower,
    /// Two half circles that reach into each other. Noise: deviation of a coordinate, 0.2.
    Moons,
    /// A circle in a circle. Noise: deviation of a coordinate, 0.05.
    Circles,
    /// Six clouds, every other one of a class; the centres of the training points are also those
    /// of the test points. Noise: deviation of a coordinate, 1.
    Blobs,
    /// A cloud, its nearer half and its farther half. Noise: variance of a coordinate, 0.5.
    Quantiles,
    /// Who wins the header where on a field: drawn, not the points of the course. Noise: deviation
    /// of the border, 0.15 in a field of 0.8 x 1.3.
    Field,
}

impl Default for PointsConfig {
    fn default() -> Self {
        Self { shape: Shape::Flower, train: 400, test: 100, noise: None, factor: None, seed: 1 }
    }
}

impl Shape {
    /// The names of the classes 0 and 1.
    pub const fn classes(self) -> [&'static str; 2] {
        match self {
            Self::Flower => ["first", "second"],
            Self::Moons => ["upper", "lower"],
            Self::Circles => ["outer", "inner"],
            Self::Blobs => ["even", "odd"],
            Self::Quantiles => ["near", "far"],
            Self::Field => ["other", "french"],
        }
    }

    const fn noise(self) -> f64 {
        match self {
            Self::Flower | Self::Moons => 0.2,
            Self::Circles => 0.05,
            Self::Blobs => 1.0,
            Self::Quantiles => 0.5,
            Self::Field => 0.15,
        }
    }
}

impl PointsConfig {
    /// Draws the training points and the test points, a function of this config alone.
    pub fn draw(&self) -> (Points, Points) {
        let seed = self.seed as u32;
        let mut train = RandomState::new(seed);
        // Clouds elsewhere would be another problem, not a test of this one.
        let centres = match self.shape {
            Shape::Blobs => shapes::centres(&mut train),
            _ => Default::default(),
        };
        let mut test = RandomState::new(seed.wrapping_add(1));
        (self.part(self.train, &centres, &mut train), self.part(self.test, &centres, &mut test))
    }

    /// Draws both parts as a data set.
    pub fn load(&self) -> Result<LoadedDataset, DatasetError> {
        let (train, test) = self.draw();
        LoadedDataset::generated(train.into(), test.into(), &self.shape.classes(), false)
    }

    /// Describes the points.
    pub fn info(&self) -> DatasetInfo {
        let classes = self.shape.classes().map(String::from).to_vec();
        DatasetInfo { shape: [1, 1, 2], are_images: false, classes, synthetic: false }
    }

    fn part(&self, count: usize, centres: &Centres, random: &mut RandomState) -> Points {
        let noise = self.noise.unwrap_or(self.shape.noise());
        match self.shape {
            Shape::Flower => shapes::flower(count, noise, random),
            Shape::Moons => shapes::moons(count, noise, random),
            Shape::Circles => shapes::circles(count, noise, self.factor.unwrap_or(0.8), random),
            Shape::Blobs => shapes::blobs(count, noise, centres, random),
            Shape::Quantiles => shapes::quantiles(count, noise, random),
            Shape::Field => shapes::field(count, noise, random),
        }
    }

    /// Reports invalid values.
    pub fn check(&self, check: &mut Check) {
        self.check_count("train", self.train, check);
        self.check_count("test", self.test, check);
        check.require(
            "factor",
            self.factor.is_none() || self.shape == Shape::Circles,
            "only `shape = \"circles\"` has a factor; leave it out",
        );
    }

    fn check_count(&self, key: &str, count: usize, check: &mut Check) {
        check.require(
            key,
            self.shape != Shape::Flower || count.is_multiple_of(2),
            format_args!(
                "{count} is odd, and a flower has as many points of one class as of the other"
            ),
        );
    }
}

#[cfg(test)]
mod tests;
