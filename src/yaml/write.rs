//! A tree to the bytes that kustomize prints.
//!
//! The format is that of go-yaml v2 as `sigs.k8s.io/yaml` drives it: block style, two spaces, lists at the indentation of
//! their key, keys in natural order, lines folded after column 80 in plain and quoted scalars. Values are
//! effective ones ([`super::view`]); they are written straight from the tree.

use std::sync::Arc;

use foldhash::HashMap;

use super::number::format_general;
use super::order::sort_keys;
use super::scalar::{Scalar, is_base_60, resolve_tag_in};
use super::scan::break_len;
use super::text::{TextTraits, analyze, escape, is_printable, width};
use super::view::{
    ViewFault, ViewFaultKind, check_json_key, checked_entries, chomping_hint, direct, effective,
    through_json, with_foot_comment,
};
use super::{Dialect, Node, ScalarStyle, Tag};
use crate::provenance::OriginId;

const BEST_WIDTH: usize = 80;
const INDENT: isize = 2;

/// The longest key, in bytes, that stands before its `:` without a `?`.
const MAX_SIMPLE_KEY: usize = 128;

/// The longest key, in characters of JSON, that kustomize's own way back from JSON can read.
const MAX_JSON_KEY: usize = 1024;

/// Writes a tree as one YAML document, without `---`.
pub(crate) fn write_document(node: &Node, out: &mut Vec<u8>) -> Result<(), ViewFault> {
    write_document_and_compare(node, &[], out).map(drop)
}

/// Like [`write_document`]; returns the origins of the texts that are not what they were. What trees have in common with
/// `written` is copied from there.
pub(crate) fn write_document_and_compare(
    node: &Node,
    written: &[Arc<Written>],
    out: &mut Vec<u8>,
) -> Result<Vec<OriginId>, ViewFault> {
    let footed = with_foot_comment(node);
    write(footed.as_ref().unwrap_or(node), out, effective, written)
}

/// Trees that have been written, for others that share collections with them.
#[derive(Debug, Default)]
pub(crate) struct Written {
    bytes: Vec<u8>,
    /// What was written for the value of a key, by the address of the collection that it is.
    values: HashMap<usize, WrittenValue>,
    /// Keeps the collections where they are.
    trees: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct WrittenValue {
    start: usize,
    end: usize,
    /// Where the last line begins.
    line: usize,
    /// The indentation of the map around it.
    indent: isize,
    /// The state of the writer behind it.
    whitespace: bool,
    indention: bool,
}

impl Written {
    /// Writes trees. One that cannot be written is left out.
    pub(crate) fn of<'n>(trees: impl IntoIterator<Item = &'n Node>) -> Self {
        let mut written = Self::default();
        for tree in trees {
            let start = written.bytes.len();
            let mut out = std::mem::take(&mut written.bytes);
            let mut writer = Writer::new(&mut out, effective, &[]);
            writer.recorded = Some(Vec::new());
            let result = writer.node(tree, Place { top: true, in_map: false, flow: false });
            let values = writer.recorded.take().unwrap_or_default();
            if result.is_ok() {
                written.values.extend(values);
                written.trees.push(tree.clone());
            } else {
                out.truncate(start);
            }
            written.bytes = out;
        }
        written
    }
}

/// Writes a tree as one YAML document from the values that its nodes decode to, without the way through text: what
/// kustomize does when it writes one file for each object.
pub(crate) fn write_decoded_document(node: &Node, out: &mut Vec<u8>) -> Result<(), ViewFault> {
    write(node, out, |node, _| direct(node), &[]).map(drop)
}

type Value = for<'n> fn(&'n Node, bool) -> Result<Scalar<'n>, ViewFault>;

fn write(
    node: &Node,
    out: &mut Vec<u8>,
    value: Value,
    written: &[Arc<Written>],
) -> Result<Vec<OriginId>, ViewFault> {
    let mut writer = Writer::new(out, value, written);
    writer.node(node, Place { top: true, in_map: false, flow: false })?;
    writer.write_indent();
    Ok(writer.changed)
}

