use data::{DatasetError, Examples};

use super::common_structure::{CommonStructure, Descriptor};
use super::thumbnail::{Grid, Thumbnail, squared_distance};
use crate::quality::content::{ContentKey, content_keys, map_images};

/// Maximum number of sampled images: 32,640 pairs.
const SAMPLE: usize = 256;
/// Maximum number of sampled images of a class, and of all classes. A class with fewer than
/// `MIN_CLASS_SAMPLE` has no scale of its own.
const CLASS_SAMPLE: usize = 32;
const CLASS_SAMPLES: usize = 4096;
const MIN_CLASS_SAMPLE: usize = 12;
/// Minimum number of sampled images for a second look.
const MIN_UNIFORM_SAMPLE: usize = 64;

/// Distance below which two images are near-duplicates, as a fraction of the median distance of the set.
///
/// Of the test images of SIGNS, twelve are at 0.05 to 0.06 and one is at 0.10 from a training image;
/// the next, frames of one hand that moved by a pixel, are at 0.13 and 0.18, and different hands
/// from 0.24 on. Of the cats one is at 0, and the next is at 0.42. Copies of SIGNS' images by JPEG of
/// quality 30 are at 0.11, and at 0.17 at most.
const MAX_DISTANCE: f32 = 1.0 / 6.0;
/// Distance below which images are near-duplicates without a second look. Different solar cells are at
/// 0.06.
const CERTAIN_DISTANCE: f32 = 0.05;
/// Distance up to which different images are similar.
const SIMILAR_DISTANCE: f32 = 1.0 / 3.0;

/// Minimum share of similar pairs in a uniform set: 0.4 to 0.6 % of solar cells, 0.1 % of hands.
const MIN_SIMILAR: f64 = 1.0 / 400.0;
/// Minimum ratio in a uniform set of the pairs at up to twice the distance to the similar ones. Of solar
/// cells it is 20; in a set of bursts, photographs of two bursts are far apart.
const MIN_GROWTH: usize = 4;
/// Least agreement of near-duplicates above that of similar images, and its maximum.
///
/// Of 288 pairs of solar cells above 0.85, those looked at show the same marks.
const AGREEMENT_MARGIN: f32 = 0.1;
const MAX_AGREEMENT: f32 = 0.85;

/// How near two images are, for all parts of a data set.
///
/// It is a function of the images alone, whatever their order and parts: the parts of any split of a set
/// have the same measure as the set.
#[derive(Debug, Clone)]
pub struct Measure {
    /// Shape of the images that are compared.
    shape: [usize; 3],
    /// Median squared distance between two images of the set; 0 if no two images differ.
    scale: f32,
    /// The same for the images of each class, at most that of the set: images of one class may look much
    /// more alike than those of different classes.
    class_scales: Vec<f32>,
    structure: CommonStructure,
    /// Minimum correlation of near-duplicates without the common structure. Only images of a uniform set
    /// need one.
    min_agreement: Option<f32>,
}

/// Whether two images are called near-duplicates.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    max_distance: f32,
    /// How much lower than the minimum agreement that of two images may be.
    agreement_margin: f32,
}

impl Tolerance {
    /// If they are reported.
    pub const STRICT: Self = Self { max_distance: MAX_DISTANCE, agreement_margin: 0.0 };
    /// If they are kept in one part: a little more, so that no pair of two parts is reported after the
    /// images were converted to another size.
    pub const WIDE: Self = Self { max_distance: 1.1 * MAX_DISTANCE, agreement_margin: 0.05 };
}

impl Measure {
    /// Fits the measure to all `parts` of a data set; `None` if they are not images of one shape. Fails if
    /// the images are in a file that cannot be read.
    pub fn fit(parts: &[&Examples]) -> Result<Option<Self>, DatasetError> {
        let standard: Option<Vec<&Examples>> =
            parts.iter().map(|part| part.standard.as_deref()).collect();
        let parts = standard.as_deref().unwrap_or(parts);
        let Some(shape) = parts.first().map(|part| part.shape) else { return Ok(None) };
        if parts.iter().any(|part| !part.are_images() || part.shape != shape) {
            return Ok(None);
        }
        let (grid, located) = (Grid::new(shape), located(parts)?);
        let chosen = located.get(..SAMPLE).unwrap_or(&located);
        let sample = sample(parts, &grid, chosen)?;
        let structure = CommonStructure::fit(&sample);
        let described = sample.iter().map(|thumbnail| (thumbnail, structure.descriptor(thumbnail)));
        let described: Vec<(&Thumbnail, Descriptor)> = described.collect();
        let pairs = pairs(&described).map(|((one, descriptor), (other, other_descriptor))| {
            let distance = squared_distance(one, other);
            (distance, descriptor.agreement(other_descriptor, distance))
        });
        // Distances between copies of an image do not count.
        let pairs: Vec<(f32, f32)> = pairs.filter(|(distance, _)| *distance > 0.0).collect();
        let scale = median(pairs.iter().map(|(distance, _)| *distance).collect());
        let class_scales = class_scales(parts, &grid, &located, scale)?;
        let min_agreement =
            if sample.len() < MIN_UNIFORM_SAMPLE { None } else { min_agreement(&pairs, scale) };
        Ok(Some(Self { shape, scale, class_scales, structure, min_agreement }))
    }

