//! Hands that show the digits 0 to 5, drawn by code: a stand-in for the photographs of SIGNS.
//!
//! A gesture bends the joints of a hand made of swept spheres, a camera turns, scales and mirrors
//! it, and its relief is lit before a plain wall.

mod anatomy;
mod blur;
mod camera;
mod gesture;
mod relief;
mod render;
mod scene;

use std::ops::Range;

use rand::rngs::ChaCha8Rng;

use crate::Examples;
use crate::drawing::{self, stream};
use anatomy::bones;
use camera::Camera;
use gesture::Gesture;
use relief::Relief;
use render::photograph;
use scene::Scene;

/// The names of the classes: class `k` shows `k` raised fingers.
pub const CLASSES: [&str; 6] = ["0", "1", "2", "3", "4", "5"];

/// Draws the images at `items` of hands, 64 x 64 pixels of red, green and blue.
///
/// Image `i` and its label depend on `seed` and `i` alone, and among the first images of any number
/// each class is within one of every other.
pub fn draw(items: Range<usize>, seed: u64) -> Examples {
    drawing::draw(items, labels(seed), |digit, index| image(digit, index, seed))
}

/// Every six images in a row show the six digits in an order of their own.
fn labels(seed: u64) -> impl Iterator<Item = u32> {
    drawing::labels([0, 1, 2, 3, 4, 5], seed)
}

/// Shape `[64, 64, 3]`, row-major.
fn image(digit: u32, index: u64, seed: u64) -> Vec<u8> {
    let mut rng = stream(seed, index);
    let relief = hand(digit, &mut rng);
    let scene = Scene::draw(&mut rng);
    photograph(&relief, &scene, &mut rng)
}

/// What the camera sees of a hand that shows `digit`, before any light falls on it.
fn hand(digit: u32, rng: &mut ChaCha8Rng) -> Relief {
    let gesture = Gesture::draw(digit, rng);
    let camera = Camera::draw(rng);
    let bones: Vec<_> = bones(&gesture).into_iter().map(|bone| camera.project(bone)).collect();
    Relief::new(&bones)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: usize = 64 * 64 * 3;

    /// The first images of a seed.
    fn images(count: u64, seed: u64) -> Vec<Vec<u8>> {
        labels(seed).zip(0..count).map(|(label, index)| image(label, index, seed)).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_images_and_another_seed_draws_others() {
        let images = draw(0..12, 5);
        assert_eq!(images, draw(0..12, 5));
        assert_ne!(images.values, draw(0..12, 6).values);
    }

    #[test]
    fn an_image_does_not_depend_on_how_many_are_drawn() {
        let [few, many] = [draw(0..7, 1), draw(0..20, 1)];
        assert_eq!(few, many.select(&[0, 1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn no_two_images_are_equal() {
        let images = images(24, 2);
        assert_eq!(images.iter().collect::<std::collections::BTreeSet<_>>().len(), 24);
    }

    #[test]
    fn pixels_fill_the_shape_and_an_empty_draw_is_empty() {
        let images = draw(0..3, 0);
        assert_eq!(
            (images.shape, images.gather(&[0, 1, 2]).unwrap().len()),
            ([64, 64, 3], 3 * IMAGE)
        );
        assert!(draw(0..0, 0).is_empty());
    }

    #[test]
    fn each_class_is_within_one_of_every_other() {
        for count in [1, 5, 6, 100, 121] {
            let labels = draw(0..count, 9).labels;
            let sizes =
                [0, 1, 2, 3, 4, 5].map(|class| labels.iter().filter(|&&l| l == class).count());
            let fair = count / 6..=count.div_ceil(6);
            assert!(sizes.iter().all(|size| fair.contains(size)), "{count}: {sizes:?}");
        }
    }

    #[test]
    fn labels_come_in_an_order_that_the_seed_shuffles() {
        let [one, other] = [1, 2].map(|seed| labels(seed).take(60).collect::<Vec<_>>());
        assert_ne!(one, other);
        assert_ne!(one[..6], one[6..12]);
    }

    #[test]
    fn every_raised_finger_adds_skin_to_the_picture() {
        let areas = [0, 1, 2, 3, 4, 5].map(|digit| {
            let skin = |index| {
                hand(digit, &mut stream(3, index))
                    .samples
                    .values()
                    .iter()
                    .filter(|s| s.is_skin())
                    .count()
            };
            (0..20).map(skin).sum::<usize>() / 20
        });
        assert!(areas.windows(2).all(|pair| pair[0] + 100 < pair[1]), "{areas:?}");
    }

    #[test]
    fn pixels_are_neither_constant_nor_saturated() {
        for image in images(24, 4) {
            let clipped = image.iter().filter(|&&value| value == 0 || value == 255).count();
            let range = image.iter().max().zip(image.iter().min()).map(|(high, low)| high - low);
            assert!(clipped < IMAGE / 20, "{clipped} clipped values");
            assert!(range > Some(80), "range {range:?}");
        }
    }
}
