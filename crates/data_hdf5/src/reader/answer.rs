//! Answer of a reader process: the length of a header, the header as JSON, and after a success the
//! offsets of the values, or the values, and the labels, in native byte order.
//!
//! A damaged file may have corrupted the process: its answer is fully validated.

use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use data::{Fit, SplitKind};
use serde::{Deserialize, Serialize};

use crate::classes::{self, ClassNames};
use crate::context::ErrorContext;
use crate::error::Hdf5Error;
use crate::number::Number;
use crate::part_objects::{MAX_EXAMPLES, MAX_WIDTH};
use crate::rows::{Content, Encoding, Layout, RowsLocation};
use crate::storage::MAX_BYTES;
use crate::structure::Structure;

/// Maximum length of a header: 10,000 names of 256 bytes, each byte escaped.
const MAX_HEADER: u32 = 16 << 20;
/// Maximum length of the name of an object, in up to four groups, and of a note.
const MAX_TEXT: usize = 2048;
/// Number of bytes converted at once.
const BLOCK: usize = 1 << 16;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Header {
    Read(Summary),
    Parts(Vec<Option<SplitKind>>),
    Refused(Hdf5Error),
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Structure(Box<Structure>),
    /// Parts of the file; `None` for one that is not named.
    Parts(Vec<Option<SplitKind>>),
}

/// Structure of a file without its numbers.
#[derive(Debug, Serialize, Deserialize)]
struct Summary {
    objects: [String; 3],
    shape: [usize; 3],
    count: usize,
    classes: Vec<String>,
    class_names: ClassNames,
    synthetic: bool,
    fit: Option<Fit>,
    notes: [String; 2],
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
pub fn send(to: &mut impl Write, read: &Result<Answer, Hdf5Error>) -> io::Result<()> {
    let header = match read {
        Ok(Answer::Structure(file)) => Header::Read(Summary::of(file)),
        Ok(Answer::Parts(parts)) => Header::Parts(parts.clone()),
        Err(error) => Header::Refused(error.clone()),
    };
    let header = serde_json::to_vec(&header)?;
    let length = u32::try_from(header.len()).map_err(|_| ErrorKind::FileTooLarge)?;
    to.write_all(&length.to_ne_bytes())?;
    to.write_all(&header)?;
    let Ok(Answer::Structure(structure)) = read else { return Ok(()) };
    let Structure { labels, location, .. } = &**structure;
    match &location.layout {
        Layout::Packed(bytes) => to.write_all(bytes)?,
        Layout::Contiguous(_) => {}
        Layout::Chunked { offsets, .. } => send_numbers(to, offsets, |at| at.to_ne_bytes())?,
    }
    send_numbers(to, labels, |label| label.to_ne_bytes())
}

/// Receives and validates an answer.
pub fn receive(from: &mut impl Read) -> Result<Result<Answer, Hdf5Error>, Broken> {
    let summary = match header(from)? {
        Header::Read(summary) => summary,
        Header::Parts(parts) if parts.len() <= SplitKind::ALL.len() + 1 => {
            return end(from).map(|()| Ok(Answer::Parts(parts)));
        }
        Header::Parts(_) => return Err(Broken::Invalid("more parts than there are")),
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
    let Summary { objects, shape, classes, class_names, synthetic, fit, notes, encoding, .. } =
        summary;
    let location = RowsLocation { encoding, layout };
    Ok(Ok(Answer::Structure(Box::new(Structure {
        objects,
        shape,
        labels,
        classes,
        class_names,
        synthetic,
        fit,
        notes,
        location,
    }))))
}

impl Summary {
    fn of(file: &Structure) -> Self {
        Self {
            objects: file.objects.clone(),
            shape: file.shape,
            count: file.labels.len(),
            classes: file.classes.clone(),
            class_names: file.class_names,
            synthetic: file.synthetic,
            fit: file.fit,
            notes: file.notes.clone(),
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
        let Encoding { number, content } = self.encoding;
        let kind = match (content, self.shape) {
            (Content::Pixels(_), [_, _, 1 | 3]) => true,
            (Content::Features, [1, 1, 1..=MAX_WIDTH]) => matches!(number, Number::Float { .. }),
            _ => false,
        };
        let size = match number {
            Number::Integer { size: size @ (1 | 2 | 4 | 8), .. } => size,
            Number::Float { size: size @ (2 | 4 | 8), .. } => size,
            _ => return Err(Broken::Invalid("an unknown type of numbers")),
        };
        let mut sides = self.shape.iter().chain([&self.count]);
        let held = sides.try_fold(size, |held, &side| held.checked_mul(side));
        let held = held.filter(|held| (1..=MAX_BYTES).contains(held) && self.count <= MAX_EXAMPLES);
        let context = ErrorContext::new(Path::new(""), "");
        let names = classes::check_count(&context, self.classes.len(), 1)
            .and_then(|()| classes::check(&context, &self.classes));
        let texts = self.objects.iter().chain(&self.notes).all(|text| text.len() <= MAX_TEXT);
        let valid = kind && texts && names.is_ok() && !matches!(self.layout, Kind::Chunked(0));
        let held = held.filter(|_| valid);
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
