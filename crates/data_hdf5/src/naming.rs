//! Finding the objects of a part by their names.

use data::SplitKind;

use crate::names;
use crate::object_keys::ObjectKeys;

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
pub enum Role {
    Images,
    Labels,
}

/// An object that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Path in the file, without the leading slash.
    pub path: String,
    /// Part that the path names.
    pub part: Option<SplitKind>,
}

/// Why no object was found.
#[derive(Debug, PartialEq, Eq)]
pub enum NotFound {
    Missing,
    /// There are only objects of another part.
    OtherPart(Found),
    /// Several objects fit equally well.
    Ambiguous([String; 2]),
}

/// Paths of the objects of a file.
pub struct ObjectPaths<'a> {
    pub paths: &'a [String],
    pub keys: &'a ObjectKeys,
}

impl ObjectPaths<'_> {
    /// Finds the images or features of a part.
    ///
    /// An object that names no part belongs to the training set, and to every part if no object names
    /// one. A validation set may be in a file of its own, under the names of a training set.
    pub fn images(&self, split: SplitKind) -> Result<Found, NotFound> {
        if let Some(path) = self.literal(Role::Images) {
            return Ok(Found { part: part_of(&path), path });
        }
        let all = self.candidates(Role::Images);
        let of = |part| all.iter().filter(move |(found, _)| found.part == part);
        let unnamed = split == SplitKind::Train || all.iter().all(|(one, _)| one.part.is_none());
        let best = |part| best(of(part), names::examples(split));
        match (split, all.first()) {
            _ if of(Some(split)).next().is_some() => best(Some(split)),
            _ if unnamed && of(None).next().is_some() => best(None),
            (SplitKind::Validation, _) if of(Some(SplitKind::Train)).next().is_some() => {
                best(Some(SplitKind::Train))
            }
            (_, Some((other, _))) => Err(NotFound::OtherPart(other.clone())),
            (_, None) => Err(NotFound::Missing),
        }
    }

    /// Finds the labels of `images`, which were found for `split`.
    pub fn labels(&self, split: SplitKind, images: &Found) -> Result<Found, NotFound> {
        if let Some(path) = self.literal(Role::Labels) {
            return Ok(Found { part: part_of(&path), path });
        }
        let all = self.candidates(Role::Labels);
        let mut parts = vec![images.part];
        if self.keys.images.is_some() {
            parts.extend([Some(split), None]);
        }
        let of = |part: &Option<SplitKind>| all.iter().any(|(found, _)| found.part == *part);
        let part = parts.iter().find(|part| of(part)).ok_or(NotFound::Missing)?;
        let beside = |(found, _): &&(Found, usize)| parent(&found.path) == parent(&images.path);
        let all: Vec<_> = all.iter().filter(|(found, _)| found.part == *part).collect();
        let is_beside = all.iter().any(beside);
        let all = all.into_iter().filter(|one| !is_beside || beside(one));
        best(all, names::labels(split))
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

    /// Parts for which there are images and labels.
    pub fn parts(&self) -> Vec<Option<SplitKind>> {
        let (images, labels) = (self.candidates(Role::Images), self.candidates(Role::Labels));
        let of = |all: &[(Found, usize)], part| all.iter().any(|(found, _)| found.part == part);
        let parts = SplitKind::ALL.map(Some).into_iter().chain([None]);
        parts.filter(|&part| of(&images, part) && of(&labels, part)).collect()
    }

    fn key(&self, role: Role) -> Option<&str> {
        let key = if role == Role::Images { &self.keys.images } else { &self.keys.labels };
        key.as_deref().map(|key| key.trim_start_matches('/'))
    }

    /// The configured name, if it names one object.
    fn literal(&self, role: Role) -> Option<String> {
        self.key(role).filter(|key| !key.contains('*')).map(str::to_owned)
    }

    /// Objects of this role, each with its rank among the usual names.
    fn candidates(&self, role: Role) -> Vec<(Found, usize)> {
        let key = self.key(role);
        let rank = |path: &str| match key {
            Some(pattern) => matches(pattern, path).then_some(0),
            None => rank(path, role),
        };
        let found =
            |path: &String| Some((Found { path: path.clone(), part: part_of(path) }, rank(path)?));
        self.paths.iter().filter_map(found).collect()
    }
}

/// Part that a name or path mentions, in its last component or else in one before.
pub fn part_of(path: &str) -> Option<SplitKind> {
    let part = |word: &String| {
        PARTS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(part, _)| *part)
    };
    path.rsplit('/').find_map(|component| words(component).iter().find_map(part))
}

/// Rank of an object among the usual names of `role`; `None` if it is not one of them.
fn rank(path: &str, role: Role) -> Option<usize> {
    let known = |list: &[&str], word: &str| list.iter().position(|&known| known == word);
    let of_role = |component: &str| {
        let role =
            |words: &[&str]| self::words(component).iter().find_map(|word| known(words, word));
        (role(IMAGES), role(LABELS))
    };
    let is_known = |word: &String| {
        let is_part = PARTS.iter().any(|(_, words)| words.contains(&word.as_str()));
        is_part || [IMAGES, LABELS, FILLERS].iter().any(|list| list.contains(&word.as_str()))
    };
    if !words(last(path)).iter().all(is_known) {
        return None;
    }
    // `/train/images`, or `/images/train`.
    let mut roles = path.rsplit('/').map(of_role);
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

/// The shallowest object with the most usual name; `course` is preferred among equals.
fn best<'a>(
    candidates: impl Iterator<Item = &'a (Found, usize)>,
    course: &str,
) -> Result<Found, NotFound> {
    let order = |(found, rank): &&(Found, usize)| (depth(&found.path), *rank, found.path != course);
    let mut candidates: Vec<_> = candidates.collect();
    candidates.sort_by_key(order);
    match &candidates[..] {
        [] => Err(NotFound::Missing),
        [one, other, ..] if order(one) == order(other) => {
            Err(NotFound::Ambiguous([one.0.path.clone(), other.0.path.clone()]))
        }
        [one, ..] => Ok(one.0.clone()),
    }
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
