use std::cell::Cell;

use bytemuck::{Pod, Zeroable};

use super::real::Real;

/// A line of the cache: vectors that begin where one does are read at once.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u64; 8]);

/// Lends memory for so many numbers each, with anything in it, that the thread keeps.
pub fn with_scratch<T: Real, R>(counts: [usize; 2], work: impl FnOnce([&mut [T]; 2]) -> R) -> R {
    thread_local!(static KEPT: Cell<Vec<Line>> = const { Cell::new(Vec::new()) });
    let [first, second] = counts.map(lines::<T>);
    let mut kept = KEPT.take();
    if kept.len() < first + second {
        kept.resize(first + second, Line::zeroed());
    }
    let (left, right) = kept.split_at_mut(first);
    let numbers = [left, right].map(|lines| bytemuck::cast_slice_mut(lines));
    let [left, right] = numbers;
    let result = work([left.split_at_mut(counts[0]).0, right.split_at_mut(counts[1]).0]);
    KEPT.set(kept);
    result
}

/// How many lines so many numbers fill.
fn lines<T>(count: usize) -> usize {
    (count * size_of::<T>()).div_ceil(size_of::<Line>())
}
