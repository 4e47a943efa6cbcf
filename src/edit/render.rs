//! Values to new text.
//!
//! A value that was parsed from the text and is only moved keeps the way it is written, comments included; any other is written in
//! block style, its strings without quotes where every reader of YAML takes them for strings.

use std::collections::HashMap;

use super::lines::{Lines, dedented};
use super::same::same;
use crate::yaml::{
    Dialect, Key, KeyKind, Node, Outline, OutlineForm, Scalar, ScalarStyle, Tag, analyze, escape,
    is_printable, resolve, resolve_tag,
};

/// The column of a block inside another.
pub(super) const STEP: usize = 2;

/// A value as lines.
pub(super) enum Shape {
    /// It begins behind its key or `-`; further lines are indented more than that.
    Beside(Vec<String>),
    /// A map, which has lines of its own below its key.
    Map(Vec<String>),
    /// A sequence, which has lines of its own below its key.
    Sequence(Vec<String>),
}

/// What is written in the text, by the offset where it begins.
pub(super) struct Written<'t> {
    pub(super) lines: Lines<'t>,
    pub(super) nodes: HashMap<usize, (Node, &'t Outline)>,
    /// How far sequences are indented below their keys.
    pub(super) sequence_indent: usize,
    /// Whether values that are moved keep their text.
    pub(super) keeps_moved: bool,
    /// Whether texts of several lines are written as blocks.
    pub(super) blocks: bool,
}

/// Returns where a node of the tree begins in the text, if it was parsed from there.
pub(super) fn offset(node: &Node) -> Option<usize> {
    node.origin().position().map(|position| position as usize - 1)
}

impl Written<'_> {
    /// Returns how a value is written, if it stands in the text as it is.
    fn source(&self, node: &Node) -> Option<&Outline> {
        let (known, outline) = self.nodes.get(&offset(node)?)?;
        (self.keeps_moved && same(known, node)).then_some(*outline)
    }

    /// Returns a value as lines.
    pub(super) fn shape(&self, node: &Node) -> Shape {
        if let Some(shape) = self.source(node).and_then(|outline| self.moved(outline)) {
            return shape;
        }
        if let Some(entries) = node.entries().filter(|entries| !entries.is_empty()) {
            let lines = entries.iter().flat_map(|e| self.entry(e.key, &e.value));
            return Shape::Map(lines.collect());
        }
        if let Some(elements) = node.elements().filter(|elements| !elements.is_empty()) {
            return Shape::Sequence(elements.iter().flat_map(|e| self.element(e, STEP)).collect());
        }
        if self.blocks && node.is_string() && wants_block(node.text()) {
            return Shape::Beside(literal(node.text()));
        }
        let is_scalar = node.is_scalar();
        Shape::Beside(vec![if is_scalar {
            scalar(node, None, Place::Block)
        } else {
            self.flow(node)
        }])
    }

    /// Returns an entry of a block map as lines.
    pub(super) fn entry(&self, key: Key, value: &Node) -> Vec<String> {
        let key = key_text(key);
        let below = |lines: Vec<String>, column| {
            let mut out = vec![format!("{key}:")];
            out.extend(lines.iter().map(|line| indent(line, column)));
            out
        };
        match self.shape(value) {
            Shape::Beside(lines) => beside(&format!("{key}: "), &lines, STEP),
            Shape::Map(lines) => below(lines, STEP),
            Shape::Sequence(lines) => below(lines, self.sequence_indent),
        }
    }

    /// Returns an element of a block sequence as lines. `width`: that of the `-` and the space behind it.
    pub(super) fn element(&self, value: &Node, width: usize) -> Vec<String> {
        let (Shape::Beside(lines) | Shape::Map(lines) | Shape::Sequence(lines)) = self.shape(value);
        beside(&format!("{:width$}", "-"), &lines, width)
    }

    /// Returns a value as one line that can stand in a flow collection.
    pub(super) fn flow(&self, node: &Node) -> String {
        if let Some(outline) = self.source(node) {
            let text = &self.lines.text[outline.start..outline.end];
            let is_quoted = matches!(
                outline.form,
                OutlineForm::Scalar(ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted)
            );
            if is_quoted && !text.contains(['\n', '\r']) {
                return text.to_owned();
            }
        }
        if let Some(entries) = node.entries() {
            let entries: Vec<String> = entries
                .iter()
                .map(|e| format!("{}: {}", key_text(e.key), self.flow(&e.value)))
                .collect();
            return format!("{{{}}}", entries.join(", "));
        }
        if let Some(elements) = node.elements() {
            let elements: Vec<String> = elements.iter().map(|e| self.flow(e)).collect();
            return format!("[{}]", elements.join(", "));
        }
        scalar(node, None, Place::Flow)
    }

    /// Returns a value in the way it is written already; none where that way has to change.
    fn moved(&self, outline: &Outline) -> Option<Shape> {
        let lines = self.lines;
        let text = &lines.text[outline.content..outline.end];
        let is_one_line = !text.contains(['\n', '\r']);
        match &outline.form {
            OutlineForm::Scalar(ScalarStyle::Literal | ScalarStyle::Folded) => {
                let header = text.split(['\n', '\r', '#']).next().unwrap_or_default();
                let is_open = lines.is_end(outline.end);
                if is_open || header.contains(|c: char| c == '+' || c.is_ascii_digit()) {
                    return None;
                }
                let all: Vec<&str> = text.split('\n').collect();
                let column = common_indent(&all[1..]);
                let mut out = vec![all[0].trim_end().to_owned()];
                out.extend(dedented(&all[1..], column));
                Some(Shape::Beside(out))
            }
            OutlineForm::Scalar(_) if is_one_line => {
                // A tag that is written out is kept.
                Some(Shape::Beside(vec![lines.text[outline.start..outline.end].to_owned()]))
            }
            OutlineForm::Map { flow: true, .. } | OutlineForm::Sequence { flow: true, .. } => {
                let all: Vec<&str> = text.split('\n').collect();
                let mut out = vec![all[0].trim_end_matches('\r').to_owned()];
                out.extend(dedented(&all[1..], common_indent(&all[1..])));
                Some(Shape::Beside(out))
            }
            OutlineForm::Map { .. } => Some(Shape::Map(self.block(outline))),
            OutlineForm::Sequence { .. } => Some(Shape::Sequence(self.block(outline))),
            OutlineForm::Absent | OutlineForm::Scalar(_) | OutlineForm::Alias(_) => None,
        }
    }

    /// Returns the lines of a block collection, with the comments between them.
    fn block(&self, outline: &Outline) -> Vec<String> {
        let lines = self.lines;
        let column = lines.column(outline.content);
        let end = lines.end(outline.end);
        let mut start = outline.content;
        if lines.is_first(start) {
            start = lines.comments_above(lines.start(start), 0);
        }
        let all: Vec<&str> = lines.text[start..end].split('\n').collect();
        dedented(&all, column)
    }
}

