//! Cats and what is no cat, drawn by code: a stand-in for the photographs of the cat data set.
//!
//! A subject is a few layers of simple shapes: a cat, another animal on the same body, or a thing.
//! Background, light and place are drawn alike for both classes, fur as paint is of any colour: only
//! shape tells them apart.

mod backdrop;
mod bodies;
mod heads;
mod material;
mod palette;
mod part;
mod photograph;
mod pose;
mod shape;
mod subject;
mod things;

use std::ops::Range;

use crate::Examples;
use crate::drawing::{self, stream};
use photograph::photograph;
use subject::Subject;

/// The names of the classes.
pub const CLASSES: [&str; 2] = ["non-cat", "cat"];

/// Draws the images at `items`, two in five of them cats, 64 x 64 pixels of red, green and blue.
///
/// Image `i` and its label depend on `seed` and `i` alone.
pub fn draw(items: Range<usize>, seed: u64) -> Examples {
    drawing::draw(items, labels(seed), |class, index| image(class, index, seed))
}

/// The labels of five images in a row, before they are shuffled: the share of cats in the real set.
const GROUP: [u32; 5] = [0, 0, 0, 1, 1];

fn labels(seed: u64) -> impl Iterator<Item = u32> {
    drawing::labels(GROUP, seed)
}

/// Shape `[64, 64, 3]`, row-major.
fn image(class: u32, index: u64, seed: u64) -> Vec<u8> {
    let mut rng = stream(seed, index);
    let subject = if class == 1 { Subject::cat(&mut rng) } else { Subject::other(&mut rng) };
    photograph(&subject, &mut rng)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first images of a seed.
    fn images(count: u64, seed: u64) -> Vec<Vec<u8>> {
        labels(seed).zip(0..count).map(|(label, index)| image(label, index, seed)).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_images_and_another_seed_draws_others() {
        let drawn = draw(0..12, 5);
        assert_eq!(drawn, draw(0..12, 5));
        assert_ne!(drawn.values, draw(0..12, 6).values);
    }

    #[test]
    fn an_image_does_not_depend_on_how_many_are_drawn() {
        assert_eq!(draw(0..7, 1), draw(0..20, 1).select(&[0, 1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn no_two_images_are_equal() {
        let drawn = images(24, 2);
        assert_eq!(drawn.iter().collect::<std::collections::BTreeSet<_>>().len(), 24);
    }

    #[test]
    fn pixels_fill_the_shape_and_an_empty_draw_is_empty() {
        assert!(images(3, 0).iter().all(|image| image.len() == 64 * 64 * 3));
        assert_eq!((draw(0..3, 0).shape, draw(0..3, 0).len()), ([64, 64, 3], 3));
        assert!(draw(0..0, 0).is_empty());
    }

    #[test]
    fn two_of_every_five_are_cats_in_an_order_that_the_seed_shuffles() {
        let [one, other] = [1, 2].map(|seed| draw(0..50, seed).labels);
        assert!(one.chunks(5).all(|group| group.iter().sum::<u32>() == 2), "{one:?}");
        assert_ne!(one, other);
        assert_ne!(one[..25], one[25..]);
    }

    #[test]
    fn pixels_are_neither_constant_nor_saturated() {
        for image in images(24, 4) {
            let clipped = image.iter().filter(|&&value| value == 0 || value == 255).count();
            let range = image.iter().max().zip(image.iter().min()).map(|(high, low)| high - low);
            assert!(clipped < image.len() / 20, "{clipped} clipped values");
            assert!(range > Some(80), "range {range:?}");
        }
    }

    #[test]
    fn the_mean_colour_does_not_tell_the_classes_apart() {
        let drawn = images(400, 3);
        for channel in 0..3 {
            let colour = |image: &Vec<u8>| mean(image.iter().skip(channel).step_by(3));
            let [others, cats] = [0, 1].map(|class| {
                let of_class = labels(3).zip(&drawn).filter(|(label, _)| *label == class);
                of_class.map(|(_, image)| colour(image)).collect::<Vec<_>>()
            });
            let apart = (mean(&cats) - mean(&others)).abs() / deviation(&cats);
            assert!(apart < 0.35, "channel {channel}: {apart} standard deviations apart");
        }
    }

    fn mean<'a, T: Copy + Into<f64> + 'a>(values: impl IntoIterator<Item = &'a T>) -> f64 {
        let (sum, count) = values
            .into_iter()
            .fold((0.0, 0.0), |(sum, count), &value| (sum + value.into(), count + 1.0));
        sum / count
    }

    fn deviation(values: &[f64]) -> f64 {
        let centre = mean(values);
        mean(&values.iter().map(|value| (value - centre).powi(2)).collect::<Vec<_>>()).sqrt()
    }
}
