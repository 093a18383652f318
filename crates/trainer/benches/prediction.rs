//! Images per second and latency of predictions in process, for `scripts/bench prediction`.
//!
//!     cargo bench -p trainer --bench prediction -- MODEL BATCH SECONDS
//!
//! prints one line of JSON. Images are random bytes in the shape of the model.

#![forbid(unsafe_code)]
#![allow(missing_docs, unused_crate_dependencies, reason = "a program")]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, hint};

use data::Examples;
use training::{ModelRegistry, Predictor};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [model, batch, seconds] = args.as_slice() else {
        return Err("usage: prediction MODEL BATCH SECONDS".into());
    };
    // As `trainer serve` predicts: another thread would wake those of rayon for every layer.
    rayon::ThreadPoolBuilder::new().use_current_thread().build_global()?;
    let (batch, seconds) = (batch.parse()?, Duration::from_secs_f64(seconds.parse()?));
    let predictor = Predictor::open(Path::new(model), None, &ModelRegistry::new())?;
    let shape = predictor.data_identity().shape;
    let bytes = batch * shape.iter().product::<usize>();
    let pixels = (0..bytes).map(|at| (at * at / 7 % 251) as u8).collect();
    let images = Examples::images(shape, pixels, vec![0; batch]);
    time(&predictor, &images, seconds / 5)?;
    let mut times = time(&predictor, &images, seconds)?;
    times.sort_by(f64::total_cmp);
    let rate = (times.len() * batch) as f64 / times.iter().sum::<f64>();
    let quantile = |share: f64| times.get((times.len() as f64 * share) as usize);
    let [half, most] = [0.5, 0.99].map(|share| quantile(share).copied().unwrap_or_default());
    println!("{{\"rate\": {rate}, \"p50\": {half}, \"p99\": {most}}}");
    Ok(())
}

/// Seconds of each call, in about `duration`.
fn time(
    predictor: &Predictor,
    images: &Examples,
    duration: Duration,
) -> Result<Vec<f64>, Box<dyn Error>> {
    let (started, mut times) = (Instant::now(), Vec::new());
    while started.elapsed() < duration {
        let start = Instant::now();
        hint::black_box(predictor.outputs(images)?);
        times.push(start.elapsed().as_secs_f64());
    }
    Ok(times)
}