    /// The images of `examples` that are compared: of the shape of this measure.
    pub(super) fn images<'a>(&self, examples: &'a Examples) -> Option<&'a Examples> {
        let shown = [examples.standard.as_deref(), Some(examples)].into_iter().flatten();
        shown.filter(|examples| examples.are_images()).find(|images| images.shape == self.shape)
    }

    pub(super) fn descriptor(&self, thumbnail: &[f32]) -> Descriptor {
        self.structure.descriptor(thumbnail)
    }

    /// Upper bound of the squared distance of near-duplicates.
    pub(super) fn max_squared_distance(&self, tolerance: Tolerance) -> f32 {
        self.scale * tolerance.max_distance.powi(2)
    }

    /// Distance as a fraction of the median distance between images of the set, or of the class with the
    /// smallest one of the `labels`.
    pub(super) fn relative_distance(&self, squared_distance: f32, labels: [u32; 2]) -> f32 {
        let scales = labels.iter().filter_map(|&label| self.class_scales.get(label as usize));
        let scale = scales.copied().fold(self.scale, f32::min);
        if squared_distance > 0.0 { (squared_distance / scale).sqrt() } else { 0.0 }
    }

    /// Returns whether two images with these labels are near-duplicates. `squared_distance` is that of
    /// their thumbnails.
    pub(super) fn are_near_duplicates(
        &self,
        [one, other]: [&Descriptor; 2],
        labels: [u32; 2],
        squared_distance: f32,
        tolerance: Tolerance,
    ) -> bool {
        let distance = self.relative_distance(squared_distance, labels);
        let agree = || {
            self.min_agreement.is_none_or(|least| {
                one.agreement(other, squared_distance) > least - tolerance.agreement_margin
            })
        };
        distance < CERTAIN_DISTANCE || distance < tolerance.max_distance && agree()
    }
}

/// Part and index of an image, by its content.
type Located = (ContentKey, usize, usize);

/// The different images of all parts, in the order of their content.
fn located(parts: &[&Examples]) -> Result<Vec<Located>, DatasetError> {
    let mut located: Vec<Located> = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let keys = content_keys(part)?.into_iter().enumerate();
        located.extend(keys.map(|(index, key)| (key, number, index)));
    }
    located.sort_unstable();
    located.dedup_by_key(|(key, ..)| *key);
    Ok(located)
}

/// Thumbnails of the images `chosen`, without blank ones.
fn sample(
    parts: &[&Examples],
    grid: &Grid,
    chosen: &[Located],
) -> Result<Vec<Thumbnail>, DatasetError> {
    let mut sample = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let own = chosen.iter().filter(|(_, of, _)| *of == number);
        let (keys, indices): (Vec<ContentKey>, Vec<usize>) =
            own.map(|(key, _, index)| (*key, *index)).unzip();
        let thumbnails = map_images(part, &indices, |_, pixels| grid.thumbnail(pixels))?;
        sample.extend(keys.into_iter().zip(thumbnails));
    }
    sample.sort_unstable_by_key(|(key, _)| *key);
    Ok(sample.into_iter().filter_map(|(_, thumbnail)| thumbnail).collect())
}

/// Median squared distance between two images of each class, at most `most`.
fn class_scales(
    parts: &[&Examples],
    grid: &Grid,
    located: &[Located],
    most: f32,
) -> Result<Vec<f32>, DatasetError> {
    let mut classes: Vec<Vec<Located>> = Vec::new();
    for image in located {
        let label = parts.get(image.1).and_then(|part| part.labels.get(image.2));
        let class = label.map_or(0, |&label| label as usize);
        classes.resize_with(classes.len().max(class + 1), Vec::new);
        if let Some(class) = classes.get_mut(class).filter(|class| class.len() < CLASS_SAMPLE) {
            class.push(*image);
        }
    }
    let count = CLASS_SAMPLES / classes.len().max(1);
    let scales = classes.iter().map(|class| {
        let class = class.get(..count).unwrap_or(class);
        if class.len() < MIN_CLASS_SAMPLE {
            return Ok(most);
        }
        let sample = sample(parts, grid, class)?;
        let distances = pairs(&sample).map(|(one, other)| squared_distance(one, other));
        Ok(median(distances.filter(|distance| *distance > 0.0).collect()).min(most))
    });
    scales.collect()
}

/// All pairs of different items.
fn pairs<T>(items: &[T]) -> impl Iterator<Item = (&T, &T)> {
    let ones = items.iter().enumerate();
    ones.flat_map(|(number, one)| items.iter().take(number).map(move |other| (one, other)))
}

fn median(mut values: Vec<f32>) -> f32 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// The agreement that near-duplicates of a uniform set exceed, from the distance and agreement of pairs
/// of sampled images; `None` if the set is not uniform.
fn min_agreement(pairs: &[(f32, f32)], scale: f32) -> Option<f32> {
    let within = |from: f32, to: f32| {
        let range = scale * from * from..scale * to * to;
        pairs.iter().filter(move |(distance, _)| range.contains(distance))
    };
    let similar = within(MAX_DISTANCE, SIMILAR_DISTANCE).count();
    let further = within(SIMILAR_DISTANCE, 2.0 * SIMILAR_DISTANCE).count();
    let is_uniform =
        similar as f64 >= MIN_SIMILAR * pairs.len() as f64 && further >= MIN_GROWTH * similar;
    let agreements = within(MAX_DISTANCE, SIMILAR_DISTANCE).map(|(_, agreement)| *agreement);
    let highest = agreements.fold(-1.0, f32::max);
    is_uniform.then_some((highest + AGREEMENT_MARGIN).min(MAX_AGREEMENT))
}
