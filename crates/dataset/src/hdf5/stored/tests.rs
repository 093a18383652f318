#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use hdf5::{DatasetBuilder, File};

use crate::hdf5::{Hdf5File, Keep, Part, open};
use crate::{Examples, Normalization, Values};

/// 40 images of 5 by 4 pixels in 2 classes: more than fills some chunks.
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

    fn open(&self, keep: Keep) -> Result<Hdf5File, String> {
        open(&self.path(), Part::Train, keep).map_err(|error| error.to_string())
    }

    fn both(&self) -> [Examples; 2] {
        let [whole, stored] = [Keep::InMemory, Keep::InFile].map(|keep| self.open(keep).unwrap());
        assert_eq!((&whole.sha256, &whole.classes), (&stored.sha256, &stored.classes));
        assert_eq!(whole.sha256, crate::sha256(&fs::read(self.path()).unwrap()));
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

/// Whatever can be asked of examples has the same answer in memory and in the file.
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
    assert!(whole.are_those_of(&stored).unwrap() && stored.are_those_of(&whole).unwrap());
}

fn assert_same_of_all_and_some([whole, stored]: [Examples; 2]) {
    let some: Vec<usize> = (0..COUNT).map(|item| item * 7 % COUNT).collect();
    let selected = [&whole, &stored].map(|examples| examples.select(&some));
    assert!(matches!(selected[1].values, Values::Stored(_)), "a selection is no copy");
    let reversed: Vec<usize> = (0..COUNT).rev().collect();
    let twice = [&selected[0], &selected[1]].map(|examples| examples.select(&reversed));
    assert!(!selected[0].are_those_of(&whole).unwrap());
    assert!(!selected[1].are_those_of(&stored).unwrap());
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
        assert_same_of_all_and_some(images(settings).both());
    }
    assert_same_of_all_and_some(images_behind(512, plain).both());
}

#[test]
fn features_are_the_same_in_memory_and_in_their_file() {
    for settings in [plain as Settings, |create| create.chunk([9, WIDTH])] {
        assert_same_of_all_and_some(points(settings).both());
    }
}

#[test]
fn statistics_of_a_selection_are_of_that_alone() {
    let [whole, stored] = images(plain).both();
    let some = [3, 1, 4, 15, 9, 26, 5];
    let of = |examples: &Examples| Normalization::Standardize.fit(&examples.select(&some)).unwrap();
    assert_eq!(of(&stored), of(&whole));
    assert_ne!(of(&stored), Normalization::Standardize.fit(&stored).unwrap());
}

#[test]
fn rows_that_lie_in_pieces_are_read_at_once_or_refused_with_what_to_do() {
    let packed: [Settings; 3] = [
        |create| create.chunk([8, 5, 4, 3]).deflate(4),
        |create| create.chunk([1, 5, 4, 3]).shuffle().deflate(1),
        |create| create.chunk([8, 5, 2, 3]),
    ];
    for place in
        packed.map(images).into_iter().chain([images_behind(512, |c| c.chunk([8, 5, 4, 3]))])
    {
        let file = place.open(Keep::Automatic).unwrap();
        assert_eq!(file.examples.values, Values::Pixels(pixels()));
        assert_eq!(file.sha256, crate::sha256(&fs::read(place.path()).unwrap()));
        let message = place.open(Keep::InFile).unwrap_err();
        for word in ["`/train_set_x`", "one piece", "in_memory", "h5repack -f NONE -l CONTI"] {
            assert!(message.contains(word), "{word} not in {message}");
        }
    }
}

#[test]
fn what_fits_easily_is_kept_in_memory() {
    let file = images(plain).open(Keep::Automatic).unwrap();
    assert_eq!(file.examples.values, Values::Pixels(pixels()));
}

/// What gathering says once `change` was done to the file.
fn after(change: impl FnOnce(&Path)) -> Option<String> {
    let place = images(plain);
    let stored = place.open(Keep::InFile).unwrap().examples;
    stored.gather(&[0, 39]).unwrap();
    change(&place.path());
    stored.gather(&[0, 39]).err().map(|error| error.to_string())
}

#[test]
fn a_file_that_is_changed_while_it_is_in_use_is_an_error_that_names_it() {
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
fn a_file_that_is_replaced_or_removed_is_still_the_one_that_was_opened() {
    assert_eq!(after(|path| fs::remove_file(path).unwrap()), None);
    let replace = |path: &Path| {
        let other = path.with_extension("other");
        fs::write(&other, "other").unwrap();
        fs::rename(other, path).unwrap();
    };
    assert_eq!(after(replace), None);
}

#[test]
fn a_number_that_f32_cannot_hold_is_found_wherever_the_features_stay() {
    let place = holding(0, |file| {
        let mut features = features();
        features[39 * WIDTH + 2] = f64::NAN;
        let set = file.new_dataset::<f64>().shape([COUNT, WIDTH]).create("train_set_x").unwrap();
        set.write_raw(&features).unwrap();
    });
    for keep in [Keep::InMemory, Keep::InFile] {
        let message = place.open(keep).unwrap_err();
        assert!(message.contains("NaN at index [39, 2]"), "{message}");
    }
}
