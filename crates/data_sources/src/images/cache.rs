//! Cache of resized images, in the user's cache directory.
//!
//! A file of the cache has the images of one part of a data set in one frame: rows of pixels, a footer
//! as JSON, the length of the footer, and the SHA-256 of all that. Its name is a hash of the content of
//! the image files and of the frame. A damaged one is replaced.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use data::{RowSource, SourceError, StoredRows, Values};
use rayon::prelude::*;
use rustix::fs::statvfs;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use support::memory;
use support::sha256::hexadecimal;

use super::block::{BLOCK, ImageFacts, decode_block};
use super::checksums::{self, Checksum};
use super::decode::{DecodedImage, read};
use super::error::{ImagesError, UnreadableImage};
use super::frame::Frame;
use super::scan::ImageFile;

/// Kind of the error if `OnBlock` breaks.
const STOPPED: io::ErrorKind = io::ErrorKind::Interrupted;
/// Version of the decoded pixels; another one makes all cached images invalid.
const VERSION: u32 = 2;
/// Files that were not used for this long are removed.
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Images are kept in memory if they take at most 1 / `MEMORY_SHARE` of the free memory, and on disk
/// if they take at most 1 / `DISK_SHARE` of the free space.
const MEMORY_SHARE: u64 = 4;
const DISK_SHARE: u64 = 2;
/// Number of bytes that are read and hashed at once.
const CHUNK: usize = 1 << 18;
/// Number of bytes after the footer: its length and the SHA-256.
const END: u64 = 8 + 32;

/// Images of one part of a data set in several frames.
pub struct CachedImages {
    /// Pixels of the readable images in each frame.
    pub values: Vec<Values>,
    /// Properties of the images.
    pub facts: ImageFacts,
    pub unreadable: Vec<UnreadableImage>,
    /// SHA-256 of each readable file.
    pub checksums: Vec<Checksum>,
}

/// What is known of images beside their pixels.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Footer {
    facts: ImageFacts,
    /// Index and error of each file that cannot be read, in their order.
    unreadable: Vec<(usize, String)>,
}

/// The images in one frame, and their file in the cache.
struct Entry {
    frame: Frame,
    path: Option<PathBuf>,
}

/// Called before each block of images with the number of those decoded; `Break` stops the work.
pub type OnBlock<'a> = &'a mut dyn FnMut(usize) -> ControlFlow<()>;

impl CachedImages {
    /// Resizes images to each of the `frames`, or finds them in the cache in `directory`. The pixels are in
    /// memory if there is room, otherwise in the cache, and if that has no room either, they are decoded
    /// whenever they are read. Fails only if `on_block` breaks.
    pub fn prepare(
        directory: Option<&Path>,
        files: &[ImageFile],
        frames: &[Frame],
        on_block: OnBlock,
    ) -> Result<Self, ImagesError> {
        let checksums = checksums::of(files, directory);
        let entry = |&frame| Entry {
            frame,
            path: directory.map(|directory| directory.join(name(&checksums, frame))),
        };
        let entries: Vec<Entry> = frames.iter().map(entry).collect();
        let load = || entries.iter().map(|entry| entry.load(files.len())).collect::<Vec<_>>();
        let mut loaded = load();
        let missing = entries.iter().zip(&loaded).filter(|(_, loaded)| loaded.is_err());
        let missing: Vec<&Entry> = missing.map(|(entry, _)| entry).collect();
        if !missing.is_empty() {
            match write_all(files, &missing, on_block) {
                Ok(()) => loaded = load(),
                Err(error) if error.kind() == STOPPED => return Err(ImagesError::Stopped),
                // There is no cache, or it has no room.
                Err(_) => {}
            }
        }
        let (mut values, mut footer) = (Vec::new(), Footer::default());
        for (entry, loaded) in entries.iter().zip(loaded) {
            let loaded = match loaded {
                Ok(loaded) => loaded,
                Err(_) => without_cache(files, &checksums, entry.frame, on_block)?,
            };
            footer = loaded.0;
            values.push(loaded.1);
        }
        let checksums = footer.readable(&checksums);
        let unreadable = footer.unreadable.into_iter().filter_map(|(index, reason)| {
            Some(UnreadableImage { path: files.get(index)?.path.clone(), reason })
        });
        Ok(Self { values, facts: footer.facts, unreadable: unreadable.collect(), checksums })
    }
}

impl Footer {
    /// Those of `items`, one per file, that belong to readable files.
    fn readable<T: Clone>(&self, items: &[T]) -> Vec<T> {
        let is_unreadable = |index: &usize| {
            self.unreadable.binary_search_by_key(index, |(index, _)| *index).is_ok()
        };
        let items = items.iter().enumerate().filter(|(index, _)| !is_unreadable(index));
        items.map(|(_, item)| item.clone()).collect()
    }
}

