//! The batches of a step cover its examples, and their gradients sum to the gradient of the step.

use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::FloatDType;
use data::{Examples, Statistics, shuffled};
use rand::RngExt;

use super::{assert_close, device, parameters, random, rng, values};
use crate::config::{BatchSize, RunConfig, TrainingConfig};
use crate::model::Classifier;

const WIDTH: usize = 3;

fn config(table: &str) -> RunConfig {
    let text = format!(
        "name = 'test'\n[dataset.points]\n[model.mlp]\nhidden = [4]\nactivation = 'tanh'\n\
         batch_norm = 'none'\n[optimizer.sgd]\nlearning_rate = 0.1\n[training]\nepochs = 1\n{table}"
    );
    toml::from_str(&text).unwrap()
}

/// The batches of each step of an epoch, as the trainer makes them.
fn steps(training: &TrainingConfig, count: usize, epoch: u64) -> Vec<Vec<Vec<usize>>> {
    let batches =
        |items: &[usize]| items.chunks(training.batch_size(count)).map(<[usize]>::to_vec).collect();
    let order = shuffled(count, 1, epoch);
    order.chunks(training.step_examples(count)).map(batches).collect()
}

#[test]
fn mini_batches_cover_every_example_once_and_only_the_last_is_smaller() {
    let mut rng = rng(1);
    for epoch in 0..300 {
        let count = rng.random_range(1..200);
        let training = TrainingConfig {
            batch_size: rng.random_bool(0.9).then(|| BatchSize::Fixed(rng.random_range(1..250))),
            accumulation: rng.random_range(1..5),
            ..config("").training
        };
        let steps = steps(&training, count, epoch);
        assert_eq!(steps.len(), training.steps(count), "{training:?}");
        assert_partition(&steps.concat(), count, training.batch_size(count));
    }
}

fn assert_partition(batches: &[Vec<usize>], count: usize, batch_size: usize) {
    let mut visited = batches.concat();
    visited.sort_unstable();
    assert_eq!(visited, (0..count).collect::<Vec<_>>());
    let (last, others) = batches.split_last().unwrap();
    assert!(others.iter().all(|batch| batch.len() == batch_size));
    let rest = count % batch_size;
    assert_eq!(last.len(), if rest == 0 { batch_size } else { rest });
}

fn classifier(config: &RunConfig, classes: usize) -> Classifier {
    let statistics = Statistics { shift: vec![0.1; WIDTH], scale: vec![0.7; WIDTH] };
    let classifier = config.classifier([1, 1, WIDTH], classes);
    let classifier = classifier.init(&statistics, FloatDType::F64, &device()).unwrap();
    // For an unbalanced training set.
    let weights = config.objective.class_weights.fit(&[0, 0, 0, 1, 2, 2], classes);
    classifier.with_class_weights(weights)
}

fn examples(count: usize, classes: u32) -> Examples {
    let mut rng = rng(count as u64);
    let features = random([count, WIDTH], &mut rng).iter::<f32>().collect();
    let labels = (0..count).map(|_| rng.random_range(0..classes)).collect();
    Examples::features(WIDTH, features, labels)
}

/// The gradients of one step over all `examples`, in batches of `batch_size`.
fn gradients(classifier: &Classifier, examples: &Examples, batch_size: usize) -> GradientsParams {
    let items: Vec<usize> = (0..examples.len()).collect();
    let mut gradients = GradientsAccumulator::new();
    for batch_items in items.chunks(batch_size) {
        let mut batch = classifier.batch(examples, batch_items, &device()).unwrap();
        batch.step_examples = items.len();
        batch.step_weight = classifier.weight(examples, &items);
        gradients.accumulate(classifier, classifier.forward_backward(&batch).1);
    }
    gradients.grads()
}

/// Fails unless a step in batches of `batch_size` has the gradients of a step in one batch.
fn assert_accumulation_changes_nothing(
    objective: &str,
    classes: u32,
    count: usize,
    batch_size: usize,
) {
    let config = config(objective);
    let (classifier, examples) = (classifier(&config, classes as usize), examples(count, classes));
    let gradients = |batch_size| gradients(&classifier, &examples, batch_size);
    let [accumulated, single] = [batch_size, count].map(|batch_size| {
        let parameters = parameters(&classifier, &gradients(batch_size)).into_iter();
        parameters.filter_map(|parameter| parameter.gradient).collect::<Vec<_>>()
    });
    assert_eq!((accumulated.len(), single.len()), (4, 4));
    for (accumulated, single) in accumulated.iter().zip(&single) {
        assert!(single.iter().any(|derivative| derivative.abs() > 1e-3));
        assert_close(accumulated, single, 1e-14);
    }
    assert_steps_equal(&config, &classifier, gradients(batch_size), gradients(count));
}

fn assert_steps_equal(
    config: &RunConfig,
    classifier: &Classifier,
    accumulated: GradientsParams,
    single: GradientsParams,
) {
    let after = |gradients| {
        let rate = config.optimizer.learning_rate();
        values(&config.optimizer.init().step(rate, classifier.clone(), gradients)).concat()
    };
    let (accumulated, single) = (after(accumulated), after(single));
    assert_close(&accumulated, &single, 1e-15);
    assert!(values(classifier).concat() != single);
}

#[test]
fn accumulated_batches_give_the_step_of_a_single_batch() {
    for (count, batch_size) in [(12, 4), (11, 4), (9, 4), (5, 1)] {
        for objective in [
            "",
            "[objective]\nl2 = 0.7",
            "[objective]\nl1 = 0.3\nl2 = 0.7",
            "[objective]\nl2 = 0.7\nlabel_smoothing = 0.1\nclass_weights = 'balanced'",
        ] {
            for classes in [2, 3] {
                assert_accumulation_changes_nothing(objective, classes, count, batch_size);
            }
        }
    }
}
