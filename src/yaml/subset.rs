//! The subset of YAML that nearly all manifests are written in, read without tokens.
//!
//! Block maps and lists of scalars, collections in flow style, comments; no anchors, aliases, tags, directives, explicit
//! keys, merge keys or tabs. [`read`] gives the tree that the full parser would give, to the last position and flag, or
//! nothing: it never refuses a text, and whatever it is not sure of is left to the full parser. Scalars that are more
//! than one stretch of a line are read by the scanner's own functions.

use super::parse::scalar_key;
use super::scan::{Scanner, position};
use super::{Dialect, Entry, Key, Node, ScalarStyle, Tag, resolve_tag};
use crate::provenance::OriginId;

/// Deeper texts are the full parser's.
const MAX_DEPTH: usize = 100;

/// The longest key in bytes. The full parser knows the exact bound and what lies behind it.
const MAX_KEY: usize = 512;

/// A document, and where its last scalar ends.
pub(super) struct Document {
    pub(super) root: Node,
    pub(super) last_end: usize,
}

/// Reads the only document of a text by the rules of go-yaml v3. `base` is the global position of the text's first byte.
pub(super) fn read(text: &str, base: u32) -> Option<Document> {
    if !has_only_plain_characters(text) {
        return None;
    }
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        scanner: None,
        base,
        pos: 0,
        line_start: 0,
        column: Some(0),
        depth: 0,
        last_end: 0,
        entries: Vec::with_capacity(32),
        elements: Vec::with_capacity(16),
    };
    let root = reader.document()?;
    Some(Document { root, last_end: reader.last_end })
}

/// Returns whether all line breaks are line feeds and no character is one that YAML refuses or treats otherwise.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a test without branches is done for many bytes at once"
)]
fn has_only_plain_characters(text: &str) -> bool {
    let bytes = text.as_bytes();
    let suspicious =
        |b: u8| (b < 0x20) & (b != b'\t') & (b != b'\n') | matches!(b, 0x7f | 0xc2 | 0xe2 | 0xef);
    let mut from = 0;
    while let Some(offset) = position(&bytes[from..], suspicious) {
        let at = from + offset;
        let plain = match (bytes[at], bytes.get(at + 1), bytes.get(at + 2)) {
            (0xc2, Some(second), _) => *second >= 0xa0,
            (0xe2, Some(0x80), Some(third)) => !matches!(third, 0xa8 | 0xa9),
            (0xef, Some(0xbb), Some(third)) => *third != 0xbf,
            (0xef, Some(0xbf), Some(third)) => !matches!(third, 0xbe | 0xbf),
            (0xe2 | 0xef, ..) => true,
            _ => false,
        };
        if !plain {
            return false;
        }
        from = at + 1;
    }
    true
}

/// What ends a run of plain text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// The line, or the text.
    Line,
    /// A comment behind a space.
    Comment,
    /// A colon before a space or the end of the line.
    Colon,
}

/// A stretch of plain text without the spaces behind it.
struct Run {
    end: usize,
    stop: Stop,
    /// Where the stop is.
    at: usize,
}

/// A key that a colon follows.
struct FoundKey {
    key: Key,
    at: usize,
    /// Behind the colon.
    end: usize,
}

/// What stands where a key or a scalar may.
enum KeyOrScalar {
    Key(FoundKey),
    Scalar,
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    /// The scanner, once a scalar needs it.
    scanner: Option<Scanner<'t>>,
    base: u32,
    pos: usize,
    line_start: usize,
    /// The column of the content at `pos`, if `pos` is at the first content of a line; none at the end of the text.
    column: Option<usize>,
    depth: usize,
    last_end: usize,
    /// The entries of the maps being read, the innermost last.
    entries: Vec<Entry>,
    /// The elements of the lists being read, the innermost last.
    elements: Vec<Node>,
}

/// Bytes that plain text goes on with, whatever stands around them.
const ORDINARY: [bool; 256] = {
    let mut ordinary = [true; 256];
    let mut byte = 0;
    while byte < 0x20 {
        ordinary[byte] = false;
        byte += 1;
    }
    ordinary[b' ' as usize] = false;
    ordinary[b':' as usize] = false;
    ordinary
};

