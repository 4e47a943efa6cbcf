//! Tokens to a tree.
//!
//! The grammar is that of libyaml's parser. Only the first document of a text is read, as kustomize does after it has
//! cut a file into pieces: what follows `...` is never looked at.
//!
//! Aliases and merge keys are gone once a tree is built, as after kyaml's `DeAnchor`: an alias is a copy of what it
//! names (shared, so it costs nothing), and `<<` fills in what a map does not have itself. Two limits keep hostile text
//! bounded: [`MAX_DEPTH`] levels of nesting and [`MAX_ALIAS_NODES`] nodes that aliases stand for.
//!
//! Duplicate keys are kept, both of them: whether they are a fault is decided when the map is written.

use std::collections::HashMap;

use super::directives::TagHandles;
use super::number::{Number, format_general_f32, parse_number};
use super::scalar::{Dialect, Scalar, resolve, resolve_tag_in};
use super::scan::{ScanError, Scanner, Token, TokenKind};
use super::{Entry, Key, KeyKind, Node, ScalarStyle, Tag, known, subset};
use crate::provenance::OriginId;

/// The deepest nesting of collections in one document.
pub(crate) const MAX_DEPTH: usize = 1000;

/// The number of nodes that all aliases of a document may stand for together.
pub(super) const MAX_ALIAS_NODES: usize = 2_000_000;

/// Why a text is not YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// What was found or missing.
    pub message: String,
    /// The byte offset in the text where it was noticed.
    pub at: usize,
    /// What was being read, and the byte offset where that began.
    pub context: Option<(&'static str, usize)>,
}

/// What says that a text is nested more than [`MAX_DEPTH`] levels deep.
pub(super) const TOO_DEEP: &str = "the document is nested more than 1,000 levels deep";

/// What says that aliases stand for more than [`MAX_ALIAS_NODES`] nodes.
const TOO_MANY_ALIASES: &str = "aliases stand for more than 2,000,000 nodes";

/// A bound that a text exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Depth,
    Aliases,
}

impl SyntaxError {
    /// Returns the bound that the text exceeds, if that is what is wrong with it.
    pub(crate) fn limit(&self) -> Option<Limit> {
        match self.message.as_str() {
            TOO_DEEP => Some(Limit::Depth),
            TOO_MANY_ALIASES => Some(Limit::Aliases),
            _ => None,
        }
    }
}

impl From<ScanError> for SyntaxError {
    fn from(error: ScanError) -> Self {
        Self { message: error.message.to_owned(), at: error.at, context: error.context }
    }
}

/// What an anchor names, once it is complete.
struct Anchored {
    node: Node,
    nodes: usize,
    height: usize,
}

/// A node, and how many levels it has.
struct Built {
    node: Node,
    height: usize,
    is_alias: bool,
}

impl Built {
    fn new(node: Node, height: usize) -> Self {
        Self { node, height, is_alias: false }
    }

    fn leaf(node: Node) -> Self {
        Self::new(node, 0)
    }
}

struct Parser<'t> {
    scanner: Scanner<'t>,
    dialect: Dialect,
    base: u32,
    anchors: HashMap<String, Option<Anchored>>,
    tag_handles: TagHandles,
    depth: usize,
    nodes: usize,
    alias_nodes: usize,
    /// Where the last scalar ends.
    last_end: usize,
}

type Parse<T> = Result<T, SyntaxError>;

/// Returns the first document of a text, `None` if it has none. `base` is the global position of the text's first byte.
pub(crate) fn parse_document(
    text: &str,
    base: u32,
    dialect: Dialect,
) -> Result<Option<Node>, SyntaxError> {
    if dialect == Dialect::V3
        && let Some(document) = subset::read(text, base)
    {
        return Ok(Some(footed(text, document)));
    }
    parse_any_document(text, base, dialect)
}

/// Returns the root of a document, marked if the text ends with a comment.
pub(super) fn footed(text: &str, document: subset::Document) -> Node {
    let mut root = document.root;
    if ends_with_comment(text, document.last_end) {
        root.set_footed();
    }
    root
}

