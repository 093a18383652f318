//! Names of the objects in the layout of the courses, and finding those of a part by the usual names.

use data::{Fit, SplitKind};

use crate::error::{ErrorContext, Hdf5Error, Hdf5ErrorKind};
use crate::open_file::OpenFile;
use crate::part::ObjectKeys;

/// Class names, shared by all parts.
pub const CLASS_LIST: &str = "list_classes";

/// Marks a file of synthetic examples.
pub const SYNTHETIC: &str = "drawn_by_trainer";

/// Marks of a file of images that were resized other than by default.
pub const FITS: [(Fit, &str); 2] = [(Fit::Crop, "fit_crop"), (Fit::Pad, "fit_pad")];

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

/// Words for the parts.
const PARTS: [(SplitKind, &[&str]); 3] = [
    (SplitKind::Train, &["train", "training", "trn", "tr"]),
    (SplitKind::Validation, &["validation", "valid", "val", "dev"]),
    (SplitKind::Test, &["test", "testing", "tst", "te"]),
];
/// Words for images or features, the usual ones first.
const IMAGES: &[&str] =
    &["x", "images", "image", "imgs", "img", "data", "features", "inputs", "input", "pixels"];
/// Words for labels.
const LABELS: &[&str] = &["y", "labels", "label", "targets", "target"];
/// Names of lists of classes, without separators.
const CLASSES: &[&str] =
    &["listclasses", "classes", "classnames", "labelnames", "classlist", "categories"];
/// Words without a meaning here, as in `train_set_x_orig`.
const FILLERS: &[&str] = &["set", "dataset", "orig"];

/// What an object holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Images,
    Labels,
}

/// An object that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Path in the file, without the leading slash.
    pub path: String,
    /// Part that the path names.
    part: Option<SplitKind>,
    /// Rank among the usual names.
    rank: usize,
}

/// Paths of the objects of a file.
pub struct ObjectPaths<'a> {
    file: &'a OpenFile<'a>,
    paths: Vec<String>,
    keys: &'a ObjectKeys,
}

impl<'a> ObjectPaths<'a> {
    pub fn of(file: &'a OpenFile<'a>, keys: &'a ObjectKeys) -> Result<Self, Hdf5Error> {
        Ok(Self { file, paths: file.objects()?, keys })
    }

    /// Finds the images or features of a part.
    ///
    /// An object that names no part belongs to the training set, and to every part if no object names
    /// one. A validation set may be in a file of its own, under the names of a training set.
    pub fn images(&self, split: SplitKind) -> Result<Found, Hdf5Error> {
        if let Some(found) = self.literal(Role::Images) {
            return Ok(found);
        }
        let all = self.candidates(Role::Images);
        let has = |part| all.iter().any(|found| found.part == part);
        let unnamed = split == SplitKind::Train || all.iter().all(|found| found.part.is_none());
        let part = match (split, all.first()) {
            _ if has(Some(split)) => Some(split),
            _ if unnamed && has(None) => None,
            (SplitKind::Validation, _) if has(Some(SplitKind::Train)) => Some(SplitKind::Train),
            (_, Some(other)) => {
                let (set, other) = (set(split), &other.path);
                let message = format!(
                    "has no {set} set, found `/{other}`: this is the file of another part; swap the \
                     paths of the files, or name the object by `dataset.hdf5.images`"
                );
                return Err(Hdf5Error::new(self.file.path, Hdf5ErrorKind::WrongPart, message));
            }
            (_, None) => return Err(self.missing(Role::Images, split)),
        };
        let of_part = all.into_iter().filter(|found| found.part == part);
        self.best(Role::Images, split, of_part.collect())
    }

    /// Finds the labels of `images`, which were found for `split`.
    pub fn labels(&self, split: SplitKind, images: &Found) -> Result<Found, Hdf5Error> {
        if let Some(found) = self.literal(Role::Labels) {
            return Ok(found);
        }
        let mut all = self.candidates(Role::Labels);
        let others = self.keys.images.is_some().then_some([Some(split), None]);
        let mut parts = [images.part].into_iter().chain(others.into_iter().flatten());
        let part = parts.find(|part| all.iter().any(|found| found.part == *part));
        let part = part.ok_or_else(|| self.missing(Role::Labels, split))?;
        all.retain(|found| found.part == part);
        let is_beside = |found: &Found| parent(&found.path) == parent(&images.path);
        if all.iter().any(is_beside) {
            all.retain(is_beside);
        }
        self.best(Role::Labels, split, all)
    }