/// Bytes that plain text in a flow collection goes on with.
const ORDINARY_IN_FLOW: [bool; 256] = {
    let mut ordinary = ORDINARY;
    let ends = *b",?[]{}";
    let mut i = 0;
    while i < ends.len() {
        ordinary[ends[i] as usize] = false;
        i += 1;
    }
    ordinary
};

/// Returns whether plain text may begin with a byte, which the one behind it does not change.
fn begins_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || byte >= 0x80
        || matches!(
            byte,
            b'_' | b'.'
                | b'/'
                | b'$'
                | b'('
                | b')'
                | b'<'
                | b'='
                | b'~'
                | b'+'
                | b'^'
                | b';'
                | b'\\'
        )
}

impl Reader<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// A space, a line feed or the end.
    fn is_end_or_space(&self, at: usize) -> bool {
        matches!(self.byte(at), b' ' | b'\n' | 0)
    }

    fn origin(&self, at: usize) -> OriginId {
        OriginId::written(self.base + at as u32)
    }

    fn skip_spaces(&mut self) {
        while self.byte(self.pos) == b' ' {
            self.pos += 1;
        }
    }

    fn line_end(&self, from: usize) -> usize {
        let rest = &self.bytes[from..];
        rest.iter().position(|&b| b == b'\n').map_or(self.bytes.len(), |length| from + length)
    }

    /// Moves from behind a value to the first content of a later line and notes its column.
    fn end_line(&mut self) -> Option<()> {
        let from = self.pos;
        self.skip_spaces();
        match self.byte(self.pos) {
            b'\n' => {}
            0 if self.pos == self.bytes.len() => {}
            b'#' if self.pos > from => self.pos = self.line_end(self.pos),
            _ => return None,
        }
        self.next_content()
    }

    /// Moves from the end of a line, or from the indentation of one, to the first content and notes its column.
    fn next_content(&mut self) -> Option<()> {
        loop {
            self.skip_spaces();
            match self.byte(self.pos) {
                b'\n' => {
                    self.pos += 1;
                    self.line_start = self.pos;
                }
                b'#' => self.pos = self.line_end(self.pos),
                b'\t' => return None,
                0 => {
                    self.column = None;
                    return Some(());
                }
                _ => {
                    self.column = Some(self.pos - self.line_start);
                    return if self.is_document_indicator() { None } else { Some(()) };
                }
            }
        }
    }

    fn is_document_indicator(&self) -> bool {
        let rest = &self.bytes[self.pos..];
        self.pos == self.line_start && (rest.starts_with(b"---") || rest.starts_with(b"..."))
    }

    fn document(&mut self) -> Option<Node> {
        // The first separator is read, any other is not.
        while matches!(self.byte(self.pos), b'#' | b'\n') {
            self.pos = self.line_end(self.pos) + 1;
        }
        self.pos = self.pos.min(self.bytes.len());
        self.line_start = self.pos;
        if self.bytes[self.pos..].starts_with(b"---") {
            self.pos += 3;
            self.end_line()?;
        } else {
            self.next_content()?;
        }
        let column = self.column?;
        let root = match self.byte(self.pos) {
            b'{' => {
                let root = self.flow()?;
                self.end_line()?;
                root
            }
            _ => match self.key()? {
                KeyOrScalar::Key(key) => self.block_map(column, key)?,
                KeyOrScalar::Scalar => return None,
            },
        };
        if self.column.is_some() { None } else { Some(root) }
    }

    /// Reads the block that begins at `pos`, in a column greater than `indent`.
    fn block(&mut self, indent: usize) -> Option<Node> {
        let column = self.column?;
        if self.is_dash() {
            return self.block_list(column);
        }
        match self.key()? {
            KeyOrScalar::Key(key) => self.block_map(column, key),
            KeyOrScalar::Scalar => self.inline(indent),
        }
    }

    fn is_dash(&self) -> bool {
        self.byte(self.pos) == b'-' && self.is_end_or_space(self.pos + 1)
    }

    fn enter(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= MAX_DEPTH).then_some(())
    }

    fn block_map(&mut self, column: usize, first: FoundKey) -> Option<Node> {
        self.enter()?;
        let mark = self.entries.len();
        let start = first.at;
        let mut key = first;
        loop {
            let value = self.map_value(column, key.end)?;
            self.entries.push(Entry { key: key.key, key_origin: self.origin(key.at), value });
            match self.column {
                Some(next) if next == column => {}
                Some(next) if next > column => return None,
                _ => break,
            }
            key = match self.key()? {
                KeyOrScalar::Key(key) => key,
                KeyOrScalar::Scalar => return None,
            };
        }
        self.depth -= 1;
        Some(self.finish_map(mark, start))
    }

    fn finish_map(&mut self, mark: usize, start: usize) -> Node {
        let entries: Vec<Entry> = self.entries.drain(mark..).collect();
        Node::map(entries, self.origin(start))
    }

    /// Reads the value of a key of a block map in `column`. `end`: behind the colon, where `pos` is.
    fn map_value(&mut self, column: usize, end: usize) -> Option<Node> {
        self.pos = end;
        self.skip_spaces();
        match self.byte(self.pos) {
            b'\n' | b'#' | 0 => {}
            b'-' if self.is_dash() => return None,
            _ => return self.inline(column),
        }
        let commented = self.byte(self.pos) == b'#';
        self.pos = end;
        self.end_line()?;
        let mut node = match self.column {
            Some(next) if next > column => self.block(column)?,
            Some(next) if next == column && self.is_dash() => self.block_list(column)?,
            _ => return Some(self.empty(end)),
        };
        if !node.is_scalar() && !node.is_flow() {
            node.set_commented(commented);
        }
        Some(node)
    }

    fn empty(&self, at: usize) -> Node {
        Node::scalar("", ScalarStyle::Plain, Tag::Null, self.origin(at))
    }

    /// Reads a list whose dashes stand in `column`.
    fn block_list(&mut self, column: usize) -> Option<Node> {
        self.enter()?;
        let mark = self.elements.len();
        let start = self.pos;
        while self.column == Some(column) && self.is_dash() {
            let end = self.pos + 1;
            self.pos = end;
            self.skip_spaces();
            let element = match self.byte(self.pos) {
                b'\n' | b'#' | 0 => {
                    self.pos = end;
                    self.end_line()?;
                    match self.column {
                        Some(next) if next > column => self.block(column)?,
                        _ => self.empty(end),
                    }
                }
                _ => {
                    self.column = Some(self.pos - self.line_start);
                    self.block(column)?
                }
            };
            self.elements.push(element);
        }
        if self.column.is_some_and(|next| next > column) {
            return None;
        }
        self.depth -= 1;
        Some(self.finish_list(mark, start))
    }

    fn finish_list(&mut self, mark: usize, start: usize) -> Node {
        let elements: Vec<Node> = self.elements.drain(mark..).collect();
        Node::sequence(elements, self.origin(start))
    }

    /// Returns the key at `pos` if a colon follows it on its line.
    fn key(&mut self) -> Option<KeyOrScalar> {
        let at = self.pos;
        let first = self.byte(at);
        let (text, tag, colon) = match first {
            b'\'' | b'"' => {
                let Some(close) = self.closing_quote(at) else { return Some(KeyOrScalar::Scalar) };
                if self.byte(close + 1) != b':' || !self.is_end_or_space(close + 2) {
                    return Some(KeyOrScalar::Scalar);
                }
                (&self.text[at + 1..close], Tag::Str, close + 1)
            }
            _ if begins_plain(first) => {
                let run = self.plain_run(at)?;
                if run.stop != Stop::Colon {
                    return Some(KeyOrScalar::Scalar);
                }
                let text = &self.text[at..run.end];
                (text, resolve_tag(text), run.at)
            }
            _ => return Some(KeyOrScalar::Scalar),
        };
        self.found_key(text, tag, at, colon).map(KeyOrScalar::Key)
    }

    /// `colon`: where the colon behind the key is.
    fn found_key(&mut self, text: &str, tag: Tag, at: usize, colon: usize) -> Option<FoundKey> {
        if colon - at > MAX_KEY || text == "<<" {
            return None;
        }
        self.last_end = colon;
        Some(FoundKey { key: scalar_key(text, tag), at, end: colon + 1 })
    }

    /// Returns the run of plain text that begins at a byte.
    fn plain_run(&self, from: usize) -> Option<Run> {
        let mut at = from;
        let mut end = from;
        loop {
            while ORDINARY[self.byte(at) as usize] {
                at += 1;
            }
            match self.byte(at) {
                b':' if self.is_end_or_space(at + 1) => {
                    let end = if self.bytes[at - 1] == b' ' { end } else { at };
                    return Some(Run { end, stop: Stop::Colon, at });
                }
                b':' => at += 1,
                b' ' => {
                    end = at;
                    while self.byte(at) == b' ' {
                        at += 1;
                    }
                    match self.byte(at) {
                        b'#' => return Some(Run { end, stop: Stop::Comment, at }),
                        b'\n' | 0 => return Some(Run { end, stop: Stop::Line, at }),
                        _ => {}
                    }
                }
                b'\n' | 0 => return Some(Run { end: at, stop: Stop::Line, at }),
                _ => return None,
            }
        }
    }

    fn plain(&self, start: usize, end: usize) -> Option<Node> {
        let text = &self.text[start..end];
        if text == "<<" {
            return None;
        }
        Some(Node::scalar(text, ScalarStyle::Plain, resolve_tag(text), self.origin(start)))
    }

    /// Returns where the quote closes that opens at a byte, if all between is as it is meant and on one line.
    fn closing_quote(&self, open: usize) -> Option<usize> {
        let quote = self.bytes[open];
        let special = |b: &u8| *b == quote || matches!(b, b'\n' | b'\t' | b'\\');
        let mut at = open + 1;
        loop {
            at += self.bytes.get(at..)?.iter().position(special)?;
            match self.bytes[at] {
                b'\\' if quote == b'\'' => at += 1,
                b'\'' if self.byte(at + 1) == b'\'' => return None,
                byte => return (byte == quote).then_some(at),
            }
        }
    }

    fn quoted(&self, open: usize, close: usize) -> Node {
        let style = if self.bytes[open] == b'"' {
            ScalarStyle::DoubleQuoted
        } else {
            ScalarStyle::SingleQuoted
        };
        Node::scalar(&self.text[open + 1..close], style, Tag::Str, self.origin(open))
    }

    /// Reads a scalar or a flow collection, and what else is on its last line. `indent`: the column of the block it is in.
    fn inline(&mut self, indent: usize) -> Option<Node> {
        let start = self.pos;
        match self.byte(start) {
            b'[' | b'{' => {
                let node = self.flow()?;
                self.end_line()?;
                Some(node)
            }
            b'\'' | b'"' => {
                let Some(close) = self.closing_quote(start) else {
                    return self.scanned(indent);
                };
                self.last_end = close + 1;
                self.pos = close + 1;
                self.end_line()?;
                Some(self.quoted(start, close))
            }
            b'|' | b'>' => self.scanned(indent),
            b'-' if !matches!(self.byte(start + 1), b' ' | b'\t' | b'\n' | 0) => {
                self.inline_plain(indent)
            }
            byte if begins_plain(byte) => self.inline_plain(indent),
            _ => None,
        }
    }

    fn inline_plain(&mut self, indent: usize) -> Option<Node> {
        let start = self.pos;
        let run = self.plain_run(start)?;
        if run.stop == Stop::Colon {
            return None;
        }
        self.pos = run.at;
        let from = (self.line_start, self.pos);
        if run.stop == Stop::Line && self.text_goes_on(indent) {
            (self.line_start, self.pos) = (from.0, start);
            return self.scanned(indent);
        }
        self.last_end = run.end;
        let node = self.plain(start, run.end)?;
        if run.stop == Stop::Comment {
            self.pos = self.line_end(run.at);
        }
        self.next_content()?;
        Some(node)
    }

    /// Returns whether the line below the present one continues a plain scalar. Empty lines are passed over.
    fn text_goes_on(&mut self, indent: usize) -> bool {
        loop {
            self.skip_spaces();
            match self.byte(self.pos) {
                b'\n' => {
                    self.pos += 1;
                    self.line_start = self.pos;
                }
                b'#' | 0 => return false,
                _ => return self.pos - self.line_start > indent,
            }
        }
    }

    /// Reads a scalar of any style as the scanner does.
    fn scanned(&mut self, indent: usize) -> Option<Node> {
        let start = self.pos;
        let text = self.text;
        let scanner = self.scanner.get_or_insert_with(|| Scanner::new(text, Dialect::V3));
        let found = scanner.scalar_at(start, self.line_start, indent as isize);
        let (style, text, end, stopped) = found.ok()?;
        let tag = match style {
            ScalarStyle::Plain if text.as_str() == "<<" => return None,
            ScalarStyle::Plain => resolve_tag(text.as_str()),
            _ => Tag::Str,
        };
        let node = Node::scalar(text.to_shared(), style, tag, self.origin(start));
        self.last_end = end;
        (self.pos, self.line_start) = stopped;
        if matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted) {
            self.end_line()?;
        } else {
            // The scanner stops in the indentation of a line, or behind the blanks of the last one.
            let is_comment = self.byte(self.pos) == b'#';
            if is_comment && self.pos > 0 && !matches!(self.bytes[self.pos - 1], b' ' | b'\n') {
                return None;
            }
            let within_line = self.bytes[self.line_start..self.pos].iter().any(|&b| b != b' ');
            if within_line && !matches!(self.byte(self.pos), b'#' | b'\n' | 0) {
                return None;
            }
            self.next_content()?;
        }
        Some(node)
    }

    // Flow collections.

    /// Moves past spaces and line breaks.
    fn skip_flow_space(&mut self) -> Option<()> {
        loop {
            self.skip_spaces();
            match self.byte(self.pos) {
                b'\n' => {
                    self.pos += 1;
                    self.line_start = self.pos;
                }
                b'\t' | b'#' => return None,
                _ => return if self.is_document_indicator() { None } else { Some(()) },
            }
        }
    }

    /// Reads the flow collection that begins at `pos`.
    fn flow(&mut self) -> Option<Node> {
        self.enter()?;
        let start = self.pos;
        let is_map = self.bytes[start] == b'{';
        let close = if is_map { b'}' } else { b']' };
        let (entries, elements) = (self.entries.len(), self.elements.len());
        self.pos += 1;
        self.skip_flow_space()?;
        if self.byte(self.pos) != close {
            loop {
                if is_map {
                    self.flow_entry()?;
                } else {
                    let element = self.flow_value()?;
                    self.elements.push(element);
                }
                self.skip_flow_space()?;
                if self.byte(self.pos) == close {
                    break;
                }
                if self.byte(self.pos) != b',' {
                    return None;
                }
                self.pos += 1;
                self.skip_flow_space()?;
            }
        }
        self.pos += 1;
        self.depth -= 1;
        let mut node = if is_map {
            self.finish_map(entries, start)
        } else {
            self.finish_list(elements, start)
        };
        node.set_flow();
        Some(node)
    }

    fn flow_entry(&mut self) -> Option<()> {
        let at = self.pos;
        let (text, tag, colon) = match self.byte(at) {
            b'\'' | b'"' => {
                let close = self.closing_quote(at)?;
                (&self.text[at + 1..close], Tag::Str, close + 1)
            }
            _ => {
                let end = self.flow_plain_end()?;
                let text = &self.text[at..end];
                (text, resolve_tag(text), end)
            }
        };
        if self.byte(colon) != b':' {
            return None;
        }
        let key = self.found_key(text, tag, at, colon)?;
        self.pos = key.end;
        self.skip_flow_space()?;
        let value = self.flow_value()?;
        self.entries.push(Entry { key: key.key, key_origin: self.origin(key.at), value });
        Some(())
    }

    fn flow_value(&mut self) -> Option<Node> {
        let start = self.pos;
        match self.byte(start) {
            b'[' | b'{' => self.flow(),
            b'\'' | b'"' => {
                let close = self.closing_quote(start)?;
                self.pos = close + 1;
                self.last_end = close + 1;
                Some(self.quoted(start, close))
            }
            _ => {
                let end = self.flow_plain_end()?;
                self.pos = end;
                self.last_end = end;
                // Another word, on this line or the next, would belong to the scalar.
                self.skip_flow_space()?;
                if !matches!(self.byte(self.pos), b',' | b']' | b'}') {
                    return None;
                }
                self.plain(start, end)
            }
        }
    }

    /// Returns where the plain scalar in a flow collection ends that begins at `pos`: before a comma, a closing bracket, a
    /// line break, or the colon behind a key.
    fn flow_plain_end(&self) -> Option<usize> {
        let start = self.pos;
        let first = self.byte(start);
        let second = self.byte(start + 1);
        if !(begins_plain(first) || first == b'-' && second.is_ascii_alphanumeric()) {
            return None;
        }
        let mut at = start;
        loop {
            while ORDINARY_IN_FLOW[self.byte(at) as usize] {
                at += 1;
            }
            match self.byte(at) {
                b' ' => {
                    let end = at;
                    while self.byte(at) == b' ' {
                        at += 1;
                    }
                    match self.byte(at) {
                        b',' | b']' | b'}' | b'\n' => return Some(end),
                        b'#' | b':' => return None,
                        _ => {}
                    }
                }
                b':' if ORDINARY_IN_FLOW[self.byte(at + 1) as usize] => at += 1,
                b':' if self.byte(at + 1) == b' ' => return Some(at),
                b',' | b']' | b'}' | b'\n' => return Some(at),
                _ => return None,
            }
        }
    }
}

