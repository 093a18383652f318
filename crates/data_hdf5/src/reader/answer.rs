//! Answer of a reader process: the length of a header, the header as JSON, and after a success the
//! offsets of the values, or the values, and the labels, in native byte order.
//!
//! A damaged file may have corrupted the process: its answer is fully validated.

use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use data::Fit;
use serde::{Deserialize, Serialize};

use crate::classes;
use crate::context::ErrorContext;
use crate::course_layout::MAX_EXAMPLES;
use crate::error::Hdf5Error;
use crate::features::MAX_WIDTH;
use crate::rows::{Encoding, Layout, RowsLocation};
use crate::storage::MAX_BYTES;
use crate::structure::Structure;

/// Maximum length of a header: 10,000 names of 256 bytes, each byte escaped.
const MAX_HEADER: u32 = 16 << 20;
/// Number of bytes converted at once.
const BLOCK: usize = 1 << 16;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Header {
    Read(Summary),
    Refused(Hdf5Error),
}

/// Structure of a file without its numbers.
#[derive(Debug, Serialize, Deserialize)]
struct Summary {
    shape: [usize; 3],
    count: usize,
    classes: Vec<String>,
    synthetic: bool,
    fit: Option<Fit>,
    encoding: Encoding,
    layout: Kind,
}

/// Layout without its numbers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Packed,
    Contiguous(u64),
    /// Number of rows of a chunk.
    Chunked(usize),
}

/// Defect of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is incomplete.
    Short,
    /// It is invalid.
    Invalid(&'static str),
}

/// Sends an answer.
pub fn send(to: &mut impl Write, read: &Result<Structure, Hdf5Error>) -> io::Result<()> {
    let header = match read {
        Ok(file) => Header::Read(Summary::of(file)),
        Err(error) => Header::Refused(error.clone()),
    };
    let header = serde_json::to_vec(&header)?;
    let length = u32::try_from(header.len()).map_err(|_| ErrorKind::FileTooLarge)?;
    to.write_all(&length.to_ne_bytes())?;
    to.write_all(&header)?;
    let Ok(Structure { labels, location, .. }) = read else { return Ok(()) };
    match &location.layout {
        Layout::Packed(bytes) => to.write_all(bytes)?,
        Layout::Contiguous(_) => {}
        Layout::Chunked { offsets, .. } => send_numbers(to, offsets, |at| at.to_ne_bytes())?,
    }
    send_numbers(to, labels, |label| label.to_ne_bytes())
}

/// Receives and validates an answer.
pub fn receive(from: &mut impl Read) -> Result<Result<Structure, Hdf5Error>, Broken> {
    let summary = match header(from)? {
        Header::Read(summary) => summary,
        Header::Refused(error) => return end(from).map(|()| Err(error)),
    };
    let held = summary.check()?;
    let layout = match summary.layout {
        Kind::Packed => Layout::Packed(bytes(from, held)?),
        Kind::Contiguous(offset) => Layout::Contiguous(offset),
        Kind::Chunked(rows) => {
            let count = summary.count.div_ceil(rows.max(1));
            let offsets = numbers(from, count, |bytes| Some(u64::from_ne_bytes(bytes)))?;
            Layout::Chunked { rows, offsets }
        }
    };
    let known = summary.classes.len();
    let labels = numbers(from, summary.count, |bytes| {
        Some(u32::from_ne_bytes(bytes)).filter(|&label| (label as usize) < known)
    })?;
    end(from)?;
    let Summary { shape, classes, synthetic, fit, encoding, .. } = summary;
    Ok(Ok(Structure {
        shape,
        labels,
        classes,
        synthetic,
        fit,
        location: RowsLocation { encoding, layout },
    }))
}

impl Summary {
    fn of(file: &Structure) -> Self {
        Self {
            shape: file.shape,
            count: file.labels.len(),
            classes: file.classes.clone(),
            synthetic: file.synthetic,
            fit: file.fit,
            encoding: file.location.encoding,
            layout: match &file.location.layout {
                Layout::Packed(_) => Kind::Packed,
                Layout::Contiguous(offset) => Kind::Contiguous(*offset),
                Layout::Chunked { rows, .. } => Kind::Chunked(*rows),
            },
        }
    }

    /// Returns the number of bytes of all values if everything is within the bounds of a supported file.
    fn check(&self) -> Result<usize, Broken> {
        let kind = matches!(
            (self.encoding, self.shape),
            (Encoding::Pixel, [_, _, 1 | 3])
                | (Encoding::Float { size: 4 | 8, .. }, [1, 1, 1..=MAX_WIDTH])
        );
        let mut sides = self.shape.iter().chain([&self.count]);
        let held = sides.try_fold(self.encoding.size(), |held, &side| held.checked_mul(side));
        let held = held.filter(|held| (1..=MAX_BYTES).contains(held) && self.count <= MAX_EXAMPLES);
        let context = ErrorContext::new(Path::new(""), "");
        let names = classes::check_count(&context, self.classes.len())
            .and_then(|()| classes::check(&context, &self.classes));
        let held =
            held.filter(|_| kind && names.is_ok() && !matches!(self.layout, Kind::Chunked(0)));
        held.ok_or(Broken::Invalid("an invalid shape or invalid names"))
    }
}

fn header(from: &mut impl Read) -> Result<Header, Broken> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_ne_bytes(length);
    if length > MAX_HEADER {
        return Err(Broken::Invalid("a header that is too long"));
    }
    let header = bytes(from, length as usize)?;
    serde_json::from_slice(&header).map_err(|_| Broken::Invalid("an invalid header"))
}

/// Reads exactly `count` bytes.
fn bytes(from: &mut impl Read, count: usize) -> Result<Vec<u8>, Broken> {
    let mut bytes = room(count)?;
    from.take(count as u64).read_to_end(&mut bytes)?;
    if bytes.len() == count { Ok(bytes) } else { Err(Broken::Short) }
}

/// Reads exactly `count` numbers of `SIZE` bytes; `number` decodes and validates each.
fn numbers<T, const SIZE: usize>(
    from: &mut impl Read,
    count: usize,
    number: impl Fn([u8; SIZE]) -> Option<T>,
) -> Result<Vec<T>, Broken> {
    let mut numbers = room(count)?;
    let mut block = vec![0; BLOCK];
    while numbers.len() < count {
        let bytes = (count - numbers.len()).saturating_mul(SIZE).min(BLOCK);
        let block = block.get_mut(..bytes).unwrap_or_default();
        from.read_exact(block)?;
        for &bytes in block.as_chunks().0 {
            numbers.push(number(bytes).ok_or(Broken::Invalid("an invalid number"))?);
        }
    }
    Ok(numbers)
}

fn room<T>(count: usize) -> Result<Vec<T>, Broken> {
    let mut room = Vec::new();
    room.try_reserve_exact(count).map_err(|_| Broken::Invalid("more data than fit in memory"))?;
    Ok(room)
}

fn end(from: &mut impl Read) -> Result<(), Broken> {
    match from.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(Broken::Invalid("more data than announced")),
    }
}

fn send_numbers<T, const SIZE: usize>(
    to: &mut impl Write,
    numbers: &[T],
    bytes: impl Fn(&T) -> [u8; SIZE],
) -> io::Result<()> {
    numbers.chunks(BLOCK / SIZE).try_for_each(|block| {
        to.write_all(block.iter().map(&bytes).collect::<Vec<_>>().as_flattened())
    })
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Short
    }
}
