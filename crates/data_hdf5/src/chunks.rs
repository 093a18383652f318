//! Chunked storage: each chunk is read as stored, unfiltered with bounds checks, and copied to its
//! position.

use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::buffer::reserve;
use crate::context::ErrorContext;
use crate::error::Hdf5Error;
use crate::ffi::Chunks;
use crate::object::Object;
use crate::storage::Filter;
use crate::{fletcher32, lzf};

/// Reads the bytes of a chunked dataset. `chunk` has its rank and no zero.
pub fn read(object: &Object, chunk: &[usize], filters: &[Filter]) -> Result<Vec<u8>, Hdf5Error> {
    let size = chunk.iter().product::<usize>() * object.element.size();
    let mut bytes = reserve(&object.context, object.size)?;
    bytes.resize(object.size, 0);
    let mut chunks = Chunks::new(&object.dataset);
    for origin in origins(&object.shape, chunk) {
        let position: Vec<u64> = origin.iter().map(|&start| start as u64).collect();
        let stored = chunks.read(&position).map_err(|error| object.context.damaged(error))?;
        let plain = unfilter(object, stored, filters, size)?;
        place(&mut bytes, &object.shape, &plain, chunk, &origin);
    }
    Ok(bytes)
}

/// Reverts the filters, last first; bit `i` of the mask is set if filter `i` was skipped.
fn unfilter(
    object: &Object,
    (stored, mask): (&[u8], u32),
    filters: &[Filter],
    size: usize,
) -> Result<Vec<u8>, Hdf5Error> {
    let mut bytes = stored.to_vec();
    let damaged = |reason| object.context.damaged(reason);
    // A checksum may have been added before compression.
    let limit = size + filters.len() * fletcher32::LENGTH;
    for (index, filter) in filters.iter().enumerate().rev() {
        if mask.checked_shr(index as u32).unwrap_or(0) & 1 == 0 {
            bytes = match filter {
                Filter::Deflate => inflate(&object.context, &bytes, limit)?,
                Filter::Lzf => {
                    let plain = lzf::decompress(&bytes, limit);
                    plain.ok_or_else(|| damaged("a chunk is no valid LZF data"))?
                }
                Filter::Shuffle => unshuffle(&bytes, object.element.size()),
                Filter::Fletcher32 => {
                    let plain = fletcher32::verified(&bytes);
                    plain.ok_or_else(|| damaged("the checksum of a chunk is wrong"))?.to_vec()
                }
            };
        }
    }
    if bytes.len() == size {
        Ok(bytes)
    } else {
        Err(object.context.damaged("a chunk has the wrong length"))
    }
}

/// Inflates at most `size` + 1 bytes, so that a longer stream is detected.
fn inflate(context: &ErrorContext, bytes: &[u8], size: usize) -> Result<Vec<u8>, Hdf5Error> {
    let mut plain = Vec::new();
    let read = ZlibDecoder::new(bytes).take(size as u64 + 1).read_to_end(&mut plain);
    read.map_err(|error| context.damaged(error))?;
    Ok(plain)
}

/// Reassembles elements from all first bytes, all second bytes and so on; a remainder is unchanged.
fn unshuffle(bytes: &[u8], element: usize) -> Vec<u8> {
    let count = bytes.len() / element.max(1);
    let (planes, rest) = bytes.split_at(count * element);
    let planes: Vec<_> = planes.chunks_exact(count.max(1)).collect();
    let elements =
        (0..count).flat_map(|index| planes.iter().filter_map(move |plane| plane.get(index)));
    elements.chain(rest).copied().collect()
}

/// Origin of every chunk.
fn origins(shape: &[usize], chunk: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    let axes: Vec<_> =
        shape.iter().zip(chunk).map(|(extent, &side)| (extent.div_ceil(side), side)).collect();
    let total = axes.iter().map(|(count, _)| count).product::<usize>();
    (0..total).map(move |index| {
        let mut rest = index;
        let mut origin: Vec<_> = axes
            .iter()
            .rev()
            .map(|&(count, side)| {
                let position = rest % count * side;
                rest /= count;
                position
            })
            .collect();
        origin.reverse();
        origin
    })
}

/// Copies a chunk to `origin` of the target, clipped at its edges.
fn place(target: &mut [u8], shape: &[usize], source: &[u8], chunk: &[usize], origin: &[usize]) {
    if shape == chunk {
        return target.copy_from_slice(source);
    }
    let ([rows, shape @ ..], [side, chunk @ ..], [start, origin @ ..]) = (shape, chunk, origin)
    else {
        return;
    };
    let (row, part) = (target.len() / rows, source.len() / side);
    let rows = target.chunks_exact_mut(row).skip(*start);
    for (row, part) in rows.zip(source.chunks_exact(part)) {
        place(row, shape, part, chunk, origin);
    }
}
