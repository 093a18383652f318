use std::sync::Arc;

use data::{Augmenter, BatchIndex, Scaler, Split};

use super::HostBatch;
use crate::fault_injection::Fault;

#[derive(Debug)]
pub struct BatchRequest {
    pub items: Vec<usize>,
    /// Position of the batch in the run.
    pub index: BatchIndex,
    pub fault: Fault,
}

#[derive(Debug)]
pub struct Collator {
    /// The data; batches consist of training examples.
    pub data: Arc<Split>,
    pub scaler: Scaler,
    pub augmenter: Option<Arc<Augmenter>>,
    /// Number of the epoch, from 1.
    pub epoch: u64,
    /// True if all threads augment the images of a batch together.
    pub parallel: bool,
}

impl Collator {
    pub fn collate(&self, request: &BatchRequest) -> Result<HostBatch, String> {
        request.fault.before_collating()?;
        let (train, items) = (&self.data.train, &request.items);
        if let Some(item) = items.iter().find(|&&item| item >= train.len()) {
            return Err(format!("there is no example {item}"));
        }
        let labels: Arc<[u32]> = train.labels_at(items).into();
        let Some(augmenter) = &self.augmenter else {
            let inputs = train.inputs(items, &self.scaler).map_err(|error| error.to_string())?;
            return Ok(HostBatch { inputs, labels, mix: None });
        };
        let inputs = augmenter.inputs(train, items, &self.scaler, self.epoch, self.parallel);
        let mut inputs = inputs.map_err(|error| error.to_string())?;
        let mix = augmenter.mix(&mut inputs, train.shape, &labels, request.index);
        Ok(HostBatch { inputs, labels, mix })
    }
}
