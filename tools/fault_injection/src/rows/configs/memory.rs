//! The peak memory of this process.

use std::fs;
use std::io;

/// What was in use when it was made.
pub struct Peak(usize);

impl Peak {
    /// Forgets earlier peaks.
    pub fn start() -> io::Result<Self> {
        // What the kernel calls "reset the peak resident set size", see proc(5).
        fs::write("/proc/self/clear_refs", "5")?;
        Ok(Self(in_use("VmRSS:")?))
    }

    /// The most that was in use since then, beyond what was in use before.
    pub fn bytes(&self) -> io::Result<usize> {
        Ok(in_use("VmHWM:")?.saturating_sub(self.0))
    }
}

fn in_use(what: &str) -> io::Result<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix(what));
    let kibibytes = kibibytes.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kibibytes
        .map(|kibibytes: usize| kibibytes << 10)
        .ok_or_else(|| io::Error::other(format!("no {what}")))
}
