use data::{DatasetError, Examples, Values};

/// The most cells along each edge of a reduced image.
const SIDE: usize = 32;
/// The most cells along each edge of a sketch.
const COARSE: usize = 8;
/// The deviation of its cells, in steps of grey, below which an image shows nothing.
const FLAT: f64 = 1e-3;
/// Rounding must not make the bound that a sketch gives too large.
const SHORTENED: f32 = 0.9999;

/// The cells of a reduced image, `[rows, columns, channels]`, of mean 0 and length 1.
pub type Picture = Vec<f32>;

/// A projection of a reduced image to fewer numbers.
pub type Descriptor = [f32; COARSE * COARSE];

/// Which pixels of images of one shape make which cell.
#[derive(Debug)]
pub struct Grid {
    /// The height of an image, and the rows of cells.
    rows: [usize; 2],
    /// For each value of a line of pixels the place of its cell in a row of cells.
    across: Vec<usize>,
    /// The number of cells of a row, channels counted.
    row: usize,
    /// For each cell the pixels that it is the mean of.
    sizes: Vec<f32>,
    /// For each cell its place in a sketch.
    coarse: Vec<usize>,
    /// For each place of a sketch what its sum is multiplied by.
    scales: Descriptor,
}

impl Grid {
    /// That of images of height, width and channels.
    pub fn new([height, width, channels]: [usize; 3]) -> Self {
        let [rows, columns] = [height, width].map(|edge| edge.min(SIDE));
        let cell = |value: usize| {
            let (pixel, channel) = (value / channels, value % channels);
            pixel * columns / width * channels + channel
        };
        let coarse = |cell: usize| {
            let (row, column) = (cell / (columns * channels), cell / channels % columns);
            row * COARSE.min(rows) / rows * COARSE + column * COARSE.min(columns) / columns
        };
        let mut grid = Self {
            rows: [height, rows],
            across: (0..width * channels).map(cell).collect(),
            row: columns * channels,
            sizes: Vec::new(),
            coarse: (0..rows * columns * channels).map(coarse).collect(),
            scales: [0.0; COARSE * COARSE],
        };
        let ones = vec![1; height * width * channels];
        grid.sizes = grid.sums(&ones).into_iter().map(|count| count as f32).collect();
        // A sum of n numbers over the root of n is no longer than they are.
        let counts = grid.added(&vec![1.0; grid.coarse.len()]);
        grid.scales = counts.map(|count| if count > 0.0 { SHORTENED / count.sqrt() } else { 0.0 });
        grid
    }

    /// What a reduced image takes.
    pub fn bytes(&self) -> usize {
        size_of::<f32>() * self.sizes.len()
    }

    /// The image of these pixels reduced; none if it shows nothing.
    pub fn reduced(&self, pixels: &[u8]) -> Option<Picture> {
        let sums = self.sums(pixels).into_iter().zip(&self.sizes);
        let mut cells: Picture = sums.map(|(sum, size)| sum as f32 / size).collect();
        let count = cells.len() as f64;
        let mean = cells.iter().copied().map(f64::from).sum::<f64>() / count;
        cells.iter_mut().for_each(|cell| *cell -= mean as f32);
        let length = cells.iter().map(|&cell| f64::from(cell).powi(2)).sum::<f64>().sqrt();
        cells.iter_mut().for_each(|cell| *cell /= length as f32);
        (length > FLAT * count.sqrt()).then_some(cells)
    }

    /// The sketch of a reduced image: two of them are no further apart than their images.
    pub fn descriptor(&self, picture: &[f32]) -> Descriptor {
        let mut descriptor = self.added(picture);
        descriptor.iter_mut().zip(self.scales).for_each(|(sum, scale)| *sum *= scale);
        descriptor
    }

    /// The sums of the cells that share a place of a sketch.
    fn added(&self, cells: &[f32]) -> Descriptor {
        let mut sums = [0.0; COARSE * COARSE];
        for (&place, cell) in self.coarse.iter().zip(cells) {
            if let Some(sum) = sums.get_mut(place) {
                *sum += cell;
            }
        }
        sums
    }

    /// The sum of the pixels of each cell.
    fn sums(&self, pixels: &[u8]) -> Vec<u32> {
        let [height, rows] = self.rows;
        let mut sums = vec![0; rows * self.row];
        for (y, line) in pixels.chunks_exact(self.across.len().max(1)).enumerate() {
            let row = sums.chunks_exact_mut(self.row.max(1)).nth(y * rows / height);
            let row = row.unwrap_or_default();
            for (&pixel, &cell) in line.iter().zip(&self.across) {
                if let Some(sum) = row.get_mut(cell) {
                    *sum += u32::from(pixel);
                }
            }
        }
        sums
    }
}

/// The image at `index` reduced; none if it shows nothing.
pub fn picture(
    images: &Examples,
    grid: &Grid,
    index: usize,
) -> Result<Option<Picture>, DatasetError> {
    let index = [index];
    let (images, places) = images.in_memory(&index)?;
    let pixels = match &images.values {
        Values::Pixels(pixels) => places.first().map(|&place| images.row(pixels, place)),
        _ => None,
    };
    Ok(pixels.and_then(|pixels| grid.reduced(pixels)))
}

/// The squared distance of two lists of one length, summed up in lanes side by side.
pub fn distance(one: &[f32], other: &[f32]) -> f32 {
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
