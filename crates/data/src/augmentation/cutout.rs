use rand::{Rng, RngExt};

use super::canvas::Canvas;
use crate::pixel::Pixel;

impl Canvas {
    /// Fills a square with sides of `side` pixels with `fill`. Its centre is random, so that it may lie
    /// partly outside.
    pub fn cut(&mut self, side: usize, fill: Pixel, rng: &mut impl Rng) {
        let [height, width] = self.size;
        if height * width == 0 {
            return;
        }
        let [rows, columns] = [height, width].map(|size| {
            let first = rng.random_range(0..size) as i64 - (side / 2) as i64;
            first.max(0) as usize..(first + side as i64).clamp(0, size as i64) as usize
        });
        let lines = self.pixels.chunks_exact_mut(width).take(rows.end).skip(rows.start);
        for line in lines {
            if let Some(cut) = line.get_mut(columns.clone()) {
                cut.fill(fill);
            }
        }
    }
}
