use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::WorkerAddress;
use super::attendant::{Attendant, Event, Job, Order, PartError, Probe};
use super::local::LocalWorker;
use super::messages::{Preparation, program};
use crate::config::{DistributedConfig, OnLoss};
use crate::error::RunError;
use crate::experiment::Experiment;
use crate::fault_injection::Fault;
use crate::trainer::{
    PackedPart, PartIndex, RunningStatistics, StepRequest, WorkerCount, WorkerResult, Workers,
    decays,
};

/// How a run uses its workers.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Where they are.
    pub addresses: Vec<WorkerAddress>,
    /// The secret that workers which run already ask for.
    pub token: String,
    /// The secret of local workers.
    pub local_token: String,
    /// The program of local workers: its command `worker` serves.
    pub program: PathBuf,
    /// The commit that this program was built from.
    pub commit: Option<String>,
}

/// The workers of a run.
pub struct WorkerPool {
    config: DistributedConfig,
    workers: Vec<Worker>,
    events: Receiver<(usize, Event)>,
    order: Arc<Order>,
    decays: Vec<f32>,
    /// Number of the current step.
    serial: u64,
    /// The longest time that a part has taken so far.
    longest: Duration,
    count: WorkerCount,
}

struct Worker {
    name: String,
    /// How often it may still die before all are ready.
    early_losses_left: usize,
    jobs: Sender<Job>,
    state: State,
    process: Arc<Mutex<Option<LocalWorker>>>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Not connected.
    Away,
    Idle,
    /// Computes a part of the step with this number.
    Busy {
        serial: u64,
        part: usize,
        since: Instant,
    },
    /// It has not answered in time, and may still do so.
    Late,
    /// It does not work for this run.
    Refused,
}

/// The parts of a step.
struct Step {
    /// Number of the step.
    serial: u64,
    request: StepRequest,
    /// Parts to be given to workers.
    open: VecDeque<usize>,
    /// The part that was given to a second worker, because the first one takes long.
    doubled: Option<usize>,
    /// Number of parts that were visited.
    visited: usize,
    /// The parts that are computed and not visited yet, with the worker that did it.
    done: Vec<Option<(Result<PackedPart, PartError>, usize)>>,
}

/// How often a local worker may die before all are ready.
const MOST_EARLY_LOSSES: usize = 5;
/// How long a worker may take longer than usual before another one computes its part too.
const MIN_PATIENCE: Duration = Duration::from_secs(1);
/// How often the coordinator looks for workers that are late.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Step {
    /// Whether this is a part of this step that is not computed.
    fn misses(&self, serial: u64, part: usize) -> bool {
        let is_open = self.done.get(part).is_some_and(Option::is_none);
        serial == self.serial && part >= self.visited && is_open
    }
}

impl WorkerPool {
    /// Connects to all workers. Each must have the same program and data, and compute the same bits.
    ///
    /// # Errors
    ///
    /// If one does not answer or is refused: its name, the cause and a remedy.
    pub fn start(experiment: &Experiment, options: PoolOptions) -> Result<Self, RunError> {
        let PoolOptions { addresses, token, local_token, program: path, commit } = options;
        let (probe, decays) = experiment.probe()?;
        let config = toml::to_string(experiment.config())
            .map_err(|error| RunError::Other(format!("the config cannot be sent: {error}")))?;
        let locals =
            addresses.iter().filter(|address| matches!(address, WorkerAddress::Local { .. }));
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let order = Arc::new(Order {
            preparation: Preparation {
                program: program(commit.as_deref()),
                config,
                data: experiment.data_identity().clone(),
            },
            token,
            local_token,
            program: path,
            device: experiment.device().to_owned(),
            threads: (cores / locals.count().max(1)).max(1),
            probe,
            is_closed: AtomicBool::new(false),
            attempts: AtomicU64::new(0),
        });
        let (events, received) = channel();
        let all = addresses.len();
        let workers = addresses.into_iter().enumerate();
        let workers = workers.map(|(index, address)| {
            let name = match &address {
                WorkerAddress::Local { .. } => format!("{address} {}", index + 1),
                address => address.to_string(),
            };
            Worker::start(index, name, address, Arc::clone(&order), events.clone())
        });
        let mut pool = Self {
            config: experiment.distributed().clone(),
            workers: workers.collect::<Result<_, _>>()?,
            events: received,
            order,
            decays,
            serial: 0,
            longest: Duration::ZERO,
            count: WorkerCount::new(all),
        };
        pool.wait_for_all()?;
        Ok(pool)
    }

