use std::array::from_fn;
use std::ops::Range;
use std::path::Path;

use data::{Examples, SplitKind, Values};
use data_hdf5::Residency;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageFormat};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rayon::ThreadPoolBuilder;

use super::thumbnail::squared_distance;
use super::*;
use crate::sources::{cats, hands};

/// Near-duplicates of `others` in `images`, two parts of a data set, as pairs of indices.
fn near_duplicates(images: &Examples, others: &Examples) -> Vec<(usize, usize)> {
    let measure = Measure::fit(&[images, others]).unwrap().unwrap();
    let near_duplicates =
        index(images, &measure).near_duplicates(&index(others, &measure)).unwrap();
    near_duplicates.iter().map(|duplicate| (duplicate.index, duplicate.of)).collect()
}

fn index<'a>(images: &'a Examples, measure: &'a Measure) -> NearDuplicateIndex<'a> {
    NearDuplicateIndex::new(images, measure).unwrap().unwrap()
}

fn measure(images: &Examples) -> Measure {
    Measure::fit(&[images]).unwrap().unwrap()
}

/// Change of the pixels of an image.
type Change = dyn Fn(&[u8]) -> Vec<u8>;

/// The images at `items`, each changed.
fn changed(images: &Examples, items: &[usize], change: impl Fn(&[u8]) -> Vec<u8>) -> Examples {
    let Values::Pixels(pixels) = &images.values else { panic!("no pixels") };
    let pixels = items.iter().flat_map(|&item| change(images.row(pixels, item))).collect();
    Examples::images(images.shape, pixels, images.labels_at(items))
}

fn compressed(pixels: &[u8], quality: u8) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, quality);
    encoder.write_image(pixels, 64, 64, ExtendedColorType::Rgb8).unwrap();
    image::load_from_memory_with_format(&jpeg, ImageFormat::Jpeg).unwrap().to_rgb8().into_raw()
}

/// Changes the contrast and brightness, clamped to 0 to 255.
fn lit(pixels: &[u8], factor: f32, offset: f32) -> Vec<u8> {
    pixels.iter().map(|&pixel| (f32::from(pixel) * factor + offset) as u8).collect()
}

/// Images of different smooth waves.
fn waves(shape: [usize; 3], items: Range<usize>) -> Examples {
    let [height, width, channels] = shape;
    let image = |item: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(item as u64);
        let waves: [[f64; 3]; 8] = from_fn(|_| from_fn(|_| rng.random_range(-9.0..9.0)));
        (0..height * width * channels).map(move |at| {
            let (y, x) = (at / (width * channels), at / channels % width);
            let (y, x) = (y as f64 / height as f64, x as f64 / width as f64);
            let wave = |[a, b, c]: [f64; 3]| (a * y + b * x + c * (at % channels + 1) as f64).sin();
            (127.0 + 30.0 * waves.map(wave).iter().sum::<f64>()) as u8
        })
    };
    let labels = items.clone().map(|item| item as u32 % 2).collect();
    Examples::images(shape, items.flat_map(image).collect(), labels)
}

#[test]
fn recompressed_and_brightened_copies_are_found() {
    let train = hands(0..120, 1);
    let items: Vec<usize> = (0..120).step_by(5).collect();
    let expected: Vec<_> = items.iter().copied().enumerate().collect();
    let changes: [&Change; 6] = [
        &<[u8]>::to_vec,
        &|pixels| compressed(pixels, 75),
        &|pixels| compressed(pixels, 30),
        &|pixels| lit(pixels, 1.1, 6.0),
        &|pixels| lit(pixels, 0.8, 0.0),
        &|pixels| compressed(&lit(pixels, 0.9, 12.0), 60),
    ];
    for (number, change) in changes.iter().enumerate() {
        assert_eq!(
            near_duplicates(&train, &changed(&train, &items, change)),
            expected,
            "change {number}"
        );
    }
}