/// Returns how the tree that [`read`] gives for a text differs from that of the full parser; none if there is none, or if
/// they are the same to the last position and flag.
#[cfg(any(test, feature = "internals"))]
pub(crate) fn difference_to_full_parser(text: &str) -> Option<String> {
    let own = read(text, 1)?;
    match super::parse::parse_any_document(text, 1, Dialect::V3) {
        Err(error) => Some(format!("refused: {error:?}")),
        Ok(None) => Some("no document".to_owned()),
        Ok(Some(full)) => {
            let own = super::parse::footed(text, own);
            first_difference(&own, &full, own.is_footed() != full.is_footed())
        }
    }
}

#[cfg(any(test, feature = "internals"))]
fn first_difference(own: &Node, full: &Node, more: bool) -> Option<String> {
    let facts = |n: &Node| {
        (
            (n.kind(), n.origin(), n.tag(), n.style(), n.len()),
            (n.text().to_owned(), n.is_flow(), n.is_commented(), n.is_tagged()),
        )
    };
    if more || facts(own) != facts(full) {
        return Some(format!("{:?} instead of {:?}", facts(own), facts(full)));
    }
    let entries = own.entries().into_iter().flatten().zip(full.entries().into_iter().flatten());
    for (own, full) in entries {
        if (own.key, own.key_origin) != (full.key, full.key_origin) {
            let keys = [(own.key, own.key_origin), (full.key, full.key_origin)];
            return Some(format!("{:?} instead of {:?}", keys[0], keys[1]));
        }
        if let Some(difference) = first_difference(&own.value, &full.value, false) {
            return Some(difference);
        }
    }
    let elements = own.elements().into_iter().flatten().zip(full.elements().into_iter().flatten());
    elements.into_iter().find_map(|(own, full)| first_difference(own, full, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_manifests_are_made_of_is_in_the_subset() {
        let texts = [
            "# c\n---\nkind: A # c\nmetadata:\n  name: a\n  labels: {a: b, \"c\": 'd'}\n",
            "a:\n- b: 1\n  c: [x, y]\n- - d\n  - e\n-\n  f: g\n-\nh:\n  - i\nj:\n",
            "a: |-\n  x\n\n   y\nb: one\n  two\n\n  three\nc: \"x\\ny\"\nd: 'it''s'\ne: >\n  f\n",
            "'a': b:c\n\"d\": --e\nf: http://x#y\ng: \u{201c}\u{e9}\u{201d}\n",
            "{\"kind\": \"A\", \"n\": [1,\n 2]}\n",
            "k: # c\n  - a # d\n  # e\n  - b\n# f\n\n# g\n",
        ];
        for text in texts {
            assert!(read(text, 1).is_some(), "{text}");
            assert_eq!(difference_to_full_parser(text), None, "{text}");
        }
    }

    #[test]
    fn the_rest_is_left_to_the_full_parser() {
        let texts = [
            "",
            "# c\n",
            "a\n",
            "- a\n",
            "a: &b c\n",
            "a: *b\n",
            "a: !!str b\n",
            "<<: {a: b}\n",
            "? a\n: b\n",
            "a:\tb\n",
            "a: b\r\n",
            "a: b: c\n",
            "a: - b\n",
            "%YAML 1.1\n---\na: b\n",
            "a: b\n---\nc: d\n",
            "a: b\n...\n",
            "a: [b\n",
            "a: 'b\n",
            " a: b\nc: d\n",
            "a: b\n  c: d\n",
            "a: \u{85}b\n",
            "a: [b: c]\n",
            "a: {b}\n",
            "a:\n  - b\n c: d\n",
            "\u{feff}a: b\n",
            "a: `b\n",
            "a: @b\n",
            "a: %b\n",
            "a: 'b'c\n",
        ];
        for text in texts {
            assert!(read(text, 1).is_none(), "{text}");
        }
    }
}
