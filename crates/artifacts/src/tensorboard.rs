//! TensorBoard event files: TFRecords of `tensorflow.Event` messages
//! (tensorflow/core/util/event.proto). Each process of a run writes its own file.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{ArtifactError, EpochMetrics, RunDir};

/// An open event file.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// Creates the file of this process, which continues after `step`.
    pub fn create(run: &RunDir, step: usize) -> Result<Self, ArtifactError> {
        let directory = run.path().join("tensorboard");
        let time = now();
        let name = format!("events.out.tfevents.{time:.0}.trainer.{}", std::process::id());
        let path = directory.join(name);
        let create = || {
            fs::create_dir_all(&directory)?;
            File::create(&path)
        };
        let file = create().map_err(|error| ArtifactError::write(&path, error))?;
        let mut events = Self { path, file };
        events.write(&message(time, 0, &bytes_field(3, b"brain.Event:2")))?;
        events.restart(step)?;
        Ok(events)
    }

    /// Discards the events of all steps after `step`.
    pub fn restart(&mut self, step: usize) -> Result<(), ArtifactError> {
        // SessionLog { status: START }: TensorBoard drops earlier events from this step on.
        self.write(&message(now(), step + 1, &bytes_field(7, &[0x08, 1])))
    }

    /// Appends the metrics of an epoch.
    pub fn append(&mut self, row: &EpochMetrics) -> Result<(), ArtifactError> {
        let values = [
            ("loss/train", Some(row.train_loss)),
            ("loss/validation", row.validation_loss),
            ("accuracy/train", Some(row.train_accuracy)),
            ("accuracy/validation", row.validation_accuracy),
            ("macro_f1/validation", row.validation_macro_f1),
            ("balanced_accuracy/validation", row.validation_balanced_accuracy),
            ("top_5/validation", row.validation_top_5),
            ("gradient_norm", row.gradient_norm),
            ("learning_rate", Some(row.learning_rate)),
        ];
        let values = values.into_iter().filter_map(|(tag, value)| Some(scalar(tag, value?)));
        let summary = values.collect::<Vec<_>>().concat();
        self.write(&message(now(), row.step, &bytes_field(5, &summary)))
    }

    fn write(&mut self, message: &[u8]) -> Result<(), ArtifactError> {
        self.file
            .write_all(&record(message))
            .map_err(|error| ArtifactError::write(&self.path, error))
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// A TFRecord: length, its checksum, the data, their checksum.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let sums = [masked(&length).to_le_bytes(), masked(data).to_le_bytes()];
    [&length, sums[0].as_slice(), data, sums[1].as_slice()].concat()
}

/// Masked CRC32C of TFRecords.
fn masked(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// An Event: `wall_time` (1), `step` (2), and one more field.
fn message(time: f64, step: usize, field: &[u8]) -> Vec<u8> {
    [&[0x09], time.to_le_bytes().as_slice(), &[0x10], &varint(step as u64), field].concat()
}

/// A value of a Summary (1): `tag` (1) and `simple_value` (2).
fn scalar(tag: &str, value: f64) -> Vec<u8> {
    let number = [&[0x15], (value as f32).to_le_bytes().as_slice()].concat();
    bytes_field(1, &[bytes_field(1, tag.as_bytes()), number].concat())
}

/// A field of bytes, of a string or of a message.
fn bytes_field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2], varint(bytes.len() as u64).as_slice(), bytes].concat()
}

/// A varint: seven bits per byte, lowest first; every byte but the last has its highest bit set.
fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_its_length_and_its_data_each_with_a_checksum() {
        let record = record(b"hello");
        assert_eq!(record[..8], [5, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(record[8..12], masked(&record[..8]).to_le_bytes());
        assert_eq!(record[12..17], *b"hello");
        assert_eq!(record[17..], masked(b"hello").to_le_bytes());
        // RFC 3720, B.4: 32 bytes of zeros have the CRC32C 0x8a9136aa.
        let crc: u32 = 0x8a91_36aa;
        assert_eq!(masked(&[0; 32]), crc.rotate_right(15).wrapping_add(0xa282_ead8));
    }

    #[test]
    fn numbers_of_more_than_seven_bits_take_more_bytes() {
        assert_eq!(varint(1), [1]);
        assert_eq!(varint(300), [0xac, 0x02]);
    }
}
