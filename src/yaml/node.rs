//! The one tree of the program.
//!
//! A [`Node`] is a scalar, a map or a sequence with its [`OriginId`]. Collections are shared and copied on write, so a
//! clone of a tree costs one counter, and an overlay copies only the path to what it changes. What decides the output
//! bytes is kept beside the text: the style a scalar is written in, whether a collection is in flow style, and the
//! [`Tag`] that its text resolves to or that was written out. kustomize's setters keep the style of the value they
//! replace, and its last step reads the tree back from text; both are why style and tag outlive parsing.

use std::sync::Arc;

use ecow::EcoString;

use super::Key;
use super::scalar::resolve_tag;
use crate::provenance::{OriginId, Value as Traced};

/// How a scalar is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ScalarStyle {
    /// Without quotes.
    #[default]
    Plain,
    /// In single quotes.
    SingleQuoted,
    /// In double quotes.
    DoubleQuoted,
    /// As a `|` block.
    Literal,
    /// As a `>` block.
    Folded,
}

/// The tag of a node: what its text resolved to when it was parsed, what was written out, or what code set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Tag {
    /// None: a scalar that code made, whose type its text decides.
    #[default]
    Empty,
    /// `!!str`
    Str,
    /// `!!int`
    Int,
    /// `!!float`
    Float,
    /// `!!bool`
    Bool,
    /// `!!null`
    Null,
    /// `!!timestamp`
    Timestamp,
    /// `!!binary`
    Binary,
    /// `!!merge`
    Merge,
    /// `!!map`
    Map,
    /// `!!seq`
    Seq,
    /// Any other tag, written out.
    Custom,
}

/// The kind of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// One value.
    Scalar,
    /// Keys and values.
    Map,
    /// Elements.
    Sequence,
}

impl NodeKind {
    /// Returns the name of the kind as messages use it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Map => "map",
            Self::Sequence => "list",
        }
    }
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// Where the key comes from.
    pub key_origin: OriginId,
    /// The value.
    pub value: Node,
}

#[derive(Clone, Debug)]
enum Value {
    Scalar(EcoString),
    Map(Arc<Vec<Entry>>),
    Sequence(Arc<Vec<Node>>),
}

/// The style of a scalar, and flags about how a node is written, in one byte.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look(u8);

impl Look {
    const FLOW: u8 = 1 << 3;
    const TAGGED: u8 = 1 << 4;
    const COMMENTED: u8 = 1 << 5;
    const FOOTED: u8 = 1 << 6;
}

/// A value of the tree.
#[derive(Clone)]
pub struct Node {
    value: Value,
    origin: OriginId,
    look: Look,
    tag: Tag,
    alias: u16,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.value {
            Value::Scalar(text) => write!(f, "{text:?}:{:?}", self.tag),
            Value::Map(entries) => {
                f.debug_map().entries(entries.iter().map(|e| (e.key, &e.value))).finish()
            }
            Value::Sequence(elements) => f.debug_list().entries(elements.iter()).finish(),
        }
    }
}

impl Traced for Node {
    fn value_origin(&self) -> OriginId {
        self.origin
    }
}

impl Default for Node {
    /// Returns an empty map without origin.
    fn default() -> Self {
        Self::map(Vec::new(), OriginId::NONE)
    }
}

impl Node {
    fn with(value: Value, tag: Tag, origin: OriginId) -> Self {
        Self { value, origin, look: Look(0), tag, alias: 0 }
    }

    /// Returns a map in block style.
    pub fn map(entries: Vec<Entry>, origin: OriginId) -> Self {
        Self::with(Value::Map(Arc::new(entries)), Tag::Map, origin)
    }

    /// Returns a sequence in block style.
    pub fn sequence(elements: Vec<Node>, origin: OriginId) -> Self {
        Self::with(Value::Sequence(Arc::new(elements)), Tag::Seq, origin)
    }

    /// Returns a scalar with a style and a tag.
    pub fn scalar(
        text: impl Into<EcoString>,
        style: ScalarStyle,
        tag: Tag,
        origin: OriginId,
    ) -> Self {
        let mut node = Self::with(Value::Scalar(text.into()), tag, origin);
        node.set_style(style);
        node
    }

    /// Returns a plain scalar without a tag: its text decides its type once it is read back.
    pub fn untyped(text: impl Into<EcoString>, origin: OriginId) -> Self {
        Self::scalar(text, ScalarStyle::Plain, Tag::Empty, origin)
    }

    /// Returns a string, in literal style if it has line breaks (go-yaml's `Node.SetString`).
    pub fn string(text: impl Into<EcoString>, origin: OriginId) -> Self {
        let text = text.into();
        let style = if text.contains('\n') { ScalarStyle::Literal } else { ScalarStyle::Plain };
        Self::scalar(text, style, Tag::Str, origin)
    }

