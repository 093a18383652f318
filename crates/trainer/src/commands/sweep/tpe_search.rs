//! Tree-structured Parzen Estimator (Bergstra et al. 2011, "Algorithms for Hyper-Parameter
//! Optimization"), with the defaults of Optuna's `TPESampler` except that all trials have equal weight.
//!
//! Per key, `l` is the density of its values in the best trials and `g` that in all others. Of several
//! values sampled from `l`, the one with the largest `l / g` is suggested.

use std::collections::HashSet;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::density::Density;
use super::sampling::{Distribution, MAX_SETTINGS, Setting, Space, sample};

/// Settings near those with the best results, and away from the others (Bergstra et al. 2011, with the
/// defaults of Optuna): `[tpe]`. No setting is trained twice.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TpeSearch {
    /// Number of settings.
    #[schemars(range(min = 1, max = MAX_SETTINGS))]
    pub trials: usize,
    /// Seed of the search.
    #[serde(default)]
    seed: u64,
    /// Number of random settings at the beginning.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = MAX_SETTINGS))]
    startup: usize,
    /// Number of settings that are suggested at once, from the results of all before them, whatever the
    /// number of parallel runs.
    #[serde(default = "four")]
    #[schemars(range(min = 1, max = MAX_SETTINGS))]
    batch: usize,
    /// Distribution of each key.
    pub keys: Space,
}

/// The best trials are one in this many, and at most this many.
const BEST: (usize, usize) = (10, 25);

/// Number of sampled values, of which one is suggested.
const CANDIDATES: usize = 24;

/// Random settings to try after one that was already trained.
const ATTEMPTS: usize = 100;

fn ten() -> usize {
    10
}

fn four() -> usize {
    4
}

impl TpeSearch {
    /// The random settings at the beginning.
    pub fn startup(&self) -> Vec<Setting> {
        self.new_settings(&[], self.startup, |rng| sample(&self.keys, rng))
    }

    /// The next settings after `ranked`, the results of all trials so far, best first. They are a
    /// function of the seed and these results. Empty at the end, also if all settings were trained.
    pub fn suggest(&self, ranked: &[&Setting]) -> Vec<Setting> {
        self.new_settings(ranked, self.batch, |rng| {
            let keys = self.keys.iter();
            keys.map(|(key, values)| (key.clone(), values.suggest(key, ranked, rng))).collect()
        })
    }

    /// Up to `count` new settings by `propose`, each with a random stream of its own. Settings that
    /// were trained are replaced by random ones.
    fn new_settings(
        &self,
        trained: &[&Setting],
        count: usize,
        propose: impl Fn(&mut ChaCha8Rng) -> Setting,
    ) -> Vec<Setting> {
        let mut known: HashSet<Setting> =
            trained.iter().map(|setting| (*setting).clone()).collect();
        let numbers = (trained.len()..self.trials).take(count);
        let settings = numbers.map_while(|number| {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(number as u64);
            let first = propose(&mut rng);
            let others = (0..ATTEMPTS).map(|_| sample(&self.keys, &mut rng));
            std::iter::once(first).chain(others).find(|setting| known.insert(setting.clone()))
        });
        settings.collect()
    }
}

impl Distribution {
    /// A value that is likelier among the first of the `ranked` settings than among the others.
    fn suggest(&self, key: &str, ranked: &[&Setting], rng: &mut ChaCha8Rng) -> String {
        let (one_in, most) = BEST;
        let (best, others) = ranked.split_at(ranked.len().div_ceil(one_in).min(most));
        let (best, others) = (self.density(key, best), self.density(key, others));
        let candidates = (0..CANDIDATES).map(|_| best.sample(rng));
        let ratio = |position: &f64| best.at(*position) / others.at(*position);
        let chosen = candidates.max_by(|one, other| ratio(one).total_cmp(&ratio(other)));
        self.value(chosen.unwrap_or_default())
    }

