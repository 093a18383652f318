use super::super::micro_kernel::PANEL;
use super::super::simd_float::{SimdFloat, store};
use super::filter_view::FilterView;
use super::positions::{ImageShape, Positions};
use pulp::Simd;

/// Convolution algorithm. A position is an output pixel or a tile of them. Filters are packed into
/// one matrix per panel of [`PANEL`] output channels.
pub trait ConvAlgorithm<T: SimdFloat>: Sync {
    /// Shape of the output images.
    fn output_shape(&self) -> ImageShape;
    /// Output rows and columns per position.
    fn output_step(&self) -> [usize; 2];
    /// Output row and column of the first position.
    fn output_phase(&self) -> [usize; 2];
    /// Number of positions that are processed together.
    fn batch_size(&self) -> usize;
    /// Rows of a packed filter matrix.
    fn packed_rows(&self) -> usize;
    /// Rows of the gradient of a packed filter matrix.
    fn gradient_rows(&self) -> usize;

    /// Writes the output of whole rows of positions.
    fn correlate(&self, of: ConvInputs<T>, positions: Positions, output: OutputSlice<T>);

    /// Adds the contribution of whole rows of positions to the gradient of the packed filters,
    /// `sums` `[panels, gradient_rows]`, given `[input, output gradient]`.
    fn add_filter_gradient(&self, of: [&[T]; 2], positions: Positions, sums: &mut [[T; PANEL]]);

    /// Packs the filters of a panel.
    fn pack_filters<S: Simd>(
        &self,
        simd: S,
        filters: &FilterView<T>,
        panel: usize,
        right: &mut [[T; PANEL]],
    );

    /// Unpacks the gradient of the filters of a panel.
    fn unpack_filters<S: Simd>(
        &self,
        simd: S,
        sums: &[[T; PANEL]],
        filters: &mut FilterView<T, &mut [T]>,
    );
}

/// Inputs of a convolution.
#[derive(Clone, Copy)]
pub struct ConvInputs<'a, T> {
    pub input: &'a [T],
    /// Packed filters, `[panels, packed_rows]`.
    pub filters: &'a [[T; PANEL]],
    /// `[panels]`
    pub bias: &'a [[T; PANEL]],
}

/// A panel of output channels.
#[derive(Clone, Copy)]
pub struct Panel<'a, T> {
    pub index: usize,
    /// Number of channels, at most [`PANEL`].
    pub width: usize,
    /// Packed filters.
    pub filters: &'a [[T; PANEL]],
    pub bias: &'a [T; PANEL],
}

impl<'a, T> ConvInputs<'a, T> {
    /// Returns the panels of `channels` channels, with `rows` packed filter rows each.
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

/// Returns the number of channels of panel `index`.
#[inline(always)]
pub fn panel_width(channels: usize, index: usize) -> usize {
    PANEL.min(channels - index * PANEL)
}

/// Part of the output, beginning at element `offset`.
pub struct OutputSlice<'a, T> {
    pub values: &'a mut [T],
    pub start: usize,
}

impl<T: SimdFloat> OutputSlice<'_, T> {
    /// Returns the position of a panel of a pixel that begins at element `start` of the whole
    /// output.
    #[inline(always)]
    pub fn start_of(&self, start: usize, panel: usize) -> usize {
        start - self.start + panel * PANEL
    }

    /// Stores vector `index` of the `width` values from `start` on. If `N` is not 0, it equals
    /// `width` as a compile-time constant.
    #[inline(always)]
    pub fn store<S: Simd, const N: usize>(
        &mut self,
        simd: S,
        start: usize,
        (index, width): (usize, usize),
        vector: T::Vector<S>,
    ) {
        let values = self.values.get_mut(start..).unwrap_or_default();
        if N == 0 {
            store(simd, values.get_mut(..width).unwrap_or_default(), index, vector);
        } else if let Some(values) = values.first_chunk_mut::<N>() {
            store(simd, values, index, vector);
        }
    }
}
