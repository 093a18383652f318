//! SIGINT (Ctrl-C) and SIGTERM: the first stops the run after its step, the second exits at once.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};
use training::{Stop, StopSource};

use crate::{error, terminal};

/// The last signal received, if any.
#[derive(Debug, Clone)]
pub struct Signals(Arc<AtomicUsize>);

/// Installs the handlers of both signals.
pub fn listen() -> io::Result<Signals> {
    let received = Arc::new(AtomicUsize::new(0));
    let (reader, writer) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM] {
        // The flag first: the thread that the pipe wakes reads it.
        flag::register_usize(signal, Arc::clone(&received), signal as usize)?;
        low_level::pipe::register(signal, writer.try_clone()?)?;
    }
    let signals = Signals(received);
    let seen = signals.clone();
    let exit = move || exit_at_second(reader, &seen);
    thread::Builder::new().name("signals".into()).spawn(exit)?;
    Ok(signals)
}

/// Exits after the second signal. A signal handler could not restore the terminal. The exit
/// handlers of libraries are skipped: they may wait for the work that is interrupted.
fn exit_at_second(mut reader: UnixStream, signals: &Signals) {
    let both = reader.read_exact(&mut [0; 2]);
    if let (Ok(()), Some(stop)) = (both, signals.received()) {
        terminal::restore().ok();
        low_level::exit(error::signal_exit_code(stop).into());
    }
}

impl Signals {
    /// The requested stop, if any.
    pub fn received(&self) -> Option<Stop> {
        match self.0.load(Ordering::Relaxed) as i32 {
            SIGINT => Some(Stop::Interrupted),
            SIGTERM => Some(Stop::Terminated),
            _ => None,
        }
    }

    /// Stop request that a run polls after every step.
    pub fn stop_source(&self) -> StopSource {
        let signals = self.clone();
        Box::new(move || signals.received())
    }
}
