//! Runnable configs that together contain every key and every choice.

use std::fs;
use std::path::Path;

use data::{Examples, SplitKind};
use image::{Rgb, RgbImage};
use toml::Table;
use training::RunConfig;

use crate::tally::CaseResult;

/// Parts of the bases; keys that are absent have their defaults. First the data sets.
const HDF5: &str = r#"split.validation_fraction = 0.25
[dataset.hdf5]
directory = "DATA"
directory_env = "FAULT_INJECTION_UNSET_VARIABLE"
train = "train.h5"
test = "test.h5"
on_missing = "synthesize"
synthetic = { subject = "field", train = 40, test = 10 }
"#;

const THREE_FILES: &str = r#"[dataset.hdf5]
directory = "DATA"
train = "train.h5"
test = "test.h5"
validation = "validation.h5"
in_memory = false
"#;

const ONE_FILE: &str = r#"dataset.hdf5 = { directory = "DATA", train = "train.h5" }
split = { validation_fraction = 0.25, train_on_validation = true, test_fraction = 0.25 }
"#;

const NAMED_OBJECTS: &str = r#"split.validation_fraction = 0.25
[dataset.hdf5]
directory = "DATA"
train = "images.h5"
images = "*_set_x"
labels = "*_set_y"
classes = "list_classes"
layout = "nhwc"
size = [6, 4]
fit = "crop"
"#;

const FOLDERS: &str = r#"[dataset.folder]
directory = "DATA/photos"
train = "one"
validation = "two"
test = "two"
size = 8
label_pattern = "^([a-z]+)[.]"
"#;

const LABEL_TABLE: &str = r#"split = { validation_fraction = 0.25, test_fraction = 0.25, group_pattern = "([0-9]+)" }
dataset.folder = { directory = "DATA/photos", labels = "labels.csv", size = [8, 6], fit = "pad" }
"#;

const POINTS: &str = r#"split.validation_fraction = 0.2
dataset.points = { shape = "circles", train = 40, test = 10, noise = 0.1, factor = 0.5 }
"#;

const SYNTHETIC: &str = "dataset.synthetic = { subject = \"cats\", train = 4, test = 2 }\n";

const AUGMENTED: &str = r#"augmentation = [
    { rotate = 15.0 }, { scale = [0.9, 1.1] }, { translate = 0.1 }, { crop = 4 },
    { brightness = 0.2 }, { contrast = 0.2 }, { hue = 10.0 }, { cutout = 16 }, { saturation = 0.2 },
    "random_resized_crop", "random_erasing", { mixup = 0.2 },
]
dataset.synthetic = { train = 4, test = 2 }
"#;

const OTHERWISE_AUGMENTED: &str = r#"augmentation = ["flip_horizontal", "flip_vertical", "trivial_augment", { cutmix = 1.0 }]
dataset.synthetic = { train = 4, test = 2 }
input = { mean = [0.5, 0.4, 0.3], deviation = [0.2, 0.3, 0.25] }
objective.class_weights = [1.0, 2.0, 1.0, 1.0, 0.5, 1.0]
"#;

/// Models. These and the following parts begin with the header of a table.
const MLP: &str = r#"[model.mlp]
hidden = [3, 2]
activation = "leaky_relu"
batch_norm = "none"
dropout = [0.1, 0.0]
initializer = "normal"
[objective]
head = "softmax"
class_weights = "balanced"
"#;

const DEFAULT_MLP: &str = "[model.mlp]\n";
const SMALL_MLP: &str = "[model.mlp]\nhidden = [2]\n";
const LINEAR: &str = "[model.mlp]\nhidden = []\n";

const CNN: &str = r#"[model.cnn]
channels = [2, 3]
kernel_size = 1
pool = "average"
hidden = [2]
"#;

const RESNET: &str = r#"[evaluation]
mirrored = true
[model]
resnet = { channels = [2, 3], blocks = 1, stem = 2, dropout = 0.1 }
"#;

const BOTTLENECKS: &str = r#"[model.resnet]
channels = [2, 1]
blocks = [1, 2]
block = "bottleneck"
stem_reduction = "pooled"
stochastic_depth = 0.2
"#;
const EFFICIENTNET: &str = "[model.efficientnet_lite]\nstochastic_depth = 0.1\n";

const TUNED: &str = r#"init_from = "DATA/no-run"
fine_tuning = { freeze = 1, unfreeze_after_epochs = 1, layer_decay = 0.5 }
"#;
const TUNED_HEAD: &str = "init_from = \"DATA/no-run\"\nfine_tuning.freeze = \"backbone\"\n";

/// Optimizers, and schedules.
const ADAM: &str = "[optimizer.adam]\n";
const ADAMW: &str = "[optimizer.adamw]\n";
const MOMENTUM: &str = "[optimizer.momentum]\n";
const NESTEROV: &str = "[optimizer.sgd]\nmomentum = 0.9\nnesterov = true\n";
const RMSPROP: &str = "[optimizer.rmsprop]\n";
const SGD: &str = "[optimizer.sgd]\n";

const CONSTANT: &str = "[schedule]\ndecay = \"constant\"\n";
const COSINE: &str = "[schedule]\nwarmup_epochs = 1\ndecay.cosine.final_fraction = 0.1\n";
const EXPONENTIAL: &str = "[schedule.decay.exponential]\nfactor = 0.9\n";
const HORIZON: &str = "[schedule]\nhorizon_epochs = 4\n";
const INVERSE_TIME: &str = "[schedule.decay.inverse_time]\nrate = 1\nevery_epochs = 2\n";
const ONE_CYCLE: &str = "[schedule.decay.one_cycle]\nrising_fraction = 0.2\n";
const STEPS: &str = "[schedule.decay.step]\nfactor = 0.5\nevery_epochs = 1\n";

