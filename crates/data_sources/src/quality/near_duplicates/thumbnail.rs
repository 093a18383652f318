use data::{DatasetError, Examples, Values};

/// Maximum number of rows and of columns of a thumbnail.
const SIDE: usize = 32;
/// Maximum number of rows and of columns of a descriptor.
const DESCRIPTOR_SIDE: usize = 8;
/// Standard deviation of the cells, in grey levels, up to which an image is blank.
const MAX_BLANK_DEVIATION: f64 = 1e-3;
/// Factor of descriptors that keeps their distance a lower bound despite rounding.
const BOUND_FACTOR: f32 = 0.9999;

/// Area means of an image, `[rows, columns, channels]`, normalised to mean 0 and length 1.
pub type Thumbnail = Vec<f32>;

/// A projection of a thumbnail whose distances are lower bounds of those of thumbnails.
pub type Descriptor = [f32; DESCRIPTOR_SIDE * DESCRIPTOR_SIDE];

/// Assignment of the pixels of images of one shape to cells.
#[derive(Debug)]
pub struct Grid {
    /// Height of an image, and number of rows of cells.
    rows: [usize; 2],
    /// Index within a row of cells of the cell of each value of a row of pixels.
    row_cells: Vec<usize>,
    /// Number of cells of a row, times channels.
    row_len: usize,
    /// Number of pixels of each cell.
    pixel_counts: Vec<f32>,
    /// Index of each cell in a descriptor.
    descriptor_cells: Vec<usize>,
    /// Factor of each sum of a descriptor.
    scales: Descriptor,
}

impl Grid {
    /// Creates the grid of images of this shape.
    pub fn new([height, width, channels]: [usize; 3]) -> Self {
        let [rows, columns] = [height, width].map(|edge| edge.min(SIDE));
        let cell = |value: usize| {
            let (pixel, channel) = (value / channels, value % channels);
            pixel * columns / width * channels + channel
        };
        let descriptor_cell = |cell: usize| {
            let (row, column) = (cell / (columns * channels), cell / channels % columns);
            row * DESCRIPTOR_SIDE.min(rows) / rows * DESCRIPTOR_SIDE
                + column * DESCRIPTOR_SIDE.min(columns) / columns
        };
        let mut grid = Self {
            rows: [height, rows],
            row_cells: (0..width * channels).map(cell).collect(),
            row_len: columns * channels,
            pixel_counts: Vec::new(),
            descriptor_cells: (0..rows * columns * channels).map(descriptor_cell).collect(),
            scales: [0.0; DESCRIPTOR_SIDE * DESCRIPTOR_SIDE],
        };
        let ones = vec![1; height * width * channels];
        grid.pixel_counts = grid.cell_sums(&ones).into_iter().map(|count| count as f32).collect();
        // |sum of n numbers| / sqrt(n) is at most their Euclidean norm.
        let counts = grid.descriptor_sums(&vec![1.0; grid.descriptor_cells.len()]);
        grid.scales =
            counts.map(|count| if count > 0.0 { BOUND_FACTOR / count.sqrt() } else { 0.0 });
        grid
    }

    /// Size of a thumbnail in bytes.
    pub fn thumbnail_bytes(&self) -> usize {
        size_of::<f32>() * self.pixel_counts.len()
    }

    /// Thumbnail of an image; `None` if it is blank.
    pub fn thumbnail(&self, pixels: &[u8]) -> Option<Thumbnail> {
        let sums = self.cell_sums(pixels).into_iter().zip(&self.pixel_counts);
        let mut cells: Thumbnail = sums.map(|(sum, count)| sum as f32 / count).collect();
        let count = cells.len() as f64;
        let mean = cells.iter().copied().map(f64::from).sum::<f64>() / count;
        cells.iter_mut().for_each(|cell| *cell -= mean as f32);
        let length = cells.iter().map(|&cell| f64::from(cell).powi(2)).sum::<f64>().sqrt();
        cells.iter_mut().for_each(|cell| *cell /= length as f32);
        (length > MAX_BLANK_DEVIATION * count.sqrt()).then_some(cells)
    }

    /// Descriptor of a thumbnail.
    pub fn descriptor(&self, thumbnail: &[f32]) -> Descriptor {
        let mut descriptor = self.descriptor_sums(thumbnail);
        descriptor.iter_mut().zip(self.scales).for_each(|(sum, scale)| *sum *= scale);
        descriptor
    }

    /// Sums of the cells of each descriptor cell.
    fn descriptor_sums(&self, cells: &[f32]) -> Descriptor {
        let mut sums = [0.0; DESCRIPTOR_SIDE * DESCRIPTOR_SIDE];
        for (&index, cell) in self.descriptor_cells.iter().zip(cells) {
            if let Some(sum) = sums.get_mut(index) {
                *sum += cell;
            }
        }
        sums
    }

    /// Sum of the pixels of each cell.
    fn cell_sums(&self, pixels: &[u8]) -> Vec<u32> {
        let [height, rows] = self.rows;
        let mut sums = vec![0; rows * self.row_len];
        for (y, line) in pixels.chunks_exact(self.row_cells.len().max(1)).enumerate() {
            let row = sums.chunks_exact_mut(self.row_len.max(1)).nth(y * rows / height);
            let row = row.unwrap_or_default();
            for (&pixel, &cell) in line.iter().zip(&self.row_cells) {
                if let Some(sum) = row.get_mut(cell) {
                    *sum += u32::from(pixel);
                }
            }
        }
        sums
    }
}

/// Thumbnail of the image at `index`; `None` if it is blank.
pub fn thumbnail(
    images: &Examples,
    grid: &Grid,
    index: usize,
) -> Result<Option<Thumbnail>, DatasetError> {
    let index = [index];
    let (images, rows) = images.in_memory(&index)?;
    let pixels = match &images.values {
        Values::Pixels(pixels) => rows.first().map(|&row| images.row(pixels, row)),
        _ => None,
    };
    Ok(pixels.and_then(|pixels| grid.thumbnail(pixels)))
}

/// Squared distance of two vectors of the same length, summed in eight lanes.
pub fn squared_distance(one: &[f32], other: &[f32]) -> f32 {
    let ((one, rest), (other, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let mut sums = [0.0_f32; 8];
    for (one, other) in one.iter().zip(other) {
        for ((sum, one), other) in sums.iter_mut().zip(one).zip(other) {
            *sum += (one - other).powi(2);
        }
    }
    let rest = rest.iter().zip(other_rest).map(|(one, other)| (one - other).powi(2));
    sums.into_iter().chain(rest).sum()
}
