use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use support::durable_fs;
use support::sha256::hexadecimal;

use super::decode::read;
use super::scan::ImageFile;

/// SHA-256 of a file.
pub type Checksum = [u8; 32];

/// Seconds after a change within which another one may leave the times of a file equal.
const TICK: i64 = 2;

/// Computes the SHA-256 of each file, zeros for a file that cannot be read. If none of them has
/// changed since the last call, the sums are those in the directory `cache`.
pub fn of(files: &[ImageFile], cache: Option<&Path>) -> Vec<Checksum> {
    let record = cache.and_then(|cache| Some(cache.join(format!("{}.sums", stamp(files)?))));
    if let Some(sums) = record.as_ref().and_then(|record| saved(record, files.len())) {
        return sums;
    }
    let sum = |file: &ImageFile| match read(&file.path) {
        Ok(bytes) => Sha256::digest(bytes).into(),
        Err(_) => Checksum::default(),
    };
    let sums: Vec<Checksum> = files.par_iter().map(sum).collect();
    if let Some(record) = record {
        let bytes = sums.as_flattened();
        // Without the record, the sums are computed again.
        let _ = durable_fs::write(&record, &[bytes, &Sha256::digest(bytes)[..]].concat());
    }
    sums
}

fn saved(record: &PathBuf, count: usize) -> Option<Vec<Checksum>> {
    let bytes = fs::read(record).ok()?;
    let (sums, sum) = bytes.split_at_checked(count * size_of::<Checksum>())?;
    let is_intact = Sha256::digest(sums)[..] == *sum;
    is_intact.then(|| sums.as_chunks().0.to_vec())
}

/// Hash of paths, sizes and times of all files, in hexadecimal. Every change of a file sets its time
/// of status change. `None` if a file cannot be found or has just been changed.
fn stamp(files: &[ImageFile]) -> Option<String> {
    let now = SystemTime::UNIX_EPOCH.elapsed().ok()?.as_secs() as i64;
    let mut hash = Sha256::new();
    for file in files {
        let metadata = fs::metadata(&file.path).ok()?;
        let path = std::path::absolute(&file.path).ok()?;
        hash.update(path.as_os_str().as_encoded_bytes());
        let numbers = numbers(&metadata);
        numbers.iter().for_each(|number| hash.update(number.to_le_bytes()));
        if metadata.ctime() > now - TICK {
            return None;
        }
    }
    Some(hexadecimal(&hash.finalize()))
}

fn numbers(file: &Metadata) -> [i64; 6] {
    let (length, inode) = (file.len() as i64, file.ino() as i64);
    [length, inode, file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()]
}
