use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use super::attendant::Failure;

/// A worker that the coordinator has started. It ends with this value, and if the coordinator dies:
/// then its standard input closes.
pub struct LocalWorker {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    _input: ChildStdin,
}

impl LocalWorker {
    /// Starts `program` as a worker on `device` with this number of threads, which asks for `token`.
    pub fn start(
        program: &Path,
        device: &str,
        threads: usize,
        token: &str,
    ) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command.args(["worker", "--quiet", "--listen", "127.0.0.1:0", "--token-file", "-"]);
        command.args(["--device", device]);
        command.env("RAYON_NUM_THREADS", threads.to_string());
        // It allocates the same large buffers for each part.
        command.env("MIMALLOC_PURGE_DELAY", "1000");
        // Ctrl-C is for the coordinator.
        #[cfg(unix)]
        command.process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed =
            |error| Failure::Refused(format!("cannot start {}: {error}", program.display()));
        let mut child = command.spawn().map_err(failed)?;
        let input = child.stdin.take().and_then(|mut input| {
            // The token is not an argument, which other users could see.
            writeln!(input, "{token}").ok().map(|()| input)
        });
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line).ok();
        }
        let address = line.trim().rsplit(' ').next().and_then(|address| address.parse().ok());
        match input.zip(address) {
            Some((input, address)) => Ok(Self { child, address, _input: input }),
            None if line.is_empty() => Err(failure(child)),
            None => {
                child.kill().ok();
                child.wait().ok();
                Err(Failure::Refused(format!("it is no worker, and wrote: {}", line.trim())))
            }
        }
    }
}

/// Why a process has not started to listen. One that was killed may start the next time.
fn failure(mut child: Child) -> Failure {
    let mut reason = String::new();
    let ended = child.wait();
    child.stderr.take().map(|mut errors| errors.read_to_string(&mut reason));
    match ended {
        Ok(status) if status.code().is_none() => Failure::Lost("it was killed".to_owned()),
        _ => Failure::Refused(format!("it did not start: {}", reason.trim())),
    }
}

impl Drop for LocalWorker {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
