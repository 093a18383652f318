//! The rule by which `trainer config init` chooses the settings of a run. `docs/recipes.md` has the
//! measurements that it comes from.

use data_sources::quality::MirrorVerdict;

/// What the rule depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Height, width and channels of an image; 1, 1 and the number of features otherwise.
    pub shape: [usize; 3],
    /// Whether the examples are images, and not feature vectors.
    pub are_images: bool,
    /// Number of training examples of each class.
    pub counts: Vec<usize>,
    /// Whether mirrored images keep their class.
    pub mirror: MirrorVerdict,
}

impl Facts {
    pub fn count(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Number of examples of the smallest class that has any, and of the largest.
    pub fn extremes(&self) -> (usize, usize) {
        let present = || self.counts.iter().copied().filter(|&count| count > 0);
        (present().min().unwrap_or(0), present().max().unwrap_or(0))
    }
}

/// Settings for a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The model.
    pub network: Network,
    /// Whether images are mirrored.
    pub flips: bool,
    /// Range of rotations in degrees.
    pub rotation: f64,
    /// Number of examples of a batch.
    pub batch_size: usize,
    /// Passes over the training set.
    pub epochs: usize,
    /// Whether rare classes count more.
    pub balances: bool,
    /// Whether the model is trained once more on all images.
    pub final_fit: bool,
    /// Fraction of the training set to validate on, and to test on, where the data set has no such part.
    pub held_out: f64,
}

/// A model.
#[derive(Debug, Clone, PartialEq)]
pub enum Network {
    /// Stages with one convolution of these channels each.
    Cnn(Vec<usize>),
    /// Hidden layers of these sizes.
    Mlp([usize; 2]),
}

/// Optimizer steps of a run, unless that is fewer than `MIN_EPOCHS` passes or more than `MAX_EPOCHS`.
const STEPS: usize = 2500;
const MIN_EPOCHS: usize = 20;
const MAX_EPOCHS: usize = 300;

/// Sets with fewer training examples than this are too small to leave a part of them out of training,
/// or to hold out as little as a tenth.
const SMALL: usize = 2000;
const VERY_SMALL: usize = 500;
/// Sets from this number of training examples on get large batches and wide networks.
const LARGE: usize = 5000;

/// Ratio of the largest class to the smallest from which on rare classes count more.
const IMBALANCED: f64 = 1.5;

/// Minimum height and width for a convolutional network.
const MIN_SIDE: usize = 8;
/// Stages of a convolutional network at most.
const MAX_STAGES: u32 = 6;
/// Channels of a stage at most.
const MAX_CHANNELS: usize = 256;

impl Recipe {
    /// The settings for a data set with these `facts`.
    pub fn of(facts: &Facts) -> Self {
        let count = facts.count();
        let [height, width, _] = facts.shape;
        let side = height.min(width);
        let network = match facts.are_images {
            // Halved in each stage until height or width is 2 or 3.
            true if side >= MIN_SIDE => {
                let stages = (side.ilog2() - 1).min(MAX_STAGES);
                let first = if count < LARGE { 16 } else { 32 };
                let channels = |stage: u32| (first << stage).min(MAX_CHANNELS);
                Network::Cnn((0..stages).map(channels).collect())
            }
            true => Network::Mlp([128, 64]),
            false => Network::Mlp([32, 16]),
        };
        let convolves = matches!(network, Network::Cnn(_));
        let flips = convolves && facts.mirror == MirrorVerdict::Symmetric;
        let batch_size = if count < LARGE { 32 } else { 128 };
        let (fewest, most) = facts.extremes();
        Self {
            network,
            flips,
            rotation: if flips { 30.0 } else { 15.0 },
            batch_size,
            epochs: (STEPS * batch_size / count.max(1)).clamp(MIN_EPOCHS, MAX_EPOCHS),
            balances: most as f64 >= IMBALANCED * fewest as f64,
            final_fit: count < SMALL,
            held_out: if count < VERY_SMALL { 0.2 } else { 0.1 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(side: usize, counts: &[usize], mirror: MirrorVerdict) -> Recipe {
        let shape = [side, side, 3];
        Recipe::of(&Facts { shape, are_images: true, counts: counts.to_vec(), mirror })
    }

    #[test]
    fn only_images_that_keep_their_class_are_mirrored() {
        assert!(recipe(64, &[50; 2], MirrorVerdict::Symmetric).flips);
        assert!(!recipe(64, &[50; 2], MirrorVerdict::Asymmetric).flips);
        assert!(!recipe(64, &[50; 2], MirrorVerdict::Unknown).flips);
    }

    #[test]
    fn small_sets_are_trained_for_as_many_steps_as_large_ones_and_on_all_of_their_images() {
        let [small, large] =
            [100, 1000].map(|count| recipe(64, &[count; 10], MirrorVerdict::Unknown));
        assert!(small.final_fit && !large.final_fit);
        assert!(small.epochs > 2 * large.epochs, "{small:?} {large:?}");
        assert!(small.held_out >= large.held_out);
    }

    #[test]
    fn stages_follow_the_size_of_the_images() {
        let stages = |side| match recipe(side, &[100; 2], MirrorVerdict::Unknown).network {
            Network::Cnn(channels) => channels.len(),
            Network::Mlp(_) => 0,
        };
        assert_eq!([4, 8, 28, 32, 64, 224].map(stages), [0, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn rare_classes_count_more() {
        assert!(recipe(64, &[300, 0, 30], MirrorVerdict::Unknown).balances);
        assert!(!recipe(64, &[110, 0, 100], MirrorVerdict::Unknown).balances);
    }
}
