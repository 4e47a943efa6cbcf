//! What a tree is once kustomize has read it back.
//!
//! kustomize never writes a tree as it stands. Wherever it needs the value of an object (the final bytes, the hash of a
//! generated object, a JSON patch) it prints the tree with go-yaml v3, decodes that text, and goes on with JSON. The
//! way through text changes a few values, and decides which trees are faulty at all:
//!
//! - a folded scalar (`>`) with indented lines gains or loses line breaks (the writer looks ahead from the start of
//!   the value instead of the current line);
//! - a value without text is null in a block and an empty string in a flow collection;
//! - a number's text that a setter put under a string's tag is quoted, a word under a number's tag is an error;
//! - duplicate keys, keys that are not strings, infinities, a literal that begins with a tab, and a collection that was
//!   emptied below a comment are errors, and only here: what a patch has removed before is never looked at.
//!
//! [`effective`] is that value, scalar by scalar; [`json_view`] and [`round_numbers`] rebuild a whole tree from it.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use ecow::EcoString;

use super::number::{format_general, format_json};
use super::scalar::{Scalar, is_base_60, is_yaml_1_1_non_string, resolve, resolve_tag};
use super::scan::{Scanner, TokenKind, break_len, position};
use super::text::{analyze, width};
use super::{Dialect, Entry, Key, KeyKind, Node, NodeKind, ScalarStyle, Tag, known};
use crate::provenance::OriginId;

/// Why a tree has no JSON form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ViewFault {
    /// What is wrong.
    pub kind: ViewFaultKind,
    /// The origin of the value or key at fault.
    pub at: OriginId,
    /// The origin of what it clashes with: the first of two equal keys.
    pub other: OriginId,
}

/// The kinds of [`ViewFault`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ViewFaultKind {
    /// A map has a key twice.
    DuplicateKey(String),
    /// A key is a number, a boolean, a date, a null, a list or a map.
    NonStringKey(String),
    /// A scalar's text does not fit the type it has to be.
    TypeMismatch {
        /// The text.
        text: String,
        /// What the text is.
        found: Tag,
        /// What it has to be.
        expected: Tag,
    },
    /// A block scalar begins with a tab, which kustomize cannot read back.
    LeadingTab,
    /// A collection has become empty below the comment of its key: `{}` then stands behind the comment.
    EmptyBelowComment,
    /// `<<` stands before something else than a map or a list of maps.
    MergeOfNoMap,
    /// A number is infinite or not a number.
    NotFinite,
    /// `!!binary` data is not base64.
    InvalidBase64,
    /// A string holds a control character that kustomize cannot read back.
    ControlCharacter(char),
    /// A key is longer than the 1,024 characters that kustomize can read back.
    LongKey,
}

fn fault(kind: ViewFaultKind, at: OriginId) -> ViewFault {
    ViewFault { kind, at, other: OriginId::NONE }
}

/// Returns the value of a scalar node after the way through text. `flow`: whether it stands in a flow collection.
pub(super) fn effective(node: &Node, flow: bool) -> Result<Scalar<'_>, ViewFault> {
    let text = node.text();
    if node.tag() == Tag::Str
        && !node.is_tagged()
        && is_one_line_style(node.style())
        && !text.as_bytes().contains(&b'\n')
    {
        return Ok(Scalar::Str(Cow::Borrowed(text)));
    }
    let written_tag = written_tag(node);
    if written_tag == Tag::Custom {
        return Ok(Scalar::Str(Cow::Borrowed(text)));
    }
    if written_tag == Tag::Binary {
        return decode_base64(text, node.origin());
    }
    let quoted =
        node.style() != ScalarStyle::Plain || text.contains('\n') || is_forced_string(node);
    let quoted_in_flow = flow && node.style() == ScalarStyle::Plain && is_quoted_in_flow(text);
    if matches!(written_tag, Tag::Str) || written_tag == Tag::Empty && (quoted || quoted_in_flow) {
        return reread_string(node, flow).map(Scalar::Str);
    }
    let mismatch = |m: super::scalar::TagMismatch| {
        let kind = ViewFaultKind::TypeMismatch {
            text: text.to_owned(),
            found: m.found,
            expected: m.expected,
        };
        fault(kind, node.origin())
    };
    finite(resolve(text, written_tag, Dialect::V3).map_err(mismatch)?, node.origin())
}

