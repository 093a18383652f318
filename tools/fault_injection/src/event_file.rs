//! The step at which a process continued a run, from its TensorBoard event file.

use std::fs;
use std::path::Path;

use crate::snapshot::list_names;

/// Bytes around the message of a TFRecord: its length and two checksums.
const HEADER: usize = 12;
const FOOTER: usize = 4;

/// Returns the number of steps done when `process` started or resumed the run in `directory`.
///
/// The second message of its event file is a `SessionLog` of the step after it: `wall_time` (tag 1,
/// 8 bytes), `step` (tag 2, varint), ..
pub fn resumed_step(directory: &Path, process: u32) -> Option<usize> {
    let directory = directory.join("tensorboard");
    let suffix = format!(".{process}");
    let name = list_names(&directory).ok()?.into_iter().rfind(|name| name.ends_with(&suffix))?;
    let bytes = fs::read(directory.join(name)).ok()?;
    let (_, second) = split_record(&bytes)?;
    let (message, _) = split_record(second)?;
    let step = varint(message.get(1 + 8 + 1..)?)?;
    usize::try_from(step).ok()?.checked_sub(1)
}

/// The message of the first record, and the records after it.
fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
    let (message, rest) = bytes.get(HEADER..)?.split_at_checked(usize::try_from(length).ok()?)?;
    Some((message, rest.get(FOOTER..)?))
}

/// A number in groups of seven bits, the lowest first; the last byte is below 0x80.
fn varint(bytes: &[u8]) -> Option<u64> {
    let length = bytes.iter().position(|&byte| byte < 0x80)? + 1;
    let groups = bytes.get(..length)?.iter().rev();
    Some(groups.fold(0, |number, &byte| number << 7 | u64::from(byte & 0x7f)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(message: &[u8]) -> Vec<u8> {
        let length = (message.len() as u64).to_le_bytes();
        [&length[..], &[0; 4], message, &[0; FOOTER]].concat()
    }

    #[test]
    fn the_step_is_read_from_the_second_record_of_the_process() {
        let run = tempfile::TempDir::new().unwrap();
        let directory = run.path().join("tensorboard");
        fs::create_dir(&directory).unwrap();
        let start = [&[0x09][..], &[0; 8], &[0x10, 0xad, 0x02], &[0x3a, 0x02, 0x08, 0x01]].concat();
        let file = [record(b"version"), record(&start)].concat();
        fs::write(directory.join("events.out.tfevents.7.trainer.42"), file).unwrap();
        assert_eq!(resumed_step(run.path(), 42), Some(300));
        assert_eq!(resumed_step(run.path(), 2), None);
    }
}