/// Directory of the cache; `None` if the environment names none.
pub fn directory() -> Option<PathBuf> {
    Some(dirs::cache_dir()?.join("trainer").join("images"))
}

/// Name of the file of images with these checksums.
fn name(checksums: &[Checksum], Frame { shape, fit }: Frame) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{VERSION} {shape:?} {}\n", fit.as_str()));
    hash.update(checksums.as_flattened());
    format!("{}.rows", hexadecimal(&hash.finalize()))
}

/// Returns true if `bytes` should be kept in memory.
fn fits_in_memory(bytes: u64) -> bool {
    memory::available().is_none_or(|free| bytes <= free / MEMORY_SHARE)
}

/// Decodes all images in order. `visit` receives the frame, by its index, and the pixels of each.
fn decode_all(
    files: &[ImageFile],
    frames: &[Frame],
    on_block: OnBlock,
    mut visit: impl FnMut(usize, &[u8]) -> io::Result<()>,
) -> io::Result<Footer> {
    let mut footer = Footer::default();
    for (number, block) in files.chunks(BLOCK).enumerate() {
        if on_block(number * BLOCK).is_break() {
            return Err(STOPPED.into());
        }
        let images = decode_block(block, frames, &mut footer.facts);
        for (index, image) in images.into_iter().enumerate() {
            match image {
                Ok(rows) => {
                    rows.iter().enumerate().try_for_each(|(frame, row)| visit(frame, row))?;
                }
                Err(error) => {
                    footer.unreadable.push((number * BLOCK + index, error.to_string()));
                }
            }
        }
    }
    Ok(footer)
}

/// Decodes all images into the files of `entries`.
fn write_all(files: &[ImageFile], entries: &[&Entry], on_block: OnBlock) -> io::Result<()> {
    let paths: Option<Vec<&Path>> = entries.iter().map(|entry| entry.path.as_deref()).collect();
    let paths = paths.ok_or(io::ErrorKind::NotFound)?;
    let directory = paths.first().and_then(|path| path.parent()).ok_or(io::ErrorKind::NotFound)?;
    fs::create_dir_all(directory)?;
    remove_unused(directory)?;
    let row = entries.iter().map(|entry| entry.frame.bytes()).sum::<usize>();
    let disk = statvfs(directory)?;
    if (files.len() * row) as u64 > disk.f_bavail.saturating_mul(disk.f_frsize) / DISK_SHARE {
        return Err(io::ErrorKind::StorageFull.into());
    }
    let writers = paths.iter().map(|path| Writer::create(path));
    let mut writers: Vec<Writer> = writers.collect::<Result<_, _>>()?;
    let frames: Vec<Frame> = entries.iter().map(|entry| entry.frame).collect();
    let footer = decode_all(files, &frames, on_block, |frame, row| {
        writers.get_mut(frame).map_or(Ok(()), |writer| writer.write(row))
    })?;
    writers.into_iter().try_for_each(|writer| writer.finish(&footer))
}

