//! What is found, and where in an object.

use std::fmt::Write as _;

use super::structure::{describe, shortened};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::provenance::OriginId;
use crate::yaml::Node;

/// A place in an object, from its root.
#[derive(Clone, Debug, Default)]
pub(super) struct Path<'n>(Vec<Part<'n>>);

#[derive(Clone, Copy, Debug)]
enum Part<'n> {
    Key(&'n str),
    Index(usize),
}

impl<'n> Path<'n> {
    pub(super) fn push_key(&mut self, key: &'n str) {
        self.0.push(Part::Key(key));
    }

    pub(super) fn push_index(&mut self, index: usize) {
        self.0.push(Part::Index(index));
    }

    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    pub(super) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the path of a field below this one.
    pub(super) fn field(&self, name: &str) -> String {
        let mut text = self.to_string();
        push_key(&mut text, name);
        text
    }
}

fn push_key(text: &mut String, key: &str) {
    if key.contains(['.', '[', ']', ' ']) || key.is_empty() {
        let _ = write!(text, "[{key}]");
    } else {
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(key);
    }
}

/// As `spec.containers[0].image` or `metadata.labels[app.kubernetes.io/name]`.
impl std::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Key(key) => push_key(&mut text, key),
                Part::Index(index) => {
                    let _ = write!(text, "[{index}]");
                }
            }
        }
        f.write_str(&text)
    }
}

/// Something that was found in an object.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The field, as a path from the root of the object; empty for the object itself.
    pub(super) path: String,
    /// The value at fault.
    pub(super) at: OriginId,
    /// The value whose steps say how it came here, if that is another one.
    pub(super) value: Option<OriginId>,
    /// A value that explains it, with a few words.
    pub(super) other: Option<(OriginId, &'static str)>,
    /// Without places.
    pub(super) diagnostic: Diagnostic,
}

/// What was found in one object.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) found: Vec<Found>,
}

impl Report {
    pub(super) fn push(&mut self, path: String, at: OriginId, diagnostic: Diagnostic) {
        self.found.push(Found { path, at, value: None, other: None, diagnostic });
    }

    /// `at`: the key. `value`: what stands under it.
    pub(super) fn unknown_field(
        &mut self,
        path: &Path<'_>,
        key: &str,
        (at, value): (OriginId, OriginId),
        near: Option<&str>,
    ) {
        let whole = path.field(key);
        let d = Diagnostic::error(Code::SchemaUnknownField, format!("`{whole}` is no field"));
        let d = match near {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d,
        };
        self.found.push(Found { path: whole, at, value: Some(value), other: None, diagnostic: d });
    }

    pub(super) fn missing(&mut self, path: &Path<'_>, name: &str, at: OriginId) {
        let whole = path.field(name);
        let d = Diagnostic::error(Code::SchemaMissingField, format!("`{whole}` is required"));
        self.push(whole, at, d);
    }

    pub(super) fn wrong_type(&mut self, path: &Path<'_>, node: &Node, expected: &str) {
        let message = format!("`{path}` must be {expected}, not {}", describe(node));
        let d = Diagnostic::error(Code::SchemaWrongType, message);
        let is_unquoted = expected == "text" && node.is_scalar();
        let d = if is_unquoted { d.help("put the value into quotes") } else { d };
        self.push(path.to_string(), node.origin(), d);
    }

    pub(super) fn invalid(
        &mut self,
        path: &Path<'_>,
        at: OriginId,
        message: &str,
        help: Option<&str>,
    ) {
        let d = Diagnostic::error(Code::SchemaInvalidValue, format!("`{path}` {message}"));
        let d = match help {
            Some(help) => d.help(help),
            None => d,
        };
        self.push(path.to_string(), at, d);
    }

    /// Like [`Report::invalid`], for a field below the path.
    pub(super) fn invalid_field(
        &mut self,
        path: &Path<'_>,
        key: &str,
        at: OriginId,
        message: &str,
    ) {
        let whole = path.field(key);
        let d = Diagnostic::error(Code::SchemaInvalidValue, format!("`{whole}` {message}"));
        self.push(whole, at, d);
    }

    pub(super) fn not_one_of(
        &mut self,
        path: &Path<'_>,
        at: OriginId,
        text: &str,
        values: &[impl AsRef<str>],
    ) {
        let values: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
        let all = values.join("`, `");
        let message = match values.len() {
            1 => format!("must be `{all}`, not `{}`", shortened(text)),
            _ => format!("must be one of `{all}`, not `{}`", shortened(text)),
        };
        let help = nearest(text, values).map(|near| format!("did you mean `{near}`?"));
        self.invalid(path, at, &message, help.as_deref());
    }

    pub(super) fn duplicate(
        &mut self,
        code: Code,
        path: &Path<'_>,
        at: OriginId,
        first: OriginId,
        named: &str,
    ) {
        let message = format!("`{path}` is the second element with {named}");
        let diagnostic = match code.default_level() {
            None => Diagnostic::error(code, message),
            Some(_) => Diagnostic::warning(code, message),
        };
        let other = Some((first, "the first one"));
        self.found.push(Found { path: path.to_string(), at, value: None, other, diagnostic });
    }
}
