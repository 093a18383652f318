//! Whether mirrored images keep their class, so that training may flip them.
//!
//! Each image is classified by its nearest neighbour among all others, once as it is and once mirrored.
//! Photographs of animals are recognised as well either way; a mirrored letter is another one or none. The
//! neighbours are found by histograms of oriented gradients (Dalal and Triggs 2005), which neither small
//! translations nor colours change much.

use data::{DatasetError, Examples, shuffled};
use rayon::prelude::*;

use super::content::map_images;
use super::near_duplicates::dot;

#[cfg(test)]
mod tests;

/// Result of comparing mirrored images with the others of their data set.
#[derive(Debug, Clone, PartialEq)]
pub struct MirrorSymmetry {
    /// The conclusion.
    pub verdict: MirrorVerdict,
    /// Number of images compared.
    pub images: usize,
    /// Fraction of these whose nearest neighbour has their class.
    pub recognized: f64,
    /// The same of their mirrored versions.
    pub mirrored: f64,
    /// Classes whose mirrored images are not recognised.
    pub lost: Vec<u32>,
}

/// Whether mirrored images keep their class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorVerdict {
    /// They do.
    Symmetric,
    /// Those of some class do not.
    Asymmetric,
    /// There are too few images, or none.
    Unknown,
}

/// Maximum number of images that are compared: about a second on two cores.
const MAX_IMAGES: usize = 2000;
/// Minimum number of images, and of images per class on average, for a conclusion.
const MIN_IMAGES: [usize; 2] = [40, 10];
/// Minimum fraction above chance of recognised images from which conclusions are drawn.
const MIN_SKILL: f64 = 0.1;
/// Fraction of the skill that mirrored images keep at least: 0.53 in hand signs that show mostly one hand,
/// at most 0.46 in letters.
const MIN_KEPT: f64 = 0.5;
/// The same of a single class: 0.5 in these hand signs, and at most 0.2 in letters that have no symmetry.
const MIN_KEPT_OF_CLASS: f64 = 1.0 / 3.0;
/// Number of standard deviations by which a difference is significant.
const SIGNIFICANT: f64 = 3.0;
/// Minimum fraction of images whose mirrored version is nearer to another image than they are: about 1/2
/// in photographs, below 1/3 in letters.
const MIN_NEARER: f64 = 0.4;

impl MirrorSymmetry {
    /// Compares the images of a training set with each other. Fails if the source cannot be read or has
    /// changed.
    pub fn of(train: &Examples) -> Result<Self, DatasetError> {
        let mut chosen = shuffled(train.len(), 1, 1);
        chosen.truncate(if train.are_images() { MAX_IMAGES } else { 0 });
        let descriptors = descriptors(train, &chosen)?;
        let labels = train.labels_at(&chosen);
        Ok(conclusion(&labels, &matches(&descriptors, &labels)))
    }
}

/// Nearest neighbour of an image, as it is and mirrored.
#[derive(Debug, Clone, Copy)]
struct Match {
    /// Whether the neighbour has the class of the image.
    recognized: bool,
    /// Whether the neighbour of its mirrored version has.
    mirrored: bool,
    /// Whether the latter is nearer.
    nearer: bool,
}

/// Compares each image with all others.
fn matches(descriptors: &[Vec<f32>], labels: &[u32]) -> Vec<Match> {
    let nearest = |of: &[f32], image: usize| {
        let others = descriptors.iter().enumerate().filter(|(other, _)| *other != image);
        let similar = others.map(|(other, descriptor)| (dot(of, descriptor), other));
        similar.max_by(|(one, _), (other, _)| one.total_cmp(other)).unwrap_or((0.0, image))
    };
    let images = descriptors.par_iter().zip(labels).enumerate();
    let compared = images.map(|(image, (descriptor, label))| {
        let [(similarity, other), (mirrored, of_mirrored)] =
            [nearest(descriptor, image), nearest(&mirrored(descriptor), image)];
        Match {
            recognized: labels.get(other) == Some(label),
            mirrored: labels.get(of_mirrored) == Some(label),
            nearer: mirrored > similarity,
        }
    });
    compared.collect()
}

fn conclusion(labels: &[u32], matches: &[Match]) -> MirrorSymmetry {
    let classes = labels.iter().max().map_or(0, |last| last + 1);
    let of_class = |class: u32| {
        let own = labels.iter().zip(matches).filter(move |(label, _)| **label == class);
        Counts::of(own.map(|(_, one)| one), labels.len())
    };
    let by_class: Vec<Counts> = (0..classes).map(of_class).collect();
    let chance = by_class.iter().map(|class| class.chance.powi(2)).sum();
    let all = Counts { chance, ..Counts::of(matches.iter(), labels.len()) };
    let lost = (0..).zip(&by_class).filter(|(_, class)| class.are_lost(MIN_KEPT_OF_CLASS));
    let lost: Vec<u32> = lost.map(|(class, _)| class).collect();
    let present = by_class.iter().filter(|class| class.images > 0.0).count();
    let [least, least_of_class] = MIN_IMAGES;
    let verdict = if matches.len() < least {
        MirrorVerdict::Unknown
    } else if !lost.is_empty() || all.are_lost(MIN_KEPT) {
        MirrorVerdict::Asymmetric
    } else if matches.len() >= least_of_class * present && all.look_symmetric() {
        MirrorVerdict::Symmetric
    } else {
        MirrorVerdict::Unknown
    };
    let [recognized, mirrored] = [all.recognized, all.mirrored].map(|count| all.share(count));
    MirrorSymmetry { verdict, images: matches.len(), recognized, mirrored, lost }
}