#[test]
fn different_synthetic_images_are_no_near_duplicates() {
    assert_eq!(near_duplicates(&hands(0..480, 1), &hands(480..600, 1)), []);
    assert_eq!(near_duplicates(&cats(0..240, 2), &cats(240..300, 2)), []);
}

#[test]
fn images_of_any_size_are_compared() {
    for shape in [[64, 64, 3], [28, 28, 1], [9, 50, 3], [101, 37, 1], [6, 6, 3], [3, 200, 1]] {
        let train = waves(shape, 0..40);
        let items = [3, 7, 20];
        let copies = changed(&train, &items, |pixels| lit(pixels, 0.95, 3.0));
        assert_eq!(near_duplicates(&train, &copies), [(0, 3), (1, 7), (2, 20)], "{shape:?}");
        assert_eq!(near_duplicates(&train, &waves(shape, 40..60)), [], "{shape:?}");
    }
}

#[test]
fn blank_images_have_no_near_duplicates() {
    let mut train = waves([8, 8, 1], 0..6);
    let blank = Examples::images([8, 8, 1], vec![40; 128], vec![0, 1]);
    assert_eq!(near_duplicates(&train, &blank), []);
    assert_eq!(near_duplicates(&blank, &train), []);
    let points = Examples::images([1, 1, 1], vec![7; 6], vec![0; 6]);
    assert_eq!(near_duplicates(&points, &points), []);
    // A class without training images.
    train.labels = vec![5; 6];
    let near_duplicates = near_duplicates(&waves([8, 8, 1], 0..6), &train);
    assert_eq!(near_duplicates, (0..6).map(|item| (item, item)).collect::<Vec<_>>());
}

#[test]
fn features_have_no_measure() {
    assert!(Measure::fit(&[&Examples::features(2, vec![0.0; 8], vec![0; 4])]).unwrap().is_none());
}

#[test]
fn descriptor_distances_are_lower_bounds() {
    for shape in [[64, 64, 3], [28, 28, 1], [9, 50, 3], [5, 6, 1]] {
        let images = waves(shape, 0..60);
        let measure = measure(&images);
        let all = index(&images, &measure);
        for (one, other) in (0..60).flat_map(|one| (0..one).map(move |other| (one, other))) {
            let [a, b] = [one, other].map(|index| all.thumbnail(index).unwrap().unwrap());
            let [c, d] = [one, other].map(|index| all.entry(index).unwrap().descriptor.0);
            assert!(
                squared_distance(&c, &d) <= squared_distance(&a, &b) + 1e-5,
                "{shape:?}: {one} and {other}"
            );
        }
    }
}

#[test]
fn all_pairs_of_an_exhaustive_search_are_found() {
    // Copies of a hundred images, more and more clipped.
    let images = waves([16, 16, 1], 0..100);
    let Values::Pixels(pixels) = &images.values else { panic!("no pixels") };
    let clipped = (0..3).flat_map(|times| {
        pixels.iter().map(move |&pixel| (f32::from(pixel) * (1.0 + 0.1 * times as f32)) as u8)
    });
    let images = Examples::images([16, 16, 1], clipped.collect(), vec![0; 300]);
    let measure = measure(&images);
    let all = index(&images, &measure);
    let limit = measure.max_squared_distance(Tolerance::WIDE);
    let pairs = (0..300).flat_map(|one| (0..one).map(move |other| (other, one)));
    let expected: Vec<_> = pairs
        .filter(|&(one, other)| {
            let [a, b] = [one, other].map(|index| all.thumbnail(index).unwrap().unwrap());
            squared_distance(&a, &b) < limit
        })
        .collect();
    let found = (0..all.len())
        .flat_map(|position| all.near_duplicates_after(position, |_, _| true).unwrap());
    let mut found: Vec<_> = found.map(|(one, other)| (one.min(other), one.max(other))).collect();
    found.sort_by_key(|&(one, other)| (other, one));
    assert!(!expected.is_empty());
    assert_eq!(found, expected);
}

