use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use burn::tensor::remote::ConnectError;

use super::WorkerAddress;
use super::connection::Connection;
use super::local::LocalWorker;
use super::messages::{Answer, Preparation, Request};
use crate::fault_injection::Fault;
use crate::trainer::{PackedPart, PartIndex, RunningStatistics};

/// A part to compute.
pub struct Job {
    /// Number of the step, to tell late answers from others.
    pub serial: u64,
    pub weights: Arc<Vec<f32>>,
    pub index: PartIndex,
    pub fault: Fault,
}

/// What an attendant reports.
pub enum Event {
    /// The worker is ready, on this device with this number of threads.
    Ready { device: String, threads: usize },
    /// It has computed a part, or failed to.
    Answered { serial: u64, part: usize, answer: Result<PackedPart, PartError> },
    /// The connection is lost.
    Lost(String),
    /// It cannot work for this run.
    Refused(String),
}

/// Why a part could not be computed; the run would have the same failure without workers.
#[derive(Debug, Clone, PartialEq)]
pub enum PartError {
    NotLoaded(String),
    Panicked(String),
}

/// What all attendants of a run know.
pub struct Order {
    pub preparation: Preparation,
    pub token: String,
    pub local_token: String,
    /// The program of local workers.
    pub program: PathBuf,
    /// The device of those without one of their own: that of the coordinator.
    pub device: String,
    /// Number of threads of each local worker.
    pub threads: usize,
    /// A part that a worker must compute with the same bits as the coordinator.
    pub probe: Probe,
    pub is_closed: AtomicBool,
    /// Sessions opened so far.
    pub attempts: AtomicU64,
}

/// A part and its result.
pub struct Probe {
    pub weights: Vec<f32>,
    pub index: PartIndex,
    pub expected: PackedPart,
}

/// The thread that attends to one worker.
pub struct Attendant {
    pub address: WorkerAddress,
    pub order: Arc<Order>,
    pub jobs: Receiver<Job>,
    pub report: Box<dyn Fn(Event) + Send>,
    /// The process of a local worker, which the pool ends.
    pub process: Arc<Mutex<Option<LocalWorker>>>,
}

/// Why there is no connection.
pub enum Failure {
    /// Another attempt may succeed.
    Lost(String),
    /// It cannot work for this run.
    Refused(String),
}

/// A session with a worker that is ready for the run with this number.
struct Session {
    connection: Connection,
    run: u64,
}

/// How long to wait for a worker that listens to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// Pauses between attempts to reach a worker that was lost.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Attendant {
    /// Connects, computes parts and connects again after a loss, until the pool is dropped.
    pub fn attend(self) {
        let mut pause = FIRST_PAUSE;
        while !self.order.is_closed.load(Ordering::Relaxed) {
            match self.connect().and_then(|session| {
                pause = FIRST_PAUSE;
                self.serve(session)
            }) {
                Ok(()) => return,
                Err(Failure::Refused(reason)) => return (self.report)(Event::Refused(reason)),
                Err(Failure::Lost(reason)) => (self.report)(Event::Lost(reason)),
            }
            thread::sleep(pause);
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// Computes parts until the pool is dropped.
    fn serve(&self, Session { mut connection, run }: Session) -> Result<(), Failure> {
        while let Ok(Job { serial, weights, index, fault }) = self.jobs.recv() {
            let request = Request::Part { run, index, statistics: RunningStatistics::Zero, fault };
            let (answer, computed) =
                connection.compute(&request, serial, weights).map_err(Failure::Lost)?;
            let answer = match answer {
                Answer::Computed => Ok(computed),
                Answer::NotLoaded(reason) => Err(PartError::NotLoaded(reason)),
                Answer::Panicked(reason) => Err(PartError::Panicked(reason)),
                Answer::Refused(reason) => return Err(Failure::Refused(reason)),
                Answer::Replaced | Answer::Ready { .. } => {
                    return Err(Failure::Refused("it works for another run now".to_owned()));
                }
            };
            (self.report)(Event::Answered { serial, part: index.part, answer });
        }
        Ok(())
    }

    /// A session with the worker, after it has computed the probe with the expected bits.
    fn connect(&self) -> Result<Session, Failure> {
        let local = self.start_local()?;
        let mut connection = self.open(local)?;
        let prepare = Request::Prepare(Box::new(self.order.preparation.clone()));
        let (run, device, threads) = match connection.ask(&prepare).map_err(Failure::Lost)? {
            Answer::Ready { run, device, threads } => (run, device, threads),
            Answer::Refused(reason) => return Err(Failure::Refused(reason)),
            other => return Err(Failure::Refused(format!("its answer makes no sense: {other:?}"))),
        };
        let Probe { weights, index, expected } = &self.order.probe;
        let (index, statistics, fault) = (*index, RunningStatistics::Zero, Fault::None);
        let request = Request::Part { run, index, statistics, fault };
        let (answer, computed) =
            connection.compute(&request, 0, Arc::new(weights.clone())).map_err(Failure::Lost)?;
        if answer != Answer::Computed {
            return Err(Failure::Refused(format!("it cannot compute a part: {answer:?}")));
        }
        if !expected.has_bits_of(&computed) {
            return Err(Failure::Refused(format!(
                "on {device} it computes other bits than this machine\n  use machines with the same kind of processor, or the same device"
            )));
        }
        (self.report)(Event::Ready { device, threads });
        Ok(Session { connection, run })
    }

    fn open(&self, local: SocketAddr) -> Result<Connection, Failure> {
        let token = match &self.address {
            WorkerAddress::Local { .. } => &self.order.local_token,
            _ => &self.order.token,
        };
        if let WorkerAddress::Loopback(address) = &self.address {
            // Burn tries for 16 s.
            TcpStream::connect_timeout(address, CONNECT_WITHIN)
                .map_err(|error| Failure::Lost(format!("it does not answer: {error}")))?;
        }
        let attempt = self.order.attempts.fetch_add(1, Ordering::Relaxed);
        Connection::open(&self.address, local, token, attempt).map_err(|error| match error {
            ConnectError::Unauthorized => Failure::Refused(
                "it was started with another token\n  give the same --token-file to both"
                    .to_owned(),
            ),
            ConnectError::IncompatibleProtocol { .. } => {
                Failure::Refused(format!("{error}\n  use the same version of the trainer on both"))
            }
            error => Failure::Lost(error.to_string()),
        })
    }

    /// Starts the process of a local worker. Returns where it listens.
    fn start_local(&self) -> Result<SocketAddr, Failure> {
        let WorkerAddress::Local { device } = &self.address else {
            return Ok(SocketAddr::from(([127, 0, 0, 1], 0)));
        };
        let Order { program, threads, local_token, is_closed, .. } = &*self.order;
        let device = device.as_deref().unwrap_or(&self.order.device);
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        // The one before has died, or is of no use.
        *process = None;
        if is_closed.load(Ordering::Relaxed) {
            return Err(Failure::Lost("the run has ended".to_owned()));
        }
        let worker = LocalWorker::start(program, device, *threads, local_token)?;
        Ok(process.insert(worker).address)
    }
}
