use pulp::Simd;

use super::super::product::{Left, Right, Transposed, WIDTH};
use super::super::real::{Real, store};
use super::filters::Filters;
use super::grid::{Images, Position};

/// A way to make a convolution products of matrices, whose rows are positions of the output.
pub trait Scheme<T: Real>: Sync {
    /// How many products there are, each with its own matrices.
    const PRODUCTS: usize;
    /// The images that are written.
    fn output(&self) -> Images;
    /// Rows and columns from the output of a position to that of the next.
    fn step(&self) -> [usize; 2];
    /// Row and column of the output of the first position.
    fn phase(&self) -> [usize; 2];
    /// The columns of the left matrices.
    fn depth(&self) -> Depth;

    /// Fills row `slot` of the left blocks of all products.
    fn load<S: Simd>(
        &self,
        simd: S,
        input: &[T],
        position: Position,
        slot: usize,
        left: &mut [Left<T>],
    );

    /// Fills row `slot` of the right blocks of all products with what the gradient of the output
    /// is to them.
    fn load_gradient<S: Simd>(
        &self,
        simd: S,
        gradient: &[T],
        position: Position,
        slot: usize,
        right: &mut [Right<T>],
    );

    /// Writes the output from row `slot` of a panel of the products.
    fn store<S: Simd>(
        &self,
        simd: S,
        products: &[Right<T>],
        panel: Panel<T>,
        position: Position,
        slot: usize,
        output: &mut Output<T>,
    );

    /// Writes the right matrices `[products, rows]` of a panel.
    fn load_filters(&self, filters: &Filters<T>, panel: usize, right: &mut [[T; WIDTH]]);

    /// Writes the gradient of the filters of a panel from that of its right matrices,
    /// `[products, blocks]`.
    fn store_filters(&self, sums: &[Transposed<T>], filters: &mut Filters<T, &mut [T]>);
}

/// The columns of a left matrix: runs, each of which begins a new block.
#[derive(Debug, Clone, Copy)]
pub struct Depth {
    pub runs: usize,
    pub run: usize,
}

/// Some channels of the output.
#[derive(Clone, Copy)]
pub struct Panel<'a, T> {
    pub index: usize,
    /// How many there are, at most [`WIDTH`].
    pub width: usize,
    pub bias: &'a [T; WIDTH],
}

/// How many channels panel `index` has.
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
