//! CPU kernels on slices, without Burn. Work is split into pieces of a fixed size, whose partial
//! sums are added in order: results do not depend on the number of threads.

pub mod adam;
pub mod batch_norm;
mod channels;
pub mod conv2d;
pub mod matmul;
pub mod max_pool;
mod micro_kernel;
pub mod norm;
mod simd_float;
mod workspace;

use pulp::{Arch, Simd, WithSimd};

pub use simd_float::SimdFloat;

/// Runs `work`, if it is inlined, with the widest vector instructions of the processor.
#[inline(always)]
fn vectorized<R>(work: impl FnMut() -> R) -> R {
    Arch::new().dispatch(Vectorized(work))
}

/// `dispatch` also accepts closures, but calls them through a shim that LLVM does not inline, so
/// that they would use the baseline instruction set only.
struct Vectorized<F>(F);

impl<R, F: FnMut() -> R> WithSimd for Vectorized<F> {
    type Output = R;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _simd: S) -> R {
        (self.0)()
    }
}

/// Sums the blocks of `piece`, element by element.
#[inline(always)]
fn sum_blocks<T: SimdFloat>(piece: &[T], block: usize) -> Vec<T> {
    let mut sums = vec![T::zero(); block];
    for chunk in piece.chunks(block) {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            *sum = *sum + value;
        }
    }
    sums
}

/// Converts an f64, rounding to the precision of `T`.
pub fn from_f64<T: SimdFloat>(value: f64) -> T {
    T::from(value).unwrap_or_else(T::nan)
}

/// Converts a value to f64.
pub fn to_f64<T: SimdFloat>(value: T) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}