    fn wait_for_all(&mut self) -> Result<(), RunError> {
        while self.workers.iter().any(|worker| worker.state != State::Idle) {
            let Ok((index, event)) = self.events.recv() else { break };
            let Some(worker) = self.workers.get_mut(index) else { continue };
            match event {
                Event::Ready { device, threads } => {
                    tracing::debug!(
                        "the worker {} is ready: {device}, {threads} threads",
                        worker.name
                    );
                    worker.state = State::Idle;
                }
                // It starts again.
                Event::Lost(_) if worker.early_losses_left > 0 => worker.early_losses_left -= 1,
                Event::Refused(reason) | Event::Lost(reason) => {
                    let name = &worker.name;
                    return Err(RunError::Usage(format!(
                        "the worker {name} cannot be used: {reason}"
                    )));
                }
                Event::Answered { .. } => {}
            }
        }
        self.update_count();
        Ok(())
    }

    /// Counts the workers that can compute.
    fn update_count(&self) -> usize {
        let usable = |worker: &&Worker| matches!(worker.state, State::Idle | State::Busy { .. });
        let usable = self.workers.iter().filter(usable).count();
        self.count.set(usable);
        usable
    }

    /// Gives open parts to idle workers.
    fn assign(&mut self, step: &mut Step) {
        for worker in &mut self.workers {
            if worker.state != State::Idle {
                continue;
            }
            let Some(part) = step.open.pop_front() else { return };
            let StepRequest { weights, first, fault, .. } = &step.request;
            let index = PartIndex { part, ..*first };
            let job =
                Job { serial: step.serial, weights: Arc::clone(weights), index, fault: *fault };
            // The thread ends only after an event of refusal.
            if worker.jobs.send(job).is_ok() {
                let (serial, since) = (step.serial, Instant::now());
                worker.state = State::Busy { serial, part, since };
            } else {
                step.open.push_front(part);
            }
        }
    }

    /// Waits for the next event, or a worker that is late. Fails if too few workers are left.
    fn wait(&mut self, step: &mut Step) -> Result<(), RunError> {
        match self.events.recv_timeout(LOOK_EVERY) {
            Ok((index, event)) => self.take(index, event, step),
            Err(RecvTimeoutError::Timeout) => {
                self.double(step);
                self.give_up_on_late_ones(step)
            }
            Err(RecvTimeoutError::Disconnected) => Err(RunError::TooFewWorkers),
        }
    }

    fn take(&mut self, index: usize, event: Event, step: &mut Step) -> Result<(), RunError> {
        let Some(worker) = self.workers.get_mut(index) else { return Ok(()) };
        let name = &worker.name;
        match event {
            Event::Ready { .. } => {
                tracing::warn!("the worker {name} is back");
                worker.state = State::Idle;
            }
            Event::Answered { serial, part, answer } => {
                match worker.state {
                    State::Late => tracing::warn!("the worker {name} answers again"),
                    State::Busy { since, .. } => self.longest = self.longest.max(since.elapsed()),
                    _ => {}
                }
                worker.state = State::Idle;
                if step.misses(serial, part) {
                    step.open.retain(|open| *open != part);
                    step.done.get_mut(part).map(|done| done.insert((answer, index)));
                }
            }
            Event::Lost(reason) if worker.state == State::Away => {
                tracing::debug!("the worker {name} cannot be reached: {reason}");
            }
            Event::Lost(reason) => {
                tracing::warn!("the worker {name} is lost: {reason}");
                return self.lose(index, State::Away, step);
            }
            Event::Refused(reason) => {
                tracing::warn!("the worker {name} cannot be used any more: {reason}");
                return self.lose(index, State::Refused, step);
            }
        }
        self.update_count();
        Ok(())
    }

    /// Lets an idle worker compute a part for which another one takes unusually long, one at a time:
    /// the end of an encrypted connection is noticed late.
    fn double(&self, step: &mut Step) {
        let patience = MIN_PATIENCE + 2 * self.longest;
        let slow = self.workers.iter().find_map(|worker| match worker.state {
            State::Busy { serial, part, since } if since.elapsed() > patience => {
                Some(part).filter(|part| step.misses(serial, *part))
            }
            _ => None,
        });
        let is_free = step.doubled.is_none_or(|part| !step.misses(step.serial, part));
        if step.open.is_empty() && is_free {
            step.doubled = slow;
            step.open.extend(slow);
        }
    }

    fn give_up_on_late_ones(&mut self, step: &mut Step) -> Result<(), RunError> {
        let within = Duration::from_secs_f64(self.config.answer_within);
        let late = self.workers.iter().position(
            |worker| matches!(worker.state, State::Busy { since, .. } if since.elapsed() > within),
        );
        let Some((index, worker)) = late.and_then(|it| Some((it, self.workers.get(it)?))) else {
            return Ok(());
        };
        tracing::warn!(
            "the worker {} has not answered for {} s; others compute its part",
            worker.name,
            self.config.answer_within
        );
        self.lose(index, State::Late, step)
    }