fn indent(line: &str, column: usize) -> String {
    if line.is_empty() { String::new() } else { format!("{:column$}{line}", "") }
}

/// Puts lines behind a key or `-`; all but the first are indented.
fn beside(mark: &str, lines: &[String], column: usize) -> Vec<String> {
    let mut lines = lines.iter();
    let first = lines.next().map(|line| format!("{mark}{line}").trim_end().to_owned());
    first.into_iter().chain(lines.map(|line| indent(line, column))).collect()
}

fn common_indent(lines: &[&str]) -> usize {
    let indents = lines.iter().filter(|line| !line.trim().is_empty());
    indents.map(|line| line.len() - line.trim_start_matches(' ').len()).min().unwrap_or(0)
}

/// Where a scalar stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Block,
    Flow,
}

/// Returns a scalar on one line, in the style of the one that it replaces if that can hold it.
pub(super) fn scalar(node: &Node, style: Option<ScalarStyle>, place: Place) -> String {
    let text = node.text();
    if !node.is_string() {
        return if node.is_null() { "null".to_owned() } else { text.to_owned() };
    }
    let traits = analyze(text, Dialect::V2);
    let fits = match place {
        Place::Block => traits.plain_allowed,
        Place::Flow => traits.flow_plain_allowed && traits.plain_allowed,
    };
    let is_string = is_string_to_all(text);
    match style.unwrap_or_default() {
        ScalarStyle::SingleQuoted if traits.single_quoted_allowed && !traits.multiline => {
            single_quoted(text)
        }
        ScalarStyle::DoubleQuoted => double_quoted(text),
        _ if fits && is_string => text.to_owned(),
        _ if is_string && traits.single_quoted_allowed && !traits.multiline => single_quoted(text),
        _ => double_quoted(text),
    }
}

/// Returns whether a plain scalar is a string by YAML 1.1 and by YAML 1.2.
fn is_string_to_all(text: &str) -> bool {
    !text.is_empty()
        && text != "<<"
        && resolve_tag(text) == Tag::Str
        && matches!(resolve(text, Tag::Empty, Dialect::V2), Ok(Scalar::Str(_)))
        // `1:30` is a number to other readers of YAML 1.1.
        && !(text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(':'))
}

fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for (at, character) in text.char_indices() {
        let stands = is_printable(text.as_bytes(), at) && !matches!(character, '"' | '\\' | '\n');
        if stands { out.push(character) } else { out.push_str(&escape(character)) }
    }
    out.push('"');
    out
}

/// Returns whether a string is best written as a block.
fn wants_block(text: &str) -> bool {
    let traits = analyze(text, Dialect::V2);
    traits.multiline
        && traits.block_allowed
        && !text.starts_with([' ', '\n', '\t', '#'])
        && !text.contains(['\r', '\u{85}', '\u{2028}', '\u{2029}', '\t'])
        && !text.ends_with("\n\n")
}

fn literal(text: &str) -> Vec<String> {
    let (header, text) = match text.strip_suffix('\n') {
        Some(text) => ("|", text),
        None => ("|-", text),
    };
    let mut out = vec![header.to_owned()];
    out.extend(text.split('\n').map(str::to_owned));
    out
}

/// Returns a key as it is written.
pub(super) fn key_text(key: Key) -> String {
    let tag = if key.kind() == KeyKind::Text { Tag::Str } else { Tag::Empty };
    let node = Node::scalar(key.text(), ScalarStyle::Plain, tag, crate::provenance::OriginId::NONE);
    if tag == Tag::Str { scalar(&node, None, Place::Flow) } else { key.text().to_owned() }
}
