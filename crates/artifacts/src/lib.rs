//! The run directory: its lock, and the paths, types, readers and writers of its files.
//!
//! Every file of a run is declared here once, for the trainer that writes it and for the report and
//! the commands that read it. The crate does not depend on Burn.

#![forbid(unsafe_code)]

mod calibration;
mod decision_boundary;
mod environment;
mod error;
mod evaluation;
mod json;
mod metrics;
mod run_dir;
mod status;
mod tensorboard;
mod test_predictions;

pub use calibration::{Calibration, CalibrationBin, CalibrationBins};
pub use decision_boundary::{BoundaryPoint, DecisionBoundary};
pub use environment::{DataIdentity, Environment, FORMAT, InitialWeights};
pub use error::ArtifactError;
pub use evaluation::{ClassScore, Confusion, DeduplicatedScore, Evaluation};
pub use json::{read_json, read_json_if_exists, write_file, write_json};
pub use metrics::{
    CommittedMetrics, EpochMetrics, EpochTiming, MetricsFiles, Phases, Stopwatch, UnsyncedFile,
};
pub use run_dir::{RunDir, RunFile, RunLock};
pub use status::{BestEpoch, RunStatus, StatusFile, StatusKind, Summary};
pub use tensorboard::EventFile;
pub use test_predictions::{
    BatchImage, ClassCurves, ExampleView, LayerSummary, Saliency, TestPredictions,
};
