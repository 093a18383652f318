use std::cell::Cell;

use bytemuck::{Pod, Zeroable};

use super::real::Real;

/// A line of the cache: vectors that begin where one does are read at once.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u64; 8]);

/// Lends memory for so many numbers each, with anything in it, that the thread keeps.
pub fn with_scratch<T: Real, R, const N: usize>(
    counts: [usize; N],
    work: impl FnOnce([&mut [T]; N]) -> R,
) -> R {
    thread_local!(static KEPT: Cell<Vec<Line>> = const { Cell::new(Vec::new()) });
    let total = counts.iter().copied().map(lines::<T>).sum();
    let mut kept = KEPT.take();
    if kept.len() < total {
        kept.resize(total, Line::zeroed());
    }
    let mut rest = kept.as_mut_slice();
    let result = work(counts.map(|count| {
        let part = rest.split_off_mut(..lines::<T>(count)).unwrap_or_default();
        bytemuck::cast_slice_mut(part).split_at_mut(count).0
    }));
    KEPT.set(kept);
    result
}

/// How many lines so many numbers fill.
fn lines<T>(count: usize) -> usize {
    (count * size_of::<T>()).div_ceil(size_of::<Line>())
}
