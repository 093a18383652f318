//! Evaluation of a model on other data than those of its run.

use artifacts::{DataIdentity, Evaluation};
use data::{Examples, LoadedDataset, SplitKind};
use data_sources::sources::match_classes;

use super::TrainedModel;
use crate::config::RunConfig;
use crate::error::RunError;
use crate::inference::evaluate;

/// Examples of any source to evaluate a model on.
#[derive(Debug)]
pub struct OtherData {
    /// Path of their source.
    pub path: String,
    /// The part of the source.
    pub split: SplitKind,
    /// The examples.
    pub examples: Examples,
    /// Class names, in the order of the labels.
    pub classes: Vec<String>,
    /// Whether the examples are synthetic.
    pub synthetic: bool,
    /// SHA-256 of the source, if it is known.
    pub sha256: Option<String>,
}

impl OtherData {
    /// Loads the part `split` of the data of `config`, by default the one whose scores are reported.
    /// `path` names the data.
    ///
    /// # Errors
    ///
    /// If the data cannot be loaded, or have no such part.
    pub fn of_config(
        config: &RunConfig,
        split: Option<SplitKind>,
        path: String,
    ) -> Result<Self, RunError> {
        let dataset = config.dataset.resolve()?;
        let (data, identity) = RunConfig { dataset, ..config.clone() }.load_data()?;
        let split = split.unwrap_or_else(|| identity.reported());
        let classes = data.classes.clone();
        let sha256 = identity.sha256.get(split.as_str()).cloned();
        let no_such_part = || RunError::NoSplit { run: path.clone().into(), split };
        let examples = data.into_examples(split).ok_or_else(no_such_part)?;
        Ok(Self { path, split, examples, classes, synthetic: identity.synthetic, sha256 })
    }

    /// The part `split` of `data`, by default the one whose scores would be reported. `path` names
    /// the data.
    ///
    /// # Errors
    ///
    /// If the data have no such part.
    pub fn of_dataset(
        data: LoadedDataset,
        split: Option<SplitKind>,
        path: String,
    ) -> Result<Self, RunError> {
        let LoadedDataset { train, validation, test, classes, synthetic, sha256, .. } = data;
        let mut parts = [Some(train), validation, test];
        let mut parts = SplitKind::ALL.into_iter().zip(&mut parts);
        let wanted = |own| split.is_none_or(|split| split == own);
        let found = parts.rfind(|(own, part)| wanted(*own) && part.is_some());
        let found = found.and_then(|(split, part)| Some((split, part.take()?)));
        let no_such_part = || RunError::NoSplit {
            run: path.clone().into(),
            split: split.unwrap_or(SplitKind::Train),
        };
        let (split, examples) = found.ok_or_else(no_such_part)?;
        let sha256 = sha256.get(split.as_str()).cloned();
        Ok(Self { path, split, examples, classes, synthetic, sha256 })
    }
}

impl TrainedModel {
    /// Evaluates the model on `data`, whose classes are matched by name, or by number if they have
    /// no names. Nothing is stored.
    ///
    /// # Errors
    ///
    /// If the examples have another shape than those of the run, or classes that it does not have.
    pub fn evaluate_on(&self, data: OtherData) -> Result<Evaluation, RunError> {
        let OtherData { path, split, mut examples, classes, synthetic, sha256 } = data;
        let own = self.data_identity();
        let kinds = [kind(own.shape, own.are_images), kind(examples.shape, examples.are_images())];
        if let [expected, found] = kinds
            && expected != found
        {
            return Err(RunError::Other(format!(
                "{path} has {found}, and the model was trained on {expected}\n  convert the data to this size"
            )));
        }
        match matched(&examples.labels, &classes, &own.classes) {
            Ok(labels) => examples.labels = labels,
            Err(unknown) => {
                return Err(RunError::Other(format!(
                    "{path} has classes that the model does not know: {}\n  it knows {}: rename the classes, or remove these examples",
                    unknown.join(", "),
                    own.classes.join(", ")
                )));
            }
        }
        let was_trained_on = sha256.as_ref() == own.sha256.get(SplitKind::Train.as_str());
        if split == SplitKind::Train && sha256.is_some() && was_trained_on {
            tracing::warn!(
                "{path} is what the model was trained on: the score says nothing about new data"
            );
        }
        let synthetic = own.synthetic || synthetic;
        let identity = DataIdentity { synthetic, ..own.clone() };
        let evaluation = evaluate(self.classifier(), split, &examples, &identity, self.device())?;
        Ok(Evaluation { data: Some(path), ..evaluation })
    }
}

/// The examples, for messages.
fn kind([height, width, channels]: [usize; 3], are_images: bool) -> String {
    if are_images {
        format!("images of {height}x{width}x{channels}")
    } else {
        format!("points of {channels} features")
    }
}

/// The labels of examples in `classes` as labels of the classes `known` with the same names. Classes
/// that are named `0`, `1`, .. have no names; they are matched by number if `known` have names.
///
/// Fails with the classes that are not known, each with its number of examples.
fn matched(labels: &[u32], classes: &[String], known: &[String]) -> Result<Vec<u32>, Vec<String>> {
    let are_numbers = classes.iter().enumerate().all(|(class, name)| *name == class.to_string());
    let by_number = are_numbers && !classes.iter().any(|name| known.contains(name));
    match_classes(labels, classes, known, by_number).map_err(|unknown| {
        let named = unknown.into_iter().map(|(name, count)| {
            format!("{name} ({count} {})", if count == 1 { "example" } else { "examples" })
        });
        named.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
        names.map(String::from).to_vec()
    }

    #[test]
    fn classes_are_matched_by_name_whatever_their_order_and_unused_ones_do_not_matter() {
        let known = names(["cat", "dog", "fox"]);
        let theirs = names(["fox", "bird", "cat"]);
        assert_eq!(matched(&[0, 2, 2, 0], &theirs, &known), Ok(vec![2, 0, 0, 2]));
        let unknown = matched(&[1, 2, 1], &theirs, &known);
        assert_eq!(unknown, Err(names(["bird (2 examples)"])));
    }

    #[test]
    fn classes_without_names_are_matched_by_number() {
        let known = names(["cat", "dog"]);
        let numbers = names(["0", "1", "2"]);
        assert_eq!(matched(&[1, 0, 1], &numbers, &known), Ok(vec![1, 0, 1]));
        assert_eq!(matched(&[0, 2], &numbers, &known), Err(names(["2 (1 example)"])));
        // Classes that are really called 1 and 2.
        let digits = names(["1", "2"]);
        assert_eq!(matched(&[1, 2], &numbers, &digits), Ok(vec![0, 1]));
        assert_eq!(matched(&[0], &numbers, &digits), Err(names(["0 (1 example)"])));
    }
}
