use rayon::prelude::*;

use super::canvas::Canvas;
use super::mixing::{BatchIndex, Mix, Mixing};
use super::random;
use super::spec::Augmentation;
use super::stage::Stage;
use crate::error::DatasetError;
use crate::examples::{Examples, Values};
use crate::pixel::padded;
use crate::scaler::Scaler;
use crate::statistics::Normalization;

/// Inputs of an image, its index among all examples and its position among those in memory.
type Row<'a> = (&'a mut [f32], (&'a usize, &'a usize));

/// A list of [`Augmentation`]s, prepared for one training set.
#[derive(Debug)]
pub struct Augmenter {
    seed: u64,
    stages: Vec<Stage>,
    mixing: Option<Mixing>,
    /// Mean of each channel.
    mean: [f32; 4],
}

impl Augmenter {
    /// Prepares `list` for the training set `train` of the run with `seed`; `None` for an empty list.
    ///
    /// # Errors
    ///
    /// If the source of `train` cannot be read or has changed.
    pub fn new(
        list: &[Augmentation],
        train: &Examples,
        seed: u64,
    ) -> Result<Option<Self>, DatasetError> {
        let cuts = |one| matches!(one, &Augmentation::Cutout(_) | &Augmentation::RandomErasing(_));
        let mean = if list.iter().any(cuts) { mean(train)? } else { [0.0; 4] };
        let stages = Stage::all(list);
        Ok((!list.is_empty()).then(|| Self { seed, stages, mixing: Mixing::of(list), mean }))
    }

    /// Returns the augmented inputs of the training `examples` at `items` in `epoch`, shape
    /// `[items.len(), width]`. Each is a function of the seed, the epoch and the item. The images are
    /// distributed over all threads if `parallel`. Features are not augmented.
    ///
    /// # Errors
    ///
    /// If the source cannot be read or has changed.
    ///
    /// # Panics
    ///
    /// If an index is out of range.
    pub fn inputs(
        &self,
        examples: &Examples,
        items: &[usize],
        scaler: &Scaler,
        epoch: u64,
        parallel: bool,
    ) -> Result<Vec<f32>, DatasetError> {
        let (examples, positions) = examples.in_memory(items)?;
        let Values::Pixels(pixels) = &examples.values else {
            return examples.inputs(&positions, scaler);
        };
        let width = examples.width();
        let change = |canvas: &mut Canvas, (inputs, (&item, &position)): Row| {
            canvas.load(examples.row(pixels, position), examples.shape);
            let mut rng = random::of_image(self.seed, epoch, item);
            self.stages.iter().for_each(|stage| stage.apply(canvas, self.mean, &mut rng));
            canvas.store(scaler, inputs);
        };
        let mut inputs = vec![0.0; items.len() * width];
        if parallel {
            let items = items.par_iter().zip(&*positions);
            let rows = inputs.par_chunks_exact_mut(width).zip(items);
            rows.for_each_init(Canvas::default, change);
        } else {
            let mut canvas = Canvas::default();
            let rows = inputs.chunks_exact_mut(width).zip(items.iter().zip(&*positions));
            rows.for_each(|row| change(&mut canvas, row));
        }
        Ok(inputs)
    }

    /// Mixes the `inputs` of a batch of images of `shape` with each other and returns the labels they
    /// were mixed with; `None` without mixup or cutmix.
    pub fn mix(
        &self,
        inputs: &mut [f32],
        shape: [usize; 3],
        labels: &[u32],
        batch: BatchIndex,
    ) -> Option<Mix> {
        let mixing = self.mixing.as_ref()?;
        Some(mixing.apply(inputs, shape, labels, &mut random::of_batch(self.seed, batch)))
    }
}

/// Returns the mean of each channel of `train`.
fn mean(train: &Examples) -> Result<[f32; 4], DatasetError> {
    let means = Normalization::Standardize.fit(train)?.shift;
    Ok(padded(means.iter().copied()))
}