/// Writes a string as a value of its own in the output's format; for comparison in tests and diffs.
pub(super) fn write_string(text: &str) -> String {
    let node = Node::scalar(text, ScalarStyle::DoubleQuoted, Tag::Str, OriginId::NONE);
    let mut out = Vec::new();
    match write_document(&node, &mut out) {
        Ok(()) => String::from_utf8(out).unwrap_or_default().trim_end().to_owned(),
        Err(_) => text.to_owned(),
    }
}

/// Where a node stands.
#[derive(Clone, Copy)]
struct Place {
    /// The node is the whole object.
    top: bool,
    /// The node is the value of a key.
    in_map: bool,
    /// The node stands in a flow collection of the source.
    flow: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

struct Writer<'o, 'w> {
    out: &'o mut Vec<u8>,
    /// Where the current line begins in `out`.
    line: usize,
    indent: isize,
    /// The last character was white space.
    whitespace: bool,
    /// Only indentation and `-`, `?` or `:` stand on the line so far.
    indention: bool,
    /// What a scalar is.
    value: Value,
    /// Texts in folded style that are written as other texts.
    changed: Vec<OriginId>,
    /// What can be copied.
    written: &'w [Arc<Written>],
    /// What was written for collections, if others are to copy it.
    recorded: Option<Vec<(usize, WrittenValue)>>,
}

type Write = Result<(), ViewFault>;

impl<'o, 'w> Writer<'o, 'w> {
    fn new(out: &'o mut Vec<u8>, value: Value, written: &'w [Arc<Written>]) -> Self {
        Self {
            line: out.len(),
            out,
            indent: -1,
            whitespace: true,
            indention: true,
            value,
            changed: Vec::new(),
            written,
            recorded: None,
        }
    }

    /// Writes the value of a key of a block map.
    fn value(&mut self, node: &Node, place: Place) -> Write {
        if self.written.is_empty() && self.recorded.is_none() || node.is_empty() || place.flow {
            return self.node(node, place);
        }
        if self.recorded.is_none() {
            let value = node.shared_address().and_then(|address| self.copy(address));
            return if value.is_some() { Ok(()) } else { self.node(node, place) };
        }
        let (start, changed) = (self.out.len(), self.changed.len());
        self.node(node, place)?;
        if let Some(address) = node.address()
            && let Some(recorded) = &mut self.recorded
            && self.changed.len() == changed
        {
            let value = WrittenValue {
                start,
                end: self.out.len(),
                line: self.line,
                indent: self.indent,
                whitespace: self.whitespace,
                indention: self.indention,
            };
            recorded.push((address, value));
        }
        Ok(())
    }

    /// Copies what was written for the collection at an address, in a map of the same indentation.
    fn copy(&mut self, address: usize) -> Option<()> {
        let indent = self.indent;
        let (written, value) = self.written.iter().find_map(|written| {
            let value = written.values.get(&address).filter(|value| value.indent == indent)?;
            Some((written, value))
        })?;
        // A collection that is not empty begins on a line of its own.
        self.line = self.out.len() + value.line - value.start;
        self.out.extend_from_slice(&written.bytes[value.start..value.end]);
        (self.whitespace, self.indention) = (value.whitespace, value.indention);
        Some(())
    }
    fn column(&self) -> usize {
        let line = &self.out[self.line..];
        if line.is_ascii() {
            line.len()
        } else {
            line.iter().filter(|&&b| b & 0xc0 != 0x80).count()
        }
    }

    fn put(&mut self, byte: u8) {
        self.out.push(byte);
    }

    fn put_break(&mut self) {
        self.out.push(b'\n');
        self.line = self.out.len();
    }

    fn write_indent(&mut self) {
        let indent = self.indent.max(0) as usize;
        // Up to here each character is one byte, if no more than an indentation stands on the line.
        let column = self.out.len() - self.line;
        if !self.indention || column > indent || (column == indent && !self.whitespace) {
            self.put_break();
        }
        let column = self.out.len() - self.line;
        self.out.resize(self.out.len() + indent.saturating_sub(column), b' ');
        self.whitespace = true;
        self.indention = true;
    }

