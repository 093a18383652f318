//! What the log of a run tells of its end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::plan::{BEGINS, FAILED};

/// What a log may be read of: nothing follows a failure but its own words.
const END: u64 = 1 << 16;

/// Why the run failed, by the end of its log at `path`; `None` if it did not, if it has gone on since
/// then, or if it keeps no log, as those of `reproduce`.
pub fn failure(path: &Path) -> Option<String> {
    let end = end(path).ok()?;
    let end = String::from_utf8_lossy(&end);
    let told = |line: &str| match line.split_once(FAILED) {
        Some((_, reason)) => Some(Some(reason.to_owned())),
        None => line.contains(BEGINS).then_some(None),
    };
    end.lines().rev().find_map(told).flatten()
}

fn end(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
    let mut bytes = Vec::new();
    file.take(END).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(log: &str) -> Option<String> {
        let place = tempfile::TempDir::new().unwrap();
        let path = place.path().join("run.log");
        std::fs::write(&path, log).unwrap();
        failure(&path)
    }

    #[test]
    fn a_failure_is_told_until_the_run_goes_on() {
        let begins = format!("2026-11-22T16:16:29Z DEBUG training::plan::run: {BEGINS}0\n");
        let failed = format!(
            "2026-11-22T16:16:30Z DEBUG training::plan::run: {FAILED}the loss NaN\n  lower it\n"
        );
        assert_eq!(told(""), None);
        assert_eq!(told(&begins), None);
        let log = format!("{begins}{failed}2026 DEBUG trainer: failed\n");
        assert_eq!(told(&log).unwrap(), "the loss NaN");
        assert_eq!(told(&format!("{log}{begins}")), None);
        let padding = "2026 DEBUG training::session: epoch done\n".repeat(5000);
        assert_eq!(told(&format!("{padding}{log}")).unwrap(), "the loss NaN");
        assert_eq!(told(&format!("{log}{padding}")), None);
    }

    #[test]
    fn a_run_without_a_log_did_not_fail_by_it() {
        assert_eq!(failure(Path::new("/there/is/no/log")), None);
    }
}
