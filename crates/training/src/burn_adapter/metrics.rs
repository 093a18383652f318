//! Metrics of burn-train, computed from [`Scores`].

use std::sync::Arc;

use burn::tensor::{ExecutionError, TensorReadError};
use burn::train::ItemLazy;
use burn::train::logger::MetricLogger;
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{
    Adaptor, Metric, MetricAttributes, MetricDefinition, MetricMetadata, MetricName, Numeric,
    NumericAttributes, NumericEntry, SerializedEntry,
};

use crate::model::Scores;

/// A metric that is a ratio of [`Scores`].
#[derive(Clone)]
pub struct ScoreMetric {
    name: MetricName,
    attributes: NumericAttributes,
    value: fn(&Scores) -> f64,
    state: NumericMetricState,
}

impl ScoreMetric {
    pub fn loss() -> Self {
        Self::new("Loss", None, false, Scores::loss)
    }

    /// Accuracy in percent.
    pub fn accuracy() -> Self {
        Self::new("Accuracy", Some("%"), true, |scores| 100.0 * scores.accuracy())
    }

    fn new(
        name: &str,
        unit: Option<&str>,
        higher_is_better: bool,
        value: fn(&Scores) -> f64,
    ) -> Self {
        Self {
            name: Arc::new(name.to_owned()),
            attributes: NumericAttributes { unit: unit.map(String::from), higher_is_better },
            value,
            state: NumericMetricState::new(),
        }
    }

    fn format(&self) -> FormatOptions {
        let format = FormatOptions::new(self.name()).precision(3);
        match &self.attributes.unit {
            Some(unit) => format.unit(unit),
            None => format,
        }
    }
}

impl Metric for ScoreMetric {
    type Input = Scores;

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        self.attributes.clone().into()
    }

    fn update(
        &mut self,
        scores: &Scores,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.state.update((self.value)(scores), scores.count as usize);
        Ok(self.state.compute_update(self.format()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.state.compute_final(self.format()))
    }

    fn clear(&mut self) {
        self.state.reset();
    }
}

impl Numeric for ScoreMetric {
    fn value(&self) -> Option<NumericEntry> {
        Some(self.state.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        Some(self.state.running_value())
    }

    fn final_value(&self) -> NumericEntry {
        self.state.final_value()
    }
}

impl Adaptor<Scores> for Scores {
    fn adapt(&self) -> Scores {
        *self
    }
}

impl ItemLazy for Scores {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

/// Writes nothing: the run has metrics files of its own.
pub struct NoMetricFiles;

impl MetricLogger for NoMetricFiles {
    fn log(&mut self, _update: MetricsUpdate, _epoch: usize, _split: &Split) {}

    fn read_numeric(
        &mut self,
        _name: &str,
        _epoch: usize,
        _split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        Ok(Vec::new())
    }

    fn log_metric_definition(&mut self, _definition: MetricDefinition) {}

    fn log_epoch_summary(&mut self, _summary: EpochSummary) {}
}
