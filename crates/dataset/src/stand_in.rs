use std::ops::Range;
use std::path::Path;

use config::Check;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::examples::Examples;
use crate::hdf5::{self, Contents, Part};
use crate::points::{PointsConfig, Shape};
use crate::source::Source;
use crate::work::Work;
use crate::{cats, drawing, hands};

/// What the program draws itself in place of real data: `[dataset.stand_in]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StandInConfig {
    /// What to draw.
    pub subject: Subject,
    // Twelve kilobytes an image: a few gigabytes.
    /// The number of training examples.
    #[schemars(range(min = 1, max = 200_000))]
    pub train: usize,
    /// The number of test examples.
    #[schemars(range(min = 1, max = 200_000))]
    pub test: usize,
    /// What the drawing depends on.
    pub seed: u64,
}

/// What a stand-in shows.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Hands with 0 to 5 raised fingers, images of 64 x 64 x 3: for SIGNS.
    #[default]
    Hands,
    /// Cats among other animals and things, images of 64 x 64 x 3: for cat / non-cat.
    Cats,
    /// Where on a field one of two teams won the ball, 2 features: for the football points.
    Field,
}

/// Draws the images at some indices of those of a seed.
type Draw = fn(Range<usize>, u64) -> Examples;

impl Default for StandInConfig {
    fn default() -> Self {
        Self { subject: Subject::default(), train: 1080, test: 120, seed: 1 }
    }
}

impl StandInConfig {
    /// Draws one part into a new HDF5 file, as [`hdf5::write_stand_in`] does, with no more than a
    /// few images in memory at once.
    pub fn write(&self, part: Part, path: &Path) -> Result<(), DatasetError> {
        let (draw, classes): (Draw, &[&str]) = match self.subject {
            Subject::Hands => (hands::draw, &hands::CLASSES),
            Subject::Cats => (cats::draw, &cats::CLASSES),
            Subject::Field => return self.write_field(part, path),
        };
        let classes: Vec<_> = classes.iter().map(|&name| name.to_owned()).collect();
        let (start, count) = match part {
            Part::Train => (0, self.train),
            Part::Test => (self.train, self.test),
        };
        let work = Work::begin("drawing images", count);
        let shape = drawing::SHAPE;
        let contents =
            Contents { part, count, shape, are_images: true, classes: &classes, stand_in: true };
        contents.write(path, |items| {
            work.reach(items.start);
            Ok(draw(start + items.start..start + items.end, self.seed))
        })
    }

    /// Draws both parts.
    pub fn draw(&self) -> Result<Source, DatasetError> {
        match self.subject {
            Subject::Hands => self.images(hands::draw, &hands::CLASSES),
            Subject::Cats => self.images(cats::draw, &cats::CLASSES),
            Subject::Field => Ok(Source { stand_in: true, ..self.field().load()? }),
        }
    }

    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        if self.subject == Subject::Field {
            self.field().check(check);
        }
    }

    fn images(&self, draw: Draw, classes: &[&str]) -> Result<Source, DatasetError> {
        // One sequence for both parts, so that no test image is a training image.
        let part = |items| draw(items, self.seed);
        let (train, test) = (part(0..self.train), part(self.train..self.train + self.test));
        Source::drawn(train, test, classes, true)
    }

    fn write_field(&self, part: Part, path: &Path) -> Result<(), DatasetError> {
        let Source { train, test, classes, .. } = self.field().load()?;
        let examples = if part == Part::Train { Some(train) } else { test };
        examples
            .map_or(Ok(()), |examples| Ok(hdf5::write_stand_in(path, part, &examples, &classes)?))
    }

    fn field(&self) -> PointsConfig {
        let &Self { train, test, seed, .. } = self;
        PointsConfig { shape: Shape::Field, train, test, seed, ..PointsConfig::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_written_as_if_it_had_been_drawn_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        // More than are drawn at once.
        let sizes = [(Subject::Hands, 400, 5), (Subject::Cats, 3, 350), (Subject::Field, 9, 4)];
        for (subject, train, test) in sizes {
            let config = StandInConfig { subject, train, test, seed: 3 };
            let Source { train, test, classes, .. } = config.draw().unwrap();
            for (part, examples) in [(Part::Train, train), (Part::Test, test.unwrap())] {
                config.write(part, &path("some")).unwrap();
                hdf5::write_stand_in(&path("whole"), part, &examples, &classes).unwrap();
                let [some, whole] =
                    ["some", "whole"].map(|name| std::fs::read(path(name)).unwrap());
                assert!(some == whole, "{subject:?} {part:?}");
            }
        }
    }
}