    /// Returns the word `null`.
    pub fn null(origin: OriginId) -> Self {
        Self::scalar("null", ScalarStyle::Plain, Tag::Null, origin)
    }

    /// Returns the kind.
    pub fn kind(&self) -> NodeKind {
        match self.value {
            Value::Scalar(_) => NodeKind::Scalar,
            Value::Map(_) => NodeKind::Map,
            Value::Sequence(_) => NodeKind::Sequence,
        }
    }

    /// Returns where the node comes from.
    pub fn origin(&self) -> OriginId {
        self.origin
    }

    /// Sets where the node comes from.
    pub fn set_origin(&mut self, origin: OriginId) {
        self.origin = origin;
    }

    /// Returns the tag.
    pub fn tag(&self) -> Tag {
        self.tag
    }

    /// Sets the tag.
    pub fn set_tag(&mut self, tag: Tag) {
        self.tag = tag;
    }

    /// Returns whether the tag was written out in the source.
    pub fn is_tagged(&self) -> bool {
        self.look.0 & Look::TAGGED != 0
    }

    /// Marks the tag as written out.
    pub fn set_tagged(&mut self) {
        self.look.0 |= Look::TAGGED;
    }

    /// Returns the style of a scalar.
    pub fn style(&self) -> ScalarStyle {
        match self.look.0 & 7 {
            0 => ScalarStyle::Plain,
            1 => ScalarStyle::SingleQuoted,
            2 => ScalarStyle::DoubleQuoted,
            3 => ScalarStyle::Literal,
            _ => ScalarStyle::Folded,
        }
    }

    /// Sets the style of a scalar.
    pub fn set_style(&mut self, style: ScalarStyle) {
        self.look.0 = self.look.0 & !7 | style as u8;
    }

    /// Returns whether a collection is in flow style.
    pub fn is_flow(&self) -> bool {
        self.look.0 & Look::FLOW != 0
    }

    /// Puts a collection into flow style.
    pub fn set_flow(&mut self) {
        self.look.0 |= Look::FLOW;
    }

    /// Takes over how another node is written: style, flow style, and whether its tag is written out.
    pub fn copy_look(&mut self, other: &Node) {
        let own = self.look.0 & Look::COMMENTED;
        self.look = Look(other.look.0 & !Look::COMMENTED | own);
    }

    /// Returns whether a comment stands between the node's key and the node, a block below it.
    pub fn is_commented(&self) -> bool {
        self.look.0 & Look::COMMENTED != 0
    }

    /// Says whether a comment stands between the node's key and the node.
    pub fn set_commented(&mut self, commented: bool) {
        self.look.0 = self.look.0 & !Look::COMMENTED | if commented { Look::COMMENTED } else { 0 };
    }

    /// Returns whether the node is the root of a document below which, after an empty line, a comment stands.
    pub fn is_footed(&self) -> bool {
        self.look.0 & Look::FOOTED != 0
    }

    /// Marks the root of a document that ends with a comment.
    pub fn set_footed(&mut self) {
        self.look.0 |= Look::FOOTED;
    }

    /// Returns the group of nodes that kustomize holds as one object, 0 for none. A value that a label transformer
    /// creates at several paths is one object there: a later write through one path shows at all of them.
    pub fn alias_group(&self) -> u16 {
        self.alias
    }

    /// Puts the node into a group of nodes that are one object.
    pub fn set_alias_group(&mut self, group: u16) {
        self.alias = group;
    }

    /// Returns the text of a scalar as it stands in the source, unquoted; empty for a collection.
    pub fn text(&self) -> &str {
        match &self.value {
            Value::Scalar(text) => text,
            _ => "",
        }
    }

    /// Returns the text of a scalar, shared.
    pub fn shared_text(&self) -> EcoString {
        match &self.value {
            Value::Scalar(text) => text.clone(),
            _ => EcoString::new(),
        }
    }

    /// Replaces the text of a scalar; style and tag stay.
    pub fn set_text(&mut self, text: impl Into<EcoString>) {
        self.value = Value::Scalar(text.into());
    }

    /// Returns whether this is the scalar kind.
    pub fn is_scalar(&self) -> bool {
        matches!(self.value, Value::Scalar(_))
    }

    /// Returns whether the node is a null.
    pub fn is_null(&self) -> bool {
        self.tag == Tag::Null
    }

    /// Returns whether the node is a null, an empty map or an empty sequence.
    pub fn is_null_or_empty(&self) -> bool {
        self.is_null()
            || match &self.value {
                Value::Scalar(_) => false,
                Value::Map(entries) => entries.is_empty(),
                Value::Sequence(elements) => elements.is_empty(),
            }
    }

    /// Returns whether the node is a string: a scalar tagged so, or one whose type is still open.
    pub fn is_string(&self) -> bool {
        self.is_scalar() && matches!(self.tag, Tag::Str | Tag::Empty)
    }