/// Removes files that were not used for a long time, and those that a killed process left behind.
fn remove_unused(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
        if age > MAX_AGE {
            // Another process may have removed it.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Decodes all images into memory if there is room, otherwise to find those that cannot be read.
fn without_cache(
    files: &[ImageFile],
    checksums: &[Checksum],
    frame: Frame,
    on_block: OnBlock,
) -> Result<(Footer, Values), ImagesError> {
    let is_kept = fits_in_memory((files.len() * frame.bytes()) as u64);
    let mut pixels = Vec::new();
    let footer = decode_all(files, &[frame], on_block, |_, row| {
        if is_kept {
            pixels.extend_from_slice(row);
        }
        Ok(())
    });
    // Nothing is written that could fail.
    let footer = footer.map_err(|_| ImagesError::Stopped)?;
    if is_kept {
        return Ok((footer, Values::Pixels(pixels)));
    }
    let rows = ImageRows {
        files: footer.readable(files).into(),
        checksums: footer.readable(checksums).into(),
        frame,
    };
    let values = Values::Stored(StoredRows::new(rows));
    Ok((footer, values))
}

/// Writes a file of the cache under another name, and renames it when it is complete.
struct Writer {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    hash: Sha256,
}

impl Writer {
    fn create(path: &Path) -> io::Result<Self> {
        let partial = path.with_extension(format!("{}.tmp", std::process::id()));
        let file = BufWriter::new(File::create(&partial)?);
        Ok(Self { path: path.to_owned(), partial, file, hash: Sha256::new() })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.file.write_all(bytes)
    }

    fn finish(mut self, footer: &Footer) -> io::Result<()> {
        let footer = serde_json::to_vec(footer)?;
        self.write(&footer)?;
        self.write(&(footer.len() as u64).to_le_bytes())?;
        let hash = self.hash.clone().finalize();
        self.file.write_all(&hash)?;
        self.file.flush()?;
        fs::rename(&self.partial, &self.path)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Does not exist any more after `finish`.
        let _ = fs::remove_file(&self.partial);
    }
}

impl Entry {
    /// Reads and verifies the file of the cache, for images of `count` files.
    fn load(&self, count: usize) -> io::Result<(Footer, Values)> {
        let path = self.path.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let (footer, end) = read_footer(&file, length)?;
        let bytes = self.frame.bytes() * count.saturating_sub(footer.unreadable.len());
        if (bytes + end.len()) as u64 != length {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let is_kept = fits_in_memory(bytes as u64);
        let mut pixels = Vec::with_capacity(if is_kept { bytes } else { 0 });
        let mut hash = Sha256::new();
        let mut chunk = vec![0; CHUNK];
        let mut left = bytes;
        while left > 0 {
            let chunk = chunk.get_mut(..left.min(CHUNK)).unwrap_or_default();
            file.read_exact(chunk)?;
            hash.update(&*chunk);
            if is_kept {
                pixels.extend_from_slice(chunk);
            }
            left -= chunk.len();
        }
        let (hashed, sum) = end.split_at(end.len() - size_of::<Checksum>());
        hash.update(hashed);
        if hash.finalize()[..] != *sum {
            return Err(io::ErrorKind::InvalidData.into());
        }
        // Counts as used; a cache that may not be written to can still be read.
        let _ = file.set_modified(SystemTime::now());
        let rows =
            CachedRows { file, width: self.frame.bytes(), count: bytes / self.frame.bytes() };
        let values =
            if is_kept { Values::Pixels(pixels) } else { Values::Stored(StoredRows::new(rows)) };
        Ok((footer, values))
    }
}

/// The footer of a file of `length` bytes, and all bytes from it to the end.
fn read_footer(file: &File, length: u64) -> io::Result<(Footer, Vec<u8>)> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    let start = length.checked_sub(END).ok_or_else(invalid)?;
    let mut size = [0; 8];
    file.read_exact_at(&mut size, start)?;
    let size = u64::from_le_bytes(size);
    let start = start.checked_sub(size).ok_or_else(invalid)?;
    let mut end = vec![0; (length - start) as usize];
    file.read_exact_at(&mut end, start)?;
    let footer = serde_json::from_slice(end.get(..size as usize).unwrap_or_default())?;
    Ok((footer, end))
}

/// Rows that stay in a file of the cache.
#[derive(Debug)]
struct CachedRows {
    file: File,
    width: usize,
    count: usize,
}

impl RowSource for CachedRows {
    fn count(&self) -> usize {
        self.count
    }

    fn holds_pixels(&self) -> bool {
        true
    }

    fn read(&self, rows: &[usize]) -> Result<Values, SourceError> {
        let mut pixels = vec![0; rows.len() * self.width];
        for (&row, target) in rows.iter().zip(pixels.chunks_exact_mut(self.width.max(1))) {
            self.file.read_exact_at(target, (row * self.width) as u64)?;
        }
        Ok(Values::Pixels(pixels))
    }
}

/// Images that are decoded whenever they are read, by all threads. Their files must not change.
#[derive(Debug)]
pub struct ImageRows {
    pub files: Arc<[ImageFile]>,
    /// SHA-256 of each file.
    pub checksums: Arc<[[u8; 32]]>,
    pub frame: Frame,
}

impl ImageRows {
    fn decode(&self, row: usize) -> Result<Vec<u8>, SourceError> {
        let (Some(file), Some(checksum)) = (self.files.get(row), self.checksums.get(row)) else {
            return Err(format!("there is no image {row}").into());
        };
        let failed = |reason: String| {
            let image = UnreadableImage { path: file.path.clone(), reason };
            ImagesError::UnreadableImages { images: vec![image] }
        };
        let bytes = read(&file.path).map_err(|error| failed(error.to_string()))?;
        if Sha256::digest(&bytes)[..] != *checksum {
            return Err(failed("the file has changed while it was in use".to_owned()).into());
        }
        let image = DecodedImage::decode(&bytes).map_err(|error| failed(error.to_string()))?;
        Ok(image.pixels(self.frame))
    }
}

impl RowSource for ImageRows {
    fn count(&self) -> usize {
        self.files.len()
    }

    fn holds_pixels(&self) -> bool {
        true
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn read(&self, rows: &[usize]) -> Result<Values, SourceError> {
        let images = rows.par_iter().map(|&row| self.decode(row));
        let images: Vec<_> = images.collect::<Result<_, SourceError>>()?;
        Ok(Values::Pixels(images.concat()))
    }
}
