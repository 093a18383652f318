//! The problems of a config, displayed with their source lines as rustc does.

use std::error::Error;
use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Level, Renderer};

use crate::escape::escape;
use crate::layer::Layer;

/// Largest number of problems that are displayed.
const MAX_DISPLAYED: usize = 50;

/// Length in bytes from which a line has only its first problem underlined; the others are notes.
const LONG_LINE: usize = 200;

/// The problems of a config; never empty.
#[derive(Debug)]
pub struct Diagnostics {
    layers: Vec<Layer>,
    pub(crate) items: Vec<Diagnostic>,
}

/// One problem at its source location.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostic {
    /// `file:line:column`, or the override as `override key = value`.
    pub location: String,
    /// Dotted path of the key, if known.
    pub key: Option<String>,
    /// Description of the problem and of what to write instead.
    pub message: String,
    /// Position over all layers of the document.
    pub(crate) span: Range<usize>,
    /// Positions of other values that are involved, and their role.
    pub(crate) related: Vec<(Range<usize>, &'static str)>,
}

/// Text displayed below a part of a source line.
struct Label {
    span: Range<usize>,
    kind: AnnotationKind,
    text: String,
    /// Complete text for a note, if this is the problem itself.
    note: Option<String>,
}

impl Diagnostics {
    pub(crate) fn new(layers: &[Layer], items: Vec<Diagnostic>) -> Self {
        Self { layers: layers.to_vec(), items }
    }

    /// Returns the problems.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.items.iter()
    }

    /// Labels within `layer`, in the order of their positions.
    fn labels(&self, layer: &Layer) -> Vec<Label> {
        let displayed = self.items.iter().take(MAX_DISPLAYED);
        let mut labels: Vec<_> = displayed.flat_map(Diagnostic::labels).collect();
        labels.retain(|label| layer.contains(label.span.start));
        labels.sort_by_key(|label| label.span.start);
        labels
    }

    /// Returns the snippet of each layer with problems, then the notes.
    fn elements(&self) -> Vec<Element<'_>> {
        let (mut snippets, mut notes) = (Vec::new(), Vec::new());
        for layer in &self.layers {
            let (mut annotations, mut last_line) = (Vec::new(), None);
            for label in self.labels(layer) {
                let line = layer.line(label.span.start);
                if line.len() > LONG_LINE && last_line.as_ref() == Some(&line) {
                    notes.extend(label.note);
                    continue;
                }
                last_line = Some(line);
                annotations.push(label.kind.span(layer.underline(&label.span)).label(label.text));
            }
            if !annotations.is_empty() {
                snippets.push(layer.snippet().annotations(annotations).into());
            }
        }
        let hidden = self.items.len().saturating_sub(MAX_DISPLAYED);
        if hidden > 0 {
            notes.push(format!("{hidden} more problems are not displayed"));
        }
        snippets.extend(notes.into_iter().map(|note| Level::NOTE.message(note).into()));
        snippets
    }
}

impl Diagnostic {
    fn labels(&self) -> impl Iterator<Item = Label> {
        let text = escape(&match &self.key {
            Some(key) => format!("{key}: {}", self.message),
            None => self.message.clone(),
        });
        let note = Some(format!("{}: {text}", escape(&self.location)));
        let own = Label { span: self.span.clone(), kind: AnnotationKind::Primary, text, note };
        let related = self.related.iter().map(|(span, role)| Label {
            span: span.clone(),
            kind: AnnotationKind::Context,
            text: (*role).to_owned(),
            note: None,
        });
        std::iter::once(own).chain(related)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = match self.items.len() {
            1 => "invalid config".to_owned(),
            count => format!("invalid config: {count} problems"),
        };
        let report = Level::ERROR.no_name().primary_title(title).elements(self.elements());
        let renderer = if f.alternate() { Renderer::styled() } else { Renderer::plain() };
        f.write_str(&renderer.render(&[report]))
    }
}

impl Error for Diagnostics {}
