//! What a process that reads may take: little while the structure is checked, then what the file
//! needs by the sizes that were checked.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::hdf5::demand::Demand;

/// The processor time until the structure is checked. Enough for an index of a million chunks on
/// a slow machine; a file made to hold it up ends well below ten seconds.
const SECONDS: u64 = 5;
/// The slowest that sound data is decoded on any machine, in bytes a second.
const SPEED: u64 = 10 << 20;
/// The memory beyond what the program has when it starts and what the data needs.
const MEMORY: u64 = 256 << 20;
/// One file is read, by two names; the rest is for what the other process left open.
const FILES: u64 = 256;

/// The limits to begin with. A process that reads leaves no memory image, writes no file, starts
/// no other process, and ends with the one that started it.
pub(super) fn for_structure() -> io::Result<()> {
    die_with_parent()?;
    for resource in [Resource::Core, Resource::Fsize, Resource::Nproc] {
        setrlimit(resource, Rlimit { current: Some(0), maximum: Some(0) })?;
    }
    limit(Resource::Nofile, FILES)?;
    limit(Resource::Cpu, SECONDS)?;
    limit_memory(MEMORY)
}

/// Room for data whose declared sizes have been checked.
pub(super) fn for_data(demand: &Demand) -> io::Result<()> {
    limit(Resource::Cpu, SECONDS + demand.work / SPEED)?;
    limit_memory(MEMORY.saturating_add(demand.reserved))
}

/// Up to what the process was given: only the soft limit changes, so that it can be raised again.
fn limit(resource: Resource, current: u64) -> io::Result<()> {
    let maximum = getrlimit(resource).maximum;
    let current = maximum.map_or(current, |maximum| current.min(maximum));
    Ok(setrlimit(resource, Rlimit { current: Some(current), maximum })?)
}

/// Beside what is taken now: an allocator reserves much and uses little of it. All memory rather
/// than `RLIMIT_DATA`, which is the same but for stacks and read-only pages.
#[cfg(target_os = "linux")]
fn limit_memory(more: u64) -> io::Result<()> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kibibytes = crate::memory::entry(&status, "VmSize:").ok_or(io::ErrorKind::InvalidData)?;
    limit(Resource::As, more.saturating_add(kibibytes.saturating_mul(1024)))
}

#[cfg(target_os = "linux")]
fn die_with_parent() -> io::Result<()> {
    let signal = Some(rustix::process::Signal::KILL);
    Ok(rustix::process::set_parent_process_death_signal(signal)?)
}

// Other systems have no such signal; the next write to the pipe ends the process.
#[cfg(not(target_os = "linux"))]
fn die_with_parent() -> io::Result<()> {
    Ok(())
}

// Nor do they all limit memory; the checks of the sizes stand.
#[cfg(not(target_os = "linux"))]
fn limit_memory(_: u64) -> io::Result<()> {
    Ok(())
}
