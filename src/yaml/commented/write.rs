//! A tree with comments to text.
//!
//! The layout is go-yaml v3's with an indentation of two, lists at the indentation of their key, and no line width.
//!
//! Comments are written from one waiting place for each kind (head, line, foot, and the tail that a key leaves to the
//! key after it). A node puts its comments there before anything of it is written; they leave when the writer comes to
//! a point where their kind is due, which may be after a later node. kustomize prints what comes of that, so a comment
//! that lands in a strange place or before a comma has to land there.

use super::{Commented, CommentedEntry, Content};
use crate::yaml::text::analyze;
use crate::yaml::{Dialect, ScalarStyle, Tag};

pub(super) const INDENT: isize = 2;

/// The longest key, in bytes, that stands before its `:` without a `?`.
const MAX_SIMPLE_KEY: usize = 128;

/// Returns the text of a node, as one document.
pub(super) fn write(root: &Commented) -> String {
    let mut writer = Writer {
        out: String::new(),
        column: 0,
        indent: -1,
        whitespace: true,
        indention: true,
        foot_indent: None,
        flow_level: 0,
        waiting: Waiting::default(),
    };
    let (head, foot) = root.document.as_ref().map_or(("", ""), |d| (&d.head, &d.foot));
    if !head.is_empty() {
        writer.waiting.head = head;
        writer.head_comment();
        writer.line_break('\n');
    }
    writer.announce(root, &root.comments.foot, "");
    writer.head_comment();
    writer.begin(root, Slot::Root);
    writer.line_comment();
    writer.foot_comment();
    writer.body(root, Slot::Root);
    set(&mut writer.waiting.foot, foot);
    writer.foot_indent = Some(0);
    writer.foot_comment();
    writer.foot_indent = None;
    writer.start_line();
    writer.out
}

/// What a node is to the one that holds it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Root,
    Element,
    /// A key before its `:`.
    SimpleKey,
    /// A key behind `?`.
    ComplexKey,
    Value,
}

/// Comments that have been announced and not written.
#[derive(Default)]
pub(super) struct Waiting<'n> {
    head: &'n str,
    pub(super) line: &'n str,
    foot: &'n str,
    /// The foot comment of the key before.
    tail: &'n str,
    /// The line comment of a key, for the place where its value begins.
    key_line: &'n str,
}

impl Waiting<'_> {
    /// Whether something waits that may end the line behind an item of a flow collection.
    fn ends_line(&self) -> bool {
        !(self.line.is_empty() && self.foot.is_empty() && self.tail.is_empty())
    }
}

fn set<'n>(place: &mut &'n str, comment: &'n str) {
    if !comment.is_empty() {
        *place = comment;
    }
}

pub(super) struct Writer<'n> {
    out: String,
    /// The number of characters on the current line.
    column: usize,
    pub(super) indent: isize,
    /// A character that must stand apart can follow directly.
    pub(super) whitespace: bool,
    /// Only indentation and `-`, `?` or `:` stand on the line so far.
    pub(super) indention: bool,
    /// The indentation of a foot comment just written: an empty line has to part it from what follows there.
    foot_indent: Option<usize>,
    pub(super) flow_level: usize,
    pub(super) waiting: Waiting<'n>,
}

impl<'n> Writer<'n> {
    pub(super) fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    pub(super) fn put_char(&mut self, character: char) {
        self.out.push(character);
        self.column += 1;
    }

    pub(super) fn line_break(&mut self, character: char) {
        self.out.push(character);
        self.column = 0;
        self.indention = true;
    }

