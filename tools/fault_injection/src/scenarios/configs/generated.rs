//! Random configs: recombined pieces of real ones, and TOML generated from its grammar. Each is a
//! function of a seed.

use rand::rngs::ChaCha8Rng;
use rand::seq::{IndexedRandom, IteratorRandom};
use rand::{RngExt, SeedableRng};

/// Ingredients of random configs.
pub struct Material {
    pub texts: Vec<String>,
    /// Dotted keys of all of them.
    pub keys: Vec<String>,
    /// Values in TOML, of all kinds.
    pub values: Vec<String>,
    pub bases: Vec<String>,
}

/// A random config with overrides.
pub struct Generated {
    pub text: Vec<u8>,
    /// `key=value` overrides.
    pub overrides: Vec<String>,
}

/// Tokens of the grammar.
const TOKENS: &str = r#"[ ] [[ ]] { } = , . # " ' """ ''' \ \u0000 \UFFFFFFFF 0x 0b2 1__0 + - 1e 1e999
    99999999999999999999999999 nan inf true 1979-05-27T07:32:00Z 25:61:61 0000-00-00 extends
    optimizer a.b.c "" [a.b] [[a.b]] {a={b=1}}"#;

/// Difficult characters.
const CHARACTERS: &[&str] =
    &["\n", "\r\n", "\r", "\t", "\0", "\u{feff}", "\u{1b}", "\u{202e}", "\u{2603}", "e\u{301}"];

impl Material {
    /// Generates the config of `seed`.
    pub fn generate(&self, seed: u64) -> Generated {
        let mut generator = Generator { random: ChaCha8Rng::seed_from_u64(seed), material: self };
        let mut overrides = Vec::new();
        let text = match generator.random.random_range(0..6) {
            0 => generator.splice().into_bytes(),
            1 => generator.bytes(),
            2 => generator.document().into_bytes(),
            3 => generator.extending().into_bytes(),
            4 => {
                overrides.extend((0..generator.times(4)).map(|_| generator.assignment()));
                generator.text().as_bytes().to_vec()
            }
            _ => generator.tokens().into_bytes(),
        };
        Generated { text, overrides }
    }
}

struct Generator<'a> {
    random: ChaCha8Rng,
    material: &'a Material,
}

impl<'a> Generator<'a> {
    fn pick(&mut self, from: &'a [String]) -> &'a str {
        from.choose(&mut self.random).map_or("", String::as_str)
    }

    fn text(&mut self) -> &'a str {
        self.pick(&self.material.texts)
    }

    fn token(&mut self) -> &'static str {
        let tokens = TOKENS.split_whitespace().chain(CHARACTERS.iter().copied());
        tokens.choose(&mut self.random).unwrap_or_default()
    }

    fn times(&mut self, most: usize) -> usize {
        self.random.random_range(1..=most)
    }

    /// Lines of one config among those of another; some are removed or repeated.
    fn splice(&mut self) -> String {
        let mut lines: Vec<&str> = self.text().lines().collect();
        let other: Vec<&str> = self.text().lines().collect();
        for _ in 0..self.times(6) {
            let at = self.random.random_range(0..=lines.len());
            match self.random.random_range(0..3) {
                0 if at < lines.len() => drop(lines.remove(at)),
                1 => lines.extend(lines.clone().choose(&mut self.random)),
                _ => lines.splice(at..at, other.choose(&mut self.random).copied()).for_each(drop),
            }
        }
        lines.join(["\n", "\r\n"].choose(&mut self.random).unwrap_or(&"\n"))
    }

    /// A config with some bytes changed, inserted or truncated.
    fn bytes(&mut self) -> Vec<u8> {
        let mut bytes = self.text().as_bytes().to_vec();
        for _ in 0..self.times(4) {
            let at = self.random.random_range(0..=bytes.len());
            let byte = self.random.random();
            match (self.random.random_range(0..8), bytes.get_mut(at)) {
                (0, _) => bytes.truncate(at),
                (1..4, Some(here)) => *here = byte,
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    }

    /// A config with tokens inserted.
    fn tokens(&mut self) -> String {
        let mut text = self.text().to_owned();
        for _ in 0..self.times(4) {
            let at = self.random.random_range(0..=text.len());
            text.insert_str(text.ceil_char_boundary(at), self.token());
        }
        text
    }

    /// A config that extends one of the files.
    fn extending(&mut self) -> String {
        let base = self.pick(&self.material.bases);
        let rest = if self.random.random() { self.document() } else { self.text().to_owned() };
        format!("extends = {base:?}\n{rest}")
    }

    fn assignment(&mut self) -> String {
        let key = match self.random.random_range(0..8) {
            0 => self.token().to_owned(),
            1 => format!("a{}", ".a".repeat(self.times(200))),
            _ => self.pick(&self.material.keys).to_owned(),
        };
        format!("{key}={}", self.value(3))
    }

    /// TOML from its grammar, with keys and values of configs and others.
    fn document(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.times(30) {
            let key = self.pick(&self.material.keys);
            let name = key.rsplit('.').next().unwrap_or(key);
            text += &match self.random.random_range(0..10) {
                0 => format!("[{key}]"),
                1 => format!("[[{key}]] # {key}"),
                2 => format!("{key:?} = {}", self.value(4)),
                3 => name.to_owned(),
                4 => format!("{name} = {}", self.value(4)),
                _ => format!("{key} = {}", self.value(4)),
            };
            text += if self.random.random() { "\n" } else { "\r\n" };
        }
        text
    }

    fn value(&mut self, depth: usize) -> String {
        match self.random.random_range(0..12) {
            0 => self.random.random::<i64>().to_string(),
            1 => format!("{:e}", f64::from_bits(self.random.random())).replace("NaN", "nan"),
            2 => format!("{:?}", "\u{e9}\u{1d11e} ".repeat(self.times(300))),
            3 => format!("'''\n{}'''", "long\n".repeat(self.times(100))),
            4 => format!("0x{:X}", self.random.random::<u64>()),
            5 if depth > 0 => format!("[{}, {}]", self.value(depth - 1), self.value(depth - 1)),
            6 if depth > 0 => {
                let key = self.pick(&self.material.keys);
                format!("{{ {key} = {} }}", self.value(depth - 1))
            }
            7 => {
                let depth = self.times(200);
                format!("{}{}", "[".repeat(depth), "]".repeat(depth))
            }
            _ => self.pick(&self.material.values).to_owned(),
        }
    }
}
