//! Runnable configs that together contain every key and every choice.

use std::error::Error;
use std::fs;
use std::path::Path;

use data::{Examples, SplitKind};
use image::{Rgb, RgbImage};
use toml::Table;
use training::RunConfig;

/// Parts of a base: data set, model, optimizer and schedule, and the rest.
type Parts = [&'static str; 4];

const HDF5: &str = r#"[dataset.hdf5]
directory = "DATA"
directory_env = "FAULT_INJECTION_UNSET_VARIABLE"
train = "train.h5"
test = "test.h5"
on_missing = "synthesize"
synthetic = { subject = "field", train = 40, test = 10, seed = 3 }
[split]
validation_fraction = 0.25
"#;

const THREE_FILES: &str = r#"[dataset.hdf5]
directory = "DATA"
train = "train.h5"
test = "test.h5"
validation = "validation.h5"
in_memory = false
"#;

const ONE_FILE: &str = r#"[dataset.hdf5]
directory = "DATA"
train = "train.h5"
[split]
validation_fraction = 0.25
train_on_validation = true
test_fraction = 0.25
"#;

const NAMED_OBJECTS: &str = r#"[dataset.hdf5]
directory = "DATA"
train = "images.h5"
images = "*_set_x"
labels = "*_set_y"
classes = "list_classes"
layout = "nhwc"
size = [6, 4]
fit = "crop"
[split]
validation_fraction = 0.25
"#;

const FOLDERS: &str = r#"[dataset.folder]
directory = "DATA/photos"
train = "one"
validation = "two"
test = "two"
size = 8
fit = "pad"
grey = true
label_pattern = "^([a-z]+)[.]"
skip_corrupt = true
"#;

const LABEL_TABLE: &str = r#"[dataset.folder]
directory = "DATA/photos"
labels = "labels.csv"
size = [8, 6]
[split]
validation_fraction = 0.25
test_fraction = 0.25
group_pattern = "([0-9]+)"
"#;

const POINTS: &str = r#"[dataset.points]
shape = "circles"
train = 40
test = 10
noise = 0.1
factor = 0.5
seed = 2
[split]
validation_fraction = 0.2
"#;

const SYNTHETIC: &str = r#"[dataset.synthetic]
subject = "cats"
train = 4
test = 2
seed = 1
"#;

const MLP: &str = r#"[model.mlp]
hidden = [3, 2]
activation = "leaky_relu"
negative_slope = 0.02
batch_norm = "none"
dropout = [0.1, 0.0]
initializer = "normal"
initializer_scale = 0.1
generator = "numpy"
[input]
normalization = "unit_range"
[objective]
head = "softmax"
l2 = 0.1
l1 = 0.1
label_smoothing = 0.1
class_weights = "balanced"
"#;

const CNN: &str = r#"[model.cnn]
channels = [2, 3]
convolutions = 2
kernel_size = 1
activation = "tanh"
negative_slope = 0.02
batch_norm = false
pool = "average"
head = "average"
hidden = [2]
dropout = 0.1
"#;

const RESNET: &str = r#"[evaluation]
mirrored = true
[model.resnet]
channels = [2, 3]
blocks = 1
stem = 2
dropout = 0.1
"#;

const BOTTLENECKS: &str = r#"[model.resnet]
channels = [2, 1]
blocks = [1, 2]
block = "bottleneck"
stem_reduction = "pooled"
stochastic_depth = 0.2
"#;

const TRAINING: &str = r#"[training]
epochs = 3
max_minutes = 1.5
plan = [{ from_step = 0, total_steps = 4 }]
batch_size = 8
accumulation = 2
gradient_clipping.norm = 1.0
report_every_epochs = 2
best_metric = "accuracy"
final_fit = true
early_stopping.patience = 2
checkpoint = { every_epochs = 1, every_steps = 5, min_interval = 2.5, keep_last = 1 }
ema.decay = 0.9
[reference]
source = "nobody"
train_accuracy = 0.1
test_accuracy = 0.1
tolerance = 0.01
"#;

const SHORT: &str = "[training]\nepochs = 2\nbatch_size = \"auto\"\n";

const CLIPPED: &str = r#"[training]
epochs = 2
gradient_clipping.value = 0.5
[reference]
source = "nobody"
gradient_difference = 1e-7
"#;

const AUGMENTED_BY_TABLES: &str = r#"[dataset.synthetic]
train = 4
test = 2
[[augmentation]]
rotate = 15.0
[[augmentation]]
scale = [0.9, 1.1]
[[augmentation]]
translate = 0.1
[[augmentation]]
crop = 4
[[augmentation]]
brightness = 0.2
[[augmentation]]
contrast = 0.2
[[augmentation]]
hue = 10.0
[[augmentation]]
cutout = 16
[[augmentation]]
saturation = 0.2
[[augmentation]]
random_resized_crop = { area = [0.3, 1.0], aspect = [0.75, 1.5] }
[[augmentation]]
random_erasing = { probability = 0.5, area = [0.1, 0.2], aspect = [0.5, 2.0] }
[[augmentation]]
mixup = 0.2
"#;

const AUGMENTED_BY_LIST: &str = r#"augmentation = ["flip_horizontal", "flip_vertical", "trivial_augment", { cutmix = 1.0 }]
[dataset.synthetic]
train = 4
test = 2
[input]
mean = [0.5, 0.4, 0.3]
deviation = [0.2, 0.3, 0.25]
[objective]
class_weights = [1.0, 2.0, 1.0, 1.0, 0.5, 1.0]
"#;

const BASES: [Parts; 16] = [
    [
        HDF5,
        MLP,
        "[optimizer.adamw]\n[schedule]\nwarmup_epochs = 1\ndecay.cosine.final_fraction = 0.1\n",
        TRAINING,
    ],
    [
        THREE_FILES,
        "[model.mlp]\n",
        "[optimizer.adam]\n[schedule.decay.inverse_time]\nrate = 1\nevery_epochs = 2\n",
        TRAINING,
    ],
    [
        ONE_FILE,
        "[model.mlp]\n",
        "[optimizer.rmsprop]\n[schedule.decay.exponential]\nfactor = 0.9\n",
        SHORT,
    ],
    [
        POINTS,
        MLP,
        "[optimizer.sgd]\nmomentum = 0.9\nnesterov = true\n[schedule.decay.step]\nfactor = 0.5\nevery_epochs = 1\n",
        TRAINING,
    ],
    [
        POINTS,
        "[model.mlp]\nhidden = []\n",
        "[optimizer.momentum]\n[schedule]\ndecay = \"constant\"\n",
        CLIPPED,
    ],
    [SYNTHETIC, "[model.mlp]\nhidden = [2]\n", "[optimizer.sgd]\n", SHORT],
    [SYNTHETIC, CNN, "[optimizer.adam]\n", SHORT],
    [NAMED_OBJECTS, "[model.mlp]\n", "[optimizer.adam]\n", SHORT],
    [FOLDERS, "[model.mlp]\nhidden = [2]\n", "[optimizer.sgd]\n", SHORT],
    [LABEL_TABLE, "[model.mlp]\nhidden = [2]\n", "[optimizer.sgd]\n", SHORT],
    [
        "init_from = \"DATA/no-run\"\n",
        SYNTHETIC,
        "[fine_tuning]\nfreeze = 1\nunfreeze_after_epochs = 1\nlayer_decay = 0.5\n[model.mlp]\nhidden = [2]\n[optimizer.sgd]\n[schedule]\nhorizon_epochs = 4\n",
        SHORT,
    ],
    [
        SYNTHETIC,
        RESNET,
        "[optimizer.adam]\n[schedule.decay.one_cycle]\nrising_fraction = 0.2\n",
        SHORT,
    ],
    [SYNTHETIC, BOTTLENECKS, "[optimizer.adam]\n", SHORT],
    [
        "init_from = \"DATA/no-run\"\nfine_tuning.freeze = \"backbone\"\n",
        SYNTHETIC,
        "[model.efficientnet_lite]\ndropout = 0.1\nstochastic_depth = 0.1\n[optimizer.adam]\n",
        SHORT,
    ],
    [AUGMENTED_BY_TABLES, "[model.mlp]\nhidden = [2]\n", "[optimizer.sgd]\n", SHORT],
    [AUGMENTED_BY_LIST, "[model.mlp]\nhidden = [2]\n", "[optimizer.sgd]\n", SHORT],
];

/// A config with every key of its tables, except optional ones that are not set.
pub struct Base {
    /// Resolved table.
    pub table: Table,
    /// Whether the config can be run, in little time.
    pub is_runnable: bool,
}

/// The runnable ones, on data written to `directory`, and the configs of the repository.
pub fn all(directory: &Path) -> Result<Vec<Base>, Box<dyn Error>> {
    write_data(directory)?;
    let mut bases = runnable(directory)?;
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

fn runnable(directory: &Path) -> Result<Vec<Base>, Box<dyn Error>> {
    let path = directory.join("base.toml");
    let mut bases = Vec::new();
    for parts in BASES {
        let text = format!("name = \"base\"\nseed = 1\ndevice = \"flex\"\n{}", parts.concat());
        fs::write(&path, text.replace("DATA", &directory.display().to_string()))?;
        bases.push(base(&path, true)?);
    }
    Ok(bases)
}

fn base(path: &Path, is_runnable: bool) -> Result<Base, Box<dyn Error>> {
    let config = RunConfig::read(path, &[]).map_err(|error| format!("{error}"))?;
    Ok(Base { table: Table::try_from(&config)?, is_runnable })
}

/// Writes three files of 12 different examples each, with 2 features in 2 classes, one of images, and
/// photos.
fn write_data(directory: &Path) -> Result<(), Box<dyn Error>> {
    let files = [
        ("train", SplitKind::Train),
        ("validation", SplitKind::Validation),
        ("test", SplitKind::Test),
    ];
    for (number, (name, split)) in files.into_iter().enumerate() {
        let features = (0..24).map(|index| ((index * 7 + number) % 11) as f32).collect();
        let examples = Examples::features(2, features, (0..12).map(|item| item % 2).collect());
        let classes = ["a", "b"].map(String::from);
        data_hdf5::write(&directory.join(format!("{name}.h5")), split, &examples, &classes)?;
    }
    let pixels = (0..12 * 75).map(|index| (index * index % 251) as u8).collect();
    let images = Examples::images([5, 5, 3], pixels, (0..12).map(|item| item % 2).collect());
    let classes = ["a", "b"].map(String::from);
    data_hdf5::write(&directory.join("images.h5"), SplitKind::Train, &images, &classes)?;
    write_photos(&directory.join("photos"))
}

/// Writes folders of six images in two classes, named after them, and a table of their labels.
fn write_photos(directory: &Path) -> Result<(), Box<dyn Error>> {
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
