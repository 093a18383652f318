use std::cell::Cell;

use bytemuck::{Pod, Zeroable};

use super::simd_float::SimdFloat;

/// Cache line: aligned vectors are loaded in one access.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct CacheLine([u64; 8]);

/// Calls `work` with slices of the given lengths from a per-thread workspace. Their contents are
/// unspecified.
pub fn with_workspace<T: SimdFloat, R, const N: usize>(
    counts: [usize; N],
    work: impl FnOnce([&mut [T]; N]) -> R,
) -> R {
    thread_local!(static WORKSPACE: Cell<Vec<CacheLine>> = const { Cell::new(Vec::new()) });
    let total = counts.iter().copied().map(cache_lines::<T>).sum();
    let mut workspace = WORKSPACE.take();
    if workspace.len() < total {
        workspace.resize(total, CacheLine::zeroed());
    }
    let mut rest = workspace.as_mut_slice();
    let result = work(counts.map(|count| {
        let part = rest.split_off_mut(..cache_lines::<T>(count)).unwrap_or_default();
        bytemuck::cast_slice_mut(part).split_at_mut(count).0
    }));
    WORKSPACE.set(workspace);
    result
}

/// Returns the number of cache lines of `count` values.
fn cache_lines<T>(count: usize) -> usize {
    (count * size_of::<T>()).div_ceil(size_of::<CacheLine>())
}
