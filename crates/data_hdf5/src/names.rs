//! Names of the objects in the layout of the courses.

use data::{Fit, SplitKind};

/// Class names, shared by all parts.
pub const CLASSES: &str = "list_classes";

/// Marks a file of synthetic examples. SplitKind of the file format.
pub const SYNTHETIC: &str = "drawn_by_trainer";

/// Marks a file of images that were resized with `fit`; none for the default.
pub const fn fit(fit: Fit) -> Option<&'static str> {
    match fit {
        Fit::Stretch => None,
        Fit::Crop => Some("fit_crop"),
        Fit::Pad => Some("fit_pad"),
    }
}

/// Examples of a part. A validation set has a file of its own, in the layout of a training set.
pub const fn examples(split: SplitKind) -> &'static str {
    match split {
        SplitKind::Train | SplitKind::Validation => "train_set_x",
        SplitKind::Test => "test_set_x",
    }
}

/// Labels of a part.
pub const fn labels(split: SplitKind) -> &'static str {
    match split {
        SplitKind::Train | SplitKind::Validation => "train_set_y",
        SplitKind::Test => "test_set_y",
    }
}

/// Name of a part in messages.
pub const fn set(split: SplitKind) -> &'static str {
    match split {
        SplitKind::Train => "training set",
        SplitKind::Validation => "validation set",
        SplitKind::Test => "test set",
    }
}
