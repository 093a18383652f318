//! The text of a first config.

use std::path::Path;

use dataset::Hdf5Config;
use toml::Value;

/// What is suggested for a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Starter {
    /// The number of examples of a batch.
    pub batch_size: usize,
    /// The share of the training set for each part that has no file.
    pub held_out: f64,
    name: String,
    dataset: Hdf5Config,
    shape: [usize; 3],
    are_images: bool,
    classes: usize,
    epochs: usize,
}

/// About how many steps a run takes.
const STEPS: usize = 2000;

/// Below so many examples a part is held out of the training set more freely, and networks and
/// batches are small.
const FEW: [usize; 2] = [500, 5000];

/// The least rows and columns that convolutions are suggested for.
const SMALLEST: usize = 8;

impl Starter {
    /// For examples of the shape that are images or not, in so many classes.
    pub fn new(
        name: String,
        dataset: Hdf5Config,
        (shape, are_images): ([usize; 3], bool),
        classes: usize,
    ) -> Self {
        let (batch_size, held_out, epochs) = (0, 0.0, 0);
        Self { batch_size, held_out, name, dataset, shape, are_images, classes, epochs }
    }

    /// Suggests what depends on the number of training examples.
    pub fn size(&mut self, count: usize) {
        let [few, some] = FEW;
        self.held_out = if count < few { 0.2 } else { 0.1 };
        self.batch_size = if count < some { 32 } else { 128 };
        self.epochs = (STEPS * self.batch_size / count.max(1)).clamp(10, 200);
    }

    /// The config.
    pub fn text(&self) -> String {
        let parts = [
            self.head(),
            self.augmentation(),
            self.data(),
            self.split(),
            "[input]\n# Zero mean and unit variance a channel, by the training set alone.\nnormalization = \"standardize\"\n".to_owned(),
            self.model(),
            self.objective(),
            self.optimizer(),
            "# The learning rate rises for two epochs, then falls along half a cosine.\n[schedule]\nwarmup_epochs = 2\n\n[schedule.decay.cosine]\nfinal_fraction = 0.0\n".to_owned(),
            self.training(),
        ];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
    }

    fn head(&self) -> String {
        let Self { name, shape: [height, width, channels], classes, .. } = self;
        let examples = match self.are_images {
            true => format!("images of {height}x{width}x{channels}"),
            false => format!("points of {channels} features"),
        };
        format!(
            "# A first config for {examples} in {classes} classes, made by `trainer config init`.\n\
             # `trainer config explain` tells of every key, for example `explain training`.\n\n\
             name = {}\n",
            quoted(name)
        )
    }

    fn augmentation(&self) -> String {
        if !self.convolves() {
            return String::new();
        }
        "# Training images are changed a little, anew in every epoch. Add \"flip_horizontal\" if left and\n\
         # right mean the same in yours.\n\
         augmentation = [\n\
         \x20   { rotate = 10.0 },\n\
         \x20   { translate = 0.1 },\n\
         \x20   { brightness = 0.2 },\n\
         \x20   { contrast = 0.2 },\n\
         ]\n"
        .to_owned()
    }

    fn data(&self) -> String {
        let Hdf5Config { directory, train, validation, test, .. } = &self.dataset;
        let mut text = format!("[dataset.hdf5]\ndirectory = {}\n", path(directory));
        for (key, file) in
            [("train", Some(train)), ("validation", validation.as_ref()), ("test", test.as_ref())]
        {
            text += &file.map_or(String::new(), |file| format!("{key} = {}\n", path(file)));
        }
        text
    }

    fn split(&self) -> String {
        let Hdf5Config { validation, test, .. } = &self.dataset;
        let fractions = [("validation_fraction", validation), ("test_fraction", test)];
        let lines = fractions.iter().filter(|(_, file)| file.is_none());
        let lines: String =
            lines.map(|(key, _)| format!("{key} = {:?}\n", self.held_out)).collect();
        if lines.is_empty() {
            return lines;
        }
        format!("# Held out of the training set, the same share of each class.\n[split]\n{lines}")
    }

    fn model(&self) -> String {
        match self.convolves() {
            true => format!(
                "# Stages of one convolution each, every one halving rows and columns.\n\
                 [model.cnn]\nchannels = {:?}\nhidden = []\n",
                self.channels()
            ),
            false => format!(
                "# Two hidden layers. Larger ones learn more, and more by heart.\n\
                 [model.mlp]\nhidden = {:?}\n",
                if self.are_images { [128, 64] } else { [32, 16] }
            ),
        }
    }

    fn objective(&self) -> String {
        match self.convolves() && self.classes > 2 {
            true => {
                "# Targets are softened a little, against too much confidence.\n[objective]\nlabel_smoothing = 0.1\n".to_owned()
            }
            false => String::new(),
        }
    }

    fn optimizer(&self) -> String {
        match self.convolves() {
            true => "[optimizer.adamw]\nlearning_rate = 3e-3\nweight_decay = 0.05\n".to_owned(),
            false => "[optimizer.adam]\nlearning_rate = 1e-3\n".to_owned(),
        }
    }

    fn training(&self) -> String {
        let Self { epochs, batch_size, .. } = self;
        let average = match self.convolves() {
            true => "# An average of the weights is the model.\nema.decay = 0.99\n",
            false => "",
        };
        format!("[training]\nepochs = {epochs}\nbatch_size = {batch_size}\n{average}")
    }

    /// Whether a convolutional network is suggested.
    fn convolves(&self) -> bool {
        let [height, width, _] = self.shape;
        self.are_images && height.min(width) >= SMALLEST
    }

    /// Twice as many in each stage, until about four rows or columns are left.
    fn channels(&self) -> Vec<usize> {
        let [height, width, _] = self.shape;
        let stages = height.min(width).max(SMALLEST).ilog2().saturating_sub(2).clamp(1, 5);
        let first = if self.batch_size < 64 { 16 } else { 32 };
        (0..stages).map(|stage| first << stage).collect()
    }
}

fn path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
