use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::experiment::STEPS_PER_EPOCH;

/// A call that would change something, by paths within the watched directory.
#[derive(Debug, Clone)]
pub struct Call {
    pub what: What,
    /// Whether it did what it should.
    pub done: bool,
    pub path: PathBuf,
    /// Where it goes, of a rename or a link.
    pub to: PathBuf,
    /// Where it writes, or how long the file is to be.
    pub offset: u64,
    pub data: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Open,
    Create,
    Write,
    Truncate,
    Sync,
    Rename,
    Link,
    Remove,
    Mkdir,
}

/// Reads what `faults.c` has written down of calls below a directory.
pub fn read(mut trace: &[u8], below: &Path) -> io::Result<Vec<Call>> {
    let malformed = || io::Error::new(ErrorKind::InvalidData, "a malformed trace");
    let mut calls = Vec::new();
    while !trace.is_empty() {
        calls.push(next(&mut trace, below).ok_or_else(malformed)?);
    }
    Ok(calls)
}

fn next(trace: &mut &[u8], below: &Path) -> Option<Call> {
    let end = trace.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(take(trace, end + 1)?).ok()?.trim_end();
    let (what, numbers) = head.split_once(' ')?;
    let numbers: Vec<i64> = numbers.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
    let &[result, path, to, offset, data] = numbers.as_slice() else { return None };
    Some(Call {
        what: What::called(what)?,
        done: result >= 0,
        path: within(take(trace, path as usize)?, below)?,
        to: within(take(trace, to as usize)?, below)?,
        offset: offset as u64,
        data: take(trace, data as usize)?.to_vec(),
    })
}

fn take<'a>(trace: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = trace.split_at_checked(count)?;
    *trace = rest;
    Some(taken)
}

fn within(path: &[u8], below: &Path) -> Option<PathBuf> {
    let path = Path::new(std::str::from_utf8(path).ok()?);
    Some(path.strip_prefix(below).unwrap_or(path).to_owned())
}

impl What {
    fn called(name: &str) -> Option<Self> {
        Some(match name {
            "open" => Self::Open,
            "create" => Self::Create,
            "write" => Self::Write,
            "truncate" => Self::Truncate,
            "sync" => Self::Sync,
            "rename" => Self::Rename,
            "link" => Self::Link,
            "remove" => Self::Remove,
            "mkdir" => Self::Mkdir,
            _ => return None,
        })
    }
}

/// The step of the last checkpoint whose commit had returned, as the log of the run tells; 0 if
/// the run had begun and had none; `None` if nothing was said of it.
pub fn acknowledged(calls: &[Call]) -> Option<usize> {
    calls.iter().rev().find_map(|call| {
        let is_log = call.done && call.path.ends_with("run.log");
        let text = is_log.then(|| String::from_utf8_lossy(&call.data))?;
        match text.split_once("checkpoint committed name=\"") {
            Some((_, name)) => step(name.split('"').next()?),
            None => text.contains("everything goes to").then_some(0),
        }
    })
}

/// The steps done at the checkpoint of this name.
fn step(name: &str) -> Option<usize> {
    let (epoch, step) = name.strip_prefix("epoch-")?.split_once("-step-")?;
    Some((epoch.parse::<usize>().ok()? - 1) * STEPS_PER_EPOCH + step.parse::<usize>().ok()?)
}
