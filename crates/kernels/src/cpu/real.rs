use bytemuck::Pod;
use num_traits::Float;
use pulp::Simd;

/// What kernels compute with: f32, and f64 for checking gradients.
pub trait Real: Float + Pod + Send + Sync {
    /// As many numbers as a register holds.
    type Vector<S: Simd>: Pod;

    /// The number itself, or 0: without a branch, which would keep loops from becoming vectors.
    fn kept_if(self, keep: bool) -> Self;

    /// The same number in every lane.
    fn splat<S: Simd>(simd: S, number: Self) -> Self::Vector<S>;
    /// `a + b`
    fn plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// `a - b`
    fn minus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// `a b + c`, rounded once where the processor can.
    fn multiply_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;

    /// Whole vectors, and the numbers that are left.
    fn vectors<S: Simd>(numbers: &[Self]) -> (&[Self::Vector<S>], &[Self]);
    /// Whole vectors, and the numbers that are left.
    fn vectors_mut<S: Simd>(numbers: &mut [Self]) -> (&mut [Self::Vector<S>], &mut [Self]);
    /// Fewer numbers than a vector has, then zeros.
    fn load_part<S: Simd>(simd: S, numbers: &[Self]) -> Self::Vector<S>;
    /// The first lanes, fewer than a vector has.
    fn store_part<S: Simd>(simd: S, numbers: &mut [Self], vector: Self::Vector<S>);
}

macro_rules! real {
    ($real:ty, $bits:ty, $vector:ident, $splat:ident, $add:ident, $sub:ident, $mul_add:ident,
     $split:ident, $split_mut:ident, $load:ident, $store:ident) => {
        impl Real for $real {
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn kept_if(self, keep: bool) -> Self {
                Self::from_bits(self.to_bits() & <$bits>::from(keep).wrapping_neg())
            }

            #[inline(always)]
            fn splat<S: Simd>(simd: S, number: Self) -> S::$vector {
                simd.$splat(number)
            }

            #[inline(always)]
            fn plus<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$add(a, b)
            }

            #[inline(always)]
            fn minus<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$sub(a, b)
            }

            #[inline(always)]
            fn multiply_add<S: Simd>(
                simd: S,
                a: S::$vector,
                b: S::$vector,
                c: S::$vector,
            ) -> S::$vector {
                simd.$mul_add(a, b, c)
            }

            #[inline(always)]
            fn vectors<S: Simd>(numbers: &[Self]) -> (&[S::$vector], &[Self]) {
                S::$split(numbers)
            }

            #[inline(always)]
            fn vectors_mut<S: Simd>(numbers: &mut [Self]) -> (&mut [S::$vector], &mut [Self]) {
                S::$split_mut(numbers)
            }

            #[inline(always)]
            fn load_part<S: Simd>(simd: S, numbers: &[Self]) -> S::$vector {
                simd.$load(numbers)
            }

            #[inline(always)]
            fn store_part<S: Simd>(simd: S, numbers: &mut [Self], vector: S::$vector) {
                simd.$store(numbers, vector)
            }
        }
    };
}

real!(
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
real!(
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

/// How many numbers a vector has.
#[inline(always)]
pub const fn lanes<T: Real, S: Simd>() -> usize {
    size_of::<T::Vector<S>>() / size_of::<T>()
}

/// Vector `index` of `numbers`, filled with zeros from their end on.
#[inline(always)]
pub fn load<T: Real, S: Simd>(simd: S, numbers: &[T], index: usize) -> T::Vector<S> {
    let (vectors, rest) = T::vectors::<S>(numbers);
    match vectors.get(index) {
        Some(vector) => *vector,
        None if index == vectors.len() => T::load_part(simd, rest),
        None => T::splat(simd, T::zero()),
    }
}

/// Writes vector `index` of `numbers`, but nothing behind their end.
#[inline(always)]
pub fn store<T: Real, S: Simd>(simd: S, numbers: &mut [T], index: usize, vector: T::Vector<S>) {
    let (vectors, rest) = T::vectors_mut::<S>(numbers);
    let count = vectors.len();
    match vectors.get_mut(index) {
        Some(place) => *place = vector,
        None if index == count => T::store_part(simd, rest, vector),
        None => {}
    }
}
