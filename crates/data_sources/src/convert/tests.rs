mod exporting;
mod importing;
mod layouts;
mod splitting;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use data::{Fit, SplitKind};
use data_hdf5::Hdf5File;
use image::{DynamicImage, RgbImage};
use tempfile::TempDir;

use super::*;
use crate::images::{ImagesError, Labelling};

/// A temporary directory.
struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// A directory with images of 2x3.
    fn with(images: &[&str]) -> Self {
        let tree = Self::new();
        images.iter().for_each(|name| tree.image(name, 3, 2));
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Writes an image whose pixels depend on its name.
    fn image(&self, name: &str, width: u32, height: u32) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        let seed = name.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
        let pixel = |x: u32, y: u32| image::Rgb([seed, (x * 20) as u8, (y * 30) as u8]);
        RgbImage::from_fn(width, height, pixel).save(self.path(name)).unwrap();
    }

    fn import(&self, folder: &str) -> Import {
        Import {
            folders: vec![self.path(folder)],
            labelling: Labelling::default(),
            size: None,
            fit: Fit::Stretch,
            grey: false,
            skip_corrupt: false,
            partition: None,
        }
    }

    /// Imports into `out`.
    fn imported(&self, import: &Import, out: &str) -> ImportedDataset {
        import.apply(&self.path(out), &mut proceed).unwrap()
    }

    /// Error of an import. Asserts that it leaves no files.
    #[track_caller]
    fn refused(&self, import: &Import, out: &str) -> String {
        let before = self.names("");
        let error = import.apply(&self.path(out), &mut proceed).unwrap_err().to_string();
        assert_eq!(self.names(""), before);
        error.replace(&self.path("").display().to_string(), "")
    }

    /// Names in a directory, sorted.
    fn names(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(directory)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn read(&self, name: &str, part: SplitKind) -> Hdf5File {
        data_hdf5::read(&self.path(name), part).unwrap()
    }
}

/// Progress callback that does not stop.
fn proceed(_: &'static str, _: usize, _: usize) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[track_caller]
fn assert_contains(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
}

fn pixels(path: &Path) -> Vec<u8> {
    image::open(path).map(DynamicImage::into_rgb8).unwrap().into_raw()
}
