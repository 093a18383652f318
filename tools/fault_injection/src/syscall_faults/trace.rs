use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::fixture::STEPS_PER_EPOCH;

/// A call that changes something. Paths are relative to the traced directory.
#[derive(Debug, Clone)]
pub struct TracedCall {
    /// `open`, `create`, `write`, `truncate`, `sync`, `rename`, `link`, `remove` or `mkdir`.
    pub operation: String,
    /// Id of the process that made the call.
    pub process: u32,
    pub succeeded: bool,
    pub path: PathBuf,
    /// Target of a rename or a link.
    pub to: PathBuf,
    /// Offset of a write, or new length of a truncated file.
    pub offset: u64,
    pub data: Vec<u8>,
}

/// Parses what `syscall_faults.c` recorded of calls below a directory.
pub fn parse(mut trace: &[u8], below: &Path) -> io::Result<Vec<TracedCall>> {
    let malformed = || io::Error::new(ErrorKind::InvalidData, "malformed trace");
    let mut calls = Vec::new();
    while !trace.is_empty() {
        calls.push(next_call(&mut trace, below).ok_or_else(malformed)?);
    }
    Ok(calls)
}

fn next_call(trace: &mut &[u8], below: &Path) -> Option<TracedCall> {
    let end = trace.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(take(trace, end + 1)?).ok()?.trim_end();
    let (operation, numbers) = head.split_once(' ')?;
    let numbers: Vec<i64> = numbers.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
    let &[process, result, path, to, offset, data] = numbers.as_slice() else { return None };
    Some(TracedCall {
        operation: operation.to_owned(),
        process: process as u32,
        succeeded: result >= 0,
        path: relative(take(trace, path as usize)?, below)?,
        to: relative(take(trace, to as usize)?, below)?,
        offset: offset as u64,
        data: take(trace, data as usize)?.to_vec(),
    })
}

fn take<'a>(trace: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = trace.split_at_checked(count)?;
    *trace = rest;
    Some(taken)
}

fn relative(path: &[u8], below: &Path) -> Option<PathBuf> {
    let path = Path::new(std::str::from_utf8(path).ok()?);
    Some(path.strip_prefix(below).unwrap_or(path).to_owned())
}

impl TracedCall {
    fn succeeds_at(&self, operation: &str) -> bool {
        self.succeeded && self.operation == operation
    }

    /// Steps done at the checkpoint that this call commits, if it does: a checkpoint is renamed to
    /// its final name.
    pub fn committed_step(&self) -> Option<usize> {
        let name = self.to.file_name()?.to_str()?;
        self.succeeds_at("rename").then(|| step(name))?
    }

    /// Whether the training loop may make this call while a checkpoint is written.
    fn is_of_the_loop(&self) -> bool {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        ["metrics.", "timings.", "run.log", "events."].iter().any(|start| name.starts_with(start))
    }
}

/// Number of steps done at the checkpoint of this name.
fn step(name: &str) -> Option<usize> {
    let (epoch, step) = name.strip_prefix("epoch-")?.split_once("-step-")?;
    Some((epoch.parse::<usize>().ok()? - 1) * STEPS_PER_EPOCH + step.parse::<usize>().ok()?)
}

/// The step of the last acknowledged checkpoint; 0 if only the start of the run was acknowledged,
/// `None` if nothing was.
pub fn acknowledged(calls: &[TracedCall]) -> Option<usize> {
    acknowledgements(calls).last().map(|&(_, step)| step)
}

/// The calls by which the trainer shows that it relies on what it wrote before, with the step it
/// relies on: it opens a log once the run exists (step 0), and proceeds to any other file once a
/// commit has returned, after the directory of the checkpoints was to be synced. Files to which the
/// run appends while a checkpoint is written show nothing.
pub fn acknowledgements(calls: &[TracedCall]) -> Vec<(usize, usize)> {
    let mut acknowledgements = Vec::new();
    let mut commit: Option<(u32, usize)> = None;
    for (index, call) in calls.iter().enumerate() {
        // A process that was killed has acknowledged nothing.
        commit = commit.filter(|(process, _)| *process == call.process);
        if let Some(step) = call.committed_step() {
            commit = Some((call.process, step));
        } else if call.operation == "sync" && call.path.ends_with("checkpoints") {
            commit = commit.filter(|_| call.succeeded);
        } else if !call.is_of_the_loop()
            && let Some((_, step)) = commit.take()
        {
            acknowledgements.push((index, step));
        } else if call.succeeds_at("create") && call.path.ends_with("run.log") {
            acknowledgements.push((index, 0));
        }
    }
    acknowledgements
}
