//! What a process that reads sends: the length of a header, the header as JSON, and after the
//! header of a file that was read where its values lie, or what they are, and its labels, in the
//! order of the machine's bytes.
//!
//! The process may have been confused by a damaged file: nothing in its answer is trusted.

use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::hdf5::error::Site;
use crate::hdf5::features::MAX_WIDTH;
use crate::hdf5::source::MAX_EXAMPLES;
use crate::hdf5::storage::MAX_BYTES;
use crate::hdf5::stored::{Form, Layout, Place};
use crate::hdf5::{Described, Hdf5Error, classes};

/// 10,000 names of 256 bytes, each byte escaped.
const MAX_HEADER: u32 = 16 << 20;
/// The bytes of numbers that are converted at once.
const BLOCK: usize = 1 << 16;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Header {
    Read(Outline),
    Refused(Hdf5Error),
}

/// A file that was read, without its numbers.
#[derive(Debug, Serialize, Deserialize)]
struct Outline {
    shape: [usize; 3],
    count: usize,
    classes: Vec<String>,
    stand_in: bool,
    form: Form,
    layout: Kind,
}

/// A layout without its numbers.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Packed,
    Contiguous(u64),
    /// The rows of a chunk.
    Chunked(usize),
}

/// An answer that cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// It ends before its end, or cannot be received.
    Short,
    /// It holds what no file can lead to.
    Wrong(&'static str),
}

/// Writes the whole answer.
pub(super) fn send(to: &mut impl Write, read: &Result<Described, Hdf5Error>) -> io::Result<()> {
    let header = match read {
        Ok(file) => Header::Read(Outline::of(file)),
        Err(error) => Header::Refused(error.clone()),
    };
    let header = serde_json::to_vec(&header)?;
    let length = u32::try_from(header.len()).map_err(|_| ErrorKind::FileTooLarge)?;
    to.write_all(&length.to_ne_bytes())?;
    to.write_all(&header)?;
    let Ok(Described { labels, place, .. }) = read else { return Ok(()) };
    match &place.layout {
        Layout::Packed(bytes) => to.write_all(bytes)?,
        Layout::Contiguous(_) => {}
        Layout::Chunked { offsets, .. } => send_numbers(to, offsets, |at| at.to_ne_bytes())?,
    }
    send_numbers(to, labels, |label| label.to_ne_bytes())
}

/// Reads an answer to its end.
pub(super) fn receive(from: &mut impl Read) -> Result<Result<Described, Hdf5Error>, Broken> {
    let outline = match header(from)? {
        Header::Read(outline) => outline,
        Header::Refused(error) => return end(from).map(|()| Err(error)),
    };
    let held = outline.check()?;
    let layout = match outline.layout {
        Kind::Packed => Layout::Packed(bytes(from, held)?),
        Kind::Contiguous(offset) => Layout::Contiguous(offset),
        Kind::Chunked(rows) => {
            let count = outline.count.div_ceil(rows.max(1));
            let offsets = numbers(from, count, |bytes| Some(u64::from_ne_bytes(bytes)))?;
            Layout::Chunked { rows, offsets }
        }
    };
    let known = outline.classes.len();
    let labels = numbers(from, outline.count, |bytes| {
        Some(u32::from_ne_bytes(bytes)).filter(|&label| (label as usize) < known)
    })?;
    end(from)?;
    let Outline { shape, classes, stand_in, form, .. } = outline;
    Ok(Ok(Described { shape, labels, classes, stand_in, place: Place { form, layout } }))
}

impl Outline {
    fn of(file: &Described) -> Self {
        Self {
            shape: file.shape,
            count: file.labels.len(),
            classes: file.classes.clone(),
            stand_in: file.stand_in,
            form: file.place.form,
            layout: match &file.place.layout {
                Layout::Packed(_) => Kind::Packed,
                Layout::Contiguous(offset) => Kind::Contiguous(*offset),
                Layout::Chunked { rows, .. } => Kind::Chunked(*rows),
            },
        }
    }

    /// The number of bytes of all values, if all of it is within the bounds of a file that is
    /// accepted.
    fn check(&self) -> Result<usize, Broken> {
        let kind = matches!(
            (self.form, self.shape),
            (Form::Pixel, [_, _, 1 | 3]) | (Form::Float { size: 4 | 8, .. }, [1, 1, 1..=MAX_WIDTH])
        );
        let mut sides = self.shape.iter().chain([&self.count]);
        let held = sides.try_fold(self.form.size(), |held, &side| held.checked_mul(side));
        let held = held.filter(|held| (1..=MAX_BYTES).contains(held) && self.count <= MAX_EXAMPLES);
        let site = Site::new(Path::new(""), "");
        let names = classes::check_count(&site, self.classes.len())
            .and_then(|()| classes::check(&site, &self.classes));
        let held =
            held.filter(|_| kind && names.is_ok() && !matches!(self.layout, Kind::Chunked(0)));
        held.ok_or(Broken::Wrong("a shape or names that no file can have"))
    }
}

fn header(from: &mut impl Read) -> Result<Header, Broken> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_ne_bytes(length);
    if length > MAX_HEADER {
        return Err(Broken::Wrong("too long a header"));
    }
    let header = bytes(from, length as usize)?;
    serde_json::from_slice(&header).map_err(|_| Broken::Wrong("a header that cannot be understood"))
}

/// Exactly so many bytes.
fn bytes(from: &mut impl Read, count: usize) -> Result<Vec<u8>, Broken> {
    let mut bytes = room(count)?;
    from.take(count as u64).read_to_end(&mut bytes)?;
    if bytes.len() == count { Ok(bytes) } else { Err(Broken::Short) }
}

/// Exactly so many numbers of so many bytes, each of which must be one.
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
            numbers.push(number(bytes).ok_or(Broken::Wrong("a number that no file can hold"))?);
        }
    }
    Ok(numbers)
}

fn room<T>(count: usize) -> Result<Vec<T>, Broken> {
    let mut room = Vec::new();
    room.try_reserve_exact(count).map_err(|_| Broken::Wrong("more than fits in memory"))?;
    Ok(room)
}

fn end(from: &mut impl Read) -> Result<(), Broken> {
    match from.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(Broken::Wrong("more than it announced")),
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
