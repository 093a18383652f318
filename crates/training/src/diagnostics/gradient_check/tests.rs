//! Every choice of a perceptron and of its objective, on a few examples of four features.

use burn::tensor::Device;
use data::{Examples, Split};
use models::{Activation, Initializer, MlpConfig, ModelConfig, NormPosition};

use super::*;
use crate::model::{ClassWeights, Head};

const OPTIONS: GradientCheckOptions =
    GradientCheckOptions { examples: 16, samples: 3, threshold: 2e-7, injected_bug: None };

const NORMS: [NormPosition; 3] =
    [NormPosition::None, NormPosition::BeforeActivation, NormPosition::AfterActivation];

/// Its data and its model are replaced.
const TINY: &str = r#"
name = "tiny"
dataset.points = {}
model.mlp = {}
optimizer.sgd.learning_rate = 0.1
training.epochs = 1
"#;

/// What is done against overfitting.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Against {
    Nothing,
    L1,
    L2,
    Dropout,
}

const AGAINST: [Against; 4] = [Against::Nothing, Against::L1, Against::L2, Against::Dropout];

/// A network 4-2 and its output.
fn mlp() -> MlpConfig {
    MlpConfig { hidden: vec![4, 2], batch_norm: NormPosition::None, ..MlpConfig::default() }
}

fn config(head: Head, model: MlpConfig, against: Against) -> RunConfig {
    let mut config: RunConfig = toml::from_str(TINY).unwrap();
    let dropout = if against == Against::Dropout { vec![0.2, 0.4] } else { vec![] };
    config.model = ModelConfig::Mlp(MlpConfig { dropout, ..model });
    config.objective.head = Some(head);
    match against {
        Against::L1 => config.objective.l1 = 0.5,
        Against::L2 => config.objective.l2 = 0.5,
        _ => {}
    }
    config
}

/// 24 examples of four features around 0, in so many classes.
fn data(classes: u32) -> Split {
    let value = |at: usize| ((at * at * 37 + at * 11) % 101) as f32 / 40.0 - 1.25;
    let part = || {
        let labels = (0..24).map(|item| item % classes).collect();
        Examples::features(4, (0..96).map(value).collect(), labels)
    };
    let classes = (0..classes).map(|class| class.to_string()).collect();
    Split { train: part(), validation: None, test: part(), classes }
}

/// 24 images of 5 x 6 pixels, likewise.
fn images(classes: u32) -> Split {
    let pixel = |at: usize| ((at * at * 37 + at * 11) % 251) as u8;
    let part = || {
        let labels = (0..24).map(|item| item % classes).collect();
        Examples::images([5, 6, 2], (0..24 * 60).map(pixel).collect(), labels)
    };
    Split { train: part(), test: part(), ..data(classes) }
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
    model.check(&data, &options)
}

/// Every combination of the other choices for networks with this activation.
fn variants(activation: Activation) -> impl Iterator<Item = (String, RunConfig)> {
    let heads = [Head::Softmax, Head::Sigmoid].into_iter();
    let choices = heads.flat_map(|head| Initializer::ALL.map(|initializer| (head, initializer)));
    let choices = choices.flat_map(|(head, initializer)| {
        NORMS.into_iter().flat_map(move |batch_norm| {
            AGAINST.map(|against| (head, initializer, batch_norm, against))
        })
    });
    choices.map(move |(head, initializer, batch_norm, against)| {
        let model = MlpConfig { activation, initializer, batch_norm, ..mlp() };
        let name = format!("{activation:?} {head:?} {initializer:?} {batch_norm:?} {against:?}");
        (name, config(head, model, against))
    })
}

/// The gradients of every variant are those of its cost. Any rounding to f32 would show: it is
/// 6e-8 of a cost, and a quotient divides it by the step.
fn all_agree(activation: Activation, bound: f64) {
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
    all_agree(Activation::Relu, 2e-7);
}

#[test]
fn gradients_of_networks_with_leaky_relu_agree() {
    all_agree(Activation::LeakyRelu, 2e-7);
}

#[test]
fn gradients_of_networks_with_tanh_agree() {
    all_agree(Activation::Tanh, 1e-7);
}

#[test]
fn gradients_of_networks_with_sigmoid_agree() {
    all_agree(Activation::Sigmoid, 1e-7);
}

#[test]
fn gradients_of_networks_with_linear_activations_agree() {
    all_agree(Activation::Linear, 1e-7);
}

