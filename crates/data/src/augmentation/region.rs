use std::ops::Range;

use rand::{Rng, RngExt};

use super::canvas::Canvas;
use crate::pixel::Pixel;

/// Rectangle of an image, in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Rows.
    pub rows: Range<usize>,
    /// Columns.
    pub columns: Range<usize>,
}

/// Number of rectangles that are tried.
const ATTEMPTS: usize = 10;

impl Region {
    /// Samples a rectangle whose fraction of the image is uniform in `area` and whose width, divided by
    /// its height, is log-uniform in `aspect`; `None` if the first ten are larger than `most`, a height
    /// and a width. This is the algorithm of torchvision.
    pub fn sample(
        [height, width]: [usize; 2],
        most: [usize; 2],
        area: [f64; 2],
        aspect: [f64; 2],
        rng: &mut impl Rng,
    ) -> Option<Self> {
        let [narrowest, widest] = aspect.map(f64::ln);
        (0..ATTEMPTS).find_map(|_| {
            let area = (height * width) as f64 * rng.random_range(area[0]..=area[1]);
            let aspect = rng.random_range(narrowest..=widest).exp();
            let sides = [(area / aspect).sqrt(), (area * aspect).sqrt()];
            let [own_height, own_width] = sides.map(|side| side.round() as usize);
            let fits = |side, most| (1..=most).contains(&side);
            (fits(own_height, most[0]) && fits(own_width, most[1])).then(|| {
                let top = rng.random_range(0..=height - own_height);
                let left = rng.random_range(0..=width - own_width);
                Self { rows: top..top + own_height, columns: left..left + own_width }
            })
        })
    }

    /// The largest rectangle at the centre whose aspect is in `aspect`.
    pub fn centre([height, width]: [usize; 2], [narrowest, widest]: [f64; 2]) -> Self {
        let aspect = width as f64 / height as f64;
        let [own_height, own_width] = if aspect < narrowest {
            [(width as f64 / narrowest).round() as usize, width]
        } else if aspect > widest {
            [height, (height as f64 * widest).round() as usize]
        } else {
            [height, width]
        };
        let (top, left) = ((height - own_height) / 2, (width - own_width) / 2);
        Self { rows: top..top + own_height, columns: left..left + own_width }
    }
}

impl Canvas {
    /// Fills a rectangle with `fill`.
    pub fn fill(&mut self, Region { rows, columns }: &Region, fill: Pixel) {
        let width = self.size[1].max(1);
        let lines = self.settled().chunks_exact_mut(width).take(rows.end).skip(rows.start);
        for line in lines {
            if let Some(cut) = line.get_mut(columns.clone()) {
                cut.fill(fill);
            }
        }
    }

    /// Fills a square with sides of `side` pixels with `fill`. Its centre is random, so that it may lie
    /// partly outside.
    pub fn cut(&mut self, side: usize, fill: Pixel, rng: &mut impl Rng) {
        if self.size.contains(&0) {
            return;
        }
        let [rows, columns] = self.size.map(|size| {
            let first = rng.random_range(0..size) as i64 - (side / 2) as i64;
            first.max(0) as usize..(first + side as i64).clamp(0, size as i64) as usize
        });
        self.fill(&Region { rows, columns }, fill);
    }
}