const TRAINING: &str = r#"[training]
epochs = 3
max_minutes = 1.5
plan = [{ from_step = 0, total_steps = 4 }]
batch_size = 8
gradient_clipping.norm = 1.0
best_metric = "accuracy"
final_fit = true
early_stopping.patience = 2
checkpoint = { every_epochs = 1, every_steps = 5, min_interval = 2.5, keep_last = 1 }
ema.decay = 0.9
[reference]
source = "nobody"
train_accuracy = 0.1
test_accuracy = 0.1
"#;

const SHORT: &str = "[training]\nepochs = 2\nbatch_size = \"auto\"\n[distributed]\nminimum = 2\n\
    answer_within = 10.5\non_loss = \"stop\"\ntoken_file = \"token\"\nworkers = [\"local:2\"]\n";

const CLIPPED: &str = r#"[training]
epochs = 2
gradient_clipping.value = 0.5
[reference]
source = "nobody"
gradient_difference = 1e-7
"#;

/// The parts of each base, first those with keys outside of tables.
const BASES: [&[&str]; 16] = [
    &[HDF5, MLP, ADAMW, COSINE, TRAINING],
    &[THREE_FILES, DEFAULT_MLP, ADAM, INVERSE_TIME, TRAINING],
    &[ONE_FILE, DEFAULT_MLP, RMSPROP, EXPONENTIAL, SHORT],
    &[POINTS, MLP, NESTEROV, STEPS, TRAINING],
    &[POINTS, LINEAR, MOMENTUM, CONSTANT, CLIPPED],
    &[SYNTHETIC, SMALL_MLP, SGD, SHORT],
    &[SYNTHETIC, CNN, ADAM, SHORT],
    &[NAMED_OBJECTS, DEFAULT_MLP, ADAM, SHORT],
    &[FOLDERS, SMALL_MLP, SGD, SHORT],
    &[LABEL_TABLE, SMALL_MLP, SGD, SHORT],
    &[TUNED, SYNTHETIC, SMALL_MLP, SGD, HORIZON, SHORT],
    &[SYNTHETIC, RESNET, ADAM, ONE_CYCLE, SHORT],
    &[SYNTHETIC, BOTTLENECKS, ADAM, SHORT],
    &[TUNED_HEAD, SYNTHETIC, EFFICIENTNET, ADAM, SHORT],
    &[AUGMENTED, SMALL_MLP, SGD, SHORT],
    &[OTHERWISE_AUGMENTED, SMALL_MLP, SGD, SHORT],
];

/// A config with every key of its tables, except optional ones that are not set.
pub struct Base {
    /// Resolved table.
    pub table: Table,
    /// Whether the config can be run, in little time.
    pub is_runnable: bool,
}

/// The runnable ones, on data written to `directory`, and the configs of the repository.
pub fn all(directory: &Path) -> CaseResult<Vec<Base>> {
    write_data(directory)?;
    let path = directory.join("base.toml");
    let mut bases = Vec::new();
    for parts in BASES {
        let text = format!("name = \"base\"\nseed = 1\ndevice = \"flex\"\n{}", parts.concat());
        fs::write(&path, text.replace("DATA", &directory.display().to_string()))?;
        bases.push(base(&path, true)?);
    }
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    for shipped in [shipped.clone(), shipped.join("course1"), shipped.join("course2")] {
        for entry in fs::read_dir(shipped)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                bases.push(base(&path, false)?);
            }
        }
    }
    Ok(bases)
}

fn base(path: &Path, is_runnable: bool) -> CaseResult<Base> {
    let config = RunConfig::read(path, &[]).map_err(|error| error.to_string())?;
    Ok(Base { table: Table::try_from(&config)?, is_runnable })
}

/// Writes three files of 12 different examples each, with 2 features in 2 classes, one of images, and
/// photos.
fn write_data(directory: &Path) -> CaseResult {
    let labels = || (0..12).map(|item| item % 2).collect();
    let features = |number: usize| {
        let values = (0..24).map(|index| ((index * 7 + number) % 11) as f32).collect();
        Examples::features(2, values, labels())
    };
    let pixels = (0..12 * 75).map(|index| (index * index % 251) as u8).collect();
    for (name, split, examples) in [
        ("train.h5", SplitKind::Train, features(0)),
        ("validation.h5", SplitKind::Validation, features(1)),
        ("test.h5", SplitKind::Test, features(2)),
        ("images.h5", SplitKind::Train, Examples::images([5, 5, 3], pixels, labels())),
    ] {
        data_hdf5::write(&directory.join(name), split, &examples, &["a", "b"].map(String::from))?;
    }
    write_photos(&directory.join("photos"))
}

/// Writes folders of six images in two classes, named after them, and a table of their labels.
fn write_photos(directory: &Path) -> CaseResult {
    let mut table = "path,label\n".to_owned();
    for (number, folder) in ["one", "two"].into_iter().enumerate() {
        fs::create_dir_all(directory.join(folder))?;
        for item in 0..6 {
            let class = if item % 2 == 0 { "cat" } else { "dog" };
            let path = format!("{folder}/{class}.{item}.png");
            let pixel = |x, y| [x * 16, y * 16, (item * 40 + number) as u8];
            let image = RgbImage::from_fn(9, 7, |x, y| Rgb(pixel(x as u8, y as u8)));
            image.save(directory.join(&path))?;
            table += &format!("{path},{class}\n");
        }
    }
    Ok(fs::write(directory.join("labels.csv"), table)?)
}
