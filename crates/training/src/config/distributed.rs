use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Training by several processes, each with its own copy of the data: `[distributed]`. A step consists
/// of `training.accumulation` batches, which the workers compute; the result has the same bits for
/// any number of workers, and these keys can change when a run is resumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DistributedConfig {
    /// Where workers are: `local:2` for two on this machine, `local:cuda:0,cuda:1` for one on each of
    /// these devices, and the addresses of others, which `trainer worker` prints. Without any, the
    /// trainer computes itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub workers: Vec<String>,
    /// The run stops with a checkpoint if fewer workers than this are left.
    #[schemars(range(min = 1, max = 65536))]
    pub minimum: usize,
    /// Seconds after which others compute the part of a worker that has not answered.
    #[schemars(range(min = 0.1, max = 86400))]
    pub answer_within: f64,
    /// What happens if a worker is lost.
    pub on_loss: OnLoss,
    /// File with the secret that workers which run already ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
}

/// What happens if a worker is lost: `distributed.on_loss`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OnLoss {
    /// The others compute its parts, and it is used again once it is back.
    #[default]
    GoOn,
    /// The run stops with a checkpoint.
    Stop,
}

impl Default for DistributedConfig {
    fn default() -> Self {
        let (workers, token_file) = (Vec::new(), None);
        Self { workers, minimum: 1, answer_within: 60.0, on_loss: OnLoss::GoOn, token_file }
    }
}

impl DistributedConfig {
    /// Whether nothing is configured.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
