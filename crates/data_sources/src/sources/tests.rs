use data::SplitKind;

use super::*;

/// Asserts that the loaded data match their description.
#[track_caller]
fn assert_info_matches(config: &DatasetConfig) {
    let (info, source) = (config.info().unwrap(), config.load().unwrap());
    let loaded = DatasetInfo {
        shape: source.train.shape,
        are_images: source.train.are_images(),
        classes: source.classes,
        synthetic: source.synthetic,
        count: source.train.len(),
    };
    assert_eq!(info, loaded, "{config:?}");
}

#[test]
fn info_matches_the_loaded_data_of_every_source() {
    let folder = tempfile::tempdir().unwrap();
    for subject in [Subject::Hands, Subject::Cats, Subject::Field] {
        let config = SyntheticConfig { subject, train: 20, test: 10, seed: 1 };
        let file = |part| folder.path().join(format!("{subject:?}-{part:?}.h5"));
        for part in [SplitKind::Train, SplitKind::Test] {
            config.write(part, &file(part)).unwrap();
        }
        assert_info_matches(&DatasetConfig::Hdf5(Hdf5Config {
            test: Some(file(SplitKind::Test)),
            synthetic: config.clone(),
            ..Hdf5Config::new(folder.path(), &file(SplitKind::Train))
        }));
        assert_info_matches(&DatasetConfig::Synthetic(config));
    }
    assert_info_matches(&DatasetConfig::Points(PointsConfig::default()));
}