/// Returns the value of a scalar node as go-yaml v3 decodes the node itself, without the way through text.
pub(crate) fn direct(node: &Node) -> Result<Scalar<'_>, ViewFault> {
    let text = node.text();
    if node.tag() == Tag::Binary {
        return decode_base64(text, node.origin());
    }
    if node.tag() == Tag::Str || node.tag() == Tag::Empty && node.style() != ScalarStyle::Plain {
        return Ok(Scalar::Str(Cow::Borrowed(text)));
    }
    let mismatch = |m: super::scalar::TagMismatch| {
        let kind = ViewFaultKind::TypeMismatch {
            text: text.to_owned(),
            found: m.found,
            expected: m.expected,
        };
        fault(kind, node.origin())
    };
    finite(resolve(text, node.tag(), Dialect::V3).map_err(mismatch)?, node.origin())
}

fn finite(scalar: Scalar<'_>, at: OriginId) -> Result<Scalar<'_>, ViewFault> {
    match scalar {
        Scalar::Float(float) if !float.is_finite() => Err(fault(ViewFaultKind::NotFinite, at)),
        other => Ok(other),
    }
}

/// Returns the tag that go-yaml v3's writer puts before a scalar; [`Tag::Empty`] for none.
fn written_tag(node: &Node) -> Tag {
    let tag = node.tag();
    if tag == Tag::Empty || node.is_tagged() {
        return tag;
    }
    if tag == Tag::Str && node.style() != ScalarStyle::Plain {
        return Tag::Empty;
    }
    if tag == Tag::Str || resolve_tag(node.text()) == tag { Tag::Empty } else { tag }
}

fn is_one_line_style(style: ScalarStyle) -> bool {
    !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
}

/// A string whose text would be read as something else is written in double quotes.
fn is_forced_string(node: &Node) -> bool {
    node.tag() == Tag::Str && !node.is_tagged() && resolve_tag(node.text()) != Tag::Str
}

/// Whether a plain scalar is put into quotes because it stands in a flow collection.
fn is_quoted_in_flow(text: &str) -> bool {
    text.is_empty() || !analyze(text, Dialect::V3).flow_plain_allowed
}

/// Returns bytes as Go writes them as JSON: each byte that is no part of a character is a character of its own.
fn text_of_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    out
}

/// Base64 as Go reads it: the bits that the last character has too many may be anything.
const LENIENT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

fn decode_base64(text: &str, at: OriginId) -> Result<Scalar<'_>, ViewFault> {
    let stripped: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    match LENIENT_BASE64.decode(stripped) {
        Ok(bytes) => Ok(Scalar::Str(Cow::Owned(text_of_bytes(&bytes)))),
        Err(_) => Err(fault(ViewFaultKind::InvalidBase64, at)),
    }
}

/// Returns a string after it was written in its node's style and read back.
fn reread_string(node: &Node, flow: bool) -> Result<Cow<'_, str>, ViewFault> {
    let text = node.text();
    if flow || text.is_empty() {
        return Ok(Cow::Borrowed(text));
    }
    let folded = node.style() == ScalarStyle::Folded;
    let literal = match node.style() {
        ScalarStyle::Literal => true,
        ScalarStyle::Plain => text.contains('\n'),
        _ => false,
    };
    if literal && !text.starts_with('\t') || !literal && !folded {
        return Ok(Cow::Borrowed(text));
    }
    if !analyze(text, Dialect::V3).block_allowed {
        return Ok(Cow::Borrowed(text));
    }
    if literal || text.starts_with('\t') {
        return Err(fault(ViewFaultKind::LeadingTab, node.origin()));
    }
    Ok(reread_folded(text))
}

/// Returns whether a literal block with this text can be read back by go-yaml.
pub(crate) fn is_literal_readable(text: &str) -> bool {
    !text.starts_with('\t') || !text.contains('\n') || !analyze(text, Dialect::V3).block_allowed
}