#[test]
fn the_measure_of_a_data_set_depends_on_no_order_and_no_part() {
    let images = hands(0..300, 5);
    let describe = |parts: &[Examples]| {
        let parts: Vec<&Examples> = parts.iter().collect();
        format!("{:?}", Measure::fit(&parts).unwrap().unwrap())
    };
    let select = |items: &mut dyn Iterator<Item = usize>| images.select(&items.collect::<Vec<_>>());
    let whole = describe(std::slice::from_ref(&images));
    let reversed = select(&mut (0..300).rev());
    let parts = [
        select(&mut (0..300).filter(|item| item % 3 == 0)),
        select(&mut (0..300).filter(|item| item % 3 > 0)),
    ];
    assert!(whole == describe(&[reversed]) && whole == describe(&parts));
}

/// Images that all look alike, as solar cells do: the same bars, light from one side, and faint marks
/// that differ.
fn cells(items: Range<usize>) -> Examples {
    let image = |item: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(item as u64);
        let light: [f64; 3] = from_fn(|_| rng.random_range(-12.0..12.0));
        let marks: [[f64; 2]; 6] = from_fn(|_| from_fn(|_| rng.random_range(4.0..60.0)));
        (0..64 * 64).map(move |at| {
            let (y, x) = ((at / 64) as f64, (at % 64) as f64);
            let bar = if (y as usize) % 20 < 3 { -90.0 } else { 0.0 };
            let shade = light[0] * (x / 64.0) + light[1] * (y / 64.0) + light[2] * (x * y / 4096.0);
            let mark =
                |[a, b]: [f64; 2]| -14.0 * (-((x - a).powi(2) + (y - b).powi(2)) / 14.0).exp();
            (160.0 + bar + shade + marks.map(mark).iter().sum::<f64>()) as u8
        })
    };
    let labels = items.clone().map(|item| item as u32 % 2).collect();
    Examples::images([64, 64, 1], items.flat_map(image).collect(), labels)
}

#[test]
fn images_that_all_look_alike_are_told_apart_and_their_copies_are_found() {
    let train = cells(0..400);
    assert_eq!(near_duplicates(&train, &cells(400..480)), []);
    let items: Vec<usize> = (0..400).step_by(25).collect();
    let expected: Vec<_> = items.iter().copied().enumerate().collect();
    let grey_jpeg = |pixels: &[u8]| {
        let mut jpeg = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut jpeg, 90);
        encoder.write_image(pixels, 64, 64, ExtendedColorType::L8).unwrap();
        image::load_from_memory_with_format(&jpeg, ImageFormat::Jpeg).unwrap().to_luma8().into_raw()
    };
    let changes: [&Change; 3] = [&<[u8]>::to_vec, &grey_jpeg, &|pixels| lit(pixels, 0.9, 10.0)];
    for (number, change) in changes.iter().enumerate() {
        assert_eq!(near_duplicates(&train, &changed(&train, &items, change)), expected, "{number}");
    }
}

#[test]
fn frames_of_a_few_scenes_are_near_duplicates() {
    // Twenty scenes of thirty frames, each frame a little brighter on one side.
    let scenes = hands(0..20, 8);
    let Values::Pixels(pixels) = &scenes.values else { panic!("no pixels") };
    let frames = (0..600).flat_map(|frame: usize| {
        let row = scenes.row(pixels, frame / 30).iter().enumerate();
        row.map(move |(at, &pixel)| pixel.saturating_add(((at / 3 % 64) * (frame % 30) / 80) as u8))
    });
    let frames = Examples::images(scenes.shape, frames.collect(), vec![0; 600]);
    let parts = [0, 1]
        .map(|rest| frames.select(&(0..600).filter(|frame| frame % 2 == rest).collect::<Vec<_>>()));
    assert_eq!(near_duplicates(&parts[0], &parts[1]).len(), 300);
}

