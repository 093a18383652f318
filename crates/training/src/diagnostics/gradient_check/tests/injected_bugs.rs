use super::*;

/// Networks into which the bug can be injected.
fn configs_for(bug: InjectedBug) -> impl Iterator<Item = (String, RunConfig)> {
    let regularization = match bug {
        InjectedBug::ForgottenPenalty => Regularization::L2,
        InjectedBug::ForgottenDropout => Regularization::Dropout,
        _ => Regularization::None,
    };
    let activations = [Activation::Relu, Activation::Tanh, Activation::Sigmoid];
    let choices = activations.into_iter().flat_map(|activation| {
        [NormPosition::None, NormPosition::BeforeActivation].map(|norm| (activation, norm))
    });
    choices.flat_map(move |(activation, batch_norm)| {
        [Head::Softmax, Head::Sigmoid].map(|head| {
            let model = MlpConfig { hidden: vec![5, 3], activation, batch_norm, ..mlp() };
            (format!("{activation:?} {batch_norm:?} {head:?}"), config(head, model, regularization))
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
fn a_bug_in_one_tensor_changes_the_difference_of_that_tensor_only() {
    let config = config(Head::Softmax, mlp(), Regularization::None);
    let found = inject(&config, InjectedBug::DoubleWeight).unwrap();
    let wrong: Vec<_> =
        found.tensors.iter().filter(|tensor| tensor.difference > Some(1e-7)).collect();
    assert_eq!(wrong.len(), 1);
    assert_eq!(found.injected_bug.unwrap().tensor, Some(wrong[0].name.clone()));
    // ||2g - g|| / (||2g|| + ||g||)
    assert!((wrong[0].difference.unwrap() - 1.0 / 3.0).abs() < 1e-7);
}

#[test]
fn where_batch_norm_replaces_a_bias_the_bug_is_in_the_bias_of_batch_norm() {
    let model = MlpConfig { batch_norm: NormPosition::BeforeActivation, ..mlp() };
    let found =
        inject(&config(Head::Softmax, model, Regularization::None), InjectedBug::FourfoldBias);
    assert_eq!(found.unwrap().injected_bug.unwrap().tensor.unwrap(), "hidden.0.norm.beta");
}

#[test]
fn a_bug_that_cannot_be_injected_is_refused_with_a_remedy() {
    let regression = MlpConfig { hidden: vec![], ..mlp() };
    let linear = MlpConfig { activation: Activation::Linear, ..mlp() };
    let zeros = MlpConfig { hidden: vec![], initializer: Initializer::Zeros, ..mlp() };
    for (error, model, regularization, word) in [
        (InjectedBug::ForgottenPenalty, mlp(), Regularization::None, "objective.l2"),
        (InjectedBug::ForgottenDropout, mlp(), Regularization::None, "model.mlp.dropout"),
        (InjectedBug::LinearActivation, regression, Regularization::None, "model.mlp.hidden"),
        (InjectedBug::LinearActivation, linear, Regularization::None, "model.mlp.activation"),
        (InjectedBug::ForgottenPenalty, zeros, Regularization::L2, "model.mlp.initializer"),
    ] {
        let message =
            inject(&config(Head::Softmax, model, regularization), error).unwrap_err().to_string();
        assert!(message.contains(error.as_str()) && message.contains(word), "{message}");
    }
}
