//! Files whose objects refer to other files, to themselves, or to objects of another kind.

use std::path::Path;

use hdf5::Datatype;

use super::super::bases::{classes, labels, labels_and_classes, pixels};
use super::{Attack, BYTE, create};

pub const ATTACKS: &[Attack] = &[
    ("pixels in another file", |file, decoy| {
        file.link_external(text(decoy)?, "/train_set_x", "train_set_x")?;
        labels_and_classes(file)
    }),
    ("labels in another file", |file, decoy| {
        file.link_external(text(decoy)?, "/train_set_x", "train_set_y")?;
        pixels(file, |builder| builder)?;
        classes(file)
    }),
    ("names in another file", |file, decoy| {
        file.link_external(text(decoy)?, "/train_set_x", "list_classes")?;
        pixels(file, |builder| builder)?;
        labels(file)
    }),
    ("an external link to the file itself", |file, _| {
        file.link_external("created.h5", "/train_set_x", "train_set_x")?;
        labels_and_classes(file)
    }),
    ("the mark of synthetic data in another file", |file, decoy| {
        file.link_external(text(decoy)?, "/train_set_x", "drawn_by_trainer")?;
        pixels(file, |builder| builder)?;
        labels_and_classes(file)
    }),
    ("a soft link to itself", |file, _| {
        file.link_soft("/train_set_x", "train_set_x")?;
        labels_and_classes(file)
    }),
    ("a cycle of soft links", |file, _| {
        file.link_soft("/b", "train_set_x")?;
        file.link_soft("/c", "b")?;
        file.link_soft("/train_set_x", "c")?;
        labels_and_classes(file)
    }),
    ("a soft link through another file", |file, decoy| {
        file.link_external(text(decoy)?, "/", "out")?;
        file.link_soft("/out/train_set_x", "train_set_x")?;
        labels_and_classes(file)
    }),
    ("a dangling soft link", |file, _| {
        file.link_soft("/nothing", "train_set_x")?;
        labels_and_classes(file)
    }),
    ("a group that contains itself instead of pixels", |file, _| {
        let group = file.create_group("train_set_x")?;
        group.link_hard("/train_set_x", "train_set_x")?;
        labels_and_classes(file)
    }),
    ("the root group instead of pixels", |file, _| {
        file.link_hard("/", "train_set_x")?;
        labels_and_classes(file)
    }),
    ("a cycle of groups beside the data", |file, _| {
        let group = file.create_group("circle")?;
        group.link_hard("/", "root")?;
        group.link_hard("/circle", "circle")?;
        pixels(file, |builder| builder)?;
        labels_and_classes(file)
    }),
    ("a named type instead of pixels", |file, _| {
        file.commit_datatype("train_set_x", &Datatype::from_type::<u8>()?)?;
        labels_and_classes(file)
    }),
    ("one dataset as pixels, labels and names", |file, _| {
        pixels(file, |builder| builder)?;
        file.link_hard("/train_set_x", "train_set_y")?;
        file.link_hard("/train_set_x", "list_classes")
    }),
    ("pixels stored in another file", |file, decoy| {
        let (decoy, offset) = (text(decoy)?, 0);
        create(file, "train_set_x", &[6, 2, 2, 3], BYTE, |builder| {
            builder.external(decoy, offset, 72)
        })?;
        labels_and_classes(file)
    }),
    ("labels stored in another file", |file, decoy| {
        let decoy = text(decoy)?;
        create(file, "train_set_y", &[6], BYTE, |builder| builder.external(decoy, 0, 6))?;
        pixels(file, |builder| builder)?;
        classes(file)
    }),
    ("names stored in another file", |file, decoy| {
        let decoy = text(decoy)?;
        create(file, "list_classes", &[3], BYTE, |builder| builder.external(decoy, 0, 3))?;
        pixels(file, |builder| builder)?;
        labels(file)
    }),
    ("a virtual dataset of another file", |file, decoy| {
        let decoy = text(decoy)?;
        create(file, "train_set_x", &[6, 2, 2, 3], BYTE, |builder| {
            builder.virtual_map(decoy, "train_set_x", (6, 2, 2, 3), .., (6, 2, 2, 3), ..)
        })?;
        labels_and_classes(file)
    }),
    ("a virtual dataset of itself", |file, _| {
        create(file, "train_set_x", &[6, 2, 2, 3], BYTE, |builder| {
            builder.virtual_map(".", "train_set_x", (6, 2, 2, 3), .., (6, 2, 2, 3), ..)
        })?;
        labels_and_classes(file)
    }),
    ("a virtual dataset of a missing file", |file, _| {
        create(file, "train_set_x", &[6, 2, 2, 3], BYTE, |builder| {
            builder.virtual_map("none.h5", "train_set_x", (6, 2, 2, 3), .., (6, 2, 2, 3), ..)
        })?;
        labels_and_classes(file)
    }),
];

fn text(path: &Path) -> hdf5::Result<&str> {
    path.to_str().ok_or_else(|| "the path of the directory is not UTF-8".into())
}