/// Like [`parse_document`], by the full parser alone.
pub(super) fn parse_any_document(
    text: &str,
    base: u32,
    dialect: Dialect,
) -> Result<Option<Node>, SyntaxError> {
    let mut parser = Parser {
        scanner: Scanner::new(text, dialect),
        dialect,
        base,
        anchors: HashMap::new(),
        tag_handles: TagHandles::default(),
        depth: 0,
        nodes: 0,
        alias_nodes: 0,
        last_end: 0,
    };
    let mut parsed = parser.document();
    if let Ok(Some(root)) = &mut parsed
        && ends_with_comment(text, parser.last_end)
    {
        root.set_footed();
    }
    refuse_control_characters(&parser.scanner, parsed)
}

/// Turns the outcome of reading a text into an error if go-yaml has met a control character by then: it reads in pieces of
/// 512 bytes and refuses a piece as soon as it holds one.
pub(super) fn refuse_control_characters<T>(scanner: &Scanner<'_>, parsed: Parse<T>) -> Parse<T> {
    let Some(at) = scanner.control_character() else { return parsed };
    let read = scanner.position() / 512 * 512 + 512;
    if parsed.is_err() || at < read {
        return Err(SyntaxError {
            message: "control characters are not allowed".to_owned(),
            at,
            context: None,
        });
    }
    parsed
}

/// Returns whether a comment stands below a document, after an empty line. `from`: the end of the last scalar.
fn ends_with_comment(text: &str, from: usize) -> bool {
    let from = if text[..from].ends_with('\n') { from } else { from + line_length(&text[from..]) };
    let mut after_empty_line = text[..from].ends_with("\n\n");
    for line in text[from..].split('\n') {
        match line.trim().as_bytes().first() {
            None => after_empty_line = true,
            Some(b'#') if after_empty_line => return true,
            Some(b'#') => {}
            Some(_) => after_empty_line = false,
        }
    }
    false
}

fn line_length(text: &str) -> usize {
    text.find('\n').map_or(text.len(), |at| at + 1)
}

impl<'t> Parser<'t> {
    fn origin(&self, at: usize) -> OriginId {
        OriginId::written(self.base + at as u32)
    }

    fn fail<T>(message: &str, at: usize, context: Option<(&'static str, usize)>) -> Parse<T> {
        Err(SyntaxError { message: message.to_owned(), at, context })
    }

    fn peek_kind(&mut self) -> Parse<(TokenKind, usize)> {
        let token = self.scanner.peek()?;
        Ok((token.kind, token.start))
    }

    fn skip(&mut self) -> Parse<Token<'t>> {
        Ok(self.scanner.next()?)
    }

    fn document(&mut self) -> Parse<Option<Node>> {
        let (kind, _) = self.peek_kind()?;
        let root = match kind {
            TokenKind::StreamEnd => return Ok(None),
            TokenKind::VersionDirective | TokenKind::TagDirective | TokenKind::DocumentStart => {
                self.tag_handles.read_directives(&mut self.scanner)?;
                let (kind, at) = self.peek_kind()?;
                if kind != TokenKind::DocumentStart {
                    return Self::fail("expected `---` after the directives", at, None);
                }
                self.skip()?;
                let (kind, at) = self.peek_kind()?;
                match kind {
                    TokenKind::VersionDirective
                    | TokenKind::TagDirective
                    | TokenKind::DocumentStart
                    | TokenKind::DocumentEnd
                    | TokenKind::StreamEnd => self.empty(at),
                    _ => self.node(Place::Block)?,
                }
            }
            _ => self.node(Place::Block)?,
        };
        // The end of the document is looked at, so that a fault right behind it is seen, as go-yaml does.
        if self.peek_kind()?.0 == TokenKind::DocumentEnd {
            self.skip()?;
        }
        Ok(Some(root.node))
    }

    fn empty(&mut self, at: usize) -> Built {
        self.nodes += 1;
        Built::leaf(Node::scalar("", ScalarStyle::Plain, Tag::Null, self.origin(at)))
    }

