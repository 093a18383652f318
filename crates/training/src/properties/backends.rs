//! Compares fused with plain operations: flex with every other processor backend.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, FloatDType, Tensor};
use data::{Examples, Split};
use models::DropoutRng;

use crate::config::RunConfig;
use crate::device::processors;

const TRAINING: &str = r#"
name = "backends"
optimizer.adamw.learning_rate = 1e-3
training.epochs = 1
[dataset.points]
"#;

const MODELS: [(&str, u64); 5] = [
    ("[model.mlp]\nhidden = [20, 10]\n", 20),
    ("[model.cnn]\nchannels = [16, 24]\nhidden = [12]\n", 20),
    ("[model.resnet]\nchannels = [16, 20]\nblocks = 1\n", 20),
    // Their last stages have a few pixels only, where a rounding error soon changes which units are
    // active: after five steps the weights differ by 2e-4.
    (
        "[model.resnet]\nchannels = [16, 5]\nblock = \"bottleneck\"\nstem_reduction = \"pooled\"\n",
        2,
    ),
    (
        "[model.resnet]\nchannels = [8, 16]\nblocks = [1, 2]\nstem_reduction = \"strided\"\n\
         stochastic_depth = 0.5\n",
        2,
    ),
];

/// 32 images of 12 x 10 pixels in three classes.
fn images() -> Split {
    let pixel = |at: usize| ((at * at * 37 + at * 11) % 251) as u8;
    let part = || {
        let labels = (0..32).map(|item| item % 3).collect();
        Examples::images([12, 10, 3], (0..32 * 360).map(pixel).collect(), labels)
    };
    let classes = ["a", "b", "c"].map(String::from).to_vec();
    Split { train: part(), validation: None, test: Some(part()), classes }
}

/// The weights after some steps on `device`. Biases are left out: before a batch norm their
/// gradients are rounding errors.
fn weights(model: &str, steps: u64, device: Device) -> Vec<Vec<f32>> {
    struct Weights(Vec<Vec<f32>>);
    impl ModuleVisitor for Weights {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if D > 1 {
                self.0.push(param.val().into_data().iter::<f32>().collect());
            }
        }
    }
    let config: RunConfig = toml::from_str(&[TRAINING, model].concat()).unwrap();
    let data = images();
    let statistics = config.input.fit(&data.train).unwrap();
    let device = device.autodiff();
    let classifier = config.classifier(data.train.shape, data.classes.len());
    let mut classifier = classifier.init(&statistics, FloatDType::F32, &device).unwrap();
    let mut optimizer = config.optimizer.init();
    for step in 0..steps {
        let mut batch =
            classifier.batch(&data.train, &(0..32).collect::<Vec<_>>(), &device).unwrap();
        batch.dropout = Some(DropoutRng { seed: 1, step, micro_batch: 0 });
        let gradients: GradientsParams = classifier.forward_backward(&batch).1;
        classifier = optimizer.step(1e-3, classifier, gradients);
    }
    let mut weights = Weights(Vec::new());
    classifier.visit(&mut weights);
    weights.0
}

fn norm(values: impl Iterator<Item = f32>) -> f64 {
    values.map(|value| f64::from(value).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn the_first_steps_give_the_same_weights_on_every_processor_backend() {
    for (model, steps) in MODELS {
        let mut backends =
            processors().into_iter().map(|selected| weights(model, steps, selected.device));
        let reference = backends.next().unwrap();
        for other in backends {
            for (one, other) in reference.iter().zip(&other) {
                let difference = norm(one.iter().zip(other).map(|(a, b)| a - b));
                let relative = difference / norm(one.iter().copied());
                assert!(relative < 1e-4, "{model}: {relative:e}");
            }
        }
    }
}