    /// Moves to the indentation, on a new line if the current one is in use.
    pub(super) fn start_line(&mut self) {
        let indent = self.indent.max(0) as usize;
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line_break('\n');
        }
        if self.foot_indent.take() == Some(indent) {
            self.line_break('\n');
        }
        while self.column < indent {
            self.put_char(' ');
        }
        self.whitespace = true;
    }

    /// Puts a space before what follows unless there is one.
    pub(super) fn separate(&mut self) {
        if !self.whitespace {
            self.put_char(' ');
        }
    }

    /// Writes a sign that is no white space and no indentation.
    pub(super) fn sign(&mut self, sign: &str) {
        self.put(sign);
        self.whitespace = false;
        self.indention = false;
    }

    /// Writes `-`, or a `?` or `:` that stands for itself: indentation for what follows.
    fn block_sign(&mut self, sign: &str) {
        self.separate();
        self.put(sign);
        self.whitespace = false;
    }

    fn open_flow(&mut self, bracket: &str) {
        self.separate();
        self.sign(bracket);
        self.whitespace = true;
        self.flow_level += 1;
    }

    // Comments.

    /// Lets the comments of a node wait, except those that the end of a collection brings. `foot` is the node's foot
    /// comment, or nothing for a key: that has to wait until its value is written, and becomes a `tail`.
    fn announce(&mut self, node: &'n Commented, foot: &'n str, tail: &'n str) {
        set(&mut self.waiting.head, &node.comments.head);
        if matches!(node.content, Content::Scalar(_) | Content::Map(_)) {
            set(&mut self.waiting.tail, tail);
        }
        if matches!(node.content, Content::Scalar(_) | Content::Alias(_)) {
            self.announce_end(&node.comments.line, foot);
        }
    }

    /// Lets the comments wait that the end of a collection brings.
    fn announce_end(&mut self, line: &'n str, foot: &'n str) {
        set(&mut self.waiting.line, line);
        set(&mut self.waiting.foot, foot);
    }

    fn head_comment(&mut self) {
        if !self.waiting.tail.is_empty() {
            self.start_line();
            let tail = std::mem::take(&mut self.waiting.tail);
            self.comment(tail);
            self.foot_indent = Some(self.indent.max(0) as usize);
        }
        if !self.waiting.head.is_empty() {
            self.start_line();
            let head = std::mem::take(&mut self.waiting.head);
            self.comment(head);
        }
    }

    pub(super) fn line_comment(&mut self) {
        let line = std::mem::take(&mut self.waiting.line);
        if !line.is_empty() {
            self.separate();
            self.comment(line);
        }
    }

    fn foot_comment(&mut self) {
        let foot = std::mem::take(&mut self.waiting.foot);
        if !foot.is_empty() {
            self.start_line();
            self.comment(foot);
            self.foot_indent = Some(self.indent.max(0) as usize);
        }
    }

    /// Writes the lines of a comment and ends the last one.
    fn comment(&mut self, text: &str) {
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let content = line.trim_end_matches('\n');
            if !content.is_empty() {
                if index > 0 {
                    self.start_line();
                }
                self.put(content);
                self.indention = false;
            }
            if line.ends_with('\n') {
                self.line_break('\n');
            }
        }
        if !text.ends_with('\n') {
            self.line_break('\n');
        }
        self.whitespace = true;
    }

    // Nodes.

    /// Writes a scalar or an alias, or what stands before the content of a collection.
    fn begin(&mut self, node: &Commented, slot: Slot) {
        if let Content::Alias(name) = &node.content {
            self.separate();
            self.sign("*");
            return self.put(name);
        }
        if !node.anchor.is_empty() {
            self.separate();
            self.sign("&");
            self.put(&node.anchor);
        }
        if let Some(tag) = written_tag(node) {
            self.tag(tag);
        }
        if let Content::Scalar(text) = &node.content {
            self.scalar(text, requested_style(node), slot == Slot::SimpleKey);
        }
    }

    /// Writes the content of a collection.
    fn body(&mut self, node: &'n Commented, slot: Slot) {
        let (before, flow) = (self.indent, self.flow_level > 0 || node.flow);
        let is_key = matches!(slot, Slot::SimpleKey | Slot::ComplexKey);
        let foot = if is_key { "" } else { node.comments.foot.as_str() };
        let line = node.comments.line.as_str();
        match &node.content {
            Content::Scalar(_) | Content::Alias(_) => return,
            Content::Map(entries) if flow || entries.is_empty() => {
                let mut comma = false;
                let tail = self.flow_map(entries, &mut comma);
                set(&mut self.waiting.tail, tail);
                self.announce_end(line, foot);
                self.end_flow_map(comma, before);
            }
            Content::Map(entries) => {
                let tail = self.block_map(entries);
                set(&mut self.waiting.tail, tail);
                self.announce_end(line, foot);
                self.head_comment();
            }
            Content::Sequence(elements) if flow || elements.is_empty() => {
                self.flow_sequence(elements);
                self.announce_end(line, foot);
                self.end_flow_sequence(before);
            }
            Content::Sequence(elements) => {
                self.block_sequence(elements, is_key || slot == Slot::Value);
                self.announce_end(line, foot);
            }
        }
        self.indent = before;
    }

    fn block_sequence(&mut self, elements: &'n [Commented], in_map: bool) {
        let at_indentation_of_key = in_map && (self.column == 0 || !self.indention);
        if self.indent < 0 {
            self.indent = 0;
        } else if !at_indentation_of_key {
            self.indent += INDENT;
        }
        for element in elements {
            self.announce(element, &element.comments.foot, "");
            self.head_comment();
            self.start_line();
            self.block_sign("-");
            self.begin(element, Slot::Element);
            self.line_comment();
            self.foot_comment();
            self.body(element, Slot::Element);
        }
    }

    /// Writes the entries of a map in block style and returns the foot comment of the last key.
    fn block_map(&mut self, entries: &'n [CommentedEntry]) -> &'n str {
        self.indent = if self.indent < 0 { 0 } else { self.indent + INDENT };
        let mut tail = "";
        for CommentedEntry { key, value } in entries {
            self.announce(key, "", tail);
            tail = &key.comments.foot;
            self.head_comment();
            self.start_line();
            if !self.waiting.line.is_empty() {
                self.waiting.key_line = std::mem::take(&mut self.waiting.line);
            }
            let simple = is_simple_key(key);
            if simple {
                self.begin(key, Slot::SimpleKey);
                self.body(key, Slot::SimpleKey);
            } else {
                self.block_sign("?");
                self.begin(key, Slot::ComplexKey);
                self.body(key, Slot::ComplexKey);
            }
            self.announce(value, &value.comments.foot, "");
            if simple {
                self.sign(":");
            } else {
                self.start_line();
                self.block_sign(":");
            }
            self.place_key_line(value);
            self.begin(value, Slot::Value);
            self.line_comment();
            self.foot_comment();
            self.body(value, Slot::Value);
        }
        tail
    }

    /// Writes the line comment of a key before a block value, or leaves it to a scalar that has none of its own.
    fn place_key_line(&mut self, value: &Commented) {
        if self.waiting.key_line.is_empty() {
            return;
        }
        match value.content {
            Content::Scalar(_) if self.waiting.line.is_empty() => {
                self.waiting.line = std::mem::take(&mut self.waiting.key_line);
            }
            Content::Map(_) | Content::Sequence(_) if !value.flow => {
                let line = std::mem::replace(&mut self.waiting.line, self.waiting.key_line);
                self.line_comment();
                self.waiting.line = line;
                self.waiting.key_line = "";
            }
            _ => {}
        }
    }

    fn flow_sequence(&mut self, elements: &'n [Commented]) {
        self.open_flow("[");
        self.indent = self.indent.max(0) + INDENT;
        let mut comma = false;
        for element in elements {
            self.announce(element, &element.comments.foot, "");
            self.flow_item(comma);
            comma = self.flow_value(element, Slot::Element);
        }
    }

    fn end_flow_sequence(&mut self, outer: isize) {
        self.flow_level -= 1;
        self.indent = outer;
        if self.column == 0 {
            self.start_line();
        }
        self.end_flow("]");
    }

    /// Writes the entries of a map in flow style and returns the foot comment of the last key. `comma` becomes whether
    /// one is still needed behind the last value.
    fn flow_map(&mut self, entries: &'n [CommentedEntry], comma: &mut bool) -> &'n str {
        self.open_flow("{");
        self.indent = self.indent.max(0) + INDENT;
        let mut tail = "";
        for CommentedEntry { key, value } in entries {
            self.announce(key, "", tail);
            tail = &key.comments.foot;
            self.flow_item(*comma);
            let simple = is_simple_key(key);
            if simple {
                self.begin(key, Slot::SimpleKey);
                self.body(key, Slot::SimpleKey);
            } else {
                self.separate();
                self.sign("?");
                self.begin(key, Slot::ComplexKey);
                self.body(key, Slot::ComplexKey);
            }
            self.announce(value, &value.comments.foot, "");
            if !simple {
                self.separate();
            }
            self.sign(":");
            *comma = self.flow_value(value, Slot::Value);
        }
        tail
    }

    fn end_flow_map(&mut self, comma: bool, outer: isize) {
        let Waiting { head, foot, tail, .. } = &self.waiting;
        if comma && !(head.is_empty() && foot.is_empty() && tail.is_empty()) {
            self.sign(",");
        }
        self.head_comment();
        self.flow_level -= 1;
        self.indent = outer;
        self.end_flow("}");
    }

    /// Begins an item of a flow collection.
    fn flow_item(&mut self, comma: bool) {
        if comma {
            self.sign(",");
        }
        self.head_comment();
        if self.column == 0 {
            self.start_line();
        }
    }

    /// Writes an element or a value in a flow collection. Returns whether a comma is still needed behind it: comments
    /// are written behind the comma.
    fn flow_value(&mut self, node: &'n Commented, slot: Slot) -> bool {
        let ends_line = self.waiting.ends_line();
        self.begin(node, slot);
        if ends_line {
            self.sign(",");
        }
        self.line_comment();
        self.foot_comment();
        self.body(node, slot);
        !ends_line
    }

    fn end_flow(&mut self, bracket: &str) {
        self.sign(bracket);
        self.line_comment();
        self.foot_comment();
    }

    fn tag(&mut self, (handle, suffix): (&str, &str)) {
        self.separate();
        self.sign(if handle.is_empty() { "!<" } else { handle });
        for &byte in suffix.as_bytes() {
            if byte.is_ascii_alphanumeric() || b"-;/?:@&=+$,_.~*'()[]".contains(&byte) {
                self.put_char(char::from(byte));
            } else {
                self.put(&format!("%{byte:02X}"));
            }
        }
        if handle.is_empty() {
            self.put(">");
        }
    }
}

/// Returns handle and suffix of the tag that is written before a node: one that was written out, or that its text does
/// not stand for by itself. A string needs none, because quotes say as much.
fn written_tag(node: &Commented) -> Option<(&'static str, &str)> {
    let needless = !node.tagged
        && (node.tag == node.implied_tag()
            || node.tag == Tag::Str && matches!(node.content, Content::Scalar(_)));
    if needless {
        return None;
    }
    let suffix = match node.tag {
        Tag::Empty => return None,
        Tag::Custom => {
            let text = node.custom_tag.as_str();
            return Some(match text.strip_prefix("!!") {
                Some(suffix) => ("!!", suffix),
                None => text.strip_prefix('!').map_or(("", text), |suffix| ("!", suffix)),
            });
        }
        Tag::Str => "str",
        Tag::Int => "int",
        Tag::Float => "float",
        Tag::Bool => "bool",
        Tag::Null => "null",
        Tag::Timestamp => "timestamp",
        Tag::Binary => "binary",
        Tag::Merge => "merge",
        Tag::Map => "map",
        Tag::Seq => "seq",
    };
    Some(("!!", suffix))
}

/// Returns the style that a scalar asks for, before what its text and its place allow.
fn requested_style(node: &Commented) -> ScalarStyle {
    let is_forced_string =
        || !node.tagged && node.tag == Tag::Str && node.implied_tag() != Tag::Str;
    match node.style {
        ScalarStyle::Plain if node.text().contains('\n') => ScalarStyle::Literal,
        ScalarStyle::Plain if is_forced_string() => ScalarStyle::DoubleQuoted,
        style => style,
    }
}

/// Returns whether a key can stand before its `:` without a `?`.
fn is_simple_key(key: &Commented) -> bool {
    let text = match &key.content {
        Content::Alias(name) => return name.len() <= MAX_SIMPLE_KEY,
        Content::Scalar(text) => text.as_str(),
        Content::Map(entries) if entries.is_empty() => "",
        Content::Sequence(elements) if elements.is_empty() => "",
        Content::Map(_) | Content::Sequence(_) => return false,
    };
    let tag = written_tag(key).map_or(0, |(handle, suffix)| handle.len() + suffix.len());
    !analyze(text, Dialect::V3).multiline && key.anchor.len() + tag + text.len() <= MAX_SIMPLE_KEY
}
