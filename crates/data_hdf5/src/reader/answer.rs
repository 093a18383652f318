//! Answer of a reader process: the length of a header, the header as JSON, and after a structure the
//! values, if they are packed, and the labels, in native byte order.
//!
//! A damaged file may have corrupted the process: its answer is fully validated.

use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use data::SplitKind;
use serde::{Deserialize, Serialize};

use crate::classes;
use crate::error::{ErrorContext, Hdf5Error};
use crate::part_objects::{MAX_EXAMPLES, MAX_WIDTH};
use crate::rows::Layout;
use crate::storage::MAX_BYTES;
use crate::structure::Structure;

/// Maximum length of a header: 10,000 names of 256 bytes, each byte escaped, and the offsets of chunks.
const MAX_HEADER: u32 = 16 << 20;
/// Maximum length of the name of an object, in up to four groups, and of a note.
const MAX_TEXT: usize = 2048;

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    Structure(Box<Structure>),
    /// Parts of the file; `None` for one that is not named.
    Parts(Vec<Option<SplitKind>>),
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
    let header = serde_json::to_vec(read)?;
    let length = u32::try_from(header.len()).map_err(|_| ErrorKind::FileTooLarge)?;
    to.write_all(&length.to_ne_bytes())?;
    to.write_all(&header)?;
    let Ok(Answer::Structure(structure)) = read else { return Ok(()) };
    if let Layout::Packed(values) = &structure.layout {
        to.write_all(values)?;
    }
    let labels: Vec<_> = structure.labels.iter().map(|label| label.to_ne_bytes()).collect();
    to.write_all(labels.as_flattened())
}

/// Receives and validates an answer.
pub fn receive(from: &mut impl Read) -> Result<Result<Answer, Hdf5Error>, Broken> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_ne_bytes(length);
    if length > MAX_HEADER {
        return Err(Broken::Invalid("a header that is too long"));
    }
    let header = bytes(from, length as usize)?;
    let mut answer: Result<Answer, Hdf5Error> =
        serde_json::from_slice(&header).map_err(|_| Broken::Invalid("an invalid header"))?;
    match &mut answer {
        Ok(Answer::Structure(structure)) => {
            let size = check(structure)?;
            if let Layout::Packed(values) = &mut structure.layout {
                *values = bytes(from, size)?;
            }
            let labels = bytes(from, size_of::<u32>() * structure.count)?;
            let labels = labels.as_chunks().0.iter().map(|&label| u32::from_ne_bytes(label));
            structure.labels = labels.collect();
            let known = structure.classes.len();
            if structure.labels.iter().any(|&label| label as usize >= known) {
                return Err(Broken::Invalid("an invalid number"));
            }
        }
        Ok(Answer::Parts(parts)) if parts.len() > SplitKind::ALL.len() + 1 => {
            return Err(Broken::Invalid("more parts than there are"));
        }
        Ok(Answer::Parts(_)) | Err(_) => {}
    }
    match from.read(&mut [0])? {
        0 => Ok(answer),
        _ => Err(Broken::Invalid("more data than announced")),
    }
}

/// Returns the number of bytes of all values if everything is within the bounds of a supported file.
fn check(structure: &Structure) -> Result<usize, Broken> {
    let Structure { objects, shape, count, classes, notes, encoding, layout, .. } = structure;
    let number = encoding.number;
    let kind = match (encoding.axes, shape) {
        (Some(_), [_, _, 1 | 3]) => true,
        (None, [1, 1, 1..=MAX_WIDTH]) => number.is_float(),
        _ => false,
    };
    let sizes: &[usize] = if number.is_float() { &[2, 4, 8] } else { &[1, 2, 4, 8] };
    if !sizes.contains(&number.size) {
        return Err(Broken::Invalid("an unknown type of numbers"));
    }
    let mut sides = shape.iter().chain([count]);
    let held = sides.try_fold(number.size, |held, &side| held.checked_mul(side));
    let held = held.filter(|held| (1..=MAX_BYTES).contains(held) && *count <= MAX_EXAMPLES);
    let names = classes::check(&ErrorContext::new(Path::new(""), ""), classes, 1);
    let texts = objects.iter().chain(notes).all(|text| text.len() <= MAX_TEXT);
    let chunks = match layout {
        Layout::Packed(_) => true,
        Layout::InFile { rows, offsets } => *rows > 0 && offsets.len() == count.div_ceil(*rows),
    };
    let held = held.filter(|_| kind && texts && names.is_ok() && chunks);
    held.ok_or(Broken::Invalid("an invalid shape or invalid names"))
}

/// Reads exactly `count` bytes.
fn bytes(from: &mut impl Read, count: usize) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(count).map_err(|_| Broken::Invalid("more data than fit in memory"))?;
    from.take(count as u64).read_to_end(&mut bytes)?;
    if bytes.len() == count { Ok(bytes) } else { Err(Broken::Short) }
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Short
    }
}
