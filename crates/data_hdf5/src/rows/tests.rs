#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use data::{Examples, Normalization, SplitKind, Values};
use hdf5::{DatasetBuilder, File};
use support::sha256;

use crate::{Hdf5File, Residency, open};

/// 40 images of 5 by 4 pixels in 2 classes, not a multiple of some chunk sizes.
const COUNT: usize = 40;
const WIDTH: usize = 60;

type Settings = fn(DatasetBuilder) -> DatasetBuilder;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn path(&self) -> PathBuf {
        self.folder.path().join("set.h5")
    }

    fn open(&self, keep: Residency) -> Result<Hdf5File, String> {
        open(&self.path(), SplitKind::Train, keep).map_err(|error| error.to_string())
    }

    fn both(&self) -> [Examples; 2] {
        let [whole, stored] =
            [Residency::InMemory, Residency::InFile].map(|keep| self.open(keep).unwrap());
        assert_eq!((&whole.sha256, &whole.classes), (&stored.sha256, &stored.classes));
        assert_eq!(whole.sha256, sha256(&fs::read(self.path()).unwrap()));
        assert!(matches!(stored.examples.values, Values::Stored(_)));
        assert!(!matches!(whole.examples.values, Values::Stored(_)));
        [whole.examples, stored.examples]
    }
}

fn pixels() -> Vec<u8> {
    (0..COUNT * WIDTH).map(|at| (at * at * 31 % 251) as u8).collect()
}

fn features() -> Vec<f64> {
    (0..COUNT * WIDTH).map(|at| 1e6 + (at as f64 * 0.7).sin()).collect()
}

fn images(settings: Settings) -> Place {
    images_behind(0, settings)
}

fn images_behind(userblock: u64, settings: Settings) -> Place {
    holding(userblock, |file| {
        let set = settings(file.new_dataset_builder());
        let set = set.empty::<u8>().shape([COUNT, 5, 4, 3]).create("train_set_x").unwrap();
        set.write_raw(&pixels()).unwrap();
    })
}

fn points(settings: Settings) -> Place {
    holding(0, |file| {
        let set = settings(file.new_dataset_builder());
        let set = set.empty::<f64>().shape([COUNT, WIDTH]).create("train_set_x").unwrap();
        set.write_raw(&features()).unwrap();
    })
}

fn holding(userblock: u64, put: impl Fn(&File)) -> Place {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    let mut options = File::with_options();
    options.with_fcpl(|create| create.userblock(userblock));
    let file = options.create(place.path()).unwrap();
    put(&file);
    let labels: Vec<i64> = (0..COUNT as i64).map(|item| item % 2).collect();
    let set = file.new_dataset::<i64>().shape([COUNT]).create("train_set_y").unwrap();
    set.write_raw(&labels).unwrap();
    file.close().unwrap();
    place
}

fn plain(create: DatasetBuilder) -> DatasetBuilder {
    create
}

/// Checks that examples in memory and in the file have the same properties.
fn assert_same([whole, stored]: [Examples; 2]) {
    let orders: [&[usize]; 4] = [&[], &[39, 0, 7, 7, 6, 8], &[31, 32, 33], &[0]];
    assert_eq!((whole.are_images(), whole.shape), (stored.are_images(), stored.shape));
    for normalization in [Normalization::UnitRange, Normalization::Standardize] {
        let statistics = normalization.fit(&whole).unwrap();
        assert_eq!(normalization.fit(&stored).unwrap(), statistics);
        let scaler = statistics.scaler();
        for order in orders {
            assert_eq!(
                whole.inputs(order, &scaler).unwrap(),
                stored.inputs(order, &scaler).unwrap()
            );
        }
    }
    for order in orders {
        assert_eq!(whole.gather(order).unwrap(), stored.gather(order).unwrap());
        assert_eq!(whole.labels_at(order), stored.labels_at(order));
    }
    assert_eq!(whole.sha256().unwrap(), stored.sha256().unwrap());
    assert!(whole.has_same_content(&stored).unwrap() && stored.has_same_content(&whole).unwrap());
}

fn assert_same_for_all_and_selections([whole, stored]: [Examples; 2]) {
    let some: Vec<usize> = (0..COUNT).map(|item| item * 7 % COUNT).collect();
    let selected = [&whole, &stored].map(|examples| examples.select(&some));
    assert!(matches!(selected[1].values, Values::Stored(_)), "a selection is no copy");
    let reversed: Vec<usize> = (0..COUNT).rev().collect();
    let twice = [&selected[0], &selected[1]].map(|examples| examples.select(&reversed));
    assert!(!selected[0].has_same_content(&whole).unwrap());
    assert!(!selected[1].has_same_content(&stored).unwrap());
    [[whole, stored], selected, twice].into_iter().for_each(assert_same);
}

