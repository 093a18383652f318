//! Ctrl-C and SIGTERM: the first ends the run after its step, the second ends the program.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use training::{Stop, StopSource};

/// The signals received so far.
#[derive(Debug, Clone)]
pub struct Signals(Arc<AtomicUsize>);

/// Listens to both signals from now on.
pub fn listen() -> io::Result<Signals> {
    let received = Arc::new(AtomicUsize::new(0));
    let again = Arc::new(AtomicBool::new(false));
    for (signal, stop) in [(SIGINT, Stop::Interrupted), (SIGTERM, Stop::Terminated)] {
        // In this order: the first signal arms what the second one triggers.
        flag::register_conditional_shutdown(signal, exit_code(stop).into(), Arc::clone(&again))?;
        flag::register(signal, Arc::clone(&again))?;
        flag::register_usize(signal, Arc::clone(&received), signal as usize)?;
    }
    Ok(Signals(received))
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