    fn indicator(
        &mut self,
        text: &[u8],
        need_whitespace: bool,
        is_whitespace: bool,
        is_indention: bool,
    ) {
        if need_whitespace && !self.whitespace {
            self.put(b' ');
        }
        self.out.extend_from_slice(text);
        self.whitespace = is_whitespace;
        self.indention = self.indention && is_indention;
    }

    fn node(&mut self, node: &Node, place: Place) -> Write {
        let flow = place.flow || node.is_flow();
        if let Some(entries) = node.entries() {
            let mut entries = checked_entries(entries, place.top)?;
            sort_keys(&mut entries);
            return self.map(&entries, flow);
        }
        if let Some(elements) = node.elements() {
            return self.sequence(elements, place.in_map, flow);
        }
        if is_written_as_it_is(node) {
            self.indented(|writer| writer.plain(node.text(), true));
            return Ok(());
        }
        match (self.value)(node, flow)? {
            Scalar::Null => self.word("null"),
            Scalar::Bool(value) => self.word(if value { "true" } else { "false" }),
            Scalar::Int(value) => self.integer(value < 0, value.unsigned_abs()),
            Scalar::Uint(value) => self.integer(false, value),
            Scalar::Float(value) => self.word(&float_text(value)),
            Scalar::Str(text) => {
                if node.style() == ScalarStyle::Folded && text != node.text() {
                    self.changed.push(node.origin());
                }
                let text = through_json(text, node.origin())?;
                self.string(&text, false);
            }
        }
        Ok(())
    }

