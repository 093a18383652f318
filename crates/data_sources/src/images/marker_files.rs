/// File in a folder of images with the class names in the order of their labels, one per line.
pub const CLASSES: &str = "classes.txt";

/// File that marks a folder of images as synthetic data. Its name is part of the format.
pub const SYNTHETIC: &str = "drawn_by_trainer";