#[test]
fn images_are_the_same_in_memory_and_in_their_file() {
    let chunked: [Settings; 4] = [
        |create| create.chunk([1, 5, 4, 3]),
        |create| create.chunk([7, 5, 4, 3]),
        |create| create.chunk([40, 5, 4, 3]),
        |create| create.chunk([39, 5, 4, 3]),
    ];
    for settings in chunked.into_iter().chain([plain as Settings]) {
        assert_same_for_all_and_selections(images(settings).both());
    }
    assert_same_for_all_and_selections(images_behind(512, plain).both());
}

#[test]
fn features_are_the_same_in_memory_and_in_their_file() {
    for settings in [plain as Settings, |create| create.chunk([9, WIDTH])] {
        assert_same_for_all_and_selections(points(settings).both());
    }
}

#[test]
fn statistics_of_a_selection_ignore_other_rows() {
    let [whole, stored] = images(plain).both();
    let some = [3, 1, 4, 15, 9, 26, 5];
    let of = |examples: &Examples| Normalization::Standardize.fit(&examples.select(&some)).unwrap();
    assert_eq!(of(&stored), of(&whole));
    assert_ne!(of(&stored), Normalization::Standardize.fit(&stored).unwrap());
}

#[test]
fn rows_that_are_not_contiguous_are_read_into_memory_or_refused() {
    let packed: [Settings; 3] = [
        |create| create.chunk([8, 5, 4, 3]).deflate(4),
        |create| create.chunk([1, 5, 4, 3]).shuffle().deflate(1),
        |create| create.chunk([8, 5, 2, 3]),
    ];
    for place in
        packed.map(images).into_iter().chain([images_behind(512, |c| c.chunk([8, 5, 4, 3]))])
    {
        let file = place.open(Residency::Automatic).unwrap();
        assert_eq!(file.examples.values, Values::Pixels(pixels()));
        assert_eq!(file.sha256, sha256(&fs::read(place.path()).unwrap()));
        let message = place.open(Residency::InFile).unwrap_err();
        for word in ["`/train_set_x`", "contiguous rows", "in_memory", "a.visititems("] {
            assert!(message.contains(word), "{word} not in {message}");
        }
    }
}

#[test]
fn small_data_are_kept_in_memory() {
    let file = images(plain).open(Residency::Automatic).unwrap();
    assert_eq!(file.examples.values, Values::Pixels(pixels()));
}

/// Error of gathering after `change` was applied to the file.
fn after(change: impl FnOnce(&Path)) -> Option<String> {
    let place = images(plain);
    let stored = place.open(Residency::InFile).unwrap().examples;
    stored.gather(&[0, 39]).unwrap();
    change(&place.path());
    stored.gather(&[0, 39]).err().map(|error| error.to_string())
}

#[test]
fn a_changed_file_is_an_error() {
    let changes: [fn(&Path); 3] = [
        |path| fs::File::options().write(true).open(path).unwrap().set_len(100).unwrap(),
        |path| {
            let length = fs::metadata(path).unwrap().len();
            fs::File::options().write(true).open(path).unwrap().set_len(length + 1).unwrap();
        },
        |path| {
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        },
    ];
    for change in changes {
        let message = after(change).unwrap();
        assert!(message.contains("set.h5: was changed while it was in use"), "{message}");
        assert!(message.contains("put it back"), "{message}");
    }
}

#[test]
fn a_replaced_or_removed_file_stays_readable() {
    assert_eq!(after(|path| fs::remove_file(path).unwrap()), None);
    let replace = |path: &Path| {
        let other = path.with_extension("other");
        fs::write(&other, "other").unwrap();
        fs::rename(other, path).unwrap();
    };
    assert_eq!(after(replace), None);
}

#[test]
fn numbers_outside_f32_are_found_in_memory_and_in_the_file() {
    let place = holding(0, |file| {
        let mut features = features();
        features[39 * WIDTH + 2] = f64::NAN;
        let set = file.new_dataset::<f64>().shape([COUNT, WIDTH]).create("train_set_x").unwrap();
        set.write_raw(&features).unwrap();
    });
    for keep in [Residency::InMemory, Residency::InFile] {
        let message = place.open(keep).unwrap_err();
        assert!(message.contains("NaN at index [39, 2]"), "{message}");
    }
}
