//! Ctrl-C and SIGTERM: the first ends the run after its step, the second ends the program.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};
use training::{Stop, StopSource};

use crate::ui;

/// The last signal received, if any.
#[derive(Debug, Clone)]
pub struct Signals(Arc<AtomicUsize>);

/// Listens to both signals from now on.
pub fn listen() -> io::Result<Signals> {
    let received = Arc::new(AtomicUsize::new(0));
    let (rings, bell) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM] {
        // In this order: who hears the bell looks at what was received.
        flag::register_usize(signal, Arc::clone(&received), signal as usize)?;
        low_level::pipe::register(signal, bell.try_clone()?)?;
    }
    let signals = Signals(received);
    let heard = signals.clone();
    thread::Builder::new().name("signals".into()).spawn(move || end_at_second(rings, &heard))?;
    Ok(signals)
}

/// Ends the program when the bell has rung twice. Not in the handler itself, where the terminal
/// cannot be given back; and without the handlers of libraries for an exit, which may wait for
/// what is being interrupted.
fn end_at_second(mut rings: UnixStream, signals: &Signals) {
    let heard = rings.read_exact(&mut [0; 2]);
    if let (Ok(()), Some(stop)) = (heard, signals.received()) {
        ui::give_terminal_back().ok();
        low_level::exit(exit_code(stop).into());
    }
}

impl Signals {
    /// Which stop was asked for, if any.
    pub fn received(&self) -> Option<Stop> {
        match self.0.load(Ordering::Relaxed) as i32 {
            SIGINT => Some(Stop::Interrupted),
            SIGTERM => Some(Stop::Terminated),
            _ => None,
        }
    }

    /// What a run asks after every step.
    pub fn stop_source(&self) -> StopSource {
        let signals = self.clone();
        Box::new(move || signals.received())
    }
}

/// The exit code of a program ended by the signal.
pub fn exit_code(stop: Stop) -> u8 {
    match stop {
        Stop::Interrupted => 128 + SIGINT as u8,
        Stop::Terminated => 128 + SIGTERM as u8,
    }
}
