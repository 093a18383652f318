use rand::rngs::ChaCha8Rng;

use super::blur::box_blur;
use super::relief::{EDGE, PER_PIXEL, Relief, Sample};
use super::scene::Scene;
use crate::drawing::space::{Vector, add, dot, mix, scale, smooth_step};
use crate::drawing::{PIXELS, develop};

/// What one sample contributes to its pixel.
const SHARE: f32 = 1.0 / (PER_PIXEL * PER_PIXEL) as f32;

/// The photograph of a surface, shape `[64, 64, 3]`, row-major.
pub fn photograph(relief: &Relief, scene: &Scene, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let stage = Stage::new(relief, scene);
    let pixels = (0..PIXELS * PIXELS).map(|i| stage.pixel(i / PIXELS, i % PIXELS));
    develop(&pixels.collect::<Vec<_>>(), rng)
}

/// A surface under the light of a scene.
struct Stage<'a> {
    relief: &'a Relief,
    scene: &'a Scene,
    /// Mean height around every pixel, shape `[PIXELS * PIXELS]`.
    surroundings: Vec<f32>,
    /// Share of the hand's shadow before it is moved, shape `[PIXELS * PIXELS]`.
    shadow: Vec<f32>,
}

impl<'a> Stage<'a> {
    fn new(relief: &'a Relief, scene: &'a Scene) -> Self {
        let surroundings = box_blur(&pixel_means(relief, |sample| sample.height), PIXELS, 2);
        let cover = pixel_means(relief, |sample| f32::from(sample.is_skin()));
        let radius = scene.shadow.softness;
        let shadow = box_blur(&box_blur(&cover, PIXELS, radius), PIXELS, radius);
        Self { relief, scene, surroundings, shadow }
    }

    fn pixel(&self, row: usize, column: usize) -> Vector {
        let around = self.surroundings[row * PIXELS + column];
        let mut sum = [0.0; 3];
        for index in quarters(row, column) {
            let sample = &self.relief.samples[index];
            let colour = if sample.is_skin() {
                self.skin(index, sample, around)
            } else {
                self.wall(row, column)
            };
            sum = add(sum, colour);
        }
        let mean = scale(sum, SHARE);
        std::array::from_fn(|channel| mean[channel] * self.scene.tint[channel])
    }

    fn wall(&self, row: usize, column: usize) -> Vector {
        let [across, down] = [column, row].map(|place| place as f32 / PIXELS as f32 - 0.5);
        let [dx, dy] = self.scene.shadow.offset;
        let shadow = self.shadow[within(row, -dy, PIXELS) * PIXELS + within(column, -dx, PIXELS)];
        let gradient = 1.0 + self.scene.falloff[0] * across + self.scene.falloff[1] * down;
        let light = gradient * (1.0 - self.scene.shadow.strength * shadow);
        scale(self.scene.wall, light)
    }

    fn skin(&self, index: usize, sample: &Sample, around: f32) -> Vector {
        let Scene { light, ambient, .. } = *self.scene;
        let hollow = (around - sample.height).max(0.0);
        let open = 1.0 / (1.0 + 0.5 * hollow);
        let shadow = 0.7 * self.self_shadow(index, sample);
        let direct = dot(sample.normal, light).max(0.0) * (1.0 - shadow);
        let facing = 0.6 + 0.4 * sample.normal[2];
        let shade = open * (ambient * facing + (1.1 - ambient) * direct);
        scale(mix(self.scene.skin, self.scene.red_skin, sample.flush), shade)
    }

    /// How much of the direct light other parts of the hand keep from a sample.
    fn self_shadow(&self, index: usize, sample: &Sample) -> f32 {
        let [x, y, z] = self.scene.light;
        let mut blocked: f32 = 0.0;
        for distance in [1.5, 4.0] {
            let step = distance * PER_PIXEL as f32;
            let column = within(index % EDGE, step * x, EDGE);
            let row = within(index / EDGE, step * y, EDGE);
            let rise = self.relief.samples[row * EDGE + column].height - sample.height;
            blocked = blocked.max(smooth_step(0.0, 1.5, rise - distance * z));
        }
        blocked
    }
}

/// The place `shift` beside another, kept inside `0..edge`.
fn within(place: usize, shift: f32, edge: usize) -> usize {
    ((place as f32 + shift) as usize).min(edge - 1)
}

/// The mean of a sample's value over every pixel, shape `[PIXELS * PIXELS]`.
fn pixel_means(relief: &Relief, value: impl Fn(&Sample) -> f32) -> Vec<f32> {
    let mean = |pixel: usize| {
        let values = quarters(pixel / PIXELS, pixel % PIXELS).map(|i| value(&relief.samples[i]));
        SHARE * values.into_iter().sum::<f32>()
    };
    (0..PIXELS * PIXELS).map(mean).collect()
}

/// The samples of one pixel.
fn quarters(row: usize, column: usize) -> [usize; PER_PIXEL * PER_PIXEL] {
    std::array::from_fn(|i| {
        (row * PER_PIXEL + i / PER_PIXEL) * EDGE + column * PER_PIXEL + i % PER_PIXEL
    })
}