/// Writes a text as go-yaml v3 writes a folded scalar and reads that.
fn reread_folded(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'\n') && break_free(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + text.len() / 8 + 8);
    out.push('>');
    if bytes[0] == b' ' || break_len(bytes, 0) > 0 {
        out.push('2');
    }
    out.push_str(chomping_hint(text));
    out.push('\n');
    // The look-ahead of the writer, from the start of the value: the first character after its leading breaks.
    let mut ahead = 0;
    while break_len(bytes, ahead) > 0 {
        ahead += width(bytes[ahead]);
    }
    let blank_ahead = matches!(bytes.get(ahead), None | Some(b' ' | b'\t'));
    let (mut after_break, mut line_is_indented) = (true, true);
    let mut at = 0;
    while at < bytes.len() {
        let len = width(bytes[at]);
        if break_len(bytes, at) > 0 {
            if !after_break && !line_is_indented && bytes[at] == b'\n' && !blank_ahead {
                out.push('\n');
            }
            out.push_str(&text[at..at + len]);
            after_break = true;
        } else {
            if after_break {
                out.push_str("  ");
                line_is_indented = matches!(bytes[at], b' ' | b'\t');
            }
            out.push_str(&text[at..at + len]);
            after_break = false;
        }
        at += len;
    }
    let document = format!("x: {out}");
    let mut scanner = Scanner::new(&document, Dialect::V3);
    loop {
        match scanner.next() {
            Ok(token) if token.kind == TokenKind::Scalar(ScalarStyle::Folded) => {
                return Cow::Owned(token.text.as_str().to_owned());
            }
            Ok(token) if token.kind != TokenKind::StreamEnd => {}
            _ => return Cow::Borrowed(text),
        }
    }
}

fn break_free(bytes: &[u8]) -> bool {
    !bytes
        .iter()
        .enumerate()
        .any(|(i, &b)| matches!(b, b'\r' | 0xc2 | 0xe2) && break_len(bytes, i) > 0)
}

/// Returns the sign that a block scalar's header needs to keep the text's last line breaks.
pub(crate) fn chomping_hint(text: &str) -> &'static str {
    let mut characters = text.char_indices().rev().map(|(i, _)| break_len(text.as_bytes(), i) > 0);
    match (characters.next(), characters.next()) {
        (Some(false) | None, _) => "-",
        (Some(true), Some(false)) => "",
        (Some(true), _) => "+",
    }
}

/// Checks the keys of a map and returns its entries with the text of each key, as JSON would hold them.
///
/// `top`: whether the map is the whole object, whose keys are read into strings.
pub(crate) fn checked_entries(
    entries: &[Entry],
    top: bool,
) -> Result<Vec<(&'static str, &Node)>, ViewFault> {
    if let Some(duplicate) = find_duplicate(entries) {
        return Err(duplicate);
    }
    let mut out = Vec::with_capacity(entries.len());
    let mut merged = None;
    for entry in entries {
        if entry.value.is_commented()
            && entry.value.kind() != NodeKind::Scalar
            && entry.value.is_empty()
        {
            return Err(fault(ViewFaultKind::EmptyBelowComment, entry.key_origin));
        }
        match entry.key.kind() {
            KeyKind::Text if entry.key.same_text(known::MERGE) => merged = Some(&entry.value),
            KeyKind::Text => out.push((entry.key.text(), &entry.value)),
            KeyKind::NonString if top => out.push((entry.key.text(), &entry.value)),
            // Of the whole object, a null key without text is skipped; kustomize takes one with text for its own double.
            KeyKind::Null if top && entry.key.text().is_empty() => {}
            _ => {
                let kind = ViewFaultKind::NonStringKey(entry.key.text().to_owned());
                return Err(fault(kind, entry.key_origin));
            }
        }
    }
    if let Some(merged) = merged {
        merge(&mut out, merged)?;
    }
    Ok(out)
}

/// Fills in what a merge key names. What a file holds is merged when it is parsed; a `<<` that code writes, from a JSON
/// patch or a generator, is a merge key once it is read back.
fn merge<'n>(own: &mut Vec<(&'static str, &'n Node)>, merged: &'n Node) -> Result<(), ViewFault> {
    let maps = match merged.elements() {
        Some(elements) => elements,
        None => std::slice::from_ref(merged),
    };
    for map in maps {
        let Some(entries) = map.entries() else {
            return Err(fault(ViewFaultKind::MergeOfNoMap, merged.origin()));
        };
        for (key, value) in checked_entries(entries, false)? {
            if !own.iter().any(|(own, _)| *own == key) {
                own.push((key, value));
            }
        }
    }
    Ok(())
}

