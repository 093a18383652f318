use std::ops::Range;
use std::path::Path;

use config::Check;
use data::{DatasetError, DatasetInfo, Examples, LoadedDataset, SplitKind};
use data_hdf5::FileContents;
use serde::{Deserialize, Serialize};
use support::ProgressTask;
use synthetic::{Images, cats, hands};

use super::points::{PointsConfig, Shape};

/// Synthetic data in place of real data: `[dataset.synthetic]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SyntheticConfig {
    /// Subject of the data.
    pub subject: Subject,
    // 12 KiB per image: 200,000 images are 2.3 GiB.
    /// Number of training examples.
    #[schemars(range(min = 1, max = 200_000))]
    pub train: usize,
    /// Number of test examples.
    #[schemars(range(min = 1, max = 200_000))]
    pub test: usize,
    /// Seed of the generator.
    pub seed: u64,
}

/// Subject of synthetic data.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Hands with 0 to 5 raised fingers, images of 64 x 64 x 3: replaces SIGNS.
    #[default]
    Hands,
    /// Cats and other animals and objects, images of 64 x 64 x 3: replaces cat / non-cat.
    Cats,
    /// Positions on a football field, by the team that wins the ball, 2 features: replaces the
    /// football points.
    Field,
}

/// Generates the images at a range of indices from a seed.
type Generate = fn(Range<usize>, u64) -> Images;

/// Images generated between two updates of the progress.
const BLOCK: usize = 64;

impl Default for SyntheticConfig {
    fn default() -> Self {
        Self { subject: Subject::default(), train: 1080, test: 120, seed: 1 }
    }
}

impl SyntheticConfig {
    /// Generates one split into a new HDF5 file like that of [`data_hdf5::write_synthetic`], with only a
    /// few images in memory at a time.
    pub fn write(&self, part: SplitKind, path: &Path) -> Result<(), DatasetError> {
        let Some((generate, classes)) = self.images() else { return self.write_field(part, path) };
        let (start, count) = match part {
            SplitKind::Train | SplitKind::Validation => (0, self.train),
            SplitKind::Test => (self.train, self.test),
        };
        let task = ProgressTask::start("generating images", count);
        let contents = FileContents {
            split: part,
            count,
            shape: synthetic::SHAPE,
            are_images: true,
            fit: None,
            classes: &classes.iter().map(|&name| name.to_owned()).collect::<Vec<_>>(),
            synthetic: true,
        };
        contents.write(path, |items| {
            task.set_done(items.start);
            Ok(examples(generate(start + items.start..start + items.end, self.seed)))
        })
    }

    /// Generates both splits.
    pub fn load(&self) -> Result<LoadedDataset, DatasetError> {
        let Some((generate, classes)) = self.images() else {
            return Ok(LoadedDataset { synthetic: true, ..self.field().load()? });
        };
        // One sequence for both splits, so that no test image is a training image.
        let train = self.part(generate, 0..self.train);
        let test = self.part(generate, self.train..self.train + self.test);
        LoadedDataset::generated(train, test, classes, true)
    }

    /// Describes the examples.
    pub fn info(&self) -> DatasetInfo {
        let Some((_, classes)) = self.images() else {
            return DatasetInfo { synthetic: true, ..self.field().info() };
        };
        let classes = classes.iter().map(|&name| name.to_owned()).collect();
        let (shape, count) = (synthetic::SHAPE, self.train);
        DatasetInfo { shape, are_images: true, classes, synthetic: true, count }
    }

    /// Reports invalid values.
    pub fn check(&self, check: &mut Check) {
        if self.subject == Subject::Field {
            self.field().check(check);
        }
    }

    /// Generator and class names of a subject of images.
    fn images(&self) -> Option<(Generate, &'static [&'static str])> {
        match self.subject {
            Subject::Hands => Some((hands::generate, &hands::CLASSES)),
            Subject::Cats => Some((cats::generate, &cats::CLASSES)),
            Subject::Field => None,
        }
    }

    /// Generates a range of the images and reports the progress.
    fn part(&self, generate: Generate, items: Range<usize>) -> Examples {
        let task = ProgressTask::start("generating images", items.len());
        let mut part = Images::default();
        for start in items.clone().step_by(BLOCK) {
            let images = generate(start..items.end.min(start + BLOCK), self.seed);
            task.advance(images.labels.len());
            part.pixels.extend(images.pixels);
            part.labels.extend(images.labels);
        }
        examples(part)
    }

    fn write_field(&self, part: SplitKind, path: &Path) -> Result<(), DatasetError> {
        let LoadedDataset { train, test, classes, .. } = self.field().load()?;
        let examples = if part == SplitKind::Train { Some(train) } else { test };
        examples
            .map_or(Ok(()), |examples| data_hdf5::write_synthetic(path, part, &examples, &classes))
    }

    fn field(&self) -> PointsConfig {
        let &Self { train, test, seed, .. } = self;
        PointsConfig { shape: Shape::Field, train, test, seed, ..PointsConfig::default() }
    }
}

fn examples(Images { pixels, labels }: Images) -> Examples {
    Examples::images(synthetic::SHAPE, pixels, labels)
}

/// Generates the hands at `items`.
#[cfg(test)]
pub fn hands(items: Range<usize>, seed: u64) -> Examples {
    examples(hands::generate(items, seed))
}

/// Generates the cats at `items`.
#[cfg(test)]
pub fn cats(items: Range<usize>, seed: u64) -> Examples {
    examples(cats::generate(items, seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_written_in_blocks_equals_one_written_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        // More than one block.
        let sizes = [(Subject::Hands, 400, 5), (Subject::Cats, 3, 350), (Subject::Field, 9, 4)];
        for (subject, train, test) in sizes {
            let config = SyntheticConfig { subject, train, test, seed: 3 };
            let LoadedDataset { train, test, classes, .. } = config.load().unwrap();
            for (part, examples) in [(SplitKind::Train, train), (SplitKind::Test, test.unwrap())] {
                config.write(part, &path("blocks")).unwrap();
                data_hdf5::write_synthetic(&path("whole"), part, &examples, &classes).unwrap();
                let [blocks, whole] =
                    ["blocks", "whole"].map(|name| std::fs::read(path(name)).unwrap());
                assert!(blocks == whole, "{subject:?} {part:?}");
            }
        }
    }
}
