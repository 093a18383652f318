//! Compares explicit loops with tensor operations, like the first course does in Python.
//!
//!     cargo bench -p trainer-training --features flex,ndarray --bench vectorization
//!
//! Prints the medians of alternating runs. The loops are compiled, so the gain comes from vector
//! instructions and threads, not from leaving an interpreter. Each loop is also timed with
//! `black_box` around every element, which prevents vectorization.

#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a program")]
#![allow(clippy::indexing_slicing, reason = "a benchmark that panics has failed")]

mod common;

use std::hint::black_box;
use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData, activation};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use common::median;

const ROUNDS: usize = 21;

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("medians of {ROUNDS} alternating runs, f32, {threads} threads for the tensors\n");
    println!("{:44} {:>10} {:>10} {:>8}", "", "loop ms", "tensor ms", "ratio");
    dot_product(1_000_000);
    for (examples, features) in [(1_000, 20), (10_000, 20), (209, 12_288)] {
        Regression::random(examples, features).compare();
    }
}

/// Median time of each of `candidates` in milliseconds, over `rounds` alternating runs after one
/// for warm-up.
fn medians<const N: usize>(rounds: usize, candidates: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut times = [const { Vec::new() }; N];
    let mut candidates = candidates;
    for round in 0..=rounds {
        for (candidate, times) in candidates.iter_mut().zip(&mut times) {
            let start = Instant::now();
            candidate();
            if round > 0 {
                times.push(1e3 * start.elapsed().as_secs_f64());
            }
        }
    }
    times.map(median)
}

fn row(name: &str, [looped, tensor]: [f64; 2]) {
    println!("{name:44} {looped:10.3} {tensor:10.3} {:8.2}", looped / tensor);
}

/// Prevents the compiler from removing the computation of `result`.
fn keep<T>(result: T) {
    black_box(result);
}

/// Uniform random numbers in `-1..1`.
fn random(count: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn tensor<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

fn assert_close(one: &[f32], other: &[f32], tolerance: f32) {
    assert_eq!(one.len(), other.len());
    let is_close = one.iter().zip(other).all(|(one, other)| (one - other).abs() <= tolerance);
    assert!(is_close, "loop and tensor disagree");
}

fn dot_product(count: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (a, b) = (random(count, &mut rng), random(count, &mut rng));
    let (x, y) = (tensor(&a, [count]), tensor(&b, [count]));
    let tensor_dot = || x.clone().dot(y.clone()).into_scalar::<f32>();
    assert_close(&[dot_loop(&a, &b)], &[tensor_dot()], 0.5);
    let [plain, opaque, fast] = medians(
        ROUNDS,
        [
            &mut || keep(dot_loop(black_box(&a), black_box(&b))),
            &mut || keep(dot_opaque(&a, &b)),
            &mut || keep(tensor_dot()),
        ],
    );
    row(&format!("dot product of {count}, loop"), [plain, fast]);
    row("  loop, each element through black_box", [opaque, fast]);
}

/// The loop of the course.
#[allow(clippy::needless_range_loop, reason = "the loop of the course")]
fn dot_loop(a: &[f32], b: &[f32]) -> f32 {
    let mut dot = 0.0;
    for i in 0..a.len() {
        dot += a[i] * b[i];
    }
    dot
}

#[allow(clippy::needless_range_loop, reason = "the loop of the course")]
fn dot_opaque(a: &[f32], b: &[f32]) -> f32 {
    let mut dot = 0.0;
    for i in 0..a.len() {
        dot += black_box(a[i]) * black_box(b[i]);
    }
    dot
}

/// Examples and weights of a logistic regression.
struct Regression {
    /// `[examples, features]`, row-major.
    x: Vec<f32>,
    y: Vec<f32>,
    w: Vec<f32>,
    b: f32,
}

/// A [`Regression`] as tensors: `[examples, features]`, `[examples, 1]`, `[features, 1]`, `[1, 1]`.
struct Tensors {
    x: Tensor<2>,
    y: Tensor<2>,
    w: Tensor<2>,
    b: Tensor<2>,
}

impl Regression {
    fn random(examples: usize, features: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        Self {
            x: random(examples * features, &mut rng),
            y: (0..examples).map(|_| f32::from(u8::from(rng.random_bool(0.5)))).collect(),
            w: random(features, &mut rng),
            b: 0.1,
        }
    }

    fn compare(&self) {
        let (m, n) = (self.y.len(), self.w.len());
        let tensors = self.tensors();
        assert_close(&self.gradient(|value| value), &tensors.gradient(), 1e-4);
        let [plain, opaque, fast] = medians(
            ROUNDS,
            [
                &mut || keep(black_box(self).gradient(|value| value)),
                &mut || keep(self.gradient(black_box)),
                &mut || keep(tensors.gradient()),
            ],
        );
        row(&format!("gradient, m = {m}, n = {n}, loops"), [plain, fast]);
        row("  loops, each element through black_box", [opaque, fast]);
    }

    /// Gradients of weights and bias, by loops over examples and features that `read` every
    /// element.
    #[allow(clippy::needless_range_loop, reason = "the loop of the course")]
    #[inline(never)]
    fn gradient(&self, read: impl Fn(f32) -> f32) -> Vec<f32> {
        let (m, n) = (self.y.len(), self.w.len());
        let mut gradient = vec![0.0; n + 1];
        for i in 0..m {
            let mut z = self.b;
            for j in 0..n {
                z += self.w[j] * read(self.x[i * n + j]);
            }
            let dz = 1.0 / (1.0 + (-z).exp()) - self.y[i];
            for j in 0..n {
                gradient[j] += read(self.x[i * n + j]) * dz;
            }
            gradient[n] += dz;
        }
        gradient.iter().map(|sum| sum / m as f32).collect()
    }

    fn tensors(&self) -> Tensors {
        let (m, n) = (self.y.len(), self.w.len());
        Tensors {
            x: tensor(&self.x, [m, n]),
            y: tensor(&self.y, [m, 1]),
            w: tensor(&self.w, [n, 1]),
            b: tensor(&[self.b], [1, 1]),
        }
    }
}

impl Tensors {
    /// Gradients of weights and bias, without loops.
    fn gradient(&self) -> Vec<f32> {
        let [m, _] = self.x.dims();
        let a = activation::sigmoid(self.x.clone().matmul(self.w.clone()) + self.b.clone());
        let dz = (a - self.y.clone()) / m as f32;
        let dw = self.x.clone().transpose().matmul(dz.clone());
        let gradient = Tensor::cat(vec![dw, dz.sum().unsqueeze()], 0);
        gradient.into_data().iter::<f32>().collect()
    }
}
