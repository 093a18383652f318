//! Resource limits of a reader process: small while it checks the structure, then by the checked sizes of
//! the file.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::budget::MemoryBudget;

/// Processor time to check the structure. Enough for an index of a million chunks on a slow machine; a
/// file crafted to delay it is stopped well within ten seconds.
const SECONDS: u64 = 5;
/// Minimum decoding speed of valid data on any machine, in bytes per second.
const SPEED: u64 = 10 << 20;
/// Memory in addition to that of the program at its start and that of the data.
const MEMORY: u64 = 256 << 20;
/// Number of open files: two for reading, the rest for those inherited from the parent process.
const FILES: u64 = 256;

/// Sets the initial limits. A reader process dumps no core, writes no file, starts no process, and ends
/// with its parent.
pub fn for_structure() -> io::Result<()> {
    // Other systems lack such a signal; the next write to the pipe ends the process.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    for resource in [Resource::Core, Resource::Fsize, Resource::Nproc] {
        setrlimit(resource, Rlimit { current: Some(0), maximum: Some(0) })?;
    }
    limit(Resource::Nofile, FILES)?;
    limit(Resource::Cpu, SECONDS)?;
    limit_memory(MEMORY)
}

/// Raises the limits for data whose declared sizes have been checked.
pub fn for_data(budget: &MemoryBudget) -> io::Result<()> {
    limit(Resource::Cpu, SECONDS + budget.work / SPEED)?;
    limit_memory(MEMORY.saturating_add(budget.reserved))
}

/// Sets the soft limit, at most to the hard limit, so that it can be raised again.
fn limit(resource: Resource, current: u64) -> io::Result<()> {
    let maximum = getrlimit(resource).maximum;
    let current = maximum.map_or(current, |maximum| current.min(maximum));
    Ok(setrlimit(resource, Rlimit { current: Some(current), maximum })?)
}

/// Limits the address space to `more` bytes beyond the current size: an allocator reserves much and uses
/// little of it. Not all other systems limit memory; the checks of the sizes still apply there.
fn limit_memory(more: u64) -> io::Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kibibytes = support::memory::entry(&status, "VmSize:").ok_or(io::ErrorKind::InvalidData)?;
    limit(Resource::As, more.saturating_add(kibibytes.saturating_mul(1024)))
}