/// Numbers of images of one class or of all.
#[derive(Debug, Clone, Copy)]
struct Counts {
    images: f64,
    recognized: f64,
    mirrored: f64,
    /// Of images that are recognised either as they are or mirrored.
    differing: f64,
    nearer: f64,
    /// Fraction that would be recognised with neighbours at random.
    chance: f64,
}

impl Counts {
    /// Counts the images of a class among `total` images.
    fn of<'a>(matches: impl Iterator<Item = &'a Match> + Clone, total: usize) -> Self {
        let count = |is: fn(&Match) -> bool| matches.clone().filter(|one| is(one)).count() as f64;
        let images = count(|_| true);
        Self {
            images,
            recognized: count(|one| one.recognized),
            mirrored: count(|one| one.mirrored),
            differing: count(|one| one.recognized != one.mirrored),
            nearer: count(|one| one.nearer),
            chance: images / total.max(1) as f64,
        }
    }

    fn share(&self, count: f64) -> f64 {
        count / self.images.max(1.0)
    }

    /// Fraction of images that are recognised, less chance.
    fn skill(&self) -> f64 {
        self.share(self.recognized) - self.chance
    }

    fn kept(&self) -> f64 {
        (self.share(self.mirrored) - self.chance) / self.skill()
    }

    /// Returns whether images are recognised better than by chance.
    fn are_recognized(&self) -> bool {
        let deviation = (self.chance * (1.0 - self.chance) / self.images.max(1.0)).sqrt();
        self.skill() > MIN_SKILL.max(SIGNIFICANT * deviation)
    }

    /// Returns whether significantly fewer mirrored images are recognised (McNemar's test), and less than
    /// the fraction `least` of the skill is kept.
    fn are_lost(&self, least: f64) -> bool {
        let significant = SIGNIFICANT * self.differing.sqrt();
        self.are_recognized()
            && self.kept() < least
            && self.recognized - self.mirrored > significant
    }

    /// Returns whether mirrored images are recognised, or look like the others if no image is.
    fn look_symmetric(&self) -> bool {
        let are_kept = self.are_recognized() && self.kept() >= MIN_KEPT;
        are_kept || self.share(self.nearer) >= MIN_NEARER
    }
}

/// Height and width that images are reduced to.
const SIDE: usize = 32;
/// Rows and columns of cells, each with a histogram.
const CELLS: usize = 8;
/// Orientations of a histogram, over half a turn.
const BINS: usize = 8;

/// Histograms of the images at `indices`, normalised, shape `[CELLS, CELLS, BINS]` each.
fn descriptors(images: &Examples, indices: &[usize]) -> Result<Vec<Vec<f32>>, DatasetError> {
    let mut descriptors = Vec::with_capacity(indices.len());
    for block in indices.chunks(256) {
        descriptors.extend(map_images(images, block, |_, image| descriptor(image, images.shape))?);
    }
    Ok(descriptors)
}

fn descriptor(pixels: &[u8], [height, width, channels]: [usize; 3]) -> Vec<f32> {
    let grey = pixels.chunks_exact(channels.max(1));
    let grey = grey.map(|pixel| pixel.iter().map(|&value| f32::from(value)).sum());
    // Columns first: the result is transposed, and reduced again.
    let columns = reduced(&grey.collect::<Vec<f32>>(), width);
    let grey = reduced(&columns, height);
    let at = |row: usize, column: usize| grey.get(row * SIDE + column).copied().unwrap_or_default();
    let beside = |place: usize| [place.saturating_sub(1), (place + 1).min(SIDE - 1)];
    let mut histograms = vec![0.0; CELLS * CELLS * BINS];
    for (row, column) in (0..SIDE).flat_map(|row| (0..SIDE).map(move |column| (row, column))) {
        let ([above, below], [left, right]) = (beside(row), beside(column));
        let [down, across] =
            [at(below, column) - at(above, column), at(row, right) - at(row, left)];
        let turn = down.atan2(across) / std::f32::consts::PI;
        let bin = turn.rem_euclid(1.0) * BINS as f32;
        let (first, next) = (bin as usize, bin.fract());
        let cell = (row * CELLS / SIDE * CELLS + column * CELLS / SIDE) * BINS;
        for (bin, share) in [(first, 1.0 - next), (first + 1, next)] {
            if let Some(sum) = histograms.get_mut(cell + bin % BINS) {
                *sum += down.hypot(across) * share;
            }
        }
    }
    let length = histograms.iter().sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    histograms.iter().map(|sum| sum.sqrt() / length).collect()
}

/// Area means of each line of `length` values in `SIDE` parts, transposed.
fn reduced(values: &[f32], length: usize) -> Vec<f32> {
    let lines = values.len() / length.max(1);
    let mut means = vec![0.0; SIDE * lines];
    for (part, means) in means.chunks_exact_mut(lines.max(1)).enumerate() {
        let [start, end] = [part, part + 1].map(|edge| (edge * length) as f32 / SIDE as f32);
        let (first, last) = (start as usize, (end.ceil() as usize).min(length));
        for (mean, line) in means.iter_mut().zip(values.chunks_exact(length.max(1))) {
            let covered = line.iter().enumerate().take(last).skip(first);
            let weighted = covered.map(|(at, value)| {
                let (at, value) = (at as f32, *value);
                value * ((at + 1.0).min(end) - at.max(start))
            });
            *mean = weighted.sum::<f32>() / (end - start);
        }
    }
    means
}

/// The descriptor of the mirrored image: columns and orientations in reverse order.
fn mirrored(descriptor: &[f32]) -> Vec<f32> {
    let rows = descriptor.chunks_exact(CELLS * BINS);
    let cells = rows.flat_map(|row| row.chunks_exact(BINS).rev());
    let bins = cells.flat_map(|cell| cell.iter().take(1).chain(cell.iter().skip(1).rev()));
    bins.copied().collect()
}
