use rand::{RngExt, rngs::ChaCha8Rng};

use crate::vector::{Vector, mix, unit};

/// Colours and light of one image. Colours are red, green and blue in 0..=255.
pub struct Scene {
    /// Palest skin of the hand.
    pub skin: Vector,
    /// Skin of the fingertips.
    pub red_skin: Vector,
    /// Colour at the centre of the wall.
    pub wall: Vector,
    /// Relative change of the wall's brightness from one edge to the other, across and down.
    pub falloff: [f32; 2],
    /// Unit vector towards the light, y down.
    pub light: Vector,
    /// Share of ambient light.
    pub ambient: f32,
    /// Offset of the hand's shadow on the wall in pixels, across and down.
    pub shadow_offset: [f32; 2],
    /// Blur radius of the shadow in pixels.
    pub shadow_softness: usize,
    /// Share of the light blocked in the core of the shadow.
    pub shadow_strength: f32,
    /// White balance and exposure.
    pub tint: Vector,
}

impl Scene {
    /// Samples a skin and a plain wall that contrasts with it.
    pub fn random(rng: &mut ChaCha8Rng) -> Self {
        let skin = skin(rng.random_range(0.0..1.0));
        let [x, y] = [rng.random_range(-0.7..0.7), rng.random_range(-0.7..0.0)];
        Self {
            skin,
            red_skin: redder(skin, rng),
            wall: wall(skin, rng),
            falloff: [0; 2].map(|_| rng.random_range(-0.14..0.14)),
            light: unit([x, y, 0.8]),
            ambient: rng.random_range(0.45..0.65),
            shadow_offset: {
                let distance = rng.random_range(4.0..13.0);
                [-distance * x, -distance * y]
            },
            shadow_softness: rng.random_range(2..5),
            shadow_strength: rng.random_range(0.1..0.45),
            tint: tint(rng),
        }
    }
}

/// Skin of the palm under white light, from light to dark.
const SKINS: [Vector; 5] = [
    [240.0, 200.0, 178.0],
    [226.0, 176.0, 146.0],
    [200.0, 145.0, 112.0],
    [160.0, 108.0, 80.0],
    [116.0, 77.0, 58.0],
];

/// `tone` runs from 0, the lightest, to 1.
fn skin(tone: f32) -> Vector {
    let position = tone * (SKINS.len() - 1) as f32;
    let between = SKINS.array_windows().zip(0_u8..);
    between.fold(SKINS[0], |skin, (&[light, dark], start)| {
        let share = position - f32::from(start);
        if share < 0.0 { skin } else { mix(light, dark, share) }
    })
}

fn redder(skin: Vector, rng: &mut ChaCha8Rng) -> Vector {
    let [green, blue] = [rng.random_range(0.76..0.88), rng.random_range(0.76..0.86)];
    [0.99 * skin[0], green * skin[1], blue * skin[2]]
}

/// Samples a wall of any hue, equally often darker and brighter than the hand: neither brightness
/// nor colour alone separates the two.
fn wall(skin: Vector, rng: &mut ChaCha8Rng) -> Vector {
    let darker = rng.random_bool(0.5);
    let contrast = rng.random_range(if darker { DARK_WALL } else { BRIGHT_WALL });
    let grey = [skin.iter().sum::<f32>() / 3.0; 3];
    mix(skin, grey, 0.3)
        .map(|value| (contrast * value * rng.random_range(0.82..1.22)).clamp(18.0, 226.0))
}

/// Brightness relative to the skin, which shading dims to about 0.7.
const DARK_WALL: std::ops::Range<f32> = 0.2..0.4;
const BRIGHT_WALL: std::ops::Range<f32> = 1.08..1.58;

fn tint(rng: &mut ChaCha8Rng) -> Vector {
    let exposure = rng.random_range(0.84..1.02);
    let warmth = rng.random_range(-0.05..0.08);
    [exposure * (1.0 + 0.5 * warmth), exposure, exposure * (1.0 - warmth)]
}
