use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use artifacts::{EpochMetrics, EpochTiming};

/// The numbers of a line, the epoch first.
pub type Point = Vec<Option<f64>>;

/// How the numbers of a line are read.
pub type Parse = fn(&[u8]) -> Option<Point>;

/// The complete lines of a file that grows, or becomes shorter when a run is resumed.
#[derive(Debug)]
pub struct Points {
    pub all: Vec<Point>,
    /// Number of times that the file was read from its beginning.
    pub generation: usize,
    parse: Parse,
    /// The last complete line and its position. As long as it is there, so are the lines above it.
    last: Vec<u8>,
    offset: u64,
}

/// Bytes at the end of a file in which its last line is looked for.
const TAIL: u64 = 1 << 14;

impl Points {
    pub fn new(parse: Parse) -> Self {
        Self { all: Vec::new(), generation: 0, parse, last: Vec::new(), offset: 0 }
    }

    /// Reads the lines that were added to the file at `path`, or all if others have changed.
    pub fn read(&mut self, path: &Path) {
        let mut bytes = read_from(path, self.offset).unwrap_or_default();
        if !bytes.starts_with(&self.last) {
            *self = Self { generation: self.generation + 1, ..Self::new(self.parse) };
            bytes = read_from(path, 0).unwrap_or_default();
        }
        let Some((lines, _)) = complete(&bytes) else { return };
        let (_, added) = lines.split_at(self.last.len());
        self.all.extend(added.split(|byte| *byte == b'\n').filter_map(self.parse));
        let above =
            lines.strip_suffix(b"\n").and_then(complete).map_or(0, |(above, _)| above.len());
        self.offset += above as u64;
        self.last = lines.split_at(above).1.to_vec();
    }

    /// The last line of the file at `path`.
    pub fn last_of(path: &Path, parse: Parse) -> Option<Point> {
        let length = path.metadata().ok()?.len();
        let bytes = read_from(path, length.saturating_sub(TAIL)).ok()?;
        let (lines, _) = complete(&bytes)?;
        lines.split(|byte| *byte == b'\n').filter_map(parse).next_back()
    }
}

/// Splits `bytes` after the last line break.
fn complete(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().rposition(|byte| *byte == b'\n')?;
    bytes.split_at_checked(end + 1)
}

fn read_from(path: &Path, offset: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Epoch, training loss, validation loss, validation accuracy in percent, learning rate.
pub fn of_metrics(line: &[u8]) -> Option<Point> {
    let row: EpochMetrics = serde_json::from_slice(line).ok()?;
    let accuracy = row.validation_accuracy.map(|share| 100.0 * share);
    let values = [Some(row.train_loss), row.validation_loss, accuracy, Some(row.learning_rate)];
    Some([Some(row.epoch as f64)].into_iter().chain(values).collect())
}

/// Epoch, examples per second, seconds with evaluation and checkpoints.
pub fn of_timings(line: &[u8]) -> Option<Point> {
    let row: EpochTiming =
        serde_json::from_slice(line).ok().filter(|row: &EpochTiming| row.seconds > 0.0)?;
    let wall = row.seconds + row.phases.evaluation + row.phases.checkpoint;
    Some([row.epoch as f64, row.examples as f64 / row.seconds, wall].map(Some).into())
}