    /// Reads a node: an alias, or anchor and tag in any order and then the content.
    fn node(&mut self, place: Place) -> Parse<Built> {
        let (kind, start) = self.peek_kind()?;
        if kind == TokenKind::Alias {
            let token = self.skip()?;
            return self.alias(token.text.as_str(), start);
        }
        let mut anchor: Option<String> = None;
        let mut tag: Option<(String, usize)> = None;
        loop {
            let (kind, at) = self.peek_kind()?;
            match kind {
                TokenKind::Anchor if anchor.is_none() => {
                    anchor = Some(self.skip()?.text.as_str().to_owned());
                }
                TokenKind::Tag if tag.is_none() => {
                    let token = self.skip()?;
                    tag = Some((self.tag_handles.name(&token.text, start)?, at));
                }
                _ => break,
            }
        }
        let before = self.nodes + self.alias_nodes;
        if let Some(name) = &anchor {
            // Known from here on, so that an alias inside the node itself is seen as such.
            self.anchors.insert(name.clone(), None);
        }
        let tag = tag.map(|(name, _)| name);
        let mut built = self.content(place, start, tag.as_deref(), anchor.is_some())?;
        // A lone `!` asks for nothing.
        if let Some(tag) = tag.filter(|t| t != "!") {
            built.node.set_tag(tag_of(&tag));
            built.node.set_tagged();
        }
        if let Some(name) = anchor {
            let nodes = self.nodes + self.alias_nodes - before;
            let (node, height) = (built.node.clone(), built.height);
            // A name that is given again inside the node keeps its new meaning.
            let named = self.anchors.entry(name).or_default();
            named.get_or_insert(Anchored { node, nodes, height });
        }
        Ok(built)
    }

    fn alias(&mut self, name: &str, at: usize) -> Parse<Built> {
        let Some(anchored) = self.anchors.get(name) else {
            return Self::fail(&format!("unknown anchor `{name}`"), at, None);
        };
        let Some(anchored) = anchored else {
            return Self::fail(&format!("the value of anchor `{name}` contains itself"), at, None);
        };
        let (node, nodes, height) = (anchored.node.clone(), anchored.nodes, anchored.height);
        self.alias_nodes += nodes;
        if self.alias_nodes > MAX_ALIAS_NODES {
            return Self::fail(TOO_MANY_ALIASES, at, None);
        }
        if self.depth + height > MAX_DEPTH {
            return Self::fail(TOO_DEEP, at, None);
        }
        Ok(Built { node, height, is_alias: true })
    }

    fn content(
        &mut self,
        place: Place,
        start: usize,
        tag: Option<&str>,
        anchored: bool,
    ) -> Parse<Built> {
        let (kind, at) = self.peek_kind()?;
        match kind {
            TokenKind::BlockEntry if place == Place::BlockOrIndentless => {
                self.indentless_sequence(start)
            }
            TokenKind::Scalar(style) => {
                let token = self.skip()?;
                self.nodes += 1;
                self.last_end = token.end;
                Ok(Built::leaf(self.scalar(&token, style, start)))
            }
            TokenKind::FlowSequenceStart => self.nested(start, Self::flow_sequence),
            TokenKind::FlowMappingStart => self.nested(start, Self::flow_mapping),
            TokenKind::BlockSequenceStart if place != Place::Flow => {
                self.nested(start, Self::block_sequence)
            }
            TokenKind::BlockMappingStart if place != Place::Flow => {
                self.nested(start, Self::block_mapping)
            }
            _ if anchored || tag.is_some() => {
                self.nodes += 1;
                let tag = if tag.is_none_or(|t| t == "!") { Tag::Null } else { Tag::Empty };
                Ok(Built::leaf(Node::scalar("", ScalarStyle::Plain, tag, self.origin(start))))
            }
            _ => {
                let what = if place == Place::Flow { "a flow collection" } else { "a block" };
                Self::fail("expected a value", at, Some((what, start)))
            }
        }
    }

