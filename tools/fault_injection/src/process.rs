//! The trainer binary as a process: started, signalled, killed, and waited for.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use artifacts::{RunDir, StatusFile, StatusKind};

use crate::Settings;
use crate::tally::{CaseResult, require};

/// The trainer binary and its working directory.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    directory: PathBuf,
}

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
    /// Text written to stderr.
    pub stderr: String,
    /// Lifetime of the process.
    pub duration: Duration,
    /// Peak memory in KiB; 0 if the system does not report it.
    pub peak_kib: u64,
}

/// A signal sent to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Sent by Ctrl-C.
    Interrupt,
    /// Sent by a system that shuts down.
    Terminate,
    /// Ends the process at once; cannot be handled.
    Kill,
}

/// Longest lifetime of a process. One that runs longer hangs.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Interval between two looks at a process.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

impl Program {
    /// The trainer of `settings`, to be started in `directory`.
    pub fn new(settings: &Settings, directory: PathBuf) -> Self {
        Self { path: settings.program.clone(), directory }
    }

    /// Changes the working directory.
    pub fn in_directory(self, directory: PathBuf) -> Self {
        Self { directory, ..self }
    }

    /// Starts the program.
    pub fn start<A: AsRef<OsStr>>(&self, args: &[A]) -> io::Result<Process> {
        let mut command = Command::new(&self.path);
        command.args(args).current_dir(&self.directory).env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let started = Instant::now();
        Ok(Process { child: command.spawn()?, started, peak_kib: 0 })
    }

    /// Runs the program to its end.
    pub fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> io::Result<Exit> {
        self.start(args)?.wait()
    }
}

impl Process {
    /// Id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns whether the process has not ended.
    pub fn is_running(&mut self) -> io::Result<bool> {
        let peak = peak_kib(self.child.id()).unwrap_or(0);
        self.peak_kib = self.peak_kib.max(peak);
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
        if signal == Signal::Kill {
            return self.child.kill();
        }
        let name = if signal == Signal::Interrupt { "-INT" } else { "-TERM" };
        if self.is_running()? {
            let id = self.id().to_string();
            // The process may end before the signal arrives, which is no error.
            Command::new("kill").args([name, &id]).stderr(Stdio::null()).status()?;
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
        let duration = self.started.elapsed();
        let mut stderr = String::new();
        if let Some(mut pipe) = self.child.stderr.take() {
            pipe.read_to_string(&mut stderr)?;
        }
        Ok(Exit { status: self.child.wait()?, stderr, duration, peak_kib: self.peak_kib })
    }
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
        self.status.signal() == Some(signal.number())
    }

    /// Fails unless the exit code is `code`.
    pub fn require_code(&self, code: i32) -> CaseResult {
        require(self.code() == Some(code), || {
            format!("{} instead of exit code {code}: {}", self.status, self.stderr.trim())
        })
    }
}

impl Signal {
    /// Number of the signal.
    pub fn number(self) -> i32 {
        match self {
            Self::Interrupt => 2,
            Self::Terminate => 15,
            Self::Kill => 9,
        }
    }

    /// Exit code of a program that ends because of the signal.
    pub fn exit_code(self) -> i32 {
        128 + self.number()
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
                peak = children().filter_map(peak_kib).fold(peak, u64::max);
            }
            peak
        });
        let result = work();
        drop::<SyncSender<()>>(done);
        (result, watcher.join().unwrap_or(u64::MAX))
    })
}

/// Ids of the children of this process that have not been waited for.
fn children() -> impl Iterator<Item = u32> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| {
        list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()
    })
}

/// Peak memory of a living process. After its end the system reports a value that includes the
/// memory of this process at the time of the fork.
fn peak_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
