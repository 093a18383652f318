/// Sum and sum of squares of the pixels of one channel, exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChannelMoments {
    sum: u64,
    squares: u64,
}

/// Approximate number of pixels that are added side by side: enough for the widest vectors.
const LANES: usize = 96;
/// Number of squared pixels whose sum fits into 32 bits.
const MAX_SUMMED: usize = 1 << 16;

impl ChannelMoments {
    /// Adds the moments of other pixels.
    pub fn add(&mut self, other: Self) {
        self.sum += other.sum;
        self.squares += other.squares;
    }

    /// Adds `pixels`, interleaved by channel, to the moments of each channel.
    pub fn add_pixels(channels: &mut [Self], pixels: &[u8]) {
        let count = channels.len().max(1);
        let lanes = count * (LANES / count).max(1);
        for pixels in pixels.chunks(lanes * MAX_SUMMED) {
            let mut sums = vec![[0_u32; 2]; lanes];
            for pixels in pixels.chunks(lanes) {
                for ([sum, squares], &pixel) in sums.iter_mut().zip(pixels) {
                    *sum += u32::from(pixel);
                    *squares += u32::from(pixel) * u32::from(pixel);
                }
            }
            for (lane, [sum, squares]) in sums.into_iter().enumerate() {
                if let Some(channel) = channels.get_mut(lane % count) {
                    channel.add(Self { sum: sum.into(), squares: squares.into() });
                }
            }
        }
    }

    /// Mean and variance over `count` pixels.
    pub(crate) fn mean_and_variance(self, count: usize) -> (f64, f64) {
        let mean = self.sum as f64 / count as f64;
        (mean, self.squares as f64 / count as f64 - mean * mean)
    }
}