fn find_duplicate(entries: &[Entry]) -> Option<ViewFault> {
    let clash = |first: &Entry, second: &Entry| ViewFault {
        kind: ViewFaultKind::DuplicateKey(second.key.text().to_owned()),
        at: second.key_origin,
        other: first.key_origin,
    };
    if entries.len() <= 16 {
        for (i, second) in entries.iter().enumerate() {
            if let Some(first) = entries[..i].iter().find(|first| first.key.same_text(second.key)) {
                return Some(clash(first, second));
            }
        }
        return None;
    }
    let mut seen: std::collections::HashMap<Key, &Entry> =
        std::collections::HashMap::with_capacity(entries.len());
    for entry in entries {
        let text_only = Key::text_key(entry.key.text());
        if let Some(first) = seen.insert(text_only, entry) {
            return Some(clash(first, entry));
        }
    }
    None
}

/// Which reading a JSON form is made from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Through the text that go-yaml v3 writes.
    Text,
    /// Decoded from the nodes.
    Direct,
}

/// Returns an object as it is read back if a comment stands below it: where the last value of the object is a block that
/// keeps its line breaks, the empty line before the comment becomes one of them. None where nothing changes.
pub(crate) fn with_foot_comment(root: &Node) -> Option<Node> {
    if !root.is_footed() {
        return None;
    }
    let mut root = root.clone();
    let mut last = &mut root;
    while !last.is_scalar() {
        if last.is_flow() {
            return None;
        }
        last = match last.kind() {
            NodeKind::Map => &mut last.entries_mut()?.last_mut()?.value,
            _ => last.elements_mut()?.last_mut()?,
        };
    }
    let text = last.text();
    let keeps = !is_one_line_style(last.style())
        && chomping_hint(text) == "+"
        && analyze(text, Dialect::V3).block_allowed;
    let longer = keeps.then(|| format!("{text}\n"))?;
    last.set_text(longer);
    Some(root)
}

/// Returns the tree that kustomize makes of an object when a JSON patch touches it: every value after the way through
/// text. Integers are still exact; [`round_numbers`] is the way back from JSON. Origins are carried over.
pub(crate) fn json_view(node: &Node) -> Result<Node, ViewFault> {
    let footed = with_foot_comment(node);
    let node = footed.as_ref().unwrap_or(node);
    rebuild(node, true, false, Way::Text, &mut |scalar, origin| Ok(plain_node(scalar, origin)))
}

/// Makes of a tree of [`json_view`] what it is once it is read back from JSON: every number is a 64-bit float, strings are
/// written as go-yaml v3 writes them.
///
/// Integers that are another number afterwards are put into `rounded`: their origin and the text they become.
pub(crate) fn round_numbers(
    node: &mut Node,
    rounded: &mut Vec<(OriginId, String)>,
) -> Result<(), ViewFault> {
    for entry in node.entries_mut().into_iter().flatten() {
        round_numbers(&mut entry.value, rounded)?;
    }
    for element in node.elements_mut().into_iter().flatten() {
        round_numbers(element, rounded)?;
    }
    if node.is_scalar() {
        let origin = node.origin();
        // A number of a JSON text that is too large has kept its text.
        if node.tag() == Tag::Float && node.text().parse().is_ok_and(f64::is_infinite) {
            return Err(fault(ViewFaultKind::NotFinite, origin));
        }
        let number = match effective(node, false)? {
            Scalar::Int(int) => {
                let number = float_node(int as f64, origin);
                if int as f64 as i128 != i128::from(int) {
                    rounded.push((origin, number.text().to_owned()));
                }
                number
            }
            Scalar::Uint(uint) => {
                let number = float_node(uint as f64, origin);
                if uint as f64 as i128 != i128::from(uint) {
                    rounded.push((origin, number.text().to_owned()));
                }
                number
            }
            Scalar::Str(text) if !is_literal_readable(&text) => {
                return Err(fault(ViewFaultKind::LeadingTab, origin));
            }
            other => plain_node(other, origin),
        };
        *node = number;
    }
    Ok(())
}

/// Refuses a tree that kustomize cannot decode without the way through text.
pub(crate) fn check_decodable(node: &Node) -> Result<(), ViewFault> {
    rebuild(node, false, false, Way::Direct, &mut |_, origin| Ok(Node::null(origin))).map(drop)
}

