//! Files with some of their bytes changed, mostly where the structure is.

use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::checksums;
use super::trial::Case;

/// A change of a file.
enum Change {
    /// Of bytes where they stand; other files may give some.
    Within(fn(&mut [u8], &mut ChaCha8Rng, &[Case])),
    /// Of the length.
    Length(fn(&mut Vec<u8>, &mut ChaCha8Rng)),
}

/// Changes of a few bytes come more often than those that break a file altogether.
const CHANGES: &[Change] = &[
    Change::Within(flip_bit),
    Change::Within(flip_bit),
    Change::Within(set_byte),
    Change::Within(set_byte),
    Change::Within(set_byte),
    Change::Within(count_on),
    Change::Within(set_word),
    Change::Within(set_word),
    Change::Within(set_word),
    Change::Within(set_word),
    Change::Within(swap_words),
    Change::Within(copy_within),
    Change::Within(splice),
    Change::Length(truncate),
    Change::Length(insert),
];

/// Mutant number `index` of a campaign with this seed.
pub fn of(bases: &[Case], seed: u64, index: usize) -> Case {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(index as u64);
    let base = bases.get(index % bases.len().max(1));
    let mut bytes = base.map(|base| base.bytes.clone()).unwrap_or_default();
    for _ in 0..rng.random_range(1..=3) {
        match CHANGES.choose(&mut rng) {
            Some(Change::Within(change)) => change(&mut bytes, &mut rng, bases),
            Some(Change::Length(change)) => change(&mut bytes, &mut rng),
            None => (),
        }
    }
    // Checksums keep libhdf5 from what they cover; whoever means harm puts them right.
    if rng.random_bool(0.8) {
        checksums::renew(&mut bytes);
    }
    let name = base.map_or("", |base| base.name.as_str());
    Case { name: format!("mutant {index} of {name}, seed {seed}"), bytes }
}

/// Near a byte that is not zero: most of a small file is padding.
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

fn flip_bit(bytes: &mut [u8], rng: &mut ChaCha8Rng, _: &[Case]) {
    let position = position(bytes, rng);
    bytes.iter_mut().skip(position).take(1).for_each(|byte| *byte ^= 1 << rng.random_range(0..8));
}

fn set_byte(bytes: &mut [u8], rng: &mut ChaCha8Rng, _: &[Case]) {
    let value = [0, 1, 2, 3, 0x7f, 0x80, 0xff, rng.random()];
    let value = value.choose(rng).copied().unwrap_or_default();
    let position = position(bytes, rng);
    write(bytes, position, &[value]);
}

fn count_on(bytes: &mut [u8], rng: &mut ChaCha8Rng, _: &[Case]) {
    let by = if rng.random() { 1 } else { u8::MAX };
    let position = position(bytes, rng);
    bytes.iter_mut().skip(position).take(1).for_each(|byte| *byte = byte.wrapping_add(by));
}

/// A size, count or address that is extreme, or nearly right.
fn set_word(bytes: &mut [u8], rng: &mut ChaCha8Rng, _: &[Case]) {
    let length = bytes.len() as u64;
    let there = position(bytes, rng) as u64;
    let value = [
        0,
        1,
        u64::MAX,
        u64::MAX - 1,
        1 << 31,
        1 << 63,
        length,
        length.wrapping_sub(1),
        length + 1,
        there,
        there & !7,
        rng.random(),
        rng.random_range(0..=1024),
    ];
    let value = value.choose(rng).copied().unwrap_or_default().to_le_bytes();
    let size = [2, 4, 8].choose(rng).copied().unwrap_or(8);
    // Words mostly stand at even places.
    let position = position(bytes, rng) & !usize::from(rng.random_bool(0.8));
    write(bytes, position, value.get(..size).unwrap_or_default());
}

fn swap_words(bytes: &mut [u8], rng: &mut ChaCha8Rng, _: &[Case]) {
    let (one, other) = (position(bytes, rng) & !7, position(bytes, rng) & !7);
    let word = |bytes: &[u8], at: usize| bytes.get(at..at + 8).map(<[u8]>::to_vec);
    if let (Some(first), Some(second)) = (word(bytes, one), word(bytes, other)) {
        write(bytes, one, &second);
        write(bytes, other, &first);
    }
}

fn copy_within(bytes: &mut [u8], rng: &mut ChaCha8Rng, _: &[Case]) {
    let (from, to) = (position(bytes, rng), position(bytes, rng));
    let length = rng.random_range(1..=256);
    let part: Vec<u8> = bytes.iter().skip(from).take(length).copied().collect();
    write(bytes, to, &part);
}

fn truncate(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    bytes.truncate(rng.random_range(0..bytes.len().max(1)));
}

fn insert(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    let at = position(bytes, rng);
    let length = rng.random_range(1..=16);
    match rng.random() {
        true => drop(bytes.splice(at..at, vec![rng.random(); length])),
        false => drop(bytes.drain(at..(at + length).min(bytes.len()))),
    }
}

/// The end of another file, or a part of it.
fn splice(bytes: &mut [u8], rng: &mut ChaCha8Rng, bases: &[Case]) {
    let Some(other) = bases.choose(rng) else { return };
    let at = position(bytes, rng);
    let length = if rng.random() { usize::MAX } else { rng.random_range(8..=1024) };
    let part: Vec<u8> = other.bytes.iter().skip(at).take(length).copied().collect();
    write(bytes, at, &part);
}

fn write(bytes: &mut [u8], at: usize, part: &[u8]) {
    bytes.iter_mut().skip(at).zip(part).for_each(|(byte, &new)| *byte = new);
}
