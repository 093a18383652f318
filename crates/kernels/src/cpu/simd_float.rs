use bytemuck::Pod;
use num_traits::Float;
use pulp::Simd;

/// Element type of the kernels: f32, or f64 for gradient checks.
pub trait SimdFloat: Float + Pod + Send + Sync {
    /// SIMD vector.
    type Vector<S: Simd>: Pod;

    /// Returns `self` if `keep`, else 0. Branchless, so that loops vectorise.
    fn masked(self, keep: bool) -> Self;

    /// Broadcasts `value` to all lanes.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    /// `a + b`
    fn simd_add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// `a - b`
    fn simd_sub<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// `a b + c`, with a single rounding if the processor supports FMA.
    fn simd_mul_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;

    /// Splits a slice into whole vectors and the remainder.
    fn as_vectors<S: Simd>(values: &[Self]) -> (&[Self::Vector<S>], &[Self]);
    /// Splits a mutable slice into whole vectors and the remainder.
    fn as_vectors_mut<S: Simd>(values: &mut [Self]) -> (&mut [Self::Vector<S>], &mut [Self]);
    /// Loads fewer values than lanes, padded with zeros.
    fn partial_load<S: Simd>(simd: S, values: &[Self]) -> Self::Vector<S>;
    /// Stores the first lanes, fewer than a vector has.
    fn partial_store<S: Simd>(simd: S, values: &mut [Self], vector: Self::Vector<S>);
}

macro_rules! impl_simd_float {
    ($float:ty, $bits:ty, $vector:ident, $splat:ident, $add:ident, $sub:ident, $mul_add:ident,
     $split:ident, $split_mut:ident, $load:ident, $store:ident) => {
        impl SimdFloat for $float {
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn masked(self, keep: bool) -> Self {
                Self::from_bits(self.to_bits() & <$bits>::from(keep).wrapping_neg())
            }

            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vector {
                simd.$splat(value)
            }

            #[inline(always)]
            fn simd_add<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$add(a, b)
            }

            #[inline(always)]
            fn simd_sub<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$sub(a, b)
            }

            #[inline(always)]
            fn simd_mul_add<S: Simd>(
                simd: S,
                a: S::$vector,
                b: S::$vector,
                c: S::$vector,
            ) -> S::$vector {
                simd.$mul_add(a, b, c)
            }

            #[inline(always)]
            fn as_vectors<S: Simd>(values: &[Self]) -> (&[S::$vector], &[Self]) {
                S::$split(values)
            }

            #[inline(always)]
            fn as_vectors_mut<S: Simd>(values: &mut [Self]) -> (&mut [S::$vector], &mut [Self]) {
                S::$split_mut(values)
            }

            #[inline(always)]
            fn partial_load<S: Simd>(simd: S, values: &[Self]) -> S::$vector {
                simd.$load(values)
            }

            #[inline(always)]
            fn partial_store<S: Simd>(simd: S, values: &mut [Self], vector: S::$vector) {
                simd.$store(values, vector)
            }
        }
    };
}

impl_simd_float!(
    f32,
    u32,
    f32s,
    splat_f32s,
    add_f32s,
    sub_f32s,
    mul_add_e_f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    partial_load_f32s,
    partial_store_f32s
);
impl_simd_float!(
    f64,
    u64,
    f64s,
    splat_f64s,
    add_f64s,
    sub_f64s,
    mul_add_e_f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    partial_load_f64s,
    partial_store_f64s
);

/// Returns the number of lanes of a vector.
#[inline(always)]
pub const fn lanes<T: SimdFloat, S: Simd>() -> usize {
    size_of::<T::Vector<S>>() / size_of::<T>()
}

/// Loads vector `index` of `values`, padded with zeros after the end.
#[inline(always)]
pub fn load<T: SimdFloat, S: Simd>(simd: S, values: &[T], index: usize) -> T::Vector<S> {
    let (vectors, rest) = T::as_vectors::<S>(values);
    match vectors.get(index) {
        Some(vector) => *vector,
        None if index == vectors.len() => T::partial_load(simd, rest),
        None => T::splat(simd, T::zero()),
    }
}

/// Stores vector `index` of `values`, without lanes after the end.
#[inline(always)]
pub fn store<T: SimdFloat, S: Simd>(simd: S, values: &mut [T], index: usize, vector: T::Vector<S>) {
    let (vectors, rest) = T::as_vectors_mut::<S>(values);
    let count = vectors.len();
    match vectors.get_mut(index) {
        Some(target) => *target = vector,
        None if index == count => T::partial_store(simd, rest, vector),
        None => {}
    }
}
