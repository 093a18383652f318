use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::{Check, ConfigError, Document, Problem, Rules};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Value;
use training::{RunConfig, schema_of};

use super::sampling::{MAX_SETTINGS, RandomSearch, Setting, check_space, combinations};
use super::tpe_search::TpeSearch;
use crate::context::{Context, has_key};
use crate::error::Failure;

/// The file of a sweep.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepSpec {
    /// Path of the config to vary, relative to the file of the sweep.
    config: PathBuf,
    /// Number of seeds per setting: that of the config, and the following numbers.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub seeds: u64,
    /// Values of each key; every combination is trained.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Vec<serde_json::Value>>")]
    grid: BTreeMap<String, Vec<Value>>,
    /// Randomly sampled settings, instead of a grid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    random: Option<RandomSearch>,
    /// Settings that are suggested by the results of earlier ones, instead of a grid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpe: Option<TpeSearch>,
    /// Early termination of the worst settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halving: Option<Halving>,
    /// The file, for the positions of its values.
    #[serde(skip)]
    #[schemars(skip)]
    document: Option<Document>,
}

/// Successive halving (Jamieson and Talwalkar 2016, arXiv:1502.07943): `[halving]`. All settings are
/// trained for a few epochs, and only the best are trained further. The learning rate follows the
/// schedule of all epochs. With `[tpe]` each batch is trained to its end before the next one, and a
/// setting is trained further if it is one of the best of all settings so far.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Halving {
    /// Number of epochs in the first round.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub epochs: usize,
    /// Each round keeps one in `factor` settings and multiplies the epochs by `factor`.
    #[serde(default = "three")]
    #[schemars(range(min = 2, max = 1000))]
    pub factor: usize,
}

const FILE: &str = "sweep.toml";

fn one() -> u64 {
    1
}

fn three() -> usize {
    3
}

impl Halving {
    /// Number of epochs to the end of a round, from 0.
    pub fn epochs_of(&self, round: u32) -> usize {
        self.epochs.saturating_mul(self.factor.saturating_pow(round))
    }
}

