use data::SplitKind;

use super::*;

/// What is loaded must look as it was said to.
#[track_caller]
fn check(config: &DatasetConfig) {
    let (info, source) = (config.info().unwrap(), config.load().unwrap());
    let loaded = DatasetInfo {
        shape: source.train.shape,
        are_images: source.train.are_images(),
        classes: source.classes,
        synthetic: source.synthetic,
    };
    assert_eq!(info, loaded, "{config:?}");
}

#[test]
fn examples_look_as_their_outline_tells_before_they_are_read_or_drawn() {
    let folder = tempfile::tempdir().unwrap();
    for subject in [Subject::Hands, Subject::Cats, Subject::Field] {
        let drawn = SyntheticConfig { subject, train: 20, test: 10, seed: 1 };
        let file = |part| folder.path().join(format!("{subject:?}-{part:?}.h5"));
        for part in [SplitKind::Train, SplitKind::Test] {
            drawn.write(part, &file(part)).unwrap();
        }
        check(&DatasetConfig::Hdf5(Hdf5Config {
            directory: folder.path().to_owned(),
            directory_env: None,
            train: file(SplitKind::Train),
            validation: None,
            test: Some(file(SplitKind::Test)),
            in_memory: None,
            on_missing: OnMissing::Fail,
            synthetic: drawn.clone(),
        }));
        check(&DatasetConfig::Synthetic(drawn));
    }
    check(&DatasetConfig::Points(PointsConfig::default()));
}
