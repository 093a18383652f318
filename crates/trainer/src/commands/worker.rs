//! `trainer worker`: computes parts of runs for trainers on this machine and others.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{fs, process, thread};

use clap::Args;
use training::distributed::{Listen, WorkerServer};

use super::train::join_worker_threads;
use crate::cli::Overrides;
use crate::context::{COMMIT, Context};
use crate::error::Failure;
use crate::{print, signals, text};

#[derive(Debug, Args)]
pub struct WorkerArgs {
    /// Address and port; port 0 selects a free one. Any other address than one of this machine alone
    /// is reached encrypted, on UDP
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7447")]
    listen: SocketAddr,
    /// File with the secret that trainers must know, in its first line; - reads standard input, and
    /// ends when that closes
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// File of the secret key of an encrypted worker, which is created if it is absent [default: in
    /// the data directory of the user]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Device, as for train [default: the best one]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    #[command(flatten)]
    set: Overrides,
}

pub fn run(args: &WorkerArgs, context: &Context) -> Result<(), Failure> {
    let signals = signals::listen()?;
    let token = if args.token_file == Path::new("-") {
        let token = first_line(io::stdin().lines())?;
        end_with_standard_input();
        token
    } else {
        token(&args.token_file)?
    };
    join_worker_threads();
    let server = WorkerServer {
        models: context.models.clone(),
        overrides: args.set.overrides.clone(),
        device: args.device.clone(),
        commit: COMMIT.map(str::to_owned),
    };
    let ready = |address: &str| {
        print::result(&format!("a worker listens on {address}")).ok();
    };
    let stop = server.serve(args.listen()?, &token, ready, signals.stop_source())?;
    Err(Failure::stopped("", stop))
}

impl WorkerArgs {
    fn listen(&self) -> Result<Listen, Failure> {
        if self.listen.ip().is_loopback() && self.key_file.is_none() {
            return Ok(Listen::Loopback(self.listen));
        }
        let default = || Some(dirs::data_dir()?.join("trainer").join("worker.key"));
        let identity = self.key_file.clone().or_else(default);
        let identity = identity.ok_or_else(|| {
            Failure::usage("there is no directory for the key of the worker\n  name it: --key-file")
        })?;
        if let Some(directory) = identity.parent() {
            fs::create_dir_all(directory)?;
        }
        Ok(Listen::Encrypted { port: self.listen.port(), identity })
    }
}

/// The secret in the first line of a file.
pub fn token(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("the token in {} cannot be read: {error}", text::path(path)))
    })?;
    first_line(text.lines().map(|line| Ok(line.to_owned())))
}

fn first_line(mut lines: impl Iterator<Item = io::Result<String>>) -> Result<String, Failure> {
    let line = lines.next().transpose()?.unwrap_or_default();
    match line.trim() {
        "" => Err(Failure::usage(
            "the token is empty\n  write a secret into the file, for example: openssl rand -hex 32 > token",
        )),
        token => Ok(token.to_owned()),
    }
}

/// Ends this process when its standard input closes: the trainer that started it has died.
fn end_with_standard_input() {
    thread::spawn(|| {
        let mut input = io::stdin();
        while input.read(&mut [0; 64]).is_ok_and(|count| count > 0) {}
        process::exit(0);
    });
}