    /// Returns the tag, computed from the text where none is set.
    pub fn resolved_tag(&self) -> Tag {
        match (self.tag, &self.value) {
            (Tag::Empty, Value::Scalar(_)) if self.style() != ScalarStyle::Plain => Tag::Str,
            (Tag::Empty, Value::Scalar(text)) => resolve_tag(text),
            (tag, _) => tag,
        }
    }

    /// Returns the entries of a map.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the entries of a map, to change them.
    pub fn entries_mut(&mut self) -> Option<&mut Vec<Entry>> {
        match &mut self.value {
            Value::Map(entries) => Some(Arc::make_mut(entries)),
            _ => None,
        }
    }

    /// Returns the elements of a sequence.
    pub fn elements(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the elements of a sequence, to change them.
    pub fn elements_mut(&mut self) -> Option<&mut Vec<Node>> {
        match &mut self.value {
            Value::Sequence(elements) => Some(Arc::make_mut(elements)),
            _ => None,
        }
    }

    /// Returns how many entries or elements a collection has; 0 for a scalar.
    pub fn len(&self) -> usize {
        match &self.value {
            Value::Scalar(_) => 0,
            Value::Map(entries) => entries.len(),
            Value::Sequence(elements) => elements.len(),
        }
    }

    /// Returns whether a collection has no entries or elements; true for a scalar.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the first entry of a map with this key's text.
    pub fn entry(&self, key: Key) -> Option<&Entry> {
        self.entries()?.iter().find(|e| e.key.same_text(key))
    }

    /// Returns the value of the first entry of a map with this key's text.
    pub fn get(&self, key: Key) -> Option<&Node> {
        self.entry(key).map(|e| &e.value)
    }

    /// Returns the value of the first entry of a map with this key's text, to change it.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut Node> {
        self.get(key)?;
        self.entries_mut()?.iter_mut().find(|e| e.key.same_text(key)).map(|e| &mut e.value)
    }

    /// Returns the value at a path of keys.
    pub fn at(&self, path: &[Key]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(*key))
    }

    /// Adds an entry to the end of a map.
    pub fn push_entry(&mut self, key: Key, key_origin: OriginId, value: Node) {
        if let Some(entries) = self.entries_mut() {
            entries.push(Entry { key, key_origin, value });
        }
    }

    /// Removes the first entry of a map with this key's text and returns its value.
    pub fn remove(&mut self, key: Key) -> Option<Node> {
        let index = self.entries()?.iter().position(|e| e.key.same_text(key))?;
        Some(self.entries_mut()?.remove(index).value)
    }

    /// Returns where a collection lies in memory: the same for all nodes that share it, and for no other while one of them
    /// lives.
    pub(crate) fn address(&self) -> Option<usize> {
        match &self.value {
            Value::Scalar(_) => None,
            Value::Map(entries) => Some(Arc::as_ptr(entries).addr()),
            Value::Sequence(elements) => Some(Arc::as_ptr(elements).addr()),
        }
    }

    /// Like [`Node::address`], of a collection that another node shares.
    pub(crate) fn shared_address(&self) -> Option<usize> {
        let shared = match &self.value {
            Value::Scalar(_) => false,
            Value::Map(entries) => Arc::strong_count(entries) > 1,
            Value::Sequence(elements) => Arc::strong_count(elements) > 1,
        };
        if shared { self.address() } else { None }
    }

    /// Returns whether two nodes are the same collection in memory.
    pub fn is_same(&self, other: &Node) -> bool {
        match (&self.value, &other.value) {
            (Value::Map(a), Value::Map(b)) => Arc::ptr_eq(a, b),
            (Value::Sequence(a), Value::Sequence(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::known;
    use super::*;

    #[test]
    fn a_node_stays_small() {
        assert!(size_of::<Node>() <= 32, "{}", size_of::<Node>());
        assert!(size_of::<Entry>() <= 40, "{}", size_of::<Entry>());
    }

    #[test]
    fn a_write_copies_only_what_it_touches() {
        let inner = Node::map(Vec::new(), OriginId::NONE);
        let mut base = Node::map(Vec::new(), OriginId::NONE);
        base.push_entry(known::METADATA, OriginId::NONE, inner.clone());
        base.push_entry(known::DATA, OriginId::NONE, inner);
        let mut copy = base.clone();
        assert!(copy.is_same(&base));
        let metadata = copy.get_mut(known::METADATA).unwrap();
        metadata.push_entry(known::NAME, OriginId::NONE, Node::untyped("x", OriginId::NONE));
        assert!(base.get(known::METADATA).unwrap().is_empty());
        assert!(copy.get(known::DATA).unwrap().is_same(base.get(known::DATA).unwrap()));
    }
}
