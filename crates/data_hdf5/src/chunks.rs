//! Chunked storage: each chunk is read as stored, unfiltered with bounds checks, and copied to its
//! position.

use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::error::Hdf5Error;
use crate::ffi::Chunks;
use crate::object::{Object, reserve};
use crate::storage::Filter;

/// Length of a checksum in bytes.
const CHECKSUM: usize = 4;

/// Reads the bytes of a chunked dataset. `chunk` has its rank and no zero.
pub fn read(object: &Object, chunk: &[usize], filters: &[Filter]) -> Result<Vec<u8>, Hdf5Error> {
    let size = chunk.iter().product::<usize>() * object.element.size();
    let mut bytes = reserve(&object.context, object.size)?;
    bytes.resize(object.size, 0);
    let mut chunks = Chunks::new(&object.dataset);
    let counts: Vec<_> =
        object.shape.iter().zip(chunk).map(|(&extent, &side)| extent.div_ceil(side)).collect();
    for index in 0..counts.iter().product() {
        let origin = origin(index, &counts, chunk);
        let position: Vec<u64> = origin.iter().map(|&start| start as u64).collect();
        let stored = chunks.read(&position).map_err(|error| object.context.damaged(error))?;
        let plain = unfilter(object, stored, filters, size)?;
        place(&mut bytes, &object.shape, &plain, chunk, &origin);
    }
    Ok(bytes)
}

/// Origin of the chunk at `index` in row-major order; there are `counts` chunks on each axis.
fn origin(mut index: usize, counts: &[usize], chunk: &[usize]) -> Vec<usize> {
    let mut origin = vec![0; chunk.len()];
    let axes = origin.iter_mut().zip(counts).zip(chunk).rev();
    for ((start, count), side) in axes {
        *start = index % count * side;
        index /= count;
    }
    origin
}

/// Reverts the filters, last first; bit `i` of the mask is set if filter `i` was skipped.
fn unfilter(
    object: &Object,
    (stored, mask): (&[u8], u32),
    filters: &[Filter],
    size: usize,
) -> Result<Vec<u8>, Hdf5Error> {
    let mut bytes = stored.to_vec();
    let damaged = |reason: &str| object.context.damaged(reason);
    // A checksum may have been added before compression.
    let limit = size + filters.len() * CHECKSUM;
    for (index, filter) in filters.iter().enumerate().rev() {
        if mask.checked_shr(index as u32).unwrap_or(0) & 1 == 1 {
            continue;
        }
        bytes = match filter {
            Filter::Deflate => {
                let mut plain = Vec::new();
                // One byte more, so that a longer stream is detected.
                let mut inflated = ZlibDecoder::new(bytes.as_slice()).take(limit as u64 + 1);
                let read = inflated.read_to_end(&mut plain);
                read.map(|_| plain).map_err(|error| object.context.damaged(error))?
            }
            Filter::Lzf => decompress_lzf(&bytes, limit)
                .ok_or_else(|| damaged("a chunk is no valid LZF data"))?,
            Filter::Shuffle => unshuffle(&bytes, object.element.size()),
            Filter::Fletcher32 => without_checksum(&bytes)
                .ok_or_else(|| damaged("the checksum of a chunk is wrong"))?
                .to_vec(),
        };
    }
    if bytes.len() == size { Ok(bytes) } else { Err(damaged("a chunk has the wrong length")) }
}

/// Decompresses LZF to at most `limit` bytes; `None` if the input is invalid or longer.
///
/// A control byte below 32 precedes that many bytes and one more. Other control bytes copy bytes that
/// were decompressed before: 3 bits of length, 7 of which add another byte, and 13 bits of distance.
fn decompress_lzf(mut input: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut output = Vec::new();
    while let Some(control) = next(&mut input) {
        if control < 32 {
            let (literals, rest) = input.split_at_checked(control + 1)?;
            output.extend_from_slice(literals);
            input = rest;
        } else {
            let more = if control >> 5 == 7 { next(&mut input)? } else { 0 };
            let distance = ((control & 31) << 8 | next(&mut input)?) + 1;
            let start = output.len().checked_sub(distance)?;
            // The copy may overlap its source, which then repeats.
            for index in start..start + (control >> 5) + more + 2 {
                output.push(*output.get(index)?);
            }
        }
        if output.len() > limit {
            return None;
        }
    }
    Some(output)
}

fn next(input: &mut &[u8]) -> Option<usize> {
    input.split_off_first().map(|&byte| usize::from(byte))
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

/// Removes the checksum at the end of `bytes`; `None` if it is wrong or missing.
fn without_checksum(bytes: &[u8]) -> Option<&[u8]> {
    let (data, stored) = bytes.split_last_chunk::<CHECKSUM>()?;
    (fletcher32(data) == u32::from_le_bytes(*stored)).then_some(data)
}

/// Fletcher's checksum of big-endian words of 16 bits; a last odd byte is the high one of a word.
fn fletcher32(data: &[u8]) -> u32 {
    // One's complement sum, which libhdf5 never reduces from 65535 to 0.
    let fold = |sum: u32| (sum & 0xffff) + (sum >> 16);
    let (mut low, mut high) = (0_u32, 0_u32);
    for word in data.chunks(2) {
        let word =
            word.iter().zip([8, 0]).map(|(&byte, shift)| u32::from(byte) << shift).sum::<u32>();
        low = fold(low + word);
        high = fold(high + low);
    }
    fold(high) << 16 | fold(low)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_wrong_or_missing_checksum_is_found() {
        let mut bytes = b"abcde".to_vec();
        bytes.extend_from_slice(&fletcher32(b"abcde").to_le_bytes());
        assert_eq!(without_checksum(&bytes).unwrap(), b"abcde");
        bytes[2] ^= 1;
        assert_eq!(without_checksum(&bytes), None);
        assert_eq!(without_checksum(b"abc"), None);
    }

    #[test]
    fn literals_and_overlapping_copies_are_decompressed() {
        assert_eq!(decompress_lzf(&[], 0).unwrap(), b"");
        assert_eq!(decompress_lzf(&[2, b'a', b'b', b'c'], 3).unwrap(), b"abc");
        assert_eq!(decompress_lzf(&[1, b'a', b'b', 0x60, 1], 7).unwrap(), b"abababa");
        assert_eq!(decompress_lzf(&[0, b'a', 0xe0, 255, 0], 265).unwrap(), [b'a'; 265]);
    }

    #[test]
    fn invalid_and_longer_input_is_refused() {
        let invalid: [&[u8]; 5] =
            [&[2, b'a'], &[0x20], &[0x20, 0], &[0, b'a', 0x20, 1], &[0, b'a', 0xe0, 255]];
        assert!(invalid.iter().all(|input| decompress_lzf(input, 100).is_none()));
        assert!(decompress_lzf(&[0, b'a', 0xe0, 255, 0], 264).is_none());
    }
}