    fn map(&mut self, entries: &[(&'static str, &Node)], flow: bool) -> Write {
        if entries.is_empty() {
            self.indicator(b"{", true, true, false);
            self.indicator(b"}", false, false, false);
            return Ok(());
        }
        let before = self.indent;
        self.indent = if before < 0 { 0 } else { before + INDENT };
        for (key, value) in entries {
            if key.len() > MAX_SIMPLE_KEY {
                check_key_length(key, value)?;
            }
            self.write_indent();
            if key.len() <= MAX_SIMPLE_KEY && is_plain_word(key) {
                self.plain(key, false);
                self.indicator(b":", false, false, false);
                self.value(value, Place { top: false, in_map: true, flow })?;
                continue;
            }
            check_json_key(key, value.origin())?;
            if key.len() <= MAX_SIMPLE_KEY && !has_break(key) {
                self.string(key, true);
                self.indicator(b":", false, false, false);
            } else {
                self.indicator(b"?", true, false, true);
                self.string(key, false);
                self.write_indent();
                self.indicator(b":", true, false, true);
            }
            self.value(value, Place { top: false, in_map: true, flow })?;
        }
        self.indent = before;
        Ok(())
    }

    fn sequence(&mut self, elements: &[Node], in_map: bool, flow: bool) -> Write {
        if elements.is_empty() {
            self.indicator(b"[", true, true, false);
            self.indicator(b"]", false, false, false);
            return Ok(());
        }
        let before = self.indent;
        if before < 0 {
            self.indent = 0;
        } else if !in_map || self.indention {
            self.indent = before + INDENT;
        }
        for element in elements {
            self.write_indent();
            self.indicator(b"-", true, false, true);
            self.node(element, Place { top: false, in_map: false, flow })?;
        }
        self.indent = before;
        Ok(())
    }

    /// Writes a number, a boolean or null.
    fn word(&mut self, text: &str) {
        self.indicator(text.as_bytes(), true, false, false);
    }

    fn integer(&mut self, negative: bool, magnitude: u64) {
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut rest = magnitude;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.indicator(if negative { b"-" } else { b"" }, true, false, false);
        self.out.extend_from_slice(&digits[at..]);
    }

    fn string(&mut self, text: &str, simple_key: bool) {
        let traits = analyze(text, Dialect::V2);
        let style = style_of(text, traits, simple_key);
        self.indented(|writer| match style {
            Style::Plain => writer.plain(text, !simple_key),
            Style::SingleQuoted => writer.single_quoted(text, !simple_key),
            Style::DoubleQuoted => writer.double_quoted(text, !simple_key),
            Style::Literal => writer.literal(text),
        });
    }

    /// Writes with the indentation that the lines of a scalar have.
    fn indented(&mut self, write: impl FnOnce(&mut Self)) {
        let before = self.indent;
        self.indent = if before < 0 { INDENT } else { before + INDENT };
        write(self);
        self.indent = before;
    }

    fn plain(&mut self, text: &str, may_fold: bool) {
        if !self.whitespace {
            self.put(b' ');
        }
        // A line has no more characters than bytes.
        let is_short = self.out.len() - self.line + text.len() <= BEST_WIDTH;
        if may_fold && !is_short && self.column() + text.len() > BEST_WIDTH {
            self.fold_plain(text);
        } else {
            self.out.extend_from_slice(text.as_bytes());
        }
        self.whitespace = false;
        self.indention = false;
    }

    fn fold_plain(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut column = self.column();
        let mut after_space = false;
        let mut at = 0;
        while at < bytes.len() {
            let len = width(bytes[at]);
            if bytes[at] == b' ' {
                if !after_space && column > BEST_WIDTH && bytes.get(at + 1) != Some(&b' ') {
                    self.write_indent();
                    column = self.column();
                } else {
                    self.put(b' ');
                    column += 1;
                }
                after_space = true;
            } else {
                self.out.extend_from_slice(&bytes[at..at + len]);
                column += 1;
                self.indention = false;
                after_space = false;
            }
            at += len;
        }
    }

    fn single_quoted(&mut self, text: &str, may_fold: bool) {
        self.indicator(b"'", true, false, false);
        let bytes = text.as_bytes();
        let (mut after_space, mut after_break) = (false, false);
        let mut at = 0;
        while at < bytes.len() {
            let len = width(bytes[at]);
            if bytes[at] == b' ' {
                let inside = at > 0 && at < bytes.len() - 1 && bytes[at + 1] != b' ';
                if may_fold && !after_space && inside && self.column() > BEST_WIDTH {
                    self.write_indent();
                } else {
                    self.put(b' ');
                }
                after_space = true;
            } else if break_len(bytes, at) > 0 {
                if !after_break && bytes[at] == b'\n' {
                    self.put_break();
                }
                self.write_break(&bytes[at..at + len]);
                self.indention = true;
                after_break = true;
            } else {
                if after_break {
                    self.write_indent();
                }
                if bytes[at] == b'\'' {
                    self.put(b'\'');
                }
                self.out.extend_from_slice(&bytes[at..at + len]);
                self.indention = false;
                (after_space, after_break) = (false, false);
            }
            at += len;
        }
        self.indicator(b"'", false, false, false);
    }

    fn write_break(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        self.line = self.out.len();
    }

    fn double_quoted(&mut self, text: &str, may_fold: bool) {
        self.indicator(b"\"", true, false, false);
        let bytes = text.as_bytes();
        // go-yaml asks whether the *value* begins with a byte order mark, for every character of it.
        let escape_all = text.starts_with('\u{feff}');
        let mut after_space = false;
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            let len = width(byte);
            let must_escape = escape_all
                || !is_printable(bytes, at)
                || break_len(bytes, at) > 0
                || matches!(byte, b'"' | b'\\');
            if must_escape {
                self.out.extend_from_slice(
                    escape(text[at..].chars().next().unwrap_or_default()).as_bytes(),
                );
                after_space = false;
            } else if byte == b' ' {
                let inside = at > 0 && at < bytes.len() - 1;
                if may_fold && !after_space && inside && self.column() > BEST_WIDTH {
                    self.write_indent();
                    if bytes[at + 1] == b' ' {
                        self.put(b'\\');
                    }
                } else {
                    self.put(b' ');
                }
                after_space = true;
            } else {
                self.out.extend_from_slice(&bytes[at..at + len]);
                after_space = false;
            }
            at += len;
        }
        self.indicator(b"\"", false, false, false);
    }

    fn literal(&mut self, text: &str) {
        self.indicator(b"|", true, false, false);
        let bytes = text.as_bytes();
        if bytes[0] == b' ' || break_len(bytes, 0) > 0 {
            self.put(b'2');
        }
        self.out.extend_from_slice(chomping_hint(text).as_bytes());
        self.put_break();
        self.indention = true;
        self.whitespace = true;
        let mut after_break = true;
        let mut at = 0;
        while at < bytes.len() {
            let len = break_len(bytes, at);
            if len > 0 {
                self.write_break(&bytes[at..at + len]);
                self.indention = true;
                after_break = true;
                at += len;
                continue;
            }
            if after_break {
                self.write_indent();
            }
            let end = (at..bytes.len()).find(|&i| break_len(bytes, i) > 0).unwrap_or(bytes.len());
            self.out.extend_from_slice(&bytes[at..end]);
            self.indention = false;
            after_break = false;
            at = end;
        }
    }
}

/// Returns whether a node is written as its text, whatever is asked for its value: a string, a number or a boolean that
/// means the same everywhere.
fn is_written_as_it_is(node: &Node) -> bool {
    let text = node.text();
    match node.tag() {
        _ if node.is_tagged() => false,
        Tag::Str => {
            !matches!(node.style(), ScalarStyle::Literal | ScalarStyle::Folded)
                && is_plain_word(text)
        }
        Tag::Int if node.style() == ScalarStyle::Plain => match text.as_bytes() {
            [b'0'..=b'9'] => true,
            [b'1'..=b'9', rest @ ..] => rest.len() < 17 && rest.iter().all(u8::is_ascii_digit),
            _ => false,
        },
        Tag::Bool if node.style() == ScalarStyle::Plain => matches!(text, "true" | "false"),
        _ => false,
    }
}

/// Bytes that a plain scalar goes on with, whatever stands around them.
const WORD: [bool; 256] = {
    let mut word = [false; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        word[byte] = byte != b':' as usize;
        byte += 1;
    }
    word
};

/// Returns whether a text is, to every reader of YAML, a string that needs no quotes: visible ASCII characters with single
/// spaces between them, a letter or `/` first. Other texts may be that as well; [`style_of`] knows.
fn is_plain_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else { return false };
    if !(first.is_ascii_alphabetic() || *first == b'/') {
        return false;
    }
    let mut at = 1;
    while at < bytes.len() {
        let next = bytes.get(at + 1).copied().unwrap_or(0);
        match bytes[at] {
            byte if WORD[byte as usize] => {}
            b' ' if WORD[next as usize] && next != b'#' => {}
            b':' if WORD[next as usize] => {}
            _ => return false,
        }
        at += 1;
    }
    // No longer word is a boolean or a null.
    bytes.len() > 5 || resolve_tag_in(text, Dialect::V2) == Tag::Str
}

fn has_break(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes
        .iter()
        .enumerate()
        .any(|(i, b)| matches!(b, b'\n' | b'\r' | 0xc2 | 0xe2) && break_len(bytes, i) > 0)
}

fn check_key_length(key: &str, value: &Node) -> Write {
    let mut json = String::new();
    super::write_json_string(key, &mut json);
    if json.chars().count() > MAX_JSON_KEY {
        let at = value.origin();
        return Err(ViewFault { kind: ViewFaultKind::LongKey, at, other: OriginId::NONE });
    }
    Ok(())
}

/// Chooses a style as go-yaml v2's encoder and then its emitter do.
fn style_of(text: &str, traits: TextTraits, simple_key: bool) -> Style {
    let mut style = if text.contains('\n') {
        Style::Literal
    } else if resolve_tag_in(text, Dialect::V2) == Tag::Str && !is_base_60(text) {
        Style::Plain
    } else {
        Style::DoubleQuoted
    };
    if simple_key && traits.multiline {
        style = Style::DoubleQuoted;
    }
    if style == Style::Plain && !traits.plain_allowed {
        style = Style::SingleQuoted;
    }
    if style == Style::SingleQuoted && !traits.single_quoted_allowed {
        style = Style::DoubleQuoted;
    }
    if style == Style::Literal && (!traits.block_allowed || simple_key) {
        style = Style::DoubleQuoted;
    }
    style
}

/// Returns the text of a float: through JSON, read back by go-yaml v2, written by it.
fn float_text(float: f64) -> String {
    let json = super::number::format_json(float);
    match super::number::parse_number(&json) {
        Some(super::number::Number::Int(value)) => value.to_string(),
        Some(super::number::Number::Uint(value)) => value.to_string(),
        Some(super::number::Number::Float(value)) => format_general(value),
        None => json,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;
    use crate::yaml::parse_document;

    fn rewrite(text: &str) -> String {
        let node = parse_document(text, 1, Dialect::V3).unwrap().unwrap();
        let mut out = Vec::new();
        match write_document(&node, &mut out) {
            Ok(()) => String::from_utf8(out).unwrap(),
            Err(fault) => format!("{:?}", fault.kind),
        }
    }

    #[test]
    fn documents_are_written_as_go_yaml_writes_them() {
        let cases = [
            ("b: 1\na: [x, {y: z}]\n", "a:\n- x\n- \"y\": z\nb: 1\n"),
            ("a: []\nb: {}\nc: ''\nd:\n", "a: []\nb: {}\nc: \"\"\nd: null\n"),
            ("a: yes\nb: 'no'\nc: 1.0\nd: 1e21\n", "a: \"yes\"\nb: \"no\"\nc: 1\nd: 1e+21\n"),
            ("a:\n- - 1\n  - 2\n- {b: 3}\n", "a:\n- - 1\n  - 2\n- b: 3\n"),
            ("a: \"x\\ty\"\n", "a: \"x\\ty\"\n"),
            ("a: |\n  one\n  two\n", "a: |\n  one\n  two\n"),
            ("a: \"one\\n two\\n\\n\"\n", "a: |+\n  one\n   two\n\n"),
            ("a: 'x: y'\n", "a: 'x: y'\n"),
            ("a: 2001-01-01\n", "a: \"2001-01-01T00:00:00Z\"\n"),
            ("a: 1:30\n", "a: \"1:30\"\n"),
            ("a: \"x\\u2028y\"\n", "a: 'x\u{2028}  y'\n"),
        ];
        for (text, want) in cases {
            assert_eq!(rewrite(text), want, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(5000) })]

        #[test]
        fn what_is_written_as_it_is_needs_no_quotes(text in "[a-zA-Z/][ -~]{0,9}|[yYnNtToOfF][a-zA-Z]{0,4}") {
            if is_plain_word(&text) {
                prop_assert!(style_of(&text, analyze(&text, Dialect::V2), false) == Style::Plain);
                prop_assert!(matches!(through_json(text.as_str().into(), OriginId::NONE), Ok(Cow::Borrowed(_))));
            }
        }

        #[test]
        fn numbers_that_are_written_as_they_are_have_no_other_form(text in "[0-9_.+-]{1,19}|true|false") {
            let node = Node::scalar(text.as_str(), ScalarStyle::Plain, resolve_tag_in(&text, Dialect::V3), OriginId::NONE);
            if is_written_as_it_is(&node) {
                let value = effective(&node, false);
                let same = match value {
                    Ok(Scalar::Int(value)) => value.to_string() == text,
                    Ok(Scalar::Bool(value)) => value.to_string() == text,
                    _ => false,
                };
                prop_assert!(same, "{:?}", value);
            }
        }
    }

    #[test]
    fn long_lines_fold_after_column_80() {
        let words = "word ".repeat(30);
        let text = format!("a: {}\n", words.trim_end());
        let out = rewrite(&text);
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].len() > 80 && lines[0].len() < 86, "{}", lines[0]);
        assert!(lines[1].starts_with("  word"));
    }

    #[test]
    fn a_value_that_begins_with_a_byte_order_mark_is_escaped_whole() {
        assert_eq!(rewrite("a: \"\\uFEFFhi\"\n"), "a: \"\\uFEFF\\x68\\x69\"\n");
    }
}
