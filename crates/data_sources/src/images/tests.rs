mod caching;
mod decoding;
mod scanning;

use std::fs;
use std::path::{Path, PathBuf};

use data::Fit;
use image::{DynamicImage, Rgb, RgbImage};
use tempfile::TempDir;

use super::*;

/// A temporary directory of images.
struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// A directory with images of 6 x 4, each of its own colours.
    fn with(images: &[&str]) -> Self {
        let tree = Self::new();
        images.iter().for_each(|name| tree.image(name));
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
    }

    fn image(&self, name: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        picture(name).save(self.path(name)).unwrap();
    }

    fn scan(&self, labelling: &Labelling) -> Result<ImageList, ImagesError> {
        ImageList::scan(&[self.0.path().to_owned()], labelling)
    }
}

/// A picture whose pixels depend on `name`.
fn picture(name: &str) -> RgbImage {
    let seed = name.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    RgbImage::from_fn(6, 4, |x, y| Rgb([seed, (x * 40) as u8, (y * 60) as u8]))
}

fn frame(height: usize, width: usize, channels: usize) -> Frame {
    Frame { shape: [height, width, channels], fit: Fit::Stretch }
}

/// Pixels of an image file without resizing.
fn pixels(path: &Path) -> Vec<u8> {
    image::open(path).map(DynamicImage::into_rgb8).unwrap().into_raw()
}
