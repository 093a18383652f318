//! All options of a multilayer perceptron and its objective, on a few examples of four features.

mod injected_bugs;

use burn::tensor::Device;
use data::{Examples, Split};
use models::{Activation, Initializer, MlpConfig, ModelConfig, NormPosition};

use super::*;
use crate::model::{ClassWeights, Head};

const OPTIONS: GradientCheckOptions =
    GradientCheckOptions { examples: 16, samples: 3, threshold: 2e-7, injected_bug: None };

const NORMS: [NormPosition; 3] =
    [NormPosition::None, NormPosition::BeforeActivation, NormPosition::AfterActivation];

/// The data and the model are replaced.
const TINY: &str = r#"
name = "tiny"
dataset.points = {}
model.mlp = {}
optimizer.sgd.learning_rate = 0.1
training.epochs = 1
"#;

/// Method against overfitting.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Regularization {
    None,
    L1,
    L2,
    Dropout,
}

const REGULARIZATIONS: [Regularization; 4] =
    [Regularization::None, Regularization::L1, Regularization::L2, Regularization::Dropout];

/// A network with two hidden layers of 4 and 2 units.
fn mlp() -> MlpConfig {
    MlpConfig { hidden: vec![4, 2], batch_norm: NormPosition::None, ..MlpConfig::default() }
}

fn config(head: Head, model: MlpConfig, regularization: Regularization) -> RunConfig {
    let mut config: RunConfig = toml::from_str(TINY).unwrap();
    let dropout = if regularization == Regularization::Dropout { vec![0.2, 0.4] } else { vec![] };
    config.model = ModelConfig::Mlp(MlpConfig { dropout, ..model });
    config.objective.head = Some(head);
    match regularization {
        Regularization::L1 => config.objective.l1 = 0.5,
        Regularization::L2 => config.objective.l2 = 0.5,
        _ => {}
    }
    config
}

/// 24 examples of four features around 0, in `classes` classes.
fn data(classes: u32) -> Split {
    let value = |at: usize| ((at * at * 37 + at * 11) % 101) as f32 / 40.0 - 1.25;
    let part = || {
        let labels = (0..24).map(|item| item % classes).collect();
        Examples::features(4, (0..96).map(value).collect(), labels)
    };
    let classes = (0..classes).map(|class| class.to_string()).collect();
    Split { train: part(), validation: None, test: None, classes }
}

/// 24 images of 5 x 6 pixels, in `classes` classes.
fn images(classes: u32) -> Split {
    let pixel = |at: usize| ((at * at * 37 + at * 11) % 251) as u8;
    let part = || {
        let labels = (0..24).map(|item| item % classes).collect();
        Examples::images([5, 6, 2], (0..24 * 60).map(pixel).collect(), labels)
    };
    Split { train: part(), test: None, ..data(classes) }
}

fn check(config: &RunConfig) -> GradientCheck {
    check_on(config, None, device::processor().unwrap().device).unwrap()
}

fn inject(config: &RunConfig, bug: InjectedBug) -> Result<GradientCheck, RunError> {
    check_on(config, Some(bug), device::processor().unwrap().device)
}

fn check_on(
    config: &RunConfig,
    bug: Option<InjectedBug>,
    device: Device,
) -> Result<GradientCheck, RunError> {
    let options = GradientCheckOptions { injected_bug: bug, ..OPTIONS };
    let classes = if config.objective.head == Some(Head::Sigmoid) { 2 } else { 3 };
    let data = match &config.model {
        ModelConfig::Mlp(_) => data(classes),
        _ => images(classes),
    };
    let model = CheckedModel::new(config.clone(), &data, false, device.autodiff()).unwrap();
    model.check(&data, &options, |_| {})
}

