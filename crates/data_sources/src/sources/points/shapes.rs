//! Points of each shape, from the random numbers of NumPy.

use std::array::from_fn;
use std::f64::consts::{PI, TAU};

use data::Examples;
use numpy_random::{RandomState, linspace};

/// Points in the plane with their classes, 0 or 1.
pub type Points = Vec<([f64; 2], u32)>;

pub fn examples(points: &Points) -> Examples {
    let features = points.iter().flat_map(|(feature, _)| feature.map(|value| value as f32));
    Examples::features(2, features.collect(), points.iter().map(|(_, label)| *label).collect())
}

/// Centres of the blobs.
pub type Centres = [[f64; 2]; 6];

/// A flower with petals of two classes: `load_planar_dataset` of the course. Each class is the curve
/// `r = 4 sin 4t` over half a turn; `noise` is the standard deviation of both `t` and `r`.
pub fn flower(count: usize, noise: f64, random: &mut RandomState) -> Points {
    let mut points = Points::new();
    for class in 0..2_u32 {
        let (start, stop) = (f64::from(class) * 3.12, f64::from(class + 1) * 3.12);
        let angles: Vec<f64> =
            linspace(start, stop, count / 2).map(|angle| angle + random.randn() * noise).collect();
        for angle in angles {
            let radius = 4.0 * (4.0 * angle).sin() + random.randn() * noise;
            points.push(([radius * angle.sin(), radius * angle.cos()], class));
        }
    }
    points
}

/// Two interleaving half circles: scikit-learn's `make_moons`.
pub fn moons(count: usize, noise: f64, random: &mut RandomState) -> Points {
    let upper = linspace(0.0, PI, count / 2).map(|angle| ([angle.cos(), angle.sin()], 0));
    let lower = linspace(0.0, PI, count - count / 2)
        .map(|angle| ([1.0 - angle.cos(), 1.0 - angle.sin() - 0.5], 1));
    shuffled_with_noise(upper.chain(lower).collect(), noise, random)
}

/// A circle of radius `factor` inside one of radius 1: scikit-learn's `make_circles`.
pub fn circles(count: usize, noise: f64, factor: f64, random: &mut RandomState) -> Points {
    let mut points = Points::new();
    for (class, radius, count) in [(0, 1.0, count / 2), (1, factor, count - count / 2)] {
        let angles = linspace(0.0, TAU, count + 1).take(count);
        points.extend(angles.map(|angle| ([angle.cos() * radius, angle.sin() * radius], class)));
    }
    shuffled_with_noise(points, noise, random)
}

/// Centres in the square from -10 to 10, which scikit-learn's `make_blobs` samples first.
pub fn centres(random: &mut RandomState) -> Centres {
    from_fn(|_| from_fn(|_| random.uniform(-10.0, 10.0)))
}

/// Normal points of standard deviation `noise` around each of the `centres`, which alternate between
/// the classes: the rest of scikit-learn's `make_blobs`, with the labels modulo 2.
pub fn blobs(count: usize, noise: f64, centres: &Centres, random: &mut RandomState) -> Points {
    let mut points = Points::new();
    for (index, centre) in centres.iter().enumerate() {
        let share = count / 6 + usize::from(index < count % 6);
        for _ in 0..share {
            let feature = centre.map(|coordinate| coordinate + noise * random.randn());
            points.push((feature, index as u32 % 2));
        }
    }
    random.shuffle(&mut points);
    points
}

/// Normal points of variance `noise`, the inner half in class 0: scikit-learn's
/// `make_gaussian_quantiles`.
pub fn quantiles(count: usize, noise: f64, random: &mut RandomState) -> Points {
    let deviation = noise.sqrt();
    let square = |[x, y]: &[f64; 2]| x * x + y * y;
    let mut features: Vec<[f64; 2]> =
        (0..count).map(|_| from_fn(|_| random.randn() * deviation)).collect();
    features.sort_by(|one, other| square(one).total_cmp(&square(other)));
    let labels = (0..count).map(|index| u32::from(index >= count / 2));
    let mut points: Points = features.into_iter().zip(labels).collect();
    random.shuffle(&mut points);
    points
}

/// Positions on a football field, by the team that wins the header. Synthetic: resembles the football
/// points of the course. Positions are uniform; the classes are divided by a line of slope 2, which is
/// shifted vertically for each point by normal noise of standard deviation `noise`.
pub fn field(count: usize, noise: f64, random: &mut RandomState) -> Points {
    let point = |_| {
        let (x, y) = (random.uniform(-0.5, 0.3), random.uniform(-0.7, 0.6));
        let line = 2.0 * x + 0.2 + noise * random.randn();
        ([x, y], u32::from(y > line))
    };
    (0..count).map(point).collect()
}

/// `sklearn.utils.shuffle`; then normal noise of standard deviation `noise` is added to every coordinate.
fn shuffled_with_noise(mut points: Points, noise: f64, random: &mut RandomState) -> Points {
    random.shuffle(&mut points);
    for coordinate in points.iter_mut().flat_map(|(feature, _)| feature) {
        *coordinate += noise * random.randn();
    }
    points
}
