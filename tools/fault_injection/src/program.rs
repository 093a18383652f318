//! The real program: started, signalled, killed, and waited for.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::Campaign;

/// The program, and the directory that it is started in.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    directory: PathBuf,
}

/// A process of it, which ends with the value at the latest.
#[derive(Debug)]
pub struct Running {
    child: Child,
    started: Instant,
    peak_kib: u64,
}

/// A process that has ended.
#[derive(Debug)]
pub struct Ended {
    status: ExitStatus,
    /// What it wrote to stderr.
    pub words: String,
    /// How long it lived.
    pub lived: Duration,
    /// The most memory that it held, where the system tells.
    pub peak_kib: u64,
}

/// What can be sent to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// What a system that shuts down sends.
    Terminate,
    /// The end, without a word.
    Kill,
}

/// The longest that a process may live: beyond it hangs.
const LONGEST: Duration = Duration::from_secs(120);

/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(2);

impl Program {
    /// The program of the campaign, started in `directory`.
    pub fn within(campaign: &Campaign, directory: PathBuf) -> Self {
        Self { path: campaign.program.clone(), directory }
    }

    /// The same, started elsewhere.
    pub fn elsewhere(self, directory: PathBuf) -> Self {
        Self { directory, ..self }
    }

    /// Starts it.
    pub fn start<A: AsRef<OsStr>>(&self, args: &[A]) -> io::Result<Running> {
        let mut command = Command::new(&self.path);
        command.args(args).current_dir(&self.directory).env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = Instant::now();
        Ok(Running { child: command.spawn()?, started, peak_kib: 0 })
    }

    /// Runs it to its end.
    pub fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> io::Result<Ended> {
        self.start(args)?.wait()
    }
}

impl Running {
    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> io::Result<bool> {
        let peak = peak_kib(self.child.id()).unwrap_or(0);
        self.peak_kib = self.peak_kib.max(peak);
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits until so long after its start, or until it has ended.
    pub fn wait_until(&mut self, age: Duration) -> io::Result<()> {
        while self.is_running()? {
            match age.saturating_sub(self.started.elapsed()) {
                Duration::ZERO => return Ok(()),
                left => thread::sleep(left.min(LOOK)),
            }
        }
        Ok(())
    }

    /// Waits until it has printed a line that begins with `words`, or has closed its output.
    pub fn wait_for_line(&mut self, words: &str) -> io::Result<()> {
        let Some(stdout) = self.child.stdout.take() else { return Ok(()) };
        let mut lines = BufReader::new(stdout);
        let mut line = String::new();
        while lines.read_line(&mut line)? > 0 && !line.starts_with(words) {
            line.clear();
        }
        self.child.stdout = Some(lines.into_inner());
        Ok(())
    }

    /// Sends `signal`, unless it has ended.
    pub fn send(&mut self, signal: Signal) -> io::Result<()> {
        if signal == Signal::Kill {
            return self.child.kill();
        }
        let name = if signal == Signal::Interrupt { "-INT" } else { "-TERM" };
        if self.is_running()? {
            let id = self.id().to_string();
            // It may have ended by now.
            Command::new("kill").args([name, &id]).stderr(Stdio::null()).status()?;
        }
        Ok(())
    }

    /// Waits until it has ended. One that hangs is killed, and an error.
    pub fn wait(mut self) -> io::Result<Ended> {
        while self.is_running()? {
            if self.started.elapsed() > LONGEST {
                return Err(io::Error::other(format!("it runs after {LONGEST:?}")));
            }
            thread::sleep(LOOK);
        }
        let lived = self.started.elapsed();
        let mut words = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut words)?;
        }
        Ok(Ended { status: self.child.wait()?, words, lived, peak_kib: self.peak_kib })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Ended {
    /// Its exit code; none if a signal has ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Whether `signal` has ended it, before it could answer.
    pub fn died_of(&self, signal: Signal) -> bool {
        self.status.signal() == Some(signal.number())
    }

    /// Fails unless it has ended with `code`.
    pub fn must_be(&self, code: i32) -> Result<(), String> {
        match self.code() == Some(code) {
            true => Ok(()),
            false => Err(format!("{} instead of {code}: {}", self.status, self.words.trim())),
        }
    }
}

impl Signal {
    /// Its number.
    pub fn number(self) -> i32 {
        match self {
            Self::Interrupt => 2,
            Self::Terminate => 15,
            Self::Kill => 9,
        }
    }

    /// The exit code of a program that answers it.
    pub fn code(self) -> i32 {
        128 + self.number()
    }
}

/// Does `work`, and gives the most memory in KiB that any process held which it started meanwhile.
pub fn watched<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let (done, at_work) = sync_channel(0);
    thread::scope(|scope| {
        let watch = scope.spawn(move || {
            let mut peak = 0;
            while at_work.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                peak = children().filter_map(peak_kib).fold(peak, u64::max);
            }
            peak
        });
        let result = work();
        drop::<SyncSender<()>>(done);
        (result, watch.join().unwrap_or(u64::MAX))
    })
}

/// The processes that this one has started and not yet waited for.
fn children() -> impl Iterator<Item = u32> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let numbers = |list: String| {
        list.split_whitespace().filter_map(|number| number.parse().ok()).collect::<Vec<_>>()
    };
    lists.flat_map(numbers)
}

/// The most memory that a living process has held. Not what the system says once it has ended:
/// there it counts what this process held when it started the other.
fn peak_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
