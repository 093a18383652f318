//! Microseconds per training step of the network of `configs/course2/moons_adam.toml`: 2-5-2-1
//! units, batches of 64, Adam.
//!
//!     cargo bench -p trainer-training --features flex,ndarray --bench step
//!     python3 crates/training/benches/numpy_step.py
//!
//! The second command times the same step in NumPy. This program first divides the time of whole
//! runs by their steps, then times the parts of a step one by one, in the order of the trainer. The
//! difference is the loop around them: scores, checks, events, metrics, checkpoints.

#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "a program")]
#![allow(clippy::indexing_slicing, reason = "a benchmark that panics has failed")]

mod common;

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use burn::optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int, Tensor, TensorData};
use data::{Examples, shuffled};
use models::{Model, ParameterInit};
use trainer_training::{Experiment, Head, Outcome, RunConfig, Ui};

use common::median;

const RUNS: usize = 9;
const EPOCHS: usize = 2_000;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let rounds = (0..RUNS).map(|_| round()).collect::<Result<Vec<_>>>()?;
    println!("microseconds per step, {RUNS} alternating runs of {EPOCHS} epochs\n");
    println!("{:44} {:>8} {:>8}", "", "median", "minimum");
    for (row, name) in ROWS.iter().enumerate() {
        let times: Vec<f64> = rounds.iter().map(|round| round[row]).collect();
        let minimum = times.iter().copied().fold(f64::INFINITY, f64::min);
        println!("{name:44} {:8.1} {minimum:8.1}", median(times));
    }
    Ok(())
}

const ROWS: [&str; 9] = [
    "whole run, reporting every 100 epochs",
    "  gather",
    "  forward and loss",
    "  scores read back",
    "  backward",
    "  optimizer",
    "  loop around these parts (difference)",
    "whole run, reporting every epoch",
    "  events and metrics (difference)",
];

/// One measurement of each of [`ROWS`].
fn round() -> Result<[f64; 9]> {
    let (sparse, dense) = (step_time(&config(100)?)?, step_time(&config(1)?)?);
    let parts = Step::new(&config(100)?)?.parts()?;
    let [gather, forward, scores, backward, optimizer] = parts;
    let rest = sparse - parts.iter().sum::<f64>();
    let events = dense - sparse;
    Ok([sparse, gather, forward, scores, backward, optimizer, rest, dense, events])
}

fn config(report_every: usize) -> Result<RunConfig> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_adam.toml");
    let epochs = format!("training.epochs={EPOCHS}");
    let report = format!("training.report_every_epochs={report_every}");
    Ok(RunConfig::read(&path, &[epochs, report])?)
}

/// The time of a run divided by its steps, in microseconds.
fn step_time(config: &RunConfig) -> Result<f64> {
    let directory = tempfile::tempdir()?;
    let mut run =
        Experiment::prepare(config, Some("flex"), None)?.start_at(&directory.path().join("run"))?;
    match run.train(Ui::silent(Box::new(|| None)))? {
        Outcome::Finished(summary) => Ok(1e6 * summary.seconds / summary.steps as f64),
        Outcome::Stopped(stop) => Err(format!("stopped: {stop:?}").into()),
    }
}

/// Number of timed parts of a step.
const PARTS: usize = 5;

/// A training step, made of public functions.
struct Step {
    config: RunConfig,
    examples: Examples,
    device: Device,
    model: Model,
    optimizer: ModuleOptimizer,
    head: Head,
    normalizer: [Tensor<4>; 2],
}

impl Step {
    fn new(config: &RunConfig) -> Result<Self> {
        let source = config.dataset.load()?;
        let device = Device::flex().autodiff();
        let statistics = config.input.fit(&source.train)?;
        let head = config.objective.head(source.classes.len());
        let outputs = head.outputs(source.classes.len());
        let parameters = ParameterInit::new(config.seed, &device);
        let fixed = |values: &[f32]| Tensor::<1>::from_data(values, &device).reshape([1, 1, 1, -1]);
        Ok(Self {
            model: config.model.init(source.train.shape, outputs, parameters)?,
            optimizer: config.optimizer.init(),
            normalizer: [fixed(&statistics.shift), fixed(&statistics.scale)],
            examples: source.train,
            config: config.clone(),
            device,
            head,
        })
    }

    /// Mean microseconds of each part of a step, in the order of [`ROWS`].
    fn parts(mut self) -> Result<[f64; PARTS]> {
        let (mut total, mut steps) = ([Duration::ZERO; PARTS], 0);
        let count = self.examples.len();
        for epoch in 1..=EPOCHS {
            let order = shuffled(count, self.config.seed, epoch as u64);
            for items in order.chunks(self.config.training.batch_size(count)) {
                self.step(items, &mut Laps { total: &mut total, next: 0, last: Instant::now() })?;
                steps += 1;
            }
        }
        Ok(total.map(|part| 1e6 * part.as_secs_f64() / f64::from(steps)))
    }

    fn step(&mut self, items: &[usize], laps: &mut Laps<'_>) -> Result<()> {
        let (inputs, targets) = self.gather(items)?;
        laps.lap();
        let logits = self.model.forward(inputs, None);
        let loss = self.head.loss(logits.clone(), targets);
        laps.lap();
        std::hint::black_box(logits.without_autodiff().into_data());
        laps.lap();
        let gradients = GradientsParams::from_grads(loss.backward(), &self.model);
        drop(loss);
        let mut accumulated = GradientsAccumulator::new();
        accumulated.accumulate(&self.model, gradients);
        laps.lap();
        let rate = self.config.optimizer.learning_rate();
        self.model = self.optimizer.step(rate, self.model.clone(), accumulated.grads());
        laps.lap();
        Ok(())
    }

    fn gather(&self, items: &[usize]) -> Result<(Tensor<4>, Tensor<1, Int>)> {
        let [height, width, channels] = self.examples.shape;
        let values = self.examples.gather(items)?;
        let values = TensorData::new(values, [items.len(), height, width, channels]);
        let [shift, scale] = self.normalizer.clone();
        let inputs = (Tensor::from_data(values, &self.device) - shift) / scale;
        let labels = items.iter().map(|&item| self.examples.labels[item] as i32);
        let labels = TensorData::new(labels.collect::<Vec<_>>(), [items.len()]);
        Ok((inputs, Tensor::from_data(labels, &self.device)))
    }
}

/// Sums the times of the parts of a step.
struct Laps<'a> {
    total: &'a mut [Duration; PARTS],
    next: usize,
    last: Instant,
}

impl Laps<'_> {
    fn lap(&mut self) {
        self.total[self.next] += self.last.elapsed();
        self.next += 1;
        self.last = Instant::now();
    }
}
