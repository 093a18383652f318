use std::fs;
use std::path::Path;

use artifacts::{LayerSummary, Phases};
use maud::{Markup, html};

use crate::inputs::RunData;
use crate::page::{bar, encoded, key_values, percent, table, thousands};

/// The layers of the model, if they are known.
pub fn layers(run: &RunData) -> Markup {
    let layers: &[LayerSummary] = run.predictions.as_ref().map_or(&[], |it| &it.layers);
    let sum = |value: fn(&LayerSummary) -> usize| thousands(layers.iter().map(value).sum());
    let row = |cells: [String; 5]| cells.map(|cell| html! { (cell) }).to_vec();
    let rows = layers.iter().map(|layer| {
        row([
            layer.name.clone(),
            operations(layer),
            layer.output.iter().map(usize::to_string).collect::<Vec<_>>().join(" × "),
            thousands(layer.parameters),
            thousands(layer.multiply_adds),
        ])
    });
    html! { @if !layers.is_empty() {
        p { (sum(|layer| layer.parameters)) " parameters, " (sum(|layer| layer.multiply_adds)) " multiply-adds for an example." }
        details { summary { (layers.len()) " layers" }
            (table(&["Layer", "Operations", "Output", "Parameters", "Multiply-adds"], rows))
        }
    } }
}

/// An operation and those that follow it.
fn operations(layer: &LayerSummary) -> String {
    let all: Vec<&str> = [&layer.kind].into_iter().chain(&layer.then).map(String::as_str).collect();
    all.join(", ")
}

/// Where the time of the training thread went.
pub fn time(run: &RunData) -> Markup {
    let total =
        |phase: fn(&Phases) -> f64| run.timings.iter().map(|it| phase(&it.phases)).sum::<f64>();
    let phases = [
        ("waiting for data", total(|it| it.load)),
        ("forward pass", total(|it| it.forward)),
        ("backward pass", total(|it| it.backward)),
        ("optimizer", total(|it| it.optimizer)),
        ("evaluation", total(|it| it.evaluation)),
        ("checkpoints", total(|it| it.checkpoint)),
    ];
    let known: f64 = phases.iter().map(|(_, seconds)| seconds).sum();
    let apart = total(|it| it.evaluation + it.checkpoint);
    let all = run.timings.iter().map(|it| it.seconds).sum::<f64>() + apart;
    html! { @if known > 0.0 {
        p { "The reported epochs took " (format!("{all:.1} s")) " in all." }
        div class="keys" { @for (name, seconds) in phases.into_iter().chain([("other", (all - known).max(0.0))]) {
            (bar(name, seconds / all, &format!("{seconds:.1} s, {}", percent(seconds / all)), false))
        } }
    } }
}

/// A description of the data.
pub fn data(run: &RunData) -> Markup {
    let data = &run.environment.data;
    let [height, width, channels] = data.shape;
    let examples = if data.are_images {
        format!("images of {height} × {width} × {channels}")
    } else {
        format!("points of {channels} features")
    };
    let counts: Vec<_> =
        data.counts.iter().map(|(split, count)| format!("{count} {split}")).collect();
    let mut rows = vec![
        ("examples".to_owned(), examples),
        ("counts".to_owned(), counts.join(", ")),
        ("classes".to_owned(), class_names(run)),
    ];
    rows.extend(
        data.sha256.iter().map(|(source, sum)| (format!("SHA-256, {source}"), sum.clone())),
    );
    key_values(&rows)
}

/// The names of the classes, or the first and the last of many.
fn class_names(run: &RunData) -> String {
    match &run.environment.data.classes[..] {
        all @ [first, second, .., last] if run.has_many_classes() => {
            format!("{}: {first}, {second}, .., {last}", all.len())
        }
        all => all.join(", "),
    }
}

/// The command, the config, versions and device, and the files of the run.
pub fn origin(run: &RunData) -> Markup {
    html! {
        p { "The same run again:" }
        p class="command" { code { "trainer train " (run.directory.join("config.toml").display()) } }
        details { summary { "Config" } pre tabindex="0" { (run.config) } }
        (environment(run))
        details { summary { "Files" } (files(&run.directory)) }
    }
}

fn environment(run: &RunData) -> Markup {
    let environment = &run.environment;
    let commit =
        environment.commit.as_deref().map_or(String::new(), |commit| format!(", commit {commit}"));
    let weights = environment.init_from.as_ref();
    let weights = weights.map(|from| {
        (
            "started from",
            format!("{} (SHA-256 {}): {}", from.path.display(), from.sha256, from.tensors()),
        )
    });
    let rows = [
        ("trainer", format!("{}{commit}", environment.trainer)),
        ("Burn", environment.burn.clone()),
        ("platform", environment.platform.clone()),
        ("device", environment.device.clone()),
        ("seed", environment.seed.to_string()),
        ("started", environment.started.clone()),
    ];
    let rows = rows.into_iter().chain(weights).map(|(name, value)| (name.to_owned(), value));
    key_values(&rows.collect::<Vec<_>>())
}

/// Links to the files and folders of the run, but for the page itself.
fn files(directory: &Path) -> Markup {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> =
        names.filter(|name| !name.ends_with(".html") && !name.starts_with('.')).collect();
    names.sort();
    html! { ul class="files" { @for name in names { li { a href=(encoded(&name)) { (name) } } } } }
}
