//! Comparison with torchvision 0.29: exactly where the parameters are given, and by distribution.
//!
//! `torchvision.json` has an image of 7 x 8 pixels after each operation, -1 where the result depends on
//! what lies outside of the image. torchvision truncates values to integers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::augmentation::geometry::Region;
use crate::augmentation::operation::Operation;

fn reference() -> Value {
    serde_json::from_str(include_str!("torchvision.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).unwrap()
}

/// The pixels of the image at `key` after `change`.
fn after(key: &str, shape: [usize; 3], change: impl FnOnce(&mut Canvas)) -> Vec<f32> {
    let pixels: Vec<u8> = serde_json::from_value(reference()[key].clone()).unwrap();
    let examples = Examples::images(shape, pixels.clone(), vec![0]);
    let mut canvas = Canvas::default();
    canvas.load(&pixels, shape);
    change(&mut canvas);
    let mut values = vec![0.0; pixels.len()];
    canvas.store(&unscaled(&examples), &mut values);
    values
}

fn operation(name: &str, value: f64) -> Operation {
    match name {
        "ShearX" => Operation::ShearX(value),
        "ShearY" => Operation::ShearY(value),
        "TranslateX" => Operation::TranslateX(value),
        "TranslateY" => Operation::TranslateY(value),
        "Rotate" => Operation::Rotate(value),
        "Brightness" => Operation::Brightness(1.0 + value),
        "Color" => Operation::Colour(1.0 + value),
        "Contrast" => Operation::Contrast(1.0 + value),
        "Sharpness" => Operation::Sharpness(1.0 + value),
        "Posterize" => Operation::Posterize(value as u32),
        "Solarize" => Operation::Solarize(value as f32),
        "AutoContrast" => Operation::Autocontrast,
        name => panic!("{name}"),
    }
}

#[test]
fn operations_give_the_pixels_of_torchvision() {
    for (key, expected) in reference()["operations"].as_object().unwrap() {
        let (name, value) = key.split_once(' ').unwrap();
        let operation = operation(name, value.parse().unwrap());
        let tolerance = match name {
            "Posterize" | "Solarize" | "TranslateX" | "TranslateY" => 0.0,
            // The grey or smoothed value is rounded too.
            "Color" | "Contrast" | "Sharpness" => 2.0,
            _ => 1.01,
        };
        let changed = after("image", [7, 8, 3], |canvas| operation.apply(canvas));
        let pairs = changed.iter().zip(numbers(expected)).filter(|(_, expected)| *expected >= 0.0);
        let pairs: Vec<_> = pairs.collect();
        assert!(pairs.len() > 60, "{key}: {} values", pairs.len());
        for (value, expected) in pairs {
            assert!((value - expected).abs() <= tolerance, "{key}: {value} {expected}");
        }
    }
    let stretched = after("narrow", [7, 8, 3], |canvas| Operation::Autocontrast.apply(canvas));
    for (value, expected) in stretched.iter().zip(numbers(&reference()["autocontrast"])) {
        assert!((value - expected).abs() <= 1.01, "{value} {expected}");
    }
    let equalized = after("grey", [20, 16, 1], |canvas| Operation::Equalize.apply(canvas));
    assert_eq!(equalized, numbers(&reference()["equalized"]));
}

#[test]
fn a_resized_crop_has_the_pixels_of_torchvision_between_the_centres_of_its_outer_pixels() {
    for crop in reference()["crops"].as_array().unwrap() {
        let [top, left, height, width]: [usize; 4] =
            serde_json::from_value(crop["region"].clone()).unwrap();
        let region = Region { rows: top..top + height, columns: left..left + width };
        let map = Affine::crop([7, 8], &region);
        let changed = after("image", [7, 8, 3], |canvas| canvas.transform(map));
        let expected = numbers(&crop["pixels"]);
        let is_inner = |at: usize, side: usize, part: usize| {
            let source = (at as f64 + 0.5) * part as f64 / side as f64 - 0.5;
            (0.0..=(part - 1) as f64).contains(&source)
        };
        let inner =
            (0..168).filter(|at| is_inner(at / 24, 7, height) && is_inner(at / 3 % 8, 8, width));
        let inner: Vec<_> = inner.collect();
        assert!(inner.len() > 20);
        for at in inner {
            assert!((changed[at] - expected[at]).abs() <= 1.01, "{region:?} at {at}");
        }
    }
}

#[test]
fn an_operation_after_a_flip_is_the_same_resampling() {
    let flipped = |canvas: &mut Canvas| canvas.transform(Affine::flip_horizontal());
    let mut maps = Vec::new();
    after("image", [7, 8, 3], |canvas| {
        flipped(canvas);
        Operation::Rotate(20.0).apply(canvas);
        maps.push(canvas.map);
    });
    assert_eq!(maps, [Affine::flip_horizontal().then(Affine::rotate(20.0))]);
}

/// Mean and standard deviation.
fn moments(values: impl Iterator<Item = f64> + Clone) -> [f64; 2] {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    [mean, (values.map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt()]
}

/// Asserts moments of the area, the logarithm of width by height, height and width, and the means of top
/// and left, to within 2 % of the range of each.
fn assert_distributed(regions: &[Region], [high, wide]: [usize; 2], expected: [f64; 10]) {
    let [high, wide] = [high, wide].map(|side| side as f64);
    let values = |of: &dyn Fn(&Region) -> f64| moments(regions.iter().map(of));
    let [height, width] =
        [|region: &Region| region.rows.len() as f64, |region: &Region| region.columns.len() as f64];
    let found = [
        values(&|region| height(region) * width(region) / (high * wide)),
        values(&|region| (width(region) / height(region)).ln()),
        values(&height).map(|value| value / high),
        values(&width).map(|value| value / wide),
        [
            values(&|region| region.rows.start as f64)[0] / high,
            values(&|region| region.columns.start as f64)[0] / wide,
        ],
    ];
    let scales = [1.0, 1.0, 1.0, 1.0, high, high, wide, wide, high, wide];
    let expected: Vec<f64> =
        expected.iter().zip(scales).map(|(value, scale)| value / scale).collect();
    for (found, expected) in found.as_flattened().iter().zip(&expected) {
        assert!((found - expected).abs() < 0.02, "{found} {expected} of {high} x {wide}");
    }
}

#[test]
fn rectangles_are_distributed_as_those_of_torchvision() {
    let sampled =
        |size: [usize; 2], sample: &dyn Fn(&mut rand::rngs::ChaCha8Rng) -> Option<Region>| {
            let items = 0..20_000;
            let regions: Vec<Region> =
                items.filter_map(|item| sample(&mut random::of_image(1, 1, item))).collect();
            assert!(
                regions
                    .iter()
                    .all(|region| { region.rows.end <= size[0] && region.columns.end <= size[1] })
            );
            regions
        };
    let crops = |size| sampled(size, &|rng| Some(RandomResizedCrop::default().region(size, rng)));
    let always = RandomErasing { probability: 1.0, ..RandomErasing::default() };
    let erased = |size| sampled(size, &|rng| always.region(size, rng));
    let square = [0.4834, 0.2369, 0.001, 0.1598, 43.045, 12.169, 43.096, 12.217, 10.389, 10.427];
    assert_distributed(&crops([64, 64]), [64, 64], square);
    let wide = [0.259, 0.1111, 0.0358, 0.1655, 30.777, 6.477, 32.264, 8.541, 4.595, 33.941];
    assert_distributed(&crops([40, 100]), [40, 100], wide);
    let square = [0.1741, 0.0891, 0.008, 0.6885, 27.07, 12.395, 27.283, 12.436, 18.441, 18.34];
    assert_distributed(&erased([64, 64]), [64, 64], square);
    let wide = [0.1588, 0.0873, 0.1813, 0.6286, 22.486, 8.206, 28.268, 13.257, 8.765, 36.073];
    assert_distributed(&erased([40, 100]), [40, 100], wide);
    let half = sampled([64, 64], &|rng| RandomErasing::default().region([64, 64], rng)).len();
    assert!((9_600..10_400).contains(&half), "{half} of 20000");
}

#[test]
fn a_crop_that_never_fits_is_the_largest_one_at_the_centre() {
    let crop = RandomResizedCrop { area: [1.0, 1.0], aspect: [0.75, 4.0 / 3.0] };
    let region = crop.region([30, 100], &mut random::of_image(1, 1, 1));
    assert_eq!(region, Region { rows: 0..30, columns: 30..70 });
    let region = crop.region([100, 30], &mut random::of_image(1, 1, 1));
    assert_eq!(region, Region { rows: 30..70, columns: 0..30 });
}

/// Name of an operation, and its parameter.
fn described(operation: Operation) -> (String, f64) {
    let text = format!("{operation:?}");
    let (name, value) = text.split_once('(').unwrap_or((&text, "0)"));
    (name.to_owned(), value.trim_end_matches(')').parse().unwrap())
}

/// Absolute parameters of each operation, sampled for many images of 64 x 48 pixels.
fn parameters() -> BTreeMap<String, Vec<f64>> {
    let mut parameters = BTreeMap::<_, Vec<f64>>::new();
    for item in 0..40_000 {
        let (name, value) =
            described(Operation::sample([64, 48], &mut random::of_image(1, 1, item)));
        parameters.entry(name).or_default().push(value);
    }
    parameters
}

#[test]
fn all_operations_are_equally_frequent_and_signs_too() {
    let parameters = parameters();
    assert_eq!(parameters.len(), 14);
    for (name, values) in parameters {
        assert!((2_650..3_060).contains(&values.len()), "{name}: {}", values.len());
        let middle = f64::from(["Brightness", "Colour", "Contrast", "Sharpness"].contains(&&*name));
        let [above, below] = [
            values.iter().filter(|value| **value > middle).count() as f64,
            values.iter().filter(|value| **value < middle).count() as f64,
        ];
        if above > 0.0 && below > 0.0 {
            assert!((above / below - 1.0).abs() < 0.2, "{name}: {above} and {below}");
        }
    }
}

#[test]
fn magnitudes_are_those_of_torchvision() {
    let all = parameters();
    let expected = [
        ("ShearX", [-0.99, 0.99]),
        ("TranslateX", [-21.0, 21.0]),
        ("TranslateY", [-29.0, 29.0]),
        ("Rotate", [-135.0, 135.0]),
        ("Brightness", [0.01, 1.99]),
        ("Sharpness", [0.01, 1.99]),
        ("Posterize", [2.0, 8.0]),
        ("Solarize", [0.0, 255.0]),
    ];
    for (name, [least, most]) in expected {
        let extreme = |of: fn(f64, f64) -> f64| all[name].iter().copied().reduce(of).unwrap();
        let (low, high) = (extreme(f64::min), extreme(f64::max));
        assert!((low - least).abs() < 1e-6 && (high - most).abs() < 1e-6, "{name}: {low} {high}");
    }
    let distinct: BTreeSet<u64> = all["Rotate"].iter().map(|value| value.abs().to_bits()).collect();
    assert_eq!(distinct.len(), 31);
}
