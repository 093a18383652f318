use serde::{Deserialize, Serialize};

use crate::{ArtifactError, RunDir, write_file};

/// Class probabilities of a model of two features on a grid over its data: `boundary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionBoundary {
    /// Range of the first feature.
    pub x: [f64; 2],
    /// Range of the second feature.
    pub y: [f64; 2],
    /// Grid cells along the first feature.
    pub columns: usize,
    /// Grid cells along the second feature.
    pub rows: usize,
    /// For each class its probability at the center of each cell, `[rows * columns]`, row-major,
    /// the lowest second feature first.
    pub probabilities: Vec<Vec<f32>>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Training points.
    pub train: Vec<BoundaryPoint>,
    /// Test points.
    pub test: Vec<BoundaryPoint>,
}

/// A point with its class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoundaryPoint {
    /// The two features.
    pub at: [f32; 2],
    /// Index of the class.
    pub class: u32,
}

impl DecisionBoundary {
    /// Writes it into `run`, durably; not indented, since it is a long list of numbers.
    pub fn write(&self, run: &RunDir) -> Result<(), ArtifactError> {
        let path = run.path().join("boundary.json");
        let bytes = serde_json::to_vec(self);
        write_file(&path, &bytes.map_err(|error| ArtifactError::write(&path, error.into()))?)
    }
}