    fn nested(&mut self, start: usize, read: fn(&mut Self, usize) -> Parse<Built>) -> Parse<Built> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Self::fail(TOO_DEEP, start, None);
        }
        self.nodes += 1;
        let built = read(self, start)?;
        self.depth -= 1;
        Ok(built)
    }

    fn scalar(&self, token: &Token<'t>, style: ScalarStyle, start: usize) -> Node {
        let tag = match style {
            ScalarStyle::Plain if token.text.as_str() == "<<" => Tag::Merge,
            ScalarStyle::Plain => resolve_tag_in(token.text.as_str(), self.dialect),
            _ => Tag::Str,
        };
        Node::scalar(token.text.to_shared(), style, tag, self.origin(start))
    }

    fn block_sequence(&mut self, start: usize) -> Parse<Built> {
        let open = self.skip()?.start;
        let mut elements = Elements::default();
        loop {
            let (kind, at) = self.peek_kind()?;
            match kind {
                TokenKind::BlockEntry => {
                    let end = self.skip()?.end;
                    let (kind, _) = self.peek_kind()?;
                    elements.push(match kind {
                        TokenKind::BlockEntry | TokenKind::BlockEnd => self.empty(end),
                        _ => self.node(Place::Block)?,
                    });
                }
                TokenKind::BlockEnd => {
                    self.skip()?;
                    return Ok(elements.finish(self.origin(start)));
                }
                _ => {
                    return Self::fail(
                        "expected `-` or the end of the list",
                        at,
                        Some(("a list", open)),
                    );
                }
            }
        }
    }

    fn indentless_sequence(&mut self, start: usize) -> Parse<Built> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Self::fail(TOO_DEEP, start, None);
        }
        self.nodes += 1;
        let mut elements = Elements::default();
        while self.peek_kind()?.0 == TokenKind::BlockEntry {
            let end = self.skip()?.end;
            let (kind, _) = self.peek_kind()?;
            elements.push(match kind {
                TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => {
                    self.empty(end)
                }
                _ => self.node(Place::Block)?,
            });
        }
        self.depth -= 1;
        Ok(elements.finish(self.origin(start)))
    }

    fn block_mapping(&mut self, start: usize) -> Parse<Built> {
        let open = self.skip()?.start;
        let mut map = MapBuilder::default();
        loop {
            let (kind, at) = self.peek_kind()?;
            match kind {
                TokenKind::Key => {
                    let end = self.skip()?.end;
                    let (kind, _) = self.peek_kind()?;
                    let key = match kind {
                        TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => self.empty(end),
                        _ => self.node(Place::BlockOrIndentless)?,
                    };
                    let value = self.block_mapping_value()?;
                    self.add_entry(&mut map, &key, value)?;
                }
                // `: value` without a key.
                TokenKind::Value => {
                    return Self::fail("expected a key", at, Some(("a map", open)));
                }
                TokenKind::BlockEnd => {
                    self.skip()?;
                    return Ok(self.finish_map(map, start));
                }
                _ => return Self::fail("expected a key", at, Some(("a map", open))),
            }
        }
    }

    fn block_mapping_value(&mut self) -> Parse<Built> {
        let (kind, at) = self.peek_kind()?;
        if kind != TokenKind::Value {
            return Ok(self.empty(at));
        }
        let end = self.skip()?.end;
        match self.peek_kind()?.0 {
            TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => Ok(self.empty(end)),
            TokenKind::BlockMappingStart
            | TokenKind::BlockSequenceStart
            | TokenKind::BlockEntry => {
                let mut built = self.node(Place::BlockOrIndentless)?;
                built.node.set_commented(self.scanner.has_comment_behind(end));
                Ok(built)
            }
            _ => self.node(Place::BlockOrIndentless),
        }
    }

    fn flow_sequence(&mut self, start: usize) -> Parse<Built> {
        let open = self.skip()?.start;
        let mut elements = Elements::default();
        let mut first = true;
        loop {
            let (mut kind, at) = self.peek_kind()?;
            if kind != TokenKind::FlowSequenceEnd && !first {
                if kind != TokenKind::FlowEntry {
                    return Self::fail("expected `,` or `]`", at, Some(("a list", open)));
                }
                self.skip()?;
                kind = self.peek_kind()?.0;
            }
            first = false;
            match kind {
                TokenKind::FlowSequenceEnd => {
                    self.skip()?;
                    let mut built = elements.finish(self.origin(start));
                    built.node.set_flow();
                    return Ok(built);
                }
                TokenKind::Key => elements.push(self.nested(at, Self::flow_pair)?),
                _ => elements.push(self.node(Place::Flow)?),
            }
        }
    }

    /// Reads `key: value` as an element of a flow sequence: a map with one entry.
    fn flow_pair(&mut self, start: usize) -> Parse<Built> {
        self.skip()?;
        let (kind, at) = self.peek_kind()?;
        let key = match kind {
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd => {
                // go-yaml takes the token that ends an empty key, whatever it is: `[? ]]` is a list of one.
                let token = self.skip()?;
                let key = self.empty(at);
                let value = if self.peek_kind()?.0 == TokenKind::Value {
                    self.skip()?;
                    self.flow_value(TokenKind::FlowSequenceEnd)?
                } else {
                    self.empty(token.end)
                };
                return self.flow_pair_map(&key, value, start);
            }
            _ => self.node(Place::Flow)?,
        };
        let (kind, at) = self.peek_kind()?;
        let value = if kind == TokenKind::Value {
            self.skip()?;
            self.flow_value(TokenKind::FlowSequenceEnd)?
        } else {
            self.empty(at)
        };
        self.flow_pair_map(&key, value, start)
    }

    fn flow_pair_map(&mut self, key: &Built, value: Built, start: usize) -> Parse<Built> {
        let mut map = MapBuilder::default();
        self.add_entry(&mut map, key, value)?;
        let mut built = self.finish_map(map, start);
        built.node.set_flow();
        Ok(built)
    }

    fn flow_value(&mut self, end: TokenKind) -> Parse<Built> {
        let (kind, at) = self.peek_kind()?;
        if kind == TokenKind::FlowEntry || kind == end {
            return Ok(self.empty(at));
        }
        self.node(Place::Flow)
    }

    fn flow_mapping(&mut self, start: usize) -> Parse<Built> {
        let open = self.skip()?.start;
        let mut map = MapBuilder::default();
        let mut first = true;
        loop {
            let (mut kind, mut at) = self.peek_kind()?;
            if kind != TokenKind::FlowMappingEnd && !first {
                if kind != TokenKind::FlowEntry {
                    return Self::fail("expected `,` or `}`", at, Some(("a map", open)));
                }
                self.skip()?;
                (kind, at) = self.peek_kind()?;
            }
            first = false;
            match kind {
                TokenKind::FlowMappingEnd => {
                    self.skip()?;
                    let mut built = self.finish_map(map, start);
                    built.node.set_flow();
                    return Ok(built);
                }
                TokenKind::Key => {
                    self.skip()?;
                    let (kind, at) = self.peek_kind()?;
                    let key = match kind {
                        TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd => {
                            self.empty(at)
                        }
                        _ => self.node(Place::Flow)?,
                    };
                    let (kind, at) = self.peek_kind()?;
                    let value = if kind == TokenKind::Value {
                        self.skip()?;
                        self.flow_value(TokenKind::FlowMappingEnd)?
                    } else {
                        self.empty(at)
                    };
                    self.add_entry(&mut map, &key, value)?;
                }
                _ => {
                    let key = self.node(Place::Flow)?;
                    let value = self.empty(at);
                    self.add_entry(&mut map, &key, value)?;
                }
            }
        }
    }

    fn add_entry(&self, map: &mut MapBuilder, key: &Built, value: Built) -> Parse<()> {
        map.height = map.height.max(key.height + 1).max(value.height + 1);
        let is_merge =
            key.node.is_scalar() && key.node.text() == "<<" && key.node.tag() == Tag::Merge;
        if is_merge {
            let at =
                key.node.origin().position().unwrap_or_default().saturating_sub(self.base) as usize;
            if value.is_alias && value.node.elements().is_some() && self.dialect == Dialect::V3 {
                return Self::fail("`<<` takes no reference to a list", at, None);
            }
            let sources = merge_sources(&value.node, at)?;
            if self.dialect == Dialect::V2 {
                // In YAML 1.1 as go-yaml v2 reads it, a merge overrides what stands before it.
                map.entries.extend(sources.into_iter().flatten());
            } else if map.merged.replace(sources).is_some() {
                return Self::fail("found a second merge key `<<` in a map", at, None);
            }
            return Ok(());
        }
        let key_origin = key.node.origin();
        let key = match self.dialect {
            Dialect::V3 => key_of(&key.node),
            Dialect::V2 => json_key_of(&key.node),
        };
        map.entries.push(Entry { key, key_origin, value: value.node });
        Ok(())
    }

    fn finish_map(&self, mut map: MapBuilder, start: usize) -> Built {
        if self.dialect == Dialect::V3 {
            match map.merged.take() {
                Some(sources) => merge(&mut map.entries, sources),
                // kyaml clears `<<` from every map, quoted or not.
                None => {
                    if let Some(index) =
                        map.entries.iter().position(|e| e.key.same_text(known::MERGE))
                    {
                        map.entries.remove(index);
                    }
                }
            }
        }
        Built::new(Node::map(map.entries, self.origin(start)), map.height)
    }
}

