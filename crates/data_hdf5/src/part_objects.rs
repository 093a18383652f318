//! Checked access to the objects of one part.

use data::SplitKind;

use crate::classes;
use crate::context::ErrorContext;
use crate::element::Element;
use crate::error::Hdf5Error;
use crate::image_axes::ImageAxes;
use crate::labels::LabelForm;
use crate::mend;
use crate::names;
use crate::naming::{Found, NotFound, ObjectPaths, Role};
use crate::number::Number;
use crate::object::Object;
use crate::object_keys::ObjectKeys;
use crate::open_file::OpenFile;
use crate::rows::{Content, Encoding};

/// Maximum number of examples; ImageNet-21k has 14 million. Each label takes 4 bytes of memory.
pub const MAX_EXAMPLES: usize = 1 << 24;
/// Maximum number of features of an example.
pub const MAX_WIDTH: usize = 4096;

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
    /// What was inferred from the shape of images.
    pub note: Option<&'static str>,
}

impl OpenFile<'_> {
    /// Opens the images or features, the labels and the class names of a part.
    pub fn part(&self, split: SplitKind, keys: &ObjectKeys) -> Result<PartObjects<'_>, Hdf5Error> {
        let paths = self.objects()?;
        let paths = ObjectPaths { paths: &paths, keys };
        let (found, labels, names) = self.find(split, &paths)?;
        let images = Object::open(self, &found.path)?;
        let axes = self.axes(&images, keys)?;
        let labels = Object::open(self, &labels.path)?;
        let form = LabelForm::of(&labels, axes.count, &found.path)?;
        let names = names.map(|name| Object::open(self, &name)).transpose()?;
        if let Some(names) = &names {
            let count = names.shape.iter().product();
            classes::check_count(&names.context, count, classes::least(split))?;
            classes::require_names(names)?;
        }
        let (ImageAxes { count, shape, note, .. }, encoding) = (axes, encoding(&images, axes)?);
        Ok(PartObjects { images, labels, form, classes: names, count, shape, encoding, note })
    }

    fn find(
        &self,
        split: SplitKind,
        paths: &ObjectPaths,
    ) -> Result<(Found, Found, Option<String>), Hdf5Error> {
        let failed = |error, role| match self.not_found(split, role, error) {
            Ok(error) | Err(error) => error,
        };
        let images = paths.images(split).map_err(|error| failed(error, Role::Images))?;
        let labels = paths.labels(split, &images).map_err(|error| failed(error, Role::Labels))?;
        let names = paths.classes(&images, &labels);
        Ok((images, labels, names))
    }

    fn not_found(
        &self,
        split: SplitKind,
        role: Role,
        error: NotFound,
    ) -> Result<Hdf5Error, Hdf5Error> {
        let (what, key, usual) = match role {
            Role::Images => ("images", "dataset.hdf5.images", names::examples(split)),
            Role::Labels => ("labels", "dataset.hdf5.labels", names::labels(split)),
        };
        let usual = format!(", such as `/{usual}`");
        match error {
            NotFound::Missing => {
                self.missing(format!("{what} of the {}{usual}", names::set(split)))
            }
            NotFound::OtherPart(other) => {
                let (file, found) = (self.path.to_path_buf(), format!("/{}", other.path));
                Ok(Hdf5Error::WrongPart { file, split, found })
            }
            NotFound::Ambiguous([one, other]) => {
                let context = ErrorContext::new(self.path, &one);
                let found = format!("one of several {what}, beside `/{other}`");
                Ok(context.structure(found, "one of them", format!("choose one by `{key}`")))
            }
        }
    }

    /// Number and shape of the examples, and the order of the axes of images.
    fn axes(&self, images: &Object, keys: &ObjectKeys) -> Result<ImageAxes, Hdf5Error> {
        let numbers = matches!(images.element, Element::Number(_));
        let axes = match (images.element, &images.shape[..]) {
            (Element::Number(Number::Float { .. }), &[count, width @ 1..=MAX_WIDTH]) => {
                Some(ImageAxes { count, shape: [1, 1, width], order: None, note: None })
            }
            (_, shape) => ImageAxes::of(shape, keys.layout, self.is_matlab),
        };
        let axes = axes.filter(|axes| numbers && (1..=MAX_EXAMPLES).contains(&axes.count));
        axes.ok_or_else(|| {
            let found = format!("{} {:?}", images.element, images.shape);
            images.context.structure(found, EXAMPLES, remedy(images))
        })
    }
}

fn encoding(images: &Object, axes: ImageAxes) -> Result<Encoding, Hdf5Error> {
    let content = axes.order.map_or(Content::Features, Content::Pixels);
    match images.element {
        Element::Number(number) => Ok(Encoding { number, content }),
        _ => Err(images.context.damaged("its type has changed")),
    }
}

const EXAMPLES: &str = "images [n, height, width, channels], [n, channels, height, width] or \
                        [n, height, width] with 1 or 3 channels, or features, float32 or float64 [n, width] \
                        with a width from 1 to 4,096, and n at most 16,777,216";

/// Returns the command that mends the shape of images, if it is one of the usual ones.
fn remedy(images: &Object) -> String {
    let command = |expression: &str| mend::command(&images.context, expression);
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
