use std::array::from_fn;

use rayon::prelude::*;

use super::thumbnail::{Thumbnail, dot};

/// Number of values of a descriptor.
const DESCRIPTOR: usize = 64;
/// Number of iterations of the eigenvectors, which need not be exact.
const ITERATIONS: usize = 6;
/// Length below which a direction is rounding error of those before it.
const MIN_LENGTH: f32 = 1e-3;

/// What the images of a data set have in common: their mean, and the directions in which they differ
/// most (the first principal components).
#[derive(Debug, Clone)]
pub struct CommonStructure {
    mean: Thumbnail,
    /// Orthonormal, by about decreasing variance; at most a quarter of the images.
    directions: Vec<Thumbnail>,
}

/// Coordinates of a thumbnail in the common structure, and the length of the rest in the last place. The
/// distance of two descriptors is a lower bound of that of the thumbnails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Descriptor(pub [f32; DESCRIPTOR]);

impl CommonStructure {
    /// The common structure of `thumbnails`.
    pub fn fit(thumbnails: &[Thumbnail]) -> Self {
        let mut mean = vec![0.0; thumbnails.first().map_or(0, Vec::len)];
        for thumbnail in thumbnails {
            add(&mut mean, 1.0 / thumbnails.len() as f32, thumbnail);
        }
        let centred: Vec<Thumbnail> =
            thumbnails.iter().map(|thumbnail| difference(thumbnail, &mean)).collect();
        let combine = |weights: &Vec<f32>| {
            let mut direction = vec![0.0; mean.len()];
            weights
                .iter()
                .zip(&centred)
                .for_each(|(&weight, row)| add(&mut direction, weight, row));
            direction
        };
        let combinations = principal_combinations(&centred);
        let directions = combinations.par_iter().map(combine).collect();
        Self { mean, directions: orthonormal(directions) }
    }

    /// Descriptor of a thumbnail.
    pub fn descriptor(&self, thumbnail: &[f32]) -> Descriptor {
        let centred = difference(thumbnail, &self.mean);
        let coordinate = |index| {
            self.directions.get(index).map_or(0.0, |direction: &Thumbnail| dot(&centred, direction))
        };
        let mut values: [f32; DESCRIPTOR] = from_fn(coordinate);
        let rest = dot(&centred, &centred) - dot(&values, &values);
        if let Some(last) = values.last_mut() {
            *last = rest.max(0.0).sqrt();
        }
        Descriptor(values)
    }
}

impl Descriptor {
    /// Correlation of two images after the common structure is removed, -1 to 1; 1 if nothing is left.
    /// `squared_distance` is that of their thumbnails.
    pub fn agreement(&self, other: &Self, squared_distance: f32) -> f32 {
        let ([coordinates @ .., rest], [other_coordinates @ .., other_rest]) = (&self.0, &other.0);
        let pairs = coordinates.iter().zip(other_coordinates);
        let explained: f32 = pairs.map(|(one, other)| (one - other).powi(2)).sum();
        let squares = rest.powi(2) + other_rest.powi(2);
        let product = rest * other_rest;
        if product < 1e-6 {
            return 1.0;
        }
        (explained + squares - squared_distance) / (2.0 * product)
    }
}

/// Weights of `rows` whose sums are about their first principal components, by orthogonal iteration.
fn principal_combinations(rows: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let products: Vec<Vec<f32>> =
        rows.par_iter().map(|one| rows.iter().map(|other| dot(one, other)).collect()).collect();
    let count = (rows.len() / 4).min(DESCRIPTOR - 1);
    // Any start that is not orthogonal to them will do: evenly spaced rows.
    let starts = (0..count).filter_map(|index| products.get(index * rows.len() / count));
    let mut vectors = orthonormal(starts.cloned().collect());
    for _ in 0..ITERATIONS {
        let multiplied = vectors
            .par_iter()
            .map(|vector| products.iter().map(|row| dot(row, vector)).collect())
            .collect();
        vectors = orthonormal(multiplied);
    }
    vectors
}

/// Makes `vectors` orthonormal, in their order (Gram and Schmidt); dependent ones are left out.
fn orthonormal(vectors: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    let mut basis: Vec<Vec<f32>> = Vec::with_capacity(vectors.len());
    for mut vector in vectors {
        let before = dot(&vector, &vector).sqrt();
        // Twice, against cancellation.
        for _ in 0..2 {
            for known in &basis {
                let product = dot(&vector, known);
                add(&mut vector, -product, known);
            }
        }
        let length = dot(&vector, &vector).sqrt();
        if length > MIN_LENGTH * before {
            vector.iter_mut().for_each(|value| *value /= length);
            basis.push(vector);
        }
    }
    basis
}

fn difference(one: &[f32], other: &[f32]) -> Vec<f32> {
    one.iter().zip(other).map(|(one, other)| one - other).collect()
}

/// Adds `factor * row` to `sum`.
fn add(sum: &mut [f32], factor: f32, row: &[f32]) {
    sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += factor * value);
}