    /// The density of the values in `settings`.
    fn density(&self, key: &str, settings: &[&Setting]) -> Density {
        let values = settings.iter().filter_map(|setting| {
            let (_, value) = setting.iter().find(|(other, _)| other == key)?;
            self.position(value)
        });
        let values: Vec<f64> = values.collect();
        match self {
            Self::Choice(choices) => Density::of_choices(choices.len(), &values),
            Self::Uniform(range) => Density::of_numbers(*range, &values),
            Self::LogUniform(range) => Density::of_numbers(range.map(f64::ln), &values),
            // Each integer is the middle of an interval.
            Self::Integer([low, high]) => {
                Density::of_numbers([*low as f64 - 0.5, *high as f64 + 0.5], &values)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str = "rate = { log_uniform = [1e-5, 1.0] }\nlayers = { integer = [1, 12] }\n\
                        model = { choice = [\"mlp\", \"cnn\"] }\ndropout = { uniform = [0.0, 0.5] }\n";

    fn search(seed: u64, startup: usize) -> TpeSearch {
        toml::from_str(&format!(
            "trials = 40\nseed = {seed}\nstartup = {startup}\nbatch = 4\n[keys]\n{KEYS}"
        ))
        .unwrap()
    }

    /// The loss of a setting, at least 0.
    fn loss(setting: &Setting) -> f64 {
        let value = |key: &str| &setting.iter().find(|(other, _)| other == key).unwrap().1;
        let number = |key: &str| value(key).parse::<f64>().unwrap();
        let rate = (number("rate").log10() + 2.5).powi(2);
        let layers = ((number("layers") - 9.0) / 4.0).powi(2);
        let model = if value("model") == "\"cnn\"" { 0.0 } else { 1.0 };
        rate + layers + model + (number("dropout") - 0.2).abs()
    }

    /// All settings of a search.
    fn run(search: &TpeSearch) -> Vec<Setting> {
        let mut settings = search.startup();
        loop {
            let mut ranked: Vec<_> = settings.iter().collect();
            ranked.sort_by(|one, other| loss(one).total_cmp(&loss(other)));
            let next = search.suggest(&ranked);
            if next.is_empty() {
                return settings;
            }
            settings.extend(next);
        }
    }

    fn lowest(settings: &[Setting]) -> f64 {
        settings.iter().map(loss).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn it_finds_a_lower_loss_than_random_search_in_the_median_over_seeds() {
        let median = |startup: usize| {
            let losses = (0..21).map(|seed| lowest(&run(&search(seed, startup))));
            let mut losses: Vec<_> = losses.collect();
            losses.sort_by(f64::total_cmp);
            losses[10]
        };
        let (tpe, random) = (median(10), median(40));
        assert!(tpe < 0.6 * random, "{tpe} {random}");
    }

    #[test]
    fn settings_are_a_function_of_the_seed_and_lie_in_their_ranges() {
        let settings = run(&search(1, 10));
        assert_eq!(settings.len(), 40);
        assert_eq!(settings, run(&search(1, 10)));
        assert_ne!(settings, run(&search(2, 10)));
        for setting in settings {
            let [dropout, layers, _, rate] =
                [0, 1, 2, 3].map(|key| setting[key].1.parse::<f64>().unwrap_or(0.0));
            assert!((0.0..=0.5).contains(&dropout) && (1.0..=12.0).contains(&layers));
            assert!((1e-5..=1.0).contains(&rate) && layers.fract() == 0.0, "{setting:?}");
        }
    }

    #[test]
    fn no_setting_is_suggested_twice_and_the_search_ends_with_the_last_one() {
        let text = "trials = 40\nstartup = 2\n[keys]\nmodel = { choice = [\"mlp\", \"cnn\"] }\n\
                    rate = { choice = [1, 2, 3] }\n";
        let search: TpeSearch = toml::from_str(text).unwrap();
        let mut settings = search.startup();
        for _ in 0..10 {
            let next = search.suggest(&settings.iter().collect::<Vec<_>>());
            settings.extend(next);
        }
        let distinct: HashSet<_> = settings.iter().collect();
        assert_eq!((settings.len(), distinct.len()), (6, 6));
    }
}