/// Every combination of the other options for networks with this activation.
fn variants(activation: Activation) -> impl Iterator<Item = (String, RunConfig)> {
    let heads = [Head::Softmax, Head::Sigmoid].into_iter();
    let choices = heads.flat_map(|head| Initializer::ALL.map(|initializer| (head, initializer)));
    let choices = choices.flat_map(|(head, initializer)| {
        NORMS.into_iter().flat_map(move |batch_norm| {
            REGULARIZATIONS.map(|regularization| (head, initializer, batch_norm, regularization))
        })
    });
    choices.map(move |(head, initializer, batch_norm, regularization)| {
        let model = MlpConfig { activation, initializer, batch_norm, ..mlp() };
        let name =
            format!("{activation:?} {head:?} {initializer:?} {batch_norm:?} {regularization:?}");
        (name, config(head, model, regularization))
    })
}

/// Fails unless the check passes for every variant. Rounding to f32 would be noticed: it is 6e-8 of
/// the cost, which a difference quotient divides by the step.
fn assert_all_agree(activation: Activation, bound: f64) {
    let mut worst = (0.0, String::new());
    for (name, config) in variants(activation) {
        let found = check(&config);
        assert!(found.difference < bound, "{name}: {found:#?}");
        if found.difference > worst.0 {
            worst = (found.difference, name);
        }
    }
    println!("{worst:?}");
}

#[test]
fn gradients_of_networks_with_relu_agree() {
    assert_all_agree(Activation::Relu, 2e-7);
}

#[test]
fn gradients_of_networks_with_leaky_relu_agree() {
    assert_all_agree(Activation::LeakyRelu, 2e-7);
}

#[test]
fn gradients_of_networks_with_tanh_agree() {
    assert_all_agree(Activation::Tanh, 1e-7);
}

#[test]
fn gradients_of_networks_with_sigmoid_agree() {
    assert_all_agree(Activation::Sigmoid, 1e-7);
}

#[test]
fn gradients_of_networks_with_linear_activations_agree() {
    assert_all_agree(Activation::Linear, 1e-7);
}

#[test]
fn gradients_of_regressions_agree() {
    for head in [Head::Softmax, Head::Sigmoid] {
        for initializer in Initializer::ALL {
            let model = MlpConfig { hidden: vec![], initializer, ..mlp() };
            let found = check(&config(head, model, Regularization::L2));
            assert!(found.passed && found.difference < 1e-7, "{initializer:?}: {found:#?}");
        }
    }
}

#[test]
fn gradients_of_smoothed_and_weighted_losses_agree() {
    let given = ClassWeights::Given(vec![0.5, 2.0, 1.5]);
    for head in [Head::Softmax, Head::Sigmoid] {
        for label_smoothing in [0.0, 0.1] {
            for weights in [ClassWeights::None, ClassWeights::Balanced, given.clone()] {
                for regularization in REGULARIZATIONS {
                    let mut config = config(head, mlp(), regularization);
                    config.objective.label_smoothing = label_smoothing;
                    config.objective.class_weights = match (head, &weights) {
                        (Head::Sigmoid, ClassWeights::Given(_)) => {
                            ClassWeights::Given(vec![0.5, 2.0])
                        }
                        _ => weights.clone(),
                    };
                    let found = check(&config);
                    let name = format!("{head:?} {label_smoothing} {weights:?} {regularization:?}");
                    assert!(found.passed && found.difference < 2e-7, "{name}: {found:#?}");
                }
            }
        }
    }
}

#[test]
fn gradients_agree_on_every_processor_backend() {
    let processors = device::list()
        .into_iter()
        .filter(|listed| ["flex", "ndarray"].contains(&listed.name.as_str()));
    for name in processors.map(|listed| listed.name) {
        for regularization in REGULARIZATIONS {
            let model = MlpConfig { batch_norm: NormPosition::AfterActivation, ..mlp() };
            let device = device::select(Some(&name)).unwrap().device;
            let found =
                check_on(&config(Head::Softmax, model, regularization), None, device).unwrap();
            assert!(found.difference < 1e-7, "{name}, {regularization:?}: {found:#?}");
        }
    }
}

