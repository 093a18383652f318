/// The file in a folder of images that names the classes in the order of their labels, a line each.
pub const CLASSES: &str = "classes.txt";

/// The file that marks a folder of images as drawn in place of real data.
pub const SYNTHETIC: &str = "drawn_by_trainer";
