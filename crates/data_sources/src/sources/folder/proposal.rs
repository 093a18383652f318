//! Size, fit and channels for the images of a folder, from the headers of some of them.

use std::path::Path;

use data::{DatasetError, Fit};
use rayon::prelude::*;

use super::FolderConfig;
use crate::images::{Frame, ImageFile, ImageHeader, ImageList, Labelling};

/// Number of images whose headers are read.
const SAMPLE: usize = 512;
/// Size of images that are larger or differ in size: enough for shapes, and fast to train on.
const SIDE: usize = 64;
/// Images of one size up to this one are not resized.
const MAX_SIDE: usize = 128;
/// Share of the images that may have an aspect ratio further than `TOLERANCE` from the median.
const MAX_OTHERS: f64 = 0.1;
const TOLERANCE: f64 = 0.1;

impl FolderConfig {
    /// A config for the images in `directory`: their own size if all have the same small one, otherwise
    /// squares, cropped if their aspect ratios differ; grey if all files are. Fails if the directory has an
    /// unsupported layout, or none of its images can be read.
    pub fn propose(directory: &Path) -> Result<Self, DatasetError> {
        let list = ImageList::scan(&[directory.to_owned()], &Labelling::default())?;
        let files: Vec<&ImageFile> = list.parts.values().flatten().collect();
        let step = files.len().div_ceil(SAMPLE).max(1);
        let sample: Vec<&ImageFile> = files.into_iter().step_by(step).collect();
        let headers = sample.par_iter().map(|file| ImageHeader::open(&file.path));
        let headers: Vec<ImageHeader> = headers.filter_map(Result::ok).collect();
        let [height, width] = size(&headers);
        let fit =
            if height == width && aspects_differ(&headers) { Fit::Crop } else { Fit::Stretch };
        let is_grey = headers.iter().all(|header| !header.has_colours);
        let frame = Frame { shape: [height, width, if is_grey { 1 } else { 3 }], fit };
        Ok(Self::new(directory, frame))
    }
}

fn size(headers: &[ImageHeader]) -> [usize; 2] {
    let sizes = || headers.iter().map(|header| header.size);
    match sizes().next() {
        Some(first)
            if sizes().all(|size| size == first) && first.iter().all(|&side| side <= MAX_SIDE) =>
        {
            first
        }
        _ => {
            let mut sides: Vec<usize> = sizes().map(|[height, width]| height.min(width)).collect();
            sides.sort_unstable();
            let side = sides.get(sides.len() / 2).copied().unwrap_or(SIDE).clamp(1, SIDE);
            [side; 2]
        }
    }
}

fn aspects_differ(headers: &[ImageHeader]) -> bool {
    let aspect = |header: &ImageHeader| (header.size[1] as f64 / header.size[0].max(1) as f64).ln();
    let mut aspects: Vec<f64> = headers.iter().map(aspect).collect();
    aspects.sort_by(f64::total_cmp);
    let median = aspects.get(aspects.len() / 2).copied().unwrap_or_default();
    let others = aspects.iter().filter(|aspect| (*aspect - median).abs() > TOLERANCE).count();
    others as f64 > MAX_OTHERS * aspects.len() as f64
}
