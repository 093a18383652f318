//! The trainer binary as a process: started, signalled, killed, and waited for; and the memory of
//! processes.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use artifacts::{RunDir, StatusFile, StatusKind};
use support::memory;

use crate::Settings;
use crate::tally::{CaseResult, require};

/// A running trainer, killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    started: Instant,
    peak_kib: u64,
}

/// Result of a process that has ended.
#[derive(Debug)]
pub struct Exit {
    status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    /// Lifetime of the process.
    pub duration: Duration,
    /// Peak memory in KiB; 0 if the system does not report it.
    pub peak_kib: u64,
}

/// A signal sent to a process, with its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Sent by Ctrl-C.
    Interrupt = 2,
    /// Ends the process at once; cannot be handled.
    Kill = 9,
    /// Sent by a system that shuts down.
    Terminate = 15,
}

/// Longest lifetime of a process. One that runs longer hangs.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Interval between two looks at a process.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

impl Process {
    /// Starts the trainer with `args` in `directory`.
    pub fn start<A: AsRef<OsStr>>(
        settings: &Settings,
        directory: &Path,
        args: &[A],
    ) -> io::Result<Self> {
        Self::spawn(Command::new(&settings.program).args(args).current_dir(directory))
    }

    /// Starts `command`, whose output must be short enough to wait in a pipe.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        command.env_remove("RUST_LOG").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = Instant::now();
        Ok(Self { child: command.spawn()?, started, peak_kib: 0 })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn is_running(&mut self) -> io::Result<bool> {
        self.peak_kib = self.peak_kib.max(status_kib(self.id(), PEAK).unwrap_or(0));
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits until `age` after the start, or until the process has ended.
    pub fn wait_until(&mut self, age: Duration) -> io::Result<()> {
        while self.is_running()? {
            match age.saturating_sub(self.started.elapsed()) {
                Duration::ZERO => return Ok(()),
                left => thread::sleep(left.min(POLL_INTERVAL)),
            }
        }
        Ok(())
    }

    /// Waits until the status file of the run in `directory` says that this process trains it, or
    /// until the process has ended.
    pub fn wait_until_training(&mut self, directory: &Path) -> io::Result<()> {
        while self.is_running()? && !self.is_training(directory) {
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    fn is_training(&self, directory: &Path) -> bool {
        let status = RunDir::open(directory).and_then(|run| StatusFile::read(&run));
        status.ok().flatten().is_some_and(|status| {
            status.status == StatusKind::Running && status.process == self.id()
        })
    }

    /// Sends `signal`, unless the process has ended.
    pub fn send(&mut self, signal: Signal) -> io::Result<()> {
        if self.is_running()? {
            let args = [format!("-{}", signal as i32), self.id().to_string()];
            // The process may end before the signal arrives, which is no error.
            Command::new("kill").args(args).stderr(Stdio::null()).status()?;
        }
        Ok(())
    }

    /// Waits for the end of the process. Kills it and fails if it hangs.
    pub fn wait(mut self) -> io::Result<Exit> {
        while self.is_running()? {
            if self.started.elapsed() > TIMEOUT {
                return Err(io::Error::other(format!("still running after {TIMEOUT:?}")));
            }
            thread::sleep(POLL_INTERVAL);
        }
        let (duration, peak_kib) = (self.started.elapsed(), self.peak_kib);
        let stdout = read(self.child.stdout.take())?;
        let stderr = read(self.child.stderr.take())?;
        Ok(Exit { status: self.child.wait()?, stdout, stderr, duration, peak_kib })
    }
}

fn read(pipe: Option<impl Read>) -> io::Result<String> {
    let mut text = String::new();
    pipe.map_or(Ok(0), |mut pipe| pipe.read_to_string(&mut text))?;
    Ok(text)
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Exit {
    /// Exit code; `None` if a signal ended the process.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Returns whether `signal` ended the process before it could handle it.
    pub fn died_of(&self, signal: Signal) -> bool {
        self.status.signal() == Some(signal as i32)
    }

    /// Fails unless the exit code is `code`.
    pub fn require_code(&self, code: i32) -> CaseResult {
        require(self.code() == Some(code), || {
            format!("{} instead of exit code {code}: {}", self.status, self.stderr.trim())
        })
    }
}

impl Signal {
    /// Exit code of a program that ends because of the signal.
    pub fn exit_code(self) -> i32 {
        128 + self as i32
    }
}

/// Calls `work` and returns its result with the peak memory, in KiB, of any one process that this
/// process started meanwhile.
pub fn with_peak_of_children<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let (done, working) = sync_channel(0);
    thread::scope(|scope| {
        let watcher = scope.spawn(move || {
            let mut peak = 0;
            while working.recv_timeout(POLL_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                peak = children().filter_map(|id| status_kib(id, PEAK)).fold(peak, u64::max);
            }
            peak
        });
        let result = work();
        drop::<SyncSender<()>>(done);
        (result, watcher.join().unwrap_or(u64::MAX))
    })
}

/// Ids of the children of this process that have not been waited for.
fn children() -> impl Iterator<Item = String> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(String::from).collect::<Vec<_>>())
}

/// The entry of peak memory in the status of a process.
const PEAK: &str = "VmHWM:";

/// Memory of a living process. After its end the system reports a peak that includes the memory of
/// this process at the time of the fork.
fn status_kib(process: impl std::fmt::Display, entry: &str) -> Option<u64> {
    memory::entry(&fs::read_to_string(format!("/proc/{process}/status")).ok()?, entry)
}

/// Measures the peak memory of this process.
pub struct PeakMemory {
    /// Memory in use at the start, in KiB.
    start: u64,
}

impl PeakMemory {
    pub fn start() -> io::Result<Self> {
        // Resets the peak resident set size, see proc(5).
        fs::write("/proc/self/clear_refs", "5")?;
        let start = status_kib("self", "VmRSS:");
        Ok(Self { start: start.ok_or_else(|| io::Error::other("no VmRSS in /proc/self/status"))? })
    }

    /// Peak memory in MiB since the start, without that in use at the start.
    pub fn mebibytes(&self) -> u64 {
        status_kib("self", PEAK).unwrap_or(u64::MAX).saturating_sub(self.start) >> 10
    }
}
