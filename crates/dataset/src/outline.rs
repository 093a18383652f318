use crate::drawing;
use crate::error::DatasetError;
use crate::hdf5::{self, Part};
use crate::points::Shape;
use crate::source::DatasetConfig;
use crate::stand_in::Subject;
use crate::{cats, hands};

/// What examples look like, as it is known before any of their values is read or drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Height, width and channels of an image, or 1, 1 and the number of features.
    pub shape: [usize; 3],
    /// Whether they are images, or else plain features.
    pub are_images: bool,
    /// The name of each class, in the order of the labels.
    pub classes: Vec<String>,
    /// Whether they are drawn in place of real data.
    pub stand_in: bool,
}

impl DatasetConfig {
    /// The outline of the training set of a resolved config. Of files it reads the structure and
    /// the labels.
    pub fn outline(&self) -> Result<Outline, DatasetError> {
        match self {
            Self::Hdf5(config) => {
                Ok(hdf5::outline(&config.directory.join(&config.train), Part::Train)?)
            }
            Self::Points(config) => Ok(Outline::of_plane(config.shape)),
            Self::StandIn(config) => Ok(Outline::of_stand_in(config.subject)),
        }
    }
}

impl Outline {
    fn of_stand_in(subject: Subject) -> Self {
        let classes: &[&str] = match subject {
            Subject::Hands => &hands::CLASSES,
            Subject::Cats => &cats::CLASSES,
            Subject::Field => return Self { stand_in: true, ..Self::of_plane(Shape::Field) },
        };
        let (shape, classes) = (drawing::SHAPE, named(classes));
        Self { shape, are_images: true, classes, stand_in: true }
    }

    fn of_plane(shape: Shape) -> Self {
        let classes = named(&shape.classes());
        Self { shape: [1, 1, 2], are_images: false, classes, stand_in: false }
    }
}

fn named(classes: &[&str]) -> Vec<String> {
    classes.iter().map(|&name| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hdf5Config, OnMissing, PointsConfig, StandInConfig};

    /// What is loaded must look as it was said to.
    #[track_caller]
    fn check(config: &DatasetConfig) {
        let (outline, source) = (config.outline().unwrap(), config.load().unwrap());
        let loaded = Outline {
            shape: source.train.shape,
            are_images: source.train.are_images(),
            classes: source.classes,
            stand_in: source.stand_in,
        };
        assert_eq!(outline, loaded, "{config:?}");
    }

    #[test]
    fn examples_look_as_their_outline_tells_before_they_are_read_or_drawn() {
        let folder = tempfile::tempdir().unwrap();
        for subject in [Subject::Hands, Subject::Cats, Subject::Field] {
            let drawn = StandInConfig { subject, train: 20, test: 10, seed: 1 };
            let file = |part| folder.path().join(format!("{subject:?}-{part:?}.h5"));
            for part in [Part::Train, Part::Test] {
                drawn.write(part, &file(part)).unwrap();
            }
            check(&DatasetConfig::Hdf5(Hdf5Config {
                directory: folder.path().to_owned(),
                directory_env: None,
                train: file(Part::Train),
                validation: None,
                test: Some(file(Part::Test)),
                in_memory: None,
                on_missing: OnMissing::Fail,
                stand_in: drawn.clone(),
            }));
            check(&DatasetConfig::StandIn(drawn));
        }
        check(&DatasetConfig::Points(PointsConfig::default()));
    }
}
