//! Checked access to the objects of one part.

use data::SplitKind;

use crate::classes;
use crate::element::{Element, Number};
use crate::error::Hdf5Error;
use crate::labels::LabelForm;
use crate::naming::ObjectPaths;
use crate::object::Object;
use crate::open_file::OpenFile;
use crate::part::{ImageLayout, ObjectKeys};
use crate::rows::{AxisOrder, Encoding};

/// Maximum number of examples; ImageNet-21k has 14 million. Each label takes 4 bytes of memory.
pub const MAX_EXAMPLES: usize = 1 << 24;
/// Maximum number of features of an example.
pub const MAX_WIDTH: usize = 4096;
/// Images without an axis of channels have at least this height and width: an axis of 3 or 4 is more likely
/// one of channels.
const MIN_SIDE: usize = 5;

/// The objects of one part, checked before any of their data are read.
pub struct PartObjects<'a> {
    pub images: Object<'a>,
    pub labels: Object<'a>,
    pub form: LabelForm,
    pub classes: Option<Object<'a>>,
    /// Number of examples.
    pub count: usize,
    /// Shape of an example.
    pub shape: [usize; 3],
    pub encoding: Encoding,
    /// What was inferred from the shape of images; empty if nothing was.
    pub note: &'static str,
}

impl OpenFile<'_> {
    /// Opens the images or features, the labels and the class names of a part.
    pub fn part(&self, split: SplitKind, keys: &ObjectKeys) -> Result<PartObjects<'_>, Hdf5Error> {
        let paths = ObjectPaths::of(self, keys)?;
        let found = paths.images(split)?;
        let labels = paths.labels(split, &found)?;
        let names = paths.classes(&found, &labels);
        let images = Object::open(self, &found.path)?;
        let (number, (count, shape, axes, note)) = number_and_axes(&images, keys.layout)
            .filter(|(_, (count, ..))| *count <= MAX_EXAMPLES)
            .ok_or_else(|| {
                let found = format!("{} {:?}", images.element, images.shape);
                images.context.structure(found, EXAMPLES, remedy(&images))
            })?;
        let labels = Object::open(self, &labels.path)?;
        let form = LabelForm::of(&labels, count, &found.path)?;
        let classes = names.map(|name| Object::open(self, &name)).transpose()?;
        let least = classes::least(split);
        classes.as_ref().map_or(Ok(()), |names| classes::check_list(names, least))?;
        let encoding = Encoding { number, axes };
        Ok(PartObjects { images, labels, form, classes, count, shape, encoding, note })
    }
}

/// Number and shape of examples, the order of the axes of images, and what was inferred.
type Axes = (usize, [usize; 3], Option<AxisOrder>, &'static str);

/// Infers the axes of images from the shape: channels are 1 or 3, on the last axis if two fit. MATLAB
/// stores axes in reverse. `None` if they are not clear, or not numbers.
fn number_and_axes(images: &Object, layout: Option<ImageLayout>) -> Option<(Number, Axes)> {
    use ImageLayout::{Nchw, Nhwc};
    let Element::Number(number) = images.element else { return None };
    let is_matlab = images.source.is_matlab;
    let (hwc, chw, cwh) = (Some(AxisOrder::Hwc), Some(AxisOrder::Chw), Some(AxisOrder::Cwh));
    let axes = match (&images.shape[..], layout) {
        (&[n, width @ 1..=MAX_WIDTH], _) if number.is_float() => (n, [1, 1, width], None, ""),
        (&[n, channels @ (1 | 3), width, height], None) if is_matlab => {
            (n, [height, width, channels], cwh, "axes in the order of MATLAB")
        }
        (&[n, height, width, channels @ (1 | 3)], None | Some(Nhwc)) => {
            (n, [height, width, channels], hwc, "")
        }
        (&[n, channels @ (1 | 3), height, width], None | Some(Nchw)) => {
            (n, [height, width, channels], chw, "channels first")
        }
        (&[n, width @ (MIN_SIDE..), height @ (MIN_SIDE..)], _) if is_matlab => {
            (n, [height, width, 1], cwh, "grey, axes in the order of MATLAB")
        }
        (&[n, height @ (MIN_SIDE..), width @ (MIN_SIDE..)], _) => {
            (n, [height, width, 1], hwc, "grey, without an axis of channels")
        }
        _ => return None,
    };
    Some((number, axes))
}

const EXAMPLES: &str = "images [n, height, width, channels], [n, channels, height, width] or \
                        [n, height, width] with 1 or 3 channels, or features, float32 or float64 [n, width] \
                        with a width from 1 to 4,096, and n at most 16,777,216";

/// Returns the command that mends the shape of images, if it is one of the usual ones.
fn remedy(images: &Object) -> String {
    let command = |expression: &str| images.context.replace_command(expression);
    let side = |values: usize| values.isqrt();
    match images.shape[..] {
        [_, width] if width > 3 && side(width).pow(2) == width => {
            command(&format!("x.reshape(-1, {0}, {0})", side(width)))
        }
        [_, width] if width % 3 == 0 && side(width / 3).pow(2) == width / 3 && width > 3 => {
            let side = side(width / 3);
            let last = command(&format!("x.reshape(-1, {side}, {side}, 3)"));
            format!("{last}, or with `(-1, 3, {side}, {side})` if the channels are first")
        }
        [_, _] => format!("store features as float64; {}", command("x.astype('float64')")),
        [_, _, _, 4] => command("x[..., :3]") + ", which drops the transparency",
        [_, 4, _, _] => command("x[:, :3]") + ", which drops the transparency",
        [_, _, _, 2] => command("x[..., :1]") + ", which drops the transparency",
        [_, _, 1 | 3, _] => {
            command("np.moveaxis(x, -1, 0)") + " if the last axis counts the images"
        }
        [1 | 3, _, _, _] => command("x.transpose()") + " if the last axis counts the images",
        [_, _, _] => command("x[..., None]") + " if the first axis counts images without channels",
        _ => "rewrite the file in the layout that `data/README.md` describes".to_owned(),
    }
}
