//! Names that other frameworks use for keys.

/// Names of a key elsewhere, and its name here.
const SYNONYMS: [(&[&str], &str); 28] = [
    (&["lr", "learningrate", "base_lr", "init_lr", "alpha", "step_size"], "learning_rate"),
    (&["wd", "decay_rate", "weightdecay"], "weight_decay"),
    (&["bs", "batch", "batchsize", "minibatch_size"], "batch_size"),
    (&["epoch", "num_epochs", "n_epochs", "max_epochs", "nb_epoch"], "epochs"),
    (&["beta1", "betas", "rho"], "beta_1"),
    (&["beta2"], "beta_2"),
    (&["eps"], "epsilon"),
    (&["optim", "opt", "optimiser"], "optimizer"),
    (&["arch", "architecture", "net", "network"], "model"),
    (&["data", "datasets"], "dataset"),
    (&["augment", "augmentations", "aug", "transforms"], "augmentation"),
    (&["scheduler", "lr_scheduler", "lr_schedule"], "schedule"),
    (&["warmup", "warmup_steps", "num_warmup_epochs"], "warmup_epochs"),
    (&["loss", "criterion", "regularization"], "objective"),
    (&["hidden_size", "hidden_sizes", "hidden_layers", "units"], "hidden"),
    (&["dropout_rate", "drop_rate", "p_dropout"], "dropout"),
    (&["activation_fn", "nonlinearity"], "activation"),
    (&["smoothing", "label_smooth"], "label_smoothing"),
    (&["clip", "grad_clip", "clip_grad", "clipnorm", "max_grad_norm"], "gradient_clipping"),
    (&["random_seed", "random_state", "rng_seed"], "seed"),
    (&["val_split", "val_fraction", "validation_split"], "validation_fraction"),
    (&["test_split", "test_size"], "test_fraction"),
    (&["accumulate", "grad_accum", "gradient_accumulation_steps"], "accumulation"),
    (&["num_workers", "n_workers"], "workers"),
    (&["normalize", "standardize"], "normalization"),
    (&["std", "stdev", "standard_deviation"], "deviation"),
    (&["ratio", "aspect_ratio"], "aspect"),
    (&["val", "valid", "validation_set"], "validation"),
];

/// Returns the name here of a key that is called `name` elsewhere.
pub fn canonical(name: &str) -> &str {
    let name_of = |(names, own): &(&[&str], &'static str)| names.contains(&name).then_some(*own);
    SYNONYMS.iter().find_map(name_of).unwrap_or(name)
}
