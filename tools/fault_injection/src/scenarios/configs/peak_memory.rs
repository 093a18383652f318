use std::fs;
use std::io;

/// Measures the peak memory of this process.
pub struct PeakMemory {
    /// Memory in use at the start, in bytes.
    start: usize,
}

impl PeakMemory {
    /// Starts a measurement.
    pub fn start() -> io::Result<Self> {
        // Resets the peak resident set size, see proc(5).
        fs::write("/proc/self/clear_refs", "5")?;
        Ok(Self { start: status_bytes("VmRSS:")? })
    }

    /// Peak memory since the start, without that in use at the start, in bytes.
    pub fn bytes(&self) -> io::Result<usize> {
        Ok(status_bytes("VmHWM:")?.saturating_sub(self.start))
    }
}

fn status_bytes(field: &str) -> io::Result<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix(field));
    let kibibytes = kibibytes.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kibibytes
        .map(|kibibytes: usize| kibibytes << 10)
        .ok_or_else(|| io::Error::other(format!("no {field} in /proc/self/status")))
}