/// Where a node stands, which decides what may begin it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Block,
    /// A key or the value of a key: a sequence may stand at the indentation of its map.
    BlockOrIndentless,
    Flow,
}

#[derive(Default)]
struct Elements {
    nodes: Vec<Node>,
    height: usize,
}

impl Elements {
    fn push(&mut self, built: Built) {
        self.height = self.height.max(built.height + 1);
        self.nodes.push(built.node);
    }

    fn finish(self, origin: OriginId) -> Built {
        Built::new(Node::sequence(self.nodes, origin), self.height)
    }
}

#[derive(Default)]
struct MapBuilder {
    entries: Vec<Entry>,
    merged: Option<Vec<Vec<Entry>>>,
    height: usize,
}

/// Returns the entries of the maps that a merge key names, the strongest map last.
fn merge_sources(value: &Node, at: usize) -> Parse<Vec<Vec<Entry>>> {
    let refuse = || {
        let message = "`<<` takes a map or a list of maps".to_owned();
        SyntaxError { message, at, context: None }
    };
    if let Some(entries) = value.entries() {
        return Ok(vec![entries.to_vec()]);
    }
    let elements = value.elements().ok_or_else(refuse)?;
    let maps = elements.iter().rev().map(|e| e.entries().map(<[Entry]>::to_vec).ok_or_else(refuse));
    maps.collect()
}

