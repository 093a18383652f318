use rand::rngs::ChaCha8Rng;

use super::relief::{PER_PIXEL, Relief, Sample};
use super::scene::Scene;
use crate::rendering::{Grid, PIXELS, expose};
use crate::vector::{Vector, add, dot, mix, product, scale, smooth_step};

/// Weight of one sample in its pixel.
const SAMPLE_WEIGHT: f32 = 1.0 / (PER_PIXEL * PER_PIXEL) as f32;

/// Renders a surface, shape `[64, 64, 3]`, row-major.
pub fn render(relief: &Relief, scene: &Scene, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let renderer = Renderer::new(relief, scene);
    expose(&Grid::from_fn(|row, column| renderer.pixel(row, column)), rng)
}

/// Surface under the light of a scene.
struct Renderer<'a> {
    relief: &'a Relief,
    scene: &'a Scene,
    /// Mean height around each pixel.
    surroundings: Grid<f32, PIXELS>,
    /// Shadow of the hand before its offset, 0 to 1.
    shadow: Grid<f32, PIXELS>,
}

impl<'a> Renderer<'a> {
    fn new(relief: &'a Relief, scene: &'a Scene) -> Self {
        let surroundings = box_blur(&pixel_means(relief, |sample| sample.height), 2);
        let cover = pixel_means(relief, |sample| f32::from(sample.is_skin()));
        let radius = scene.shadow_softness;
        let shadow = box_blur(&box_blur(&cover, radius), radius);
        Self { relief, scene, surroundings, shadow }
    }

    fn pixel(&self, row: usize, column: usize) -> Vector {
        let around = *self.surroundings.at(row, column);
        let mut sum = [0.0; 3];
        for position in samples_of(row, column) {
            let sample = self.relief.at(position[0], position[1]);
            let colour = if sample.is_skin() {
                self.skin(position, sample, around)
            } else {
                self.wall(row, column)
            };
            sum = add(sum, colour);
        }
        product(scale(sum, SAMPLE_WEIGHT), self.scene.tint)
    }

    fn wall(&self, row: usize, column: usize) -> Vector {
        let [across, down] = [column, row].map(|position| position as f32 / PIXELS as f32 - 0.5);
        let [dx, dy] = self.scene.shadow_offset;
        let shadow = self.shadow.at(shifted(row, -dy), shifted(column, -dx));
        let gradient = 1.0 + self.scene.falloff[0] * across + self.scene.falloff[1] * down;
        let light = gradient * (1.0 - self.scene.shadow_strength * shadow);
        scale(self.scene.wall, light)
    }

    fn skin(&self, position: [usize; 2], sample: &Sample, around: f32) -> Vector {
        let Scene { light, ambient, .. } = *self.scene;
        let hollow = (around - sample.height).max(0.0);
        let open = 1.0 / (1.0 + 0.5 * hollow);
        let shadow = 0.7 * self.self_shadow(position, sample);
        let direct = dot(sample.normal, light).max(0.0) * (1.0 - shadow);
        let facing = 0.6 + 0.4 * sample.normal[2];
        let shade = open * (ambient * facing + (1.1 - ambient) * direct);
        scale(mix(self.scene.skin, self.scene.red_skin, sample.flush), shade)
    }

    /// Share of the direct light that other parts of the hand block, 0 to 1.
    fn self_shadow(&self, [row, column]: [usize; 2], sample: &Sample) -> f32 {
        let [x, y, z] = self.scene.light;
        let mut blocked: f32 = 0.0;
        for distance in [1.5, 4.0] {
            let step = distance * PER_PIXEL as f32;
            let other = self.relief.at(shifted(row, step * y), shifted(column, step * x));
            let rise = other.height - sample.height;
            blocked = blocked.max(smooth_step(0.0, 1.5, rise - distance * z));
        }
        blocked
    }
}

/// Adds `shift` to a position and clamps the result at 0.
fn shifted(position: usize, shift: f32) -> usize {
    (position as f32 + shift) as usize
}

/// Averages a value of the samples over each pixel.
fn pixel_means(relief: &Relief, value: impl Fn(&Sample) -> f32) -> Grid<f32, PIXELS> {
    Grid::from_fn(|row, column| {
        let samples = samples_of(row, column).into_iter();
        SAMPLE_WEIGHT * samples.map(|[row, column]| value(relief.at(row, column))).sum::<f32>()
    })
}

/// Returns row and column of the samples of one pixel.
fn samples_of(row: usize, column: usize) -> [[usize; 2]; PER_PIXEL * PER_PIXEL] {
    std::array::from_fn(|i| [row * PER_PIXEL + i / PER_PIXEL, column * PER_PIXEL + i % PER_PIXEL])
}

/// Averages over squares of `2 * radius + 1` values a side; values at the border extend beyond it.
fn box_blur(values: &Grid<f32, PIXELS>, radius: usize) -> Grid<f32, PIXELS> {
    let transposed = |grid: Grid<f32, PIXELS>| Grid::from_fn(|row, column| *grid.at(column, row));
    transposed(blur_rows(&transposed(blur_rows(values, radius)), radius))
}

fn blur_rows(values: &Grid<f32, PIXELS>, radius: usize) -> Grid<f32, PIXELS> {
    let mut sum = 0.0;
    Grid::from_fn(|row, column| {
        let at = |column: usize| *values.at(row, column.saturating_sub(radius));
        // `at(i)` is the value at `i - radius`: the window over column 0 holds `at(0)..=at(2 * radius)`.
        if column == 0 {
            sum = (0..=2 * radius).map(at).sum();
        }
        let mean = sum * (1.0 / (2 * radius + 1) as f32);
        sum += at(column + 2 * radius + 1) - at(column);
        mean
    })
}