#[test]
fn gradients_of_regressions_agree() {
    for head in [Head::Softmax, Head::Sigmoid] {
        for initializer in Initializer::ALL {
            let model = MlpConfig { hidden: vec![], initializer, ..mlp() };
            let found = check(&config(head, model, Against::L2));
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
                for against in AGAINST {
                    let mut config = config(head, mlp(), against);
                    config.objective.label_smoothing = label_smoothing;
                    config.objective.class_weights = match (head, &weights) {
                        (Head::Sigmoid, ClassWeights::Given(_)) => {
                            ClassWeights::Given(vec![0.5, 2.0])
                        }
                        _ => weights.clone(),
                    };
                    let found = check(&config);
                    let name = format!("{head:?} {label_smoothing} {weights:?} {against:?}");
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
        for against in AGAINST {
            let model = MlpConfig { batch_norm: NormPosition::AfterActivation, ..mlp() };
            let device = device::select(Some(&name)).unwrap().device;
            let found = check_on(&config(Head::Softmax, model, against), None, device).unwrap();
            assert!(found.difference < 1e-7, "{name}, {against:?}: {found:#?}");
        }
    }
}

#[test]
fn tensors_are_named_by_their_path_in_the_model() {
    let model = MlpConfig { batch_norm: NormPosition::BeforeActivation, ..mlp() };
    let found = check(&config(Head::Softmax, model, Against::Nothing));
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
    let found = check(&config(Head::Softmax, model, Against::Nothing));
    let bias = &found.tensors[1];
    assert_eq!((bias.name.as_str(), bias.difference), ("hidden.0.linear.bias", Some(0.0)));
}

#[test]
fn weights_at_the_kink_of_the_l1_penalty_are_skipped_and_counted() {
    let model = MlpConfig { initializer: Initializer::Zeros, ..mlp() };
    let found = check(&config(Head::Sigmoid, model, Against::L1));
    let (weight, bias) = (&found.tensors[0], &found.tensors[1]);
    assert_eq!((weight.checked, weight.skipped, weight.difference), (0, 6, None));
    assert_eq!((bias.checked, bias.skipped, bias.difference), (3, 0, Some(0.0)));
    assert!(found.passed);
}

#[test]
fn equal_seeds_check_the_same_elements() {
    let config = config(Head::Softmax, mlp(), Against::Dropout);
    assert_eq!(check(&config), check(&config));
    assert_ne!(check(&config).cost, check(&RunConfig { seed: 2, ..config }).cost);
}

/// Networks into which the bug can be injected.
fn configs_for(bug: InjectedBug) -> impl Iterator<Item = (String, RunConfig)> {
    let against = match bug {
        InjectedBug::ForgottenPenalty => Against::L2,
        InjectedBug::ForgottenDropout => Against::Dropout,
        _ => Against::Nothing,
    };
    let activations = [Activation::Relu, Activation::Tanh, Activation::Sigmoid];
    let choices = activations.into_iter().flat_map(|activation| {
        [NormPosition::None, NormPosition::BeforeActivation].map(|norm| (activation, norm))
    });
    choices.flat_map(move |(activation, batch_norm)| {
        [Head::Softmax, Head::Sigmoid].map(|head| {
            let model = MlpConfig { hidden: vec![5, 3], activation, batch_norm, ..mlp() };
            (format!("{activation:?} {batch_norm:?} {head:?}"), config(head, model, against))
        })
    })
}

#[test]
fn every_injected_bug_is_found() {
    for bug in InjectedBug::ALL {
        for (name, config) in configs_for(bug) {
            let found = inject(&config, bug).unwrap();
            assert!(!found.passed && found.difference > 1e-2, "{bug:?}, {name}: {found:#?}");
            assert_eq!(found.injected_bug.unwrap().bug, bug);
            println!("{bug:?}, {name}: {:.1e}", found.difference);
            assert!(check(&config).passed, "{name}");
        }
    }
}

#[test]
fn a_bug_in_one_tensor_shows_in_that_tensor_only() {
    let config = config(Head::Softmax, mlp(), Against::Nothing);
    let found = inject(&config, InjectedBug::DoubleWeight).unwrap();
    let wrong: Vec<_> =
        found.tensors.iter().filter(|tensor| tensor.difference > Some(1e-7)).collect();
    assert_eq!(wrong.len(), 1);
    assert_eq!(found.injected_bug.unwrap().tensor, Some(wrong[0].name.clone()));
    // ||2g - g|| / (||2g|| + ||g||)
    assert!((wrong[0].difference.unwrap() - 1.0 / 3.0).abs() < 1e-7);
}

#[test]
fn where_batch_norm_replaces_a_bias_the_bug_is_in_its_own() {
    let model = MlpConfig { batch_norm: NormPosition::BeforeActivation, ..mlp() };
    let found = inject(&config(Head::Softmax, model, Against::Nothing), InjectedBug::FourfoldBias);
    assert_eq!(found.unwrap().injected_bug.unwrap().tensor.unwrap(), "hidden.0.norm.beta");
}

#[test]
fn a_bug_that_cannot_be_injected_is_refused_with_a_remedy() {
    let regression = MlpConfig { hidden: vec![], ..mlp() };
    let linear = MlpConfig { activation: Activation::Linear, ..mlp() };
    let zeros = MlpConfig { hidden: vec![], initializer: Initializer::Zeros, ..mlp() };
    for (error, model, against, word) in [
        (InjectedBug::ForgottenPenalty, mlp(), Against::Nothing, "objective.l2"),
        (InjectedBug::ForgottenDropout, mlp(), Against::Nothing, "model.mlp.dropout"),
        (InjectedBug::LinearActivation, regression, Against::Nothing, "model.mlp.hidden"),
        (InjectedBug::LinearActivation, linear, Against::Nothing, "model.mlp.activation"),
        (InjectedBug::ForgottenPenalty, zeros, Against::L2, "model.mlp.initializer"),
    ] {
        let message = inject(&config(Head::Softmax, model, against), error).unwrap_err().to_string();
        assert!(message.contains(error.as_str()) && message.contains(word), "{message}");
    }
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
    let config = config(Head::Softmax, model, Against::Nothing);
    let message = check_on(&config, None, device::processor().unwrap().device).unwrap_err();
    assert!(message.to_string().contains("initializer_scale"), "{message}");
}

#[test]
fn gradients_of_networks_of_images_are_those_of_their_cost() {
    let models = [
        "cnn = { channels = [13, 3], hidden = [4], dropout = 0.2 }",
        "cnn = { channels = [13, 14], batch_norm = false, activation = \"tanh\", pool = \"average\" }",
        "cnn = { channels = [4], convolutions = 2, kernel_size = 5, head = \"average\", hidden = [] }",
        "resnet = { channels = [13, 4], blocks = 1, stem = 3 }",
        "resnet = { channels = [12], blocks = 2, dropout = 0.3 }",
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
