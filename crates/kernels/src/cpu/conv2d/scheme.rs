use super::super::product::WIDTH;
use super::super::real::{Real, store};
use super::filters::Filters;
use super::grid::{Images, Positions};
use pulp::Simd;

/// A way to compute convolutions. Its positions are the pixels of the output, or tiles of them; its
/// right matrices are the filters, or what it makes of them, a panel of outputs each.
pub trait Scheme<T: Real>: Sync {
    /// The images that are written.
    fn output(&self) -> Images;
    /// Rows and columns from the output of a position to that of the next.
    fn step(&self) -> [usize; 2];
    /// Row and column of the output of the first position.
    fn phase(&self) -> [usize; 2];
    /// How many positions are worked on at once.
    fn batch(&self) -> usize;
    /// Rows of a right matrix.
    fn rows(&self) -> usize;
    /// Rows of the gradient of a right matrix, as [`Scheme::add_gradient`] sums it up.
    fn gradient_rows(&self) -> usize;

    /// Writes the output of some whole rows of positions.
    fn correlate(&self, of: Correlation<T>, positions: Positions, output: Output<T>);

    /// Adds to `sums`, `[panels, gradient rows]`, what some whole rows of positions contribute to
    /// the gradient of the right matrices, given the input and the gradient of the output.
    fn add_gradient(&self, of: [&[T]; 2], positions: Positions, sums: &mut [[T; WIDTH]]);

    /// Writes the right matrix of a panel.
    fn load_filters<S: Simd>(
        &self,
        simd: S,
        filters: &Filters<T>,
        panel: usize,
        right: &mut [[T; WIDTH]],
    );

    /// Writes the gradient of the filters of a panel from that of its right matrix.
    fn store_filters<S: Simd>(
        &self,
        simd: S,
        sums: &[[T; WIDTH]],
        filters: &mut Filters<T, &mut [T]>,
    );
}

/// What a convolution reads.
#[derive(Clone, Copy)]
pub struct Correlation<'a, T> {
    pub input: &'a [T],
    /// The right matrices, `[panels, rows]`.
    pub filters: &'a [[T; WIDTH]],
    /// `[panels]`
    pub bias: &'a [[T; WIDTH]],
}

/// Some channels of the output.
#[derive(Clone, Copy)]
pub struct Panel<'a, T> {
    pub index: usize,
    /// How many there are, at most [`WIDTH`].
    pub width: usize,
    /// Its right matrix.
    pub filters: &'a [[T; WIDTH]],
    pub bias: &'a [T; WIDTH],
}

impl<'a, T> Correlation<'a, T> {
    /// The panels of so many channels, with right matrices of so many rows.
    #[inline(always)]
    pub fn panels(self, channels: usize, rows: usize) -> impl Iterator<Item = Panel<'a, T>> {
        let filters = self.filters.chunks_exact(rows.max(1));
        filters.zip(self.bias).enumerate().map(move |(index, (filters, bias))| Panel {
            index,
            width: panel_width(channels, index),
            filters,
            bias,
        })
    }
}

/// How many channels panel `index` has.
#[inline(always)]
pub fn panel_width(channels: usize, index: usize) -> usize {
    WIDTH.min(channels - index * WIDTH)
}

/// A part of the output, which begins with number `start` of it.
pub struct Output<'a, T> {
    pub numbers: &'a mut [T],
    pub start: usize,
}

impl<T: Real> Output<'_, T> {
    /// Where the numbers of a panel of a pixel are that begins with number `start` of the whole
    /// output.
    #[inline(always)]
    pub fn start_of(&self, start: usize, panel: usize) -> usize {
        start - self.start + panel * WIDTH
    }

    /// Writes vector `index` of the `width` numbers from `start` on; of `N` numbers where that is
    /// not 0, which the compiler can do at once.
    #[inline(always)]
    pub fn store<S: Simd, const N: usize>(
        &mut self,
        simd: S,
        start: usize,
        (index, width): (usize, usize),
        vector: T::Vector<S>,
    ) {
        let numbers = self.numbers.get_mut(start..).unwrap_or_default();
        if N == 0 {
            store(simd, numbers.get_mut(..width).unwrap_or_default(), index, vector);
        } else if let Some(numbers) = numbers.first_chunk_mut::<N>() {
            store(simd, numbers, index, vector);
        }
    }
}