#[test]
fn nearest_images_equal_those_of_an_exhaustive_search() {
    let images = hands(0..90, 3);
    let measure = measure(&images);
    let all = index(&images, &measure);
    for (index, found) in all.neighbours(&all, 4, usize::MAX).unwrap() {
        let thumbnail = all.thumbnail(index).unwrap().unwrap();
        let others = (0..90).filter(|&other| other != index);
        let mut measured: Vec<(f32, usize)> = others
            .map(|other| {
                (squared_distance(&thumbnail, &all.thumbnail(other).unwrap().unwrap()), other)
            })
            .collect();
        measured.sort_by(|one, other| one.0.total_cmp(&other.0));
        let nearest: Vec<_> = measured.iter().take(4).map(|(_, other)| *other).collect();
        assert_eq!(found.iter().map(|one| one.index).collect::<Vec<_>>(), nearest, "{index}");
    }
}

#[test]
fn images_in_a_file_have_the_same_near_duplicates() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.h5");
    let train = hands(0..90, 1);
    let classes: Vec<String> = synthetic::hands::CLASSES.map(String::from).into();
    data_hdf5::write(&path, SplitKind::Train, &train, &classes).unwrap();
    let stored = data_hdf5::open(&path, SplitKind::Train, Residency::InFile).unwrap().examples;
    let others = changed(&train, &[4, 9, 80], |pixels| lit(pixels, 0.9, 5.0));
    let measure = Measure::fit(&[&stored, &others]).unwrap().unwrap();
    let [others, in_memory, mut in_file] =
        [&others, &train, &stored].map(|images| index(images, &measure));
    let near_duplicates = in_memory.near_duplicates(&others).unwrap();
    assert_eq!(near_duplicates.len(), 3);
    assert_eq!(in_file.near_duplicates(&others).unwrap(), near_duplicates);
    // Also without cached thumbnails.
    in_file.thumbnails.clear();
    assert_eq!(in_file.near_duplicates(&others).unwrap(), near_duplicates);
}

#[test]
fn a_search_over_too_many_pairs_uses_evenly_spaced_images() {
    let images = waves([8, 8, 1], 0..20);
    let measure = measure(&images);
    let all = index(&images, &measure);
    let found = all.neighbours(&all, 1, 20 * 7).unwrap();
    assert_eq!(found.iter().map(|(item, _)| *item).collect::<Vec<_>>(), [0, 3, 6, 9, 12, 15, 18]);
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let train = hands(0..90, 1);
    let others = changed(&train, &[4, 9, 80], |pixels| compressed(pixels, 50));
    let [one, three] = [1, 3].map(|threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let measure = Measure::fit(&[&train, &others]).unwrap().unwrap();
            let [train, others] = [&train, &others].map(|set| index(set, &measure));
            (
                train.near_duplicates(&others).unwrap(),
                train.neighbours(&train, 5, usize::MAX).unwrap(),
            )
        })
    });
    assert_eq!(one, three);
    assert_eq!(one.0.len(), 3);
}

/// Test images of SIGNS with a near-duplicate in the training set, found by visual comparison.
const OF_SIGNS: [usize; 13] = [2, 5, 36, 40, 42, 48, 55, 70, 81, 91, 92, 102, 106];

#[test]
#[ignore = "needs the data of the course"]
fn the_near_duplicates_in_the_signs_test_set_are_found() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/signs");
    let read = |file, part| data_hdf5::read(&directory.join(file), part).unwrap().examples;
    let train = read("train_signs.h5", SplitKind::Train);
    let found = near_duplicates(&train, &read("test_signs.h5", SplitKind::Test));
    let (known, others): (Vec<_>, Vec<_>) =
        found.iter().map(|(index, _)| *index).partition(|index| OF_SIGNS.contains(index));
    assert!(known.len() >= 12 && others.len() <= 2, "{known:?} and {others:?}");
}
