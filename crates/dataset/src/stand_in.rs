use config::Check;
use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::examples::Examples;
use crate::points::{PointsConfig, Shape};
use crate::source::Source;
use crate::{cats, hands};

/// What the program draws itself in place of real data: `[dataset.stand_in]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StandInConfig {
    /// What to draw.
    pub subject: Subject,
    /// The number of training examples.
    pub train: usize,
    /// The number of test examples.
    pub test: usize,
    /// What the drawing depends on.
    pub seed: u64,
}

/// What a stand-in shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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

impl Default for StandInConfig {
    fn default() -> Self {
        Self { subject: Subject::default(), train: 1080, test: 120, seed: 1 }
    }
}

impl StandInConfig {
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
        // Twelve kilobytes an image: what fits into memory on an ordinary machine.
        check.count("train", self.train, 200_000);
        check.count("test", self.test, 200_000);
        if self.subject == Subject::Field {
            self.field().check(check);
        }
    }

    fn images(
        &self,
        draw: fn(usize, u64) -> Examples,
        classes: &[&str],
    ) -> Result<Source, DatasetError> {
        // One sequence for both parts, so that no test image is a training image.
        let all = draw(self.train + self.test, self.seed);
        let part = |range: std::ops::Range<usize>| all.select(&range.collect::<Vec<_>>());
        let (train, test) = (part(0..self.train), part(self.train..all.len()));
        Source::drawn(train, test, classes, true)
    }

    fn field(&self) -> PointsConfig {
        let &Self { train, test, seed, .. } = self;
        PointsConfig { shape: Shape::Field, train, test, seed, ..PointsConfig::default() }
    }
}