    /// Finds the list of classes for `images` and `labels`.
    pub fn classes(&self, images: &Found, labels: &Found) -> Option<String> {
        if let Some(path) = &self.keys.classes {
            return Some(path.trim_start_matches('/').to_owned());
        }
        let rank = |path: &&String| {
            let name = last(path).chars().filter(|c| c.is_alphanumeric());
            let name = name.flat_map(char::to_lowercase).collect::<String>();
            let rank = CLASSES.iter().position(|&known| known == name)?;
            Some((parent(path) != parent(&images.path), depth(path), rank))
        };
        let candidates = self.paths.iter().filter(|path| **path != labels.path);
        let ranked = candidates.filter_map(|path| Some((rank(&path)?, path)));
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, path)| path.clone())
    }

    /// Parts for which there are images and labels; `None` for objects that name no part.
    pub fn parts(&self) -> Vec<Option<SplitKind>> {
        let all = [Role::Images, Role::Labels].map(|role| self.candidates(role));
        let is_complete = |part: &Option<SplitKind>| {
            all.iter().all(|role| role.iter().any(|found| found.part == *part))
        };
        SplitKind::ALL.map(Some).into_iter().chain([None]).filter(is_complete).collect()
    }

    fn key(&self, role: Role) -> Option<&str> {
        let key = if role == Role::Images { &self.keys.images } else { &self.keys.labels };
        key.as_deref().map(|key| key.trim_start_matches('/'))
    }

    /// The object with the configured name, if that names one.
    fn literal(&self, role: Role) -> Option<Found> {
        let path = self.key(role).filter(|key| !key.contains('*'))?;
        Some(Found { path: path.to_owned(), part: part_of(path), rank: 0 })
    }

    /// Objects of this role.
    fn candidates(&self, role: Role) -> Vec<Found> {
        let key = self.key(role);
        let found = |path: &String| {
            let rank = match key {
                Some(pattern) => matches(pattern, path).then_some(0),
                None => rank(path, role),
            };
            Some(Found { path: path.clone(), part: part_of(path), rank: rank? })
        };
        self.paths.iter().filter_map(found).collect()
    }

    /// The shallowest object with the most usual name; that of the courses is preferred among equals.
    fn best(&self, role: Role, split: SplitKind, mut all: Vec<Found>) -> Result<Found, Hdf5Error> {
        let (what, course) = role.names(split);
        let order = |found: &Found| (depth(&found.path), found.rank, found.path != course);
        all.sort_by_key(order);
        match &all[..] {
            [] => Err(self.missing(role, split)),
            [one, other, ..] if order(one) == order(other) => {
                let found = format!("one of several {what}, beside `/{}`", other.path);
                let remedy = format!("choose one by `dataset.hdf5.{what}`");
                let context = ErrorContext::new(self.file.path, &one.path);
                Err(context.structure(found, "one of them", remedy))
            }
            [one, ..] => Ok(one.clone()),
        }
    }

    fn missing(&self, role: Role, split: SplitKind) -> Hdf5Error {
        let (what, course) = role.names(split);
        self.file.missing(&format!("{what} of the {} set, such as `/{course}`", set(split)))
    }
}

impl Role {
    /// Name in messages and in the config, and that of the object in the courses.
    fn names(self, split: SplitKind) -> (&'static str, &'static str) {
        match self {
            Self::Images => ("images", examples(split)),
            Self::Labels => ("labels", labels(split)),
        }
    }
}

/// Name of a part in messages.
fn set(split: SplitKind) -> &'static str {
    if split == SplitKind::Train { "training" } else { split.as_str() }
}

/// Part that a name or path mentions, in its last component or else in one before.
pub fn part_of(path: &str) -> Option<SplitKind> {
    let part = |word: &String| {
        let (part, _) = PARTS.iter().find(|(_, words)| words.contains(&word.as_str()))?;
        Some(*part)
    };
    path.rsplit('/').find_map(|component| words(component).iter().find_map(part))
}

/// Rank of an object among the usual names of `role`; `None` if it is not one of them.
fn rank(path: &str, role: Role) -> Option<usize> {
    let is_known = |word: &String| {
        let parts = PARTS.iter().map(|(_, words)| *words);
        parts.chain([IMAGES, LABELS, FILLERS]).any(|list| list.contains(&word.as_str()))
    };
    if !words(last(path)).iter().all(is_known) {
        return None;
    }
    let in_list = |list: &[&str], words: &[String]| {
        words.iter().find_map(|word| list.iter().position(|known| known == word))
    };
    // `/train/images`, or `/images/train`.
    let mut roles = path.rsplit('/').map(|component| {
        let words = words(component);
        (in_list(IMAGES, &words), in_list(LABELS, &words))
    });
    match (roles.find(|found| *found != (None, None))?, role) {
        ((Some(rank), None), Role::Images) | ((None, Some(rank)), Role::Labels) => Some(rank),
        _ => None,
    }
}

/// Splits a name into lower-case words: `X_train`, `trainX` and `Xtrain` have the same two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        if !c.is_alphanumeric() || (before.is_lowercase() && c.is_uppercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.into_iter().filter(|word| !word.is_empty()).flat_map(|word| parted(&word)).collect()
}

/// Splits `xtrain`, `trainx` and `trainlabels`.
fn parted(word: &str) -> Vec<String> {
    let parts = PARTS.iter().flat_map(|(_, words)| *words);
    let rest = parts.flat_map(|&part| {
        let rests = [word.strip_prefix(part), word.strip_suffix(part)];
        rests.into_iter().flatten().map(move |rest| vec![part.to_owned(), rest.to_owned()])
    });
    let is_role = |words: &Vec<String>| {
        words.iter().any(|word| [IMAGES, LABELS].iter().any(|list| list.contains(&word.as_str())))
    };
    rest.into_iter().find(is_role).unwrap_or_else(|| vec![word.to_owned()])
}

/// Returns whether `path` matches `pattern`, in which each `*` stands for any characters but `/`.
fn matches(pattern: &str, path: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == path };
    let Some(path) = path.strip_prefix(start) else { return false };
    let ends = path.char_indices().map(|(index, _)| index).chain([path.len()]);
    let ends = ends.take_while(|&end| !path.get(..end).is_some_and(|text| text.contains('/')));
    ends.into_iter().any(|end| path.get(end..).is_some_and(|path| matches(rest, path)))
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn depth(path: &str) -> usize {
    path.matches('/').count()
}
