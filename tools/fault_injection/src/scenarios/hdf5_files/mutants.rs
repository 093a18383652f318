//! Valid files with some of their bytes changed, mostly in the structure.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom;

use super::checksums;
use super::reading::Case;

/// Mutant number `index` with this seed.
pub fn mutant(bases: &[Case], seed: u64, index: usize) -> Case {
    let mut rng = crate::random(seed, index);
    let base = bases.get(index % bases.len().max(1));
    let mut bytes = base.map(|base| base.bytes.clone()).unwrap_or_default();
    for _ in 0..rng.random_range(1..=3) {
        change(&mut bytes, &mut rng, bases);
    }
    // With wrong checksums libhdf5 refuses the parts that they cover. An attacker corrects them.
    if rng.random_bool(0.8) {
        checksums::update(&mut bytes);
    }
    let name = base.map_or("", |base| base.name.as_str());
    Case { name: format!("mutant {index} of {name}, seed {seed}"), bytes }
}

/// Changes a file; mostly a few bytes, sometimes so that it is destroyed.
fn change(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng, bases: &[Case]) {
    match rng.random_range(0..15_usize) {
        0 | 1 => {
            let position = position(bytes, rng);
            let flip = |byte: &mut u8| *byte ^= 1 << rng.random_range(0..8);
            bytes.iter_mut().skip(position).take(1).for_each(flip);
        }
        2..=4 => {
            let value = [0, 1, 2, 3, 0x7f, 0x80, 0xff, rng.random()];
            let value = value.choose(rng).copied().unwrap_or_default();
            let position = position(bytes, rng);
            write(bytes, position, &[value]);
        }
        5 => {
            let by = if rng.random() { 1 } else { u8::MAX };
            let position = position(bytes, rng);
            bytes.iter_mut().skip(position).take(1).for_each(|byte| *byte = byte.wrapping_add(by));
        }
        6..=9 => set_word(bytes, rng),
        // Two words swapped.
        10 => {
            let (one, other) = (position(bytes, rng) & !7, position(bytes, rng) & !7);
            let word = |bytes: &[u8], at: usize| bytes.get(at..at + 8).map(<[u8]>::to_vec);
            if let (Some(first), Some(second)) = (word(bytes, one), word(bytes, other)) {
                write(bytes, one, &second);
                write(bytes, other, &first);
            }
        }
        // A part copied to another place.
        11 => {
            let (from, to) = (position(bytes, rng), position(bytes, rng));
            let length = rng.random_range(1..=256);
            let part: Vec<u8> = bytes.iter().skip(from).take(length).copied().collect();
            write(bytes, to, &part);
        }
        // The end of another file, or a part of it.
        12 => {
            let Some(other) = bases.choose(rng) else { return };
            let at = position(bytes, rng);
            let length = if rng.random() { usize::MAX } else { rng.random_range(8..=1024) };
            let part: Vec<u8> = other.bytes.iter().skip(at).take(length).copied().collect();
            write(bytes, at, &part);
        }
        13 => bytes.truncate(rng.random_range(0..bytes.len().max(1))),
        // Bytes inserted or removed.
        _ => {
            let at = position(bytes, rng);
            let length = rng.random_range(1..=16);
            if rng.random() {
                drop(bytes.splice(at..at, vec![rng.random(); length]));
            } else {
                drop(bytes.drain(at..(at + length).min(bytes.len())));
            }
        }
    }
}

/// A position near a byte that is not zero: most of a small file is padding.
fn position(bytes: &[u8], rng: &mut ChaCha8Rng) -> usize {
    let mut position = rng.random_range(0..bytes.len().max(1));
    for _ in 0..64 {
        if bytes.get(position).is_some_and(|&byte| byte != 0) {
            break;
        }
        position = rng.random_range(0..bytes.len().max(1));
    }
    let position = (position + rng.random_range(0..=8)).saturating_sub(4);
    position.min(bytes.len().saturating_sub(1))
}

/// Writes a size, count or address that is extreme or off by one.
fn set_word(bytes: &mut [u8], rng: &mut ChaCha8Rng) {
    let length = bytes.len() as u64;
    let address = position(bytes, rng) as u64;
    let extremes = [0, 1, u64::MAX, u64::MAX - 1, 1 << 31, 1 << 63];
    let lengths = [length, length.wrapping_sub(1), length + 1];
    let addresses = [address, address & !7];
    let random = [rng.random(), rng.random_range(0..=1024)];
    let value = [&extremes[..], &lengths, &addresses, &random].concat();
    let value = value.choose(rng).copied().unwrap_or_default().to_le_bytes();
    let size = [2, 4, 8].choose(rng).copied().unwrap_or(8);
    // Words are mostly at even addresses.
    let position = position(bytes, rng) & !usize::from(rng.random_bool(0.8));
    write(bytes, position, value.get(..size).unwrap_or_default());
}

fn write(bytes: &mut [u8], at: usize, part: &[u8]) {
    bytes.iter_mut().skip(at).zip(part).for_each(|(byte, &new)| *byte = new);
}
