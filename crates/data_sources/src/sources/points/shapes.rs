//! Points of each shape, from the random numbers of NumPy.

use std::f64::consts::{PI, TAU};

use data::Examples;
use numpy_random::{RandomState, linspace};

/// Labelled points in the plane.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Points {
    /// Coordinates of each point: `[count, 2]`.
    pub features: Vec<[f64; 2]>,
    /// Class of each point, 0 or 1: `[count]`.
    pub labels: Vec<u32>,
}

impl From<Points> for Examples {
    fn from(points: Points) -> Self {
        let features = points.features.as_flattened().iter().map(|&value| value as f32);
        Self::features(2, features.collect(), points.labels)
    }
}

/// Centres of the blobs.
pub type Centres = [[f64; 2]; 6];

/// A flower with petals of two classes: `load_planar_dataset` of the course. Each class is the curve
/// `r = 4 sin 4t` over half a turn; `noise` is the standard deviation of both `t` and `r`.
pub fn flower(count: usize, noise: f64, random: &mut RandomState) -> Points {
    let mut points = Points::default();
    for class in 0..2_u32 {
        let (start, stop) = (f64::from(class) * 3.12, f64::from(class + 1) * 3.12);
        let angles: Vec<f64> =
            linspace(start, stop, count / 2).map(|angle| angle + random.randn() * noise).collect();
        for angle in angles {
            let radius = 4.0 * (4.0 * angle).sin() + random.randn() * noise;
            points.push([radius * angle.sin(), radius * angle.cos()], class);
        }
    }
    points
}

/// Two interleaving half circles: scikit-learn's `make_moons`.
pub fn moons(count: usize, noise: f64, random: &mut RandomState) -> Points {
    let mut points = Points::default();
    for angle in linspace(0.0, PI, count / 2) {
        points.push([angle.cos(), angle.sin()], 0);
    }
    for angle in linspace(0.0, PI, count - count / 2) {
        points.push([1.0 - angle.cos(), 1.0 - angle.sin() - 0.5], 1);
    }
    points.shuffled(random).with_noise(noise, random)
}

/// A circle of radius `factor` inside one of radius 1: scikit-learn's `make_circles`.
pub fn circles(count: usize, noise: f64, factor: f64, random: &mut RandomState) -> Points {
    let mut points = Points::default();
    for (class, radius, count) in [(0, 1.0, count / 2), (1, factor, count - count / 2)] {
        for angle in linspace(0.0, TAU, count + 1).take(count) {
            points.push([angle.cos() * radius, angle.sin() * radius], class);
        }
    }
    points.shuffled(random).with_noise(noise, random)
}

/// Centres in the square from -10 to 10, which scikit-learn's `make_blobs` samples first.
pub fn centres(random: &mut RandomState) -> Centres {
    std::array::from_fn(|_| std::array::from_fn(|_| random.uniform(-10.0, 10.0)))
}

/// Normal points of standard deviation `noise` around each of the `centres`, which alternate between
/// the classes: the rest of scikit-learn's `make_blobs`, with the labels modulo 2.
pub fn blobs(count: usize, noise: f64, centres: &Centres, random: &mut RandomState) -> Points {
    let mut points = Points::default();
    for (index, centre) in centres.iter().enumerate() {
        let share = count / 6 + usize::from(index < count % 6);
        for _ in 0..share {
            let feature = centre.map(|coordinate| coordinate + noise * random.randn());
            points.push(feature, index as u32 % 2);
        }
    }
    points.shuffled(random)
}

/// Normal points of variance `noise`, the inner half in class 0: scikit-learn's
/// `make_gaussian_quantiles`.
pub fn quantiles(count: usize, noise: f64, random: &mut RandomState) -> Points {
    let deviation = noise.sqrt();
    let square = |[x, y]: &[f64; 2]| x * x + y * y;
    let mut features: Vec<[f64; 2]> =
        (0..count).map(|_| std::array::from_fn(|_| random.randn() * deviation)).collect();
    features.sort_by(|one, other| square(one).total_cmp(&square(other)));
    let labels = (0..count).map(|index| u32::from(index >= count / 2)).collect();
    Points { features, labels }.shuffled(random)
}

/// Positions on a football field, by the team that wins the header. Synthetic: resembles the football
/// points of the course. Positions are uniform; the classes are divided by a line of slope 2, which is
/// shifted vertically for each point by normal noise of standard deviation `noise`.
pub fn field(count: usize, noise: f64, random: &mut RandomState) -> Points {
    let mut points = Points::default();
    for _ in 0..count {
        let (x, y) = (random.uniform(-0.5, 0.3), random.uniform(-0.7, 0.6));
        let line = 2.0 * x + 0.2 + noise * random.randn();
        points.push([x, y], u32::from(y > line));
    }
    points
}

impl Points {
    fn push(&mut self, feature: [f64; 2], label: u32) {
        self.features.push(feature);
        self.labels.push(label);
    }

    /// `sklearn.utils.shuffle`.
    fn shuffled(self, random: &mut RandomState) -> Self {
        let mut points: Vec<_> = self.features.into_iter().zip(self.labels).collect();
        random.shuffle(&mut points);
        let (features, labels) = points.into_iter().unzip();
        Self { features, labels }
    }

    /// Adds normal noise of standard deviation `noise` to every coordinate.
    fn with_noise(mut self, noise: f64, random: &mut RandomState) -> Self {
        for coordinate in self.features.as_flattened_mut() {
            *coordinate += noise * random.randn();
        }
        self
    }
}
