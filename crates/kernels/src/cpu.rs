//! The kernels: slices in, slices out. Work is cut into pieces of a fixed size, whose sums are
//! added in their order, so that the number of threads changes no bit.

pub mod adam;
pub mod batch_norm;
mod channels;
pub mod conv2d;
pub mod matmul;
pub mod max_pool;
mod product;
mod real;
mod scratch;

use pulp::{Arch, Simd, WithSimd};

pub use real::Real;

/// Runs `work` with the widest vectors of this processor, if it is inlined.
#[inline(always)]
fn vectorized<R>(work: impl FnMut() -> R) -> R {
    Arch::new().dispatch(Vectorized(work))
}

/// `dispatch` takes closures too, but calls them through a shim that LLVM does not inline, so that
/// they keep the narrow vectors of every processor.
struct Vectorized<F>(F);

impl<R, F: FnMut() -> R> WithSimd for Vectorized<F> {
    type Output = R;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _simd: S) -> R {
        (self.0)()
    }
}

/// The sum of each number of a block, over all blocks of a piece.
#[inline(always)]
fn block_sums<T: Real>(piece: &[T], block: usize) -> Vec<T> {
    let mut sums = vec![T::zero(); block];
    for chunk in piece.chunks(block) {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            *sum = *sum + value;
        }
    }
    sums
}

/// A number of another type.
pub fn real<T: Real>(value: f64) -> T {
    T::from(value).unwrap_or_else(T::nan)
}

/// An f64 again.
pub fn wide<T: Real>(value: T) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}
