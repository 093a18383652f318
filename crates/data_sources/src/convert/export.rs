use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use data::{Examples, Values};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use rayon::prelude::*;

use super::error::ConvertError;
use super::made::MadePart;
use super::marker_files::{CLASSES, SYNTHETIC};
use super::new_directory::NewDirectory;
use super::progress::{ProgressCallback, report_progress};
use crate::quality::inspection::InspectedPart;

/// Images to be written as PNG files.
#[derive(Debug, Clone, Copy)]
pub struct Export<'a> {
    /// Their parts; each image is named by its index in the file it comes from.
    pub parts: &'a [InspectedPart],
    /// The name of each class, in the order of the labels.
    pub classes: &'a [String],
    /// Whether they are drawn in place of real data.
    pub synthetic: bool,
    /// Whether each part has a folder of its own.
    pub is_nested: bool,
    /// Whether the class stands in the name of each file, and not in that of a folder.
    pub is_flat: bool,
}

/// So many images are written before it is asked whether to go on.
const BLOCK: usize = 256;

/// The least digits of an index.
const DIGITS: usize = 5;

impl Export<'_> {
    /// Writes them into the new directory `out`: `<class>/00017.png`, or `<class>_00017.png`, and the
    /// names of the classes in a file beside them. Imported again, they are the same examples in
    /// the same order.
    ///
    /// # Errors
    ///
    /// If they are no images, a class has a name that no folder can have, or files cannot be written.
    pub fn apply(
        &self,
        out: &Path,
        progress: &mut ProgressCallback,
    ) -> Result<Vec<MadePart>, ConvertError> {
        self.must_suit(out)?;
        let directory = NewDirectory::begin(out)?;
        let partial = directory.partial();
        write(&partial.join(CLASSES), (self.classes.join("\n") + "\n").as_bytes())?;
        if self.synthetic {
            write(&partial.join(SYNTHETIC), b"drawn by the trainer, not real\n")?;
        }
        let mut made = Vec::new();
        let mut done = 0;
        for part in self.parts {
            let split = part.split;
            let within = if self.is_nested { part.split.as_str() } else { "" };
            self.write_part(part, &partial.join(within), &mut done, progress)?;
            let labels = part.examples.labels.iter().copied();
            made.push(MadePart::new(split, out.join(within), labels, self.classes.len()));
        }
        directory.finish()?;
        Ok(made)
    }

    fn must_suit(&self, out: &Path) -> Result<(), ConvertError> {
        if self.parts.iter().any(|part| !part.examples.are_images()) {
            let remedy = "export data of images";
            return Err(ConvertError::form(out, "these data are points, no images", remedy));
        }
        let unfit = self.classes.iter().find(|name| !self.can_be_a_name(name));
        let Some(name) = unfit else { return Ok(()) };
        let found = format!("the class {name:?} cannot be in the name of a file");
        let remedy = match self.can_be_a_folder(name) {
            true => "leave out --flat: its names end at the first underscore",
            false => "give it a name without slashes that does not begin with a dot",
        };
        Err(ConvertError::form(out, found, remedy))
    }

    fn can_be_a_name(&self, class: &str) -> bool {
        self.can_be_a_folder(class) && !(self.is_flat && class.contains('_'))
    }

    fn can_be_a_folder(&self, class: &str) -> bool {
        !class.starts_with('.') && !class.contains(['/', '\0', '\n', '\r']) && class.len() <= 200
    }

    fn write_part(
        &self,
        part: &InspectedPart,
        folder: &Path,
        done: &mut usize,
        progress: &mut ProgressCallback,
    ) -> Result<(), ConvertError> {
        fs::create_dir_all(folder).map_err(ConvertError::unwritable(folder))?;
        if !self.is_flat {
            self.make_class_folders(folder, &part.examples.labels)?;
        }
        let digits = part.indices.iter().max().map_or(0, |index| index.to_string().len());
        let digits = digits.max(DIGITS);
        let total = self.parts.iter().map(|part| part.examples.len()).sum();
        let items: Vec<usize> = (0..part.examples.len()).collect();
        for items in items.chunks(BLOCK) {
            report_progress(progress, "writing images", *done, total)?;
            let (images, places) = part.examples.in_memory(items)?;
            items.par_iter().zip(places.par_iter()).try_for_each(|(&item, &place)| {
                let index = part.indices.get(item).copied().unwrap_or(item);
                let label = images.labels_at(&[place]).first().copied().unwrap_or_default();
                let path = folder.join(self.name(label, &format!("{index:0digits$}.png")));
                write(&path, &png(&images, place, &path)?)
            })?;
            *done += items.len();
        }
        Ok(())
    }

    fn make_class_folders(&self, folder: &Path, labels: &[u32]) -> Result<(), ConvertError> {
        for label in BTreeSet::from_iter(labels) {
            let folder = folder.join(self.class(*label));
            fs::create_dir(&folder).map_err(ConvertError::unwritable(&folder))?;
        }
        Ok(())
    }

    fn name(&self, label: u32, file: &str) -> PathBuf {
        let class = self.class(label);
        match self.is_flat {
            true => PathBuf::from(format!("{class}_{file}")),
            false => Path::new(class).join(file),
        }
    }

    fn class(&self, label: u32) -> &str {
        self.classes.get(label as usize).map_or("", String::as_str)
    }
}

/// The image at `index` as a PNG file.
fn png(images: &Examples, index: usize, path: &Path) -> Result<Vec<u8>, ConvertError> {
    let [height, width, channels] = images.shape;
    let pixels = match &images.values {
        Values::Pixels(pixels) => images.row(pixels, index),
        // Images in memory are pixels.
        _ => &[],
    };
    let colour = if channels == 1 { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
    let mut png = Vec::new();
    let encoded =
        PngEncoder::new(&mut png).write_image(pixels, width as u32, height as u32, colour);
    encoded.map_err(std::io::Error::other).map_err(ConvertError::unwritable(path))?;
    Ok(png)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ConvertError> {
    let written = File::create_new(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(ConvertError::unwritable(path))
}