/// Fills in what a map does not have itself; the last source wins.
fn merge(own: &mut Vec<Entry>, sources: Vec<Vec<Entry>>) {
    let count = own.len();
    for entry in sources.into_iter().flatten() {
        if own[..count].iter().any(|e| e.key.same_text(entry.key)) {
            continue;
        }
        match own[count..].iter_mut().find(|e| e.key.same_text(entry.key)) {
            Some(known) => *known = entry,
            None => own.push(entry),
        }
    }
}

/// Returns the tag with a name, short or long.
pub(super) fn tag_of(name: &str) -> Tag {
    match name.strip_prefix("tag:yaml.org,2002:").or_else(|| name.strip_prefix("!!")) {
        Some("str") => Tag::Str,
        Some("int") => Tag::Int,
        Some("float") => Tag::Float,
        Some("bool") => Tag::Bool,
        Some("null") => Tag::Null,
        Some("timestamp") => Tag::Timestamp,
        Some("binary") => Tag::Binary,
        Some("merge") => Tag::Merge,
        Some("map") => Tag::Map,
        Some("seq") => Tag::Seq,
        _ => Tag::Custom,
    }
}

/// Returns the key that a node is.
fn key_of(node: &Node) -> Key {
    if node.is_scalar() {
        scalar_key(node.text(), node.tag())
    } else {
        Key::new("", KeyKind::Complex)
    }
}

/// Returns the key that a scalar is.
pub(super) fn scalar_key(text: &str, tag: Tag) -> Key {
    let kind = match tag {
        Tag::Str | Tag::Merge => KeyKind::Text,
        // A key without text is written back as `''`.
        Tag::Null if text.is_empty() => KeyKind::Text,
        Tag::Null => KeyKind::Null,
        _ => KeyKind::NonString,
    };
    Key::new(text, kind)
}

/// Returns the key that a node is once it is JSON, as `sigs.k8s.io/yaml` converts it: numbers and booleans become text.
fn json_key_of(node: &Node) -> Key {
    if !node.is_scalar() {
        return Key::new("", KeyKind::Complex);
    }
    let tag =
        if node.style() == ScalarStyle::Plain || node.is_tagged() { node.tag() } else { Tag::Str };
    match resolve(node.text(), tag, Dialect::V2) {
        Ok(Scalar::Null) => Key::new(node.text(), KeyKind::Null),
        Ok(Scalar::Bool(value)) => Key::text_key(if value { "true" } else { "false" }),
        Ok(Scalar::Int(value)) => Key::text_key(&value.to_string()),
        Ok(Scalar::Float(value)) => Key::text_key(&format_general_f32(value)),
        // An unsigned key has no text in the conversion.
        Ok(Scalar::Uint(_)) => Key::new(node.text(), KeyKind::NonString),
        Ok(Scalar::Str(text)) => Key::text_key(&text),
        Err(_) => Key::new(node.text(), KeyKind::NonString),
    }
}

/// Returns the key that code makes from a text: its text decides whether it is a string once it is read back.
pub(crate) fn created_key(text: &str) -> Key {
    let kind = match super::scalar::resolve_tag(text) {
        Tag::Str => KeyKind::Text,
        Tag::Null if text.is_empty() => KeyKind::Text,
        Tag::Null => KeyKind::Null,
        _ => KeyKind::NonString,
    };
    Key::new(text, kind)
}

/// Returns whether a text is a number; a shared question of field paths.
pub(crate) fn is_integer(text: &str) -> bool {
    matches!(parse_number(text), Some(Number::Int(_)))
}