    /// Takes a worker out, and opens its part again.
    fn lose(&mut self, index: usize, state: State, step: &mut Step) -> Result<(), RunError> {
        let Some(worker) = self.workers.get_mut(index) else { return Ok(()) };
        if let State::Busy { serial, part, .. } = worker.state
            && step.misses(serial, part)
            && !step.open.contains(&part)
        {
            step.open.push_front(part);
        }
        worker.state = state;
        let usable = self.update_count();
        if self.config.on_loss == OnLoss::Stop || usable < self.config.minimum {
            tracing::warn!("{usable} of {} workers are left", self.count.all);
            return Err(RunError::TooFewWorkers);
        }
        Ok(())
    }

    /// A computed part. A failure is that which the run would have without workers, with the name of
    /// the worker.
    fn result(
        &self,
        (answer, index): (Result<PackedPart, PartError>, usize),
        step: &Step,
    ) -> Result<WorkerResult, RunError> {
        let worker = self.workers.get(index).map_or(String::new(), |worker| worker.name.clone());
        match answer {
            Ok(part) => Ok(WorkerResult { part, worker }),
            Err(PartError::NotLoaded(reason)) => {
                let PartIndex { epoch, epoch_step, .. } = step.request.first;
                let reason = format!("{reason}, on the worker {worker}");
                Err(RunError::NotLoaded { epoch, batch: epoch_step + 1, reason })
            }
            Err(PartError::Panicked(reason)) => {
                resume_unwind(Box::new(format!("{reason}, on the worker {worker}")))
            }
        }
    }
}

impl Workers for WorkerPool {
    fn compute(
        &mut self,
        request: StepRequest,
        visit: &mut dyn FnMut(WorkerResult) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        self.serial += 1;
        let parts = request.parts;
        let open = (0..parts).collect();
        let done = (0..parts).map(|_| None).collect();
        let serial = self.serial;
        let mut step = Step { serial, request, open, doubled: None, visited: 0, done };
        for part in 0..parts {
            step.visited = part;
            loop {
                self.assign(&mut step);
                let done = step.done.get_mut(part).and_then(Option::take);
                if let Some(done) = done {
                    visit(self.result(done, &step)?)?;
                    break;
                }
                self.wait(&mut step)?;
            }
        }
        Ok(())
    }

    fn decays(&self) -> &[f32] {
        &self.decays
    }

    fn count(&self) -> WorkerCount {
        self.count.clone()
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        self.order.is_closed.store(true, Ordering::Relaxed);
        for worker in &self.workers {
            *worker.process.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

impl Worker {
    fn start(
        index: usize,
        name: String,
        address: WorkerAddress,
        order: Arc<Order>,
        events: Sender<(usize, Event)>,
    ) -> Result<Self, RunError> {
        let (jobs, received) = channel();
        let process = Arc::new(Mutex::new(None));
        let is_local = matches!(address, WorkerAddress::Local { .. });
        let early_losses_left = if is_local { MOST_EARLY_LOSSES } else { 0 };
        let attendant = Attendant {
            address,
            order,
            jobs: received,
            report: Box::new(move |event| drop(events.send((index, event)))),
            process: Arc::clone(&process),
        };
        thread::Builder::new()
            .name(format!("worker-{index}"))
            .spawn(move || attendant.attend())
            .map_err(|error| RunError::Other(format!("cannot start a thread: {error}")))?;
        Ok(Self { name, early_losses_left, jobs, state: State::Away, process })
    }
}

impl Experiment {
    /// The first part of the run, to compare with that of a worker, and the decays of the running
    /// statistics.
    fn probe(&self) -> Result<(Probe, Vec<f32>), RunError> {
        let mut computer = self.part_computer()?;
        let index = PartIndex { epoch: 1, epoch_step: 0, step: 0, part: 0 };
        let weights = computer.weights();
        let mut part =
            |statistics| computer.compute(weights.clone(), statistics, index, Fault::None);
        let expected = part(RunningStatistics::Zero)?;
        let scaled = part(RunningStatistics::Scale)?;
        let count = self.config().training.batch_size(self.data().train.len());
        let scaled = scaled.unpack(&computer.classifier, count);
        let decays = scaled.and_then(|scaled| decays(&scaled.statistics)).ok_or_else(|| {
            RunError::Usage(
                "the running statistics of the model are no moving averages: workers cannot train it"
                    .to_owned(),
            )
        })?;
        Ok((Probe { weights, index, expected }, decays))
    }
}