#[test]
fn tensors_are_named_by_their_path_in_the_model() {
    let model = MlpConfig { batch_norm: NormPosition::BeforeActivation, ..mlp() };
    let found = check(&config(Head::Softmax, model, Regularization::None));
    let names: Vec<_> = found.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    let layer = |layer: usize| {
        ["linear.weight", "linear.bias", "norm.gamma", "norm.beta"]
            .map(|name| format!("hidden.{layer}.{name}"))
    };
    let mut expected = [layer(0), layer(1)].concat();
    expected.extend(["output.weight", "output.bias"].map(String::from));
    assert_eq!(names, expected);
    assert_eq!((&found.tensors[0].shape, found.tensors[0].checked), (&vec![4, 4], 3));
}

#[test]
fn a_bias_before_batch_norm_agrees_within_rounding() {
    let model = MlpConfig { batch_norm: NormPosition::BeforeActivation, ..mlp() };
    let found = check(&config(Head::Softmax, model, Regularization::None));
    let bias = &found.tensors[1];
    assert_eq!((bias.name.as_str(), bias.difference), ("hidden.0.linear.bias", Some(0.0)));
}

#[test]
fn weights_at_the_kink_of_the_l1_penalty_are_skipped_and_counted() {
    let model = MlpConfig { initializer: Initializer::Zeros, ..mlp() };
    let found = check(&config(Head::Sigmoid, model, Regularization::L1));
    let (weight, bias) = (&found.tensors[0], &found.tensors[1]);
    assert_eq!((weight.checked, weight.skipped, weight.difference), (0, 6, None));
    assert_eq!((bias.checked, bias.skipped, bias.difference), (3, 0, Some(0.0)));
    assert!(found.passed);
}

#[test]
fn equal_seeds_check_the_same_elements() {
    let config = config(Head::Softmax, mlp(), Regularization::Dropout);
    assert_eq!(check(&config), check(&config));
    assert_ne!(check(&config).cost, check(&RunConfig { seed: 2, ..config }).cost);
}

#[test]
fn a_cost_that_is_not_finite_is_refused() {
    let model = MlpConfig {
        hidden: vec![4; 60],
        activation: Activation::Linear,
        initializer: Initializer::Normal,
        initializer_scale: 1e6,
        ..mlp()
    };
    let config = config(Head::Softmax, model, Regularization::None);
    let message = check_on(&config, None, device::processor().unwrap().device).unwrap_err();
    assert!(message.to_string().contains("initializer_scale"), "{message}");
}

#[test]
fn gradients_of_image_models_agree() {
    let models = [
        "cnn = { channels = [13, 3], hidden = [4], dropout = 0.2 }",
        "cnn = { channels = [13, 14], batch_norm = false, activation = \"tanh\", pool = \"average\" }",
        "cnn = { channels = [4], convolutions = 2, kernel_size = 5, head = \"average\", hidden = [] }",
        "resnet = { channels = [13, 4], blocks = 1, stem = 3 }",
        "resnet = { channels = [12], blocks = 2, dropout = 0.3 }",
        "resnet = { channels = [4, 13], blocks = [2, 1], stem_reduction = \"strided\", stochastic_depth = 0.3 }",
        "resnet = { channels = [4], stem_reduction = \"pooled\" }",
        "resnet = { channels = [3, 4], block = \"bottleneck\", blocks = 1, stochastic_depth = 0.5 }",
    ];
    for model in models {
        let text = TINY.replace("model.mlp = {}", &format!("model.{model}"));
        let config: RunConfig = toml::from_str(&text).unwrap();
        let found = check(&config);
        assert!(found.passed && found.difference < 2e-7, "{model}: {found:#?}");
        let found = inject(&config, InjectedBug::DoubleWeight).unwrap();
        assert!(!found.passed, "{model}: {found:#?}");
    }
}