/// Returns the tree that kustomize makes of an element of a list object that it takes apart: decoded without the way
/// through text, then read back from JSON.
pub(crate) fn json_reread(node: &Node) -> Result<Node, ViewFault> {
    let mut rebuilt = rebuild(node, false, false, Way::Direct, &mut |scalar, origin| {
        Ok(match scalar {
            Scalar::Str(text) => {
                let text = through_json(text, origin)?;
                Node::scalar(
                    EcoString::from(text.as_ref()),
                    ScalarStyle::DoubleQuoted,
                    Tag::Str,
                    origin,
                )
            }
            Scalar::Float(float) => typed(format_json(float), origin),
            other => plain_node(other, origin),
        })
    })?;
    finish_reread(&mut rebuilt)?;
    Ok(rebuilt)
}

/// Puts the collections of a tree into flow style, as JSON is, and refuses keys that JSON read as YAML cannot have.
fn finish_reread(node: &mut Node) -> Result<(), ViewFault> {
    if node.kind() != NodeKind::Scalar {
        node.set_flow();
    }
    for entry in node.entries_mut().into_iter().flatten() {
        check_json_key(entry.key.text(), entry.key_origin)?;
        finish_reread(&mut entry.value)?;
    }
    for element in node.elements_mut().into_iter().flatten() {
        finish_reread(element)?;
    }
    Ok(())
}

