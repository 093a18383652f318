/// Maximum number of rows and of columns of a thumbnail.
const SIDE: usize = 32;
/// Maximum number of rows and of columns of its colour cells.
const COLOUR_SIDE: usize = 8;
/// Standard deviation of the cells, in grey levels, up to which an image is blank.
const MAX_BLANK_DEVIATION: f64 = 1e-3;

/// Area means of an image, normalised to mean 0 and length 1: `[rows, columns]` grey cells, followed by
/// two values for each of fewer colour cells; or `[rows, columns, channels]` if there are not 3 channels.
pub type Thumbnail = Vec<f32>;

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
    /// Colour cell of each cell of an RGB image, and the number of cells in each colour cell.
    colours: Option<(Vec<usize>, Vec<f32>)>,
}

impl Grid {
    /// Creates the grid of images of this shape.
    pub fn new([height, width, channels]: [usize; 3]) -> Self {
        let [rows, columns] = [height, width].map(|edge| edge.min(SIDE));
        let cell = |value: usize| {
            let (pixel, channel) = (value / channels, value % channels);
            pixel * columns / width * channels + channel
        };
        let mut grid = Self {
            rows: [height, rows],
            row_cells: (0..width * channels).map(cell).collect(),
            row_len: columns * channels,
            pixel_counts: Vec::new(),
            colours: (channels == 3).then(|| colour_cells(rows, columns)),
        };
        let ones = vec![1; height * width * channels];
        grid.pixel_counts = grid.cell_sums(&ones).into_iter().map(|count| count as f32).collect();
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
        if let Some((colour_cells, counts)) = &self.colours {
            cells = with_coarse_colours(&cells, colour_cells, counts);
        }
        let length = cells.iter().map(|&cell| f64::from(cell).powi(2)).sum::<f64>().sqrt();
        cells.iter_mut().for_each(|cell| *cell /= length as f32);
        (length > MAX_BLANK_DEVIATION * count.sqrt()).then_some(cells)
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

/// The colour cell of each cell, and the number of cells in each colour cell.
fn colour_cells(rows: usize, columns: usize) -> (Vec<usize>, Vec<f32>) {
    let [colour_rows, colour_columns] = [rows, columns].map(|edge| edge.min(COLOUR_SIDE));
    let of_cell = |cell: usize| {
        let (row, column) = (cell / columns, cell % columns);
        row * colour_rows / rows * colour_columns + column * colour_columns / columns
    };
    let cells: Vec<usize> = (0..rows * columns).map(of_cell).collect();
    let mut counts = vec![0.0; colour_rows * colour_columns];
    for &cell in &cells {
        if let Some(count) = counts.get_mut(cell) {
            *count += 1.0;
        }
    }
    (cells, counts)
}

/// RGB cells as grey cells and coarser colour cells, as JPEG stores them. The change of colour space is a
/// rotation, so that distances of grey and of coloured images can be compared.
fn with_coarse_colours(cells: &[f32], colour_cells: &[usize], counts: &[f32]) -> Thumbnail {
    let mut thumbnail = Thumbnail::with_capacity(colour_cells.len() + 2 * counts.len());
    let mut colours = vec![[0.0; 2]; counts.len()];
    for (&[red, green, blue], &colour_cell) in cells.as_chunks::<3>().0.iter().zip(colour_cells) {
        thumbnail.push((red + green + blue) / 3.0_f32.sqrt());
        if let Some([one, other]) = colours.get_mut(colour_cell) {
            *one += (red - blue) / 2.0_f32.sqrt();
            *other += (red - 2.0 * green + blue) / 6.0_f32.sqrt();
        }
    }
    // A cell that stands for n others has n times the weight.
    let colours = colours.iter().zip(counts);
    thumbnail.extend(colours.flat_map(|(sums, count)| sums.map(|sum| sum / count.sqrt())));
    thumbnail
}

/// Squared distance of two vectors of the same length, summed in eight lanes.
pub fn squared_distance(one: &[f32], other: &[f32]) -> f32 {
    in_lanes(one, other, |one, other| (one - other).powi(2))
}

/// Scalar product of two vectors of the same length, summed in eight lanes.
pub fn dot(one: &[f32], other: &[f32]) -> f32 {
    in_lanes(one, other, |one, other| one * other)
}

#[inline]
fn in_lanes(one: &[f32], other: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let ((one, rest), (other, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let mut sums = [0.0_f32; 8];
    for (one, other) in one.iter().zip(other) {
        for ((sum, one), other) in sums.iter_mut().zip(one).zip(other) {
            *sum += term(*one, *other);
        }
    }
    let rest = rest.iter().zip(other_rest).map(|(one, other)| term(*one, *other));
    sums.into_iter().chain(rest).sum()
}