impl SweepSpec {
    /// Reads the file of a sweep.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let path_shown = path.display();
        let document = Document::read(path, &[], Rules::default());
        let document = document.map_err(|error| match error {
            ConfigError::Unreadable { source, .. } => Failure::usage(format!(
                "cannot read the sweep {path_shown}: {source}\n  give a TOML file with `config = \"..\"` and a [grid], [random] or [tpe] of its keys"
            )),
            error => error.into(),
        })?;
        let spec: Result<Self, _> = document.checked(&Self::schema(), Self::check);
        let mut spec = spec.map_err(|error| {
            if !has_key(path, &["dataset", "model", "extends"]) {
                return error.into();
            }
            Failure::usage(format!(
                "{path_shown} is the config of an experiment, not a sweep\n  train it: trainer train {path_shown}; a sweep is a file with `config = \"{path_shown}\"` and a [grid], [random] or [tpe] of its keys"
            ))
        })?;
        spec.document = Some(document);
        let base = path.parent().unwrap_or(Path::new("")).join(&spec.config);
        spec.config = std::path::absolute(&base).unwrap_or(base);
        Ok(spec)
    }

    /// Reads the sweep that an earlier call saved in `directory`.
    pub fn saved(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(FILE);
        if !path.is_file() {
            return Err(Failure::usage(format!(
                "cannot continue in {}: there is no {FILE}\n  name the directory of an earlier `trainer sweep`",
                directory.display()
            )));
        }
        Self::read(&path)
    }

    /// JSON Schema of the file.
    pub fn schema() -> serde_json::Value {
        schema_of::<Self>("A sweep of trainer")
    }

    /// Writes the file to `directory`.
    pub fn save(&self, directory: &Path) -> Result<(), Failure> {
        let text = toml::to_string(self)?;
        Ok(artifacts::write_file(&directory.join(FILE), text.as_bytes())?)
    }

    /// Reports what the ranges of the schema do not cover.
    fn check(&self, check: &mut Check) {
        let searches =
            [!self.grid.is_empty(), self.random.is_some(), self.tpe.is_some()].into_iter();
        let is_one = searches.filter(|is_given| *is_given).count() == 1;
        check.require("grid", is_one, "a sweep needs one of [grid], [random] and [tpe]");
        check.table("grid", |check| {
            for (key, values) in &self.grid {
                check.require(key, !values.is_empty(), format_args!("`{key}` has no values"));
            }
        });
        let count =
            self.grid.values().try_fold(1_usize, |all, values| all.checked_mul(values.len()));
        let is_allowed = count.is_some_and(|count| count <= MAX_SETTINGS);
        let message = format_args!("the grid has more than {MAX_SETTINGS} settings");
        check.require("grid", is_allowed, message);
        if let Some(random) = &self.random {
            check.table("random", |check| check_space(&random.keys, check));
        }
        if let Some(tpe) = &self.tpe {
            check.table("tpe", |check| check_space(&tpe.keys, check));
        }
    }

    pub fn name(&self) -> String {
        let stem = self.config.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }

    pub fn config(&self, setting: &Setting, context: &Context) -> Result<RunConfig, Failure> {
        let overrides: Vec<_> =
            setting.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let config = RunConfig::read_with_models(&self.config, &overrides, context.models);
        Ok(config.map_err(|error| self.located(error))?)
    }

    /// The error of a config with a setting, at the values of this file that cause it.
    fn located(&self, error: ConfigError) -> ConfigError {
        let (ConfigError::Invalid(diagnostics), Some(document)) = (&error, &self.document) else {
            return error;
        };
        let table = match (&self.random, &self.tpe) {
            (Some(_), _) => "random.keys",
            (_, Some(_)) => "tpe.keys",
            _ => "grid",
        };
        let problems = diagnostics.iter().filter_map(|item| {
            let (key, _) = item.location.strip_prefix("override ")?.split_once(" =")?;
            Some(Problem { key: format!("{table}.{key}"), message: item.message.clone() })
        });
        let problems: Vec<_> = problems.collect();
        if problems.is_empty() { error } else { document.invalid(problems) }
    }

    /// The first settings, with their configs: all of a grid and of a random search.
    pub fn settings(&self, context: &Context) -> Result<Vec<(Setting, RunConfig)>, Failure> {
        let settings = match (&self.random, &self.tpe) {
            (Some(random), _) => random.settings(),
            (_, Some(tpe)) => tpe.startup(),
            _ => combinations(&self.grid),
        };
        let mut configs = Vec::new();
        for setting in settings {
            let config = self.config(&setting, context)?;
            self.check_config(&config)?;
            configs.push((setting, config));
        }
        Ok(configs)
    }

    /// Requires a validation set, a score after the first round, and a number of epochs: trials share the
    /// processor, and a time budget would rank them by its load.
    fn check_config(&self, config: &RunConfig) -> Result<(), Failure> {
        // The file of the training set may contain a validation set.
        let resolved = config.dataset.resolve();
        let dataset = resolved.as_ref().unwrap_or(&config.dataset);
        if config.split.validation_fraction <= 0.0 && !dataset.has_validation() {
            return Err(Failure::usage(
                "a sweep ranks settings by validation accuracy, but the config has no validation set\n  set split.validation_fraction in the config",
            ));
        }
        if config.training.epochs.is_none() {
            return Err(Failure::usage(
                "a sweep compares runs of a number of epochs, not of a time\n  set training.epochs",
            ));
        }
        let every = config.training.report_every_epochs;
        if self.halving.is_some_and(|halving| every > halving.epochs) {
            return Err(Failure::usage(format!(
                "the first round of [halving] ends before the first validation, after {every} epochs\n  set halving.epochs to at least training.report_every_epochs"
            )));
        }
        Ok(())
    }

    /// Number of runs of all settings, of which `first` are known, in the first round.
    pub fn count_runs(&self, first: usize) -> usize {
        self.tpe.as_ref().map_or(first, |tpe| tpe.trials) * self.seeds as usize
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use config::Manual;

    use super::*;

    fn spec(text: &str) -> Result<SweepSpec, Failure> {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("sweep.toml");
        fs::write(&path, format!("config = \"base.toml\"\n{text}")).unwrap();
        SweepSpec::read(&path)
    }

    #[test]
    fn a_grid_is_every_combination() {
        let spec = spec("[grid]\n\"a.b\" = [1, 2]\nc = [\"x\", \"y\", \"z\"]\n").unwrap();
        let settings = combinations(&spec.grid);
        assert_eq!(settings.len(), 6);
        let pairs =
            |setting: &Setting| setting.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>();
        assert_eq!(pairs(&settings[1]), ["a.b=1", "c=\"y\""]);
    }

    #[test]
    fn sampled_settings_depend_on_the_seed_alone_and_lie_in_their_range() {
        let sampled = |seed| {
            let text = format!(
                "[random]\ntrials = 50\nseed = {seed}\n[random.keys]\nrate = {{ log_uniform = [1e-4, 1e-1] }}\nsize = {{ choice = [16, 32] }}\n"
            );
            spec(&text).unwrap().random.unwrap().settings()
        };
        assert_eq!(sampled(1), sampled(1));
        assert_ne!(sampled(1), sampled(2));
        for setting in sampled(1) {
            let rate: f64 = setting[0].1.parse().unwrap();
            assert!((1e-4..=1e-1).contains(&rate), "{rate}");
            assert!(["16", "32"].contains(&setting[1].1.as_str()));
        }
    }

    #[test]
    fn all_problems_of_a_sweep_are_reported_together_with_their_positions() {
        let text = "seeds = 0\n[grid]\na = []\n[halving]\nepochs = 3\nfactor = 1\n";
        let message = spec(text).unwrap_err().plain_message();
        for words in [
            "3 problems",
            "sweep.toml:2:9\n",
            "`a` has no values",
            "7 | factor = 1",
            "halving.factor",
        ] {
            assert!(message.contains(words), "no {words}: {message}");
        }
        let message = spec("sedes = 1\n[grip]\na = [1]\n").unwrap_err().plain_message();
        assert!(message.contains("`sedes`") && message.contains("`grip`"), "{message}");
    }

    #[test]
    fn the_schema_describes_every_key_of_a_sweep() {
        let manual = Manual::of(&SweepSpec::schema());
        for key in ["config", "seeds", "grid", "random.trials", "random.keys", "halving.factor"] {
            let entry = manual.get(key).unwrap();
            assert!(!entry.description.is_empty(), "{key}");
        }
        assert_eq!(manual.get("seeds").unwrap().kind, "integer, between 1 and 1000");
    }

    #[test]
    fn invalid_sweeps_are_rejected() {
        let wrong = [
            "",
            "[grid]\na = []\n",
            "seeds = 0\n[grid]\na = [1]\n",
            "[grid]\na = [1]\n[halving]\nepochs = 0\n",
            "[random]\ntrials = 2\n[random.keys]\na = { uniform = [2.0, 1.0] }\n",
            "[random]\ntrials = 2\n[random.keys]\na = { log_uniform = [0.0, 1.0] }\n",
            "[grip]\na = [1]\n",
        ];
        for text in wrong {
            assert!(spec(text).is_err(), "{text}");
        }
    }
}