fn rebuild(
    node: &Node,
    top: bool,
    flow: bool,
    way: Way,
    scalar: &mut dyn FnMut(Scalar<'_>, OriginId) -> Result<Node, ViewFault>,
) -> Result<Node, ViewFault> {
    let flow = flow || node.is_flow();
    if let Some(entries) = node.entries() {
        let checked = checked_entries(entries, top)?;
        let mut out = Vec::with_capacity(checked.len());
        let mut origins = entries.iter();
        for (text, value) in checked {
            let entry = origins.find(|e| std::ptr::eq(&raw const e.value, value));
            let key_origin = entry.map_or(OriginId::NONE, |e| e.key_origin);
            let value = rebuild(value, false, flow, way, scalar)?;
            out.push(Entry { key: Key::text_key(text), key_origin, value });
        }
        return Ok(Node::map(out, node.origin()));
    }
    if let Some(elements) = node.elements() {
        let elements = elements.iter().map(|e| rebuild(e, false, flow, way, scalar));
        return Ok(Node::sequence(elements.collect::<Result<_, _>>()?, node.origin()));
    }
    let value = if way == Way::Text { effective(node, flow)? } else { direct(node)? };
    scalar(value, node.origin())
}

/// Returns a plain scalar tagged with what its text is.
fn typed(text: String, origin: OriginId) -> Node {
    let tag = resolve_tag(&text);
    Node::scalar(text, ScalarStyle::Plain, tag, origin)
}

fn float_node(float: f64, origin: OriginId) -> Node {
    typed(format_general(float), origin)
}

/// Returns a scalar as go-yaml v3 writes a value that was decoded.
pub(crate) fn plain_node(scalar: Scalar<'_>, origin: OriginId) -> Node {
    match scalar {
        Scalar::Null => Node::null(origin),
        Scalar::Bool(value) => typed(value.to_string(), origin),
        Scalar::Int(value) => typed(value.to_string(), origin),
        Scalar::Uint(value) => typed(value.to_string(), origin),
        Scalar::Float(value) => float_node(value, origin),
        Scalar::Str(text) => {
            let style = style_of_string(&text);
            Node::scalar(EcoString::from(text.as_ref()), style, Tag::Str, origin)
        }
    }
}

/// Returns the style in which go-yaml v3 writes a string that was decoded.
fn style_of_string(text: &str) -> ScalarStyle {
    let traits = analyze(text, Dialect::V3);
    if text.contains('\n') {
        return if traits.block_allowed { ScalarStyle::Literal } else { ScalarStyle::DoubleQuoted };
    }
    if is_yaml_1_1_non_string(text)
        || text.is_empty()
        || resolve_tag(text) != Tag::Str
        || is_base_60(text)
    {
        ScalarStyle::DoubleQuoted
    } else if traits.plain_allowed {
        ScalarStyle::Plain
    } else if traits.single_quoted_allowed {
        ScalarStyle::SingleQuoted
    } else {
        ScalarStyle::DoubleQuoted
    }
}

/// Refuses a key that kustomize's way from JSON to YAML cannot read: what [`through_json`] would change ends a key.
pub(crate) fn check_json_key(key: &str, at: OriginId) -> Result<(), ViewFault> {
    match through_json(Cow::Borrowed(key), at)? {
        Cow::Borrowed(_) => Ok(()),
        Cow::Owned(_) => Err(fault(ViewFaultKind::ControlCharacter('\u{85}'), at)),
    }
}

/// Returns a string as it is after kustomize's way from JSON to YAML, which reads the JSON text as YAML: a next-line
/// character folds like a line break, and some control characters are refused.
pub(crate) fn through_json(text: Cow<'_, str>, at: OriginId) -> Result<Cow<'_, str>, ViewFault> {
    if position(text.as_bytes(), |b| matches!(b, 0x7f | 0xc2 | 0xef)).is_none() {
        return Ok(text);
    }
    let refused =
        |c: char| matches!(c, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    if let Some(character) = text.chars().find(|&c| refused(c)) {
        return Err(fault(ViewFaultKind::ControlCharacter(character), at));
    }
    if !text.contains('\u{85}') {
        return Ok(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut pieces = text.split('\u{85}').peekable();
    let mut breaks = 0;
    let mut first = true;
    while let Some(piece) = pieces.next() {
        let start = if first { piece } else { piece.trim_start_matches(' ') };
        let body = if pieces.peek().is_some() { start.trim_end_matches(' ') } else { start };
        if !first {
            breaks += 1;
        }
        if !body.is_empty() || pieces.peek().is_none() {
            match breaks {
                0 => {}
                1 => out.push(' '),
                more => out.extend(std::iter::repeat_n('\n', more - 1)),
            }
            breaks = 0;
        }
        out.push_str(body);
        first = false;
    }
    Ok(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{JsonNumbers, parse_document, write_json};

    fn values(text: &str) -> String {
        let node = parse_document(text, 1, Dialect::V3).unwrap().unwrap();
        let mut out = String::new();
        match write_json(&node, JsonNumbers::Exact, &mut out) {
            Ok(()) => out,
            Err(fault) => format!("{:?}", fault.kind),
        }
    }

    #[test]
    fn values_after_the_way_through_text() {
        let cases = [
            ("a: >\n {\n   b\n }\n", r#"{"a":"{\n\n  b\n}\n"}"#),
            ("{a: , b: ~}", r#"{"a":"","b":null}"#),
            ("a:\nb: ~\n", r#"{"a":null,"b":null}"#),
            ("a: 1e3\nb: 0644\nc: 1.50\n", r#"{"a":1000,"b":420,"c":1.5}"#),
            ("a: 2001-01-01\n", r#"{"a":"2001-01-01T00:00:00Z"}"#),
            ("a: !!binary aGk=\n", r#"{"a":"hi"}"#),
            ("a: !!binary aGl=\n", r#"{"a":"hi"}"#),
            ("a: !!binary 4oI=\n", "{\"a\":\"\u{fffd}\u{fffd}\"}"),
            ("a: <b>&\n", r#"{"a":"\u003cb\u003e\u0026"}"#),
            ("1: x\n", r#"{"1":"x"}"#),
        ];
        for (text, want) in cases {
            assert_eq!(values(text), want, "{text:?}");
        }
    }

    #[test]
    fn faults_are_found_when_the_tree_is_read_back() {
        let cases = [
            ("a: 1\na: 2\n", "DuplicateKey(\"a\")"),
            ("s: {1: x}\n", "NonStringKey(\"1\")"),
            ("a: .inf\n", "NotFinite"),
            ("a: !!int x\n", "TypeMismatch { text: \"x\", found: Str, expected: Int }"),
        ];
        for (text, want) in cases {
            assert_eq!(values(text), want, "{text:?}");
        }
    }

    #[test]
    fn json_read_as_yaml_folds_next_line_characters() {
        let through = |text: &str| {
            through_json(Cow::Owned(text.to_owned()), OriginId::NONE).unwrap().into_owned()
        };
        assert_eq!(through("a \u{85} b"), "a b");
        assert_eq!(through("a\u{85}\u{85}b"), "a\nb");
        assert!(through_json(Cow::Borrowed("\u{7f}"), OriginId::NONE).is_err());
    }
}
