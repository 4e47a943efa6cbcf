//! YAML with its comments, as go-yaml v3 keeps and prints it.
//!
//! Comes in: a text, or a [`Node`]. Goes out: the text that kyaml's `String` makes of it. kustomize needs
//! this where a value is itself YAML, a configuration file in a ConfigMap: it reads the string, sets a field, and
//! prints the tree again, so comments, quotes, anchors and `<<` all stay, and blank lines and indentation do not.
//!
//! A comment belongs to a node in one of three places: head (the lines above it), line (behind it) and foot (the lines
//! below it, before an empty line). [`parse`] decides which, [`mod@write`] puts them back:
//!
//! ```yaml
//! # head of `a`
//! a: 1 # line of `1`
//! # foot of `a`
//!
//! b: 2
//! ```
//!
//! The rest of the program never sees this tree: [`Node`] has no comments and no aliases.

mod parse;
mod scalar;
mod write;

use ecow::EcoString;

use super::scalar::resolve_tag;
use super::{Key, KeyKind, Node, NodeKind, ScalarStyle, SyntaxError, Tag};

/// A key and its value. The key is a whole node: it has a style, comments, and may be a collection.
#[derive(Clone, Debug)]
struct CommentedEntry {
    key: Commented,
    value: Commented,
}

#[derive(Clone, Debug)]
enum Content {
    Scalar(EcoString),
    Map(Vec<CommentedEntry>),
    Sequence(Vec<Commented>),
    Alias(EcoString),
}

/// The comments of a node, each with its `#` signs, lines joined by line feeds.
#[derive(Clone, Debug, Default)]
struct Comments {
    head: EcoString,
    line: EcoString,
    foot: EcoString,
}

/// The comments around a document's root: set off by empty lines, they belong to no node.
#[derive(Clone, Debug)]
struct DocumentComments {
    head: EcoString,
    foot: EcoString,
}

/// A value with everything that go-yaml v3 keeps of how it was written.
#[derive(Clone, Debug)]
pub(crate) struct Commented {
    content: Content,
    style: ScalarStyle,
    flow: bool,
    tag: Tag,
    /// The text of a [`Tag::Custom`].
    custom_tag: EcoString,
    /// The tag was written out.
    tagged: bool,
    /// The name of the anchor; empty for none.
    anchor: EcoString,
    comments: Comments,
    /// Only the root of a document has these.
    document: Option<Box<DocumentComments>>,
}

impl Commented {
    fn with(content: Content, tag: Tag) -> Self {
        Self {
            content,
            style: ScalarStyle::Plain,
            flow: false,
            tag,
            custom_tag: EcoString::new(),
            tagged: false,
            anchor: EcoString::new(),
            comments: Comments::default(),
            document: None,
        }
    }

    /// Returns a plain scalar without a tag: its text alone decides its type.
    pub(crate) fn scalar(text: impl Into<EcoString>) -> Self {
        Self::with(Content::Scalar(text.into()), Tag::Empty)
    }

    /// Returns an empty map without a tag.
    pub(crate) fn map() -> Self {
        Self::with(Content::Map(Vec::new()), Tag::Empty)
    }

    /// Returns an empty sequence without a tag.
    pub(crate) fn sequence() -> Self {
        Self::with(Content::Sequence(Vec::new()), Tag::Empty)
    }

    /// Reads the first document of a text; what follows it is not looked at.
    ///
    /// `None` if there is no document: the text is empty, or holds comments and white space only. Go leaves its node
    /// unset then, comments and all, and would print it as `null`. A lone `---` is a document, with a null in it.
    ///
    /// Aliases stay aliases and have to name an anchor that began before them; duplicate keys and `<<` are kept.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, SyntaxError> {
        parse::parse(text)
    }

    /// Returns the text that kyaml prints for the node: indented by two, lists at the indentation of their key, long
    /// lines left whole. It ends in a line break. Every tree has a text.
    pub(crate) fn to_text(&self) -> String {
        write::write(self)
    }

    /// Returns a tree without comments as one of this kind.
    ///
    /// Styles, flow style and tags are taken over. A [`Key`] has no style: one that is a string and would be read as
    /// something else is put into double quotes, any other is plain. The name of a custom tag is not in a [`Node`], so
    /// that tag is left out, and so is a key that is a list or a map.
    pub(crate) fn from_node(node: &Node) -> Self {
        let mut out = if let Some(entries) = node.entries() {
            let entry = |e: &super::Entry| CommentedEntry {
                key: Self::from_key(e.key),
                value: Self::from_node(&e.value),
            };
            Self::with(Content::Map(entries.iter().map(entry).collect()), node.tag())
        } else if let Some(elements) = node.elements() {
            let elements = elements.iter().map(Self::from_node).collect();
            Self::with(Content::Sequence(elements), node.tag())
        } else {
            Self::with(Content::Scalar(node.shared_text()), node.tag())
        };
        out.style = node.style();
        out.flow = node.is_flow();
        if out.tag == Tag::Custom {
            out.tag = Tag::Empty;
        } else {
            out.tagged = node.is_tagged();
        }
        out
    }

    fn from_key(key: Key) -> Self {
        let mut out = Self::scalar(key.text());
        if key.kind() == KeyKind::Text {
            out.tag = Tag::Str;
        }
        out
    }

    /// Returns the kind; none for an alias, which is only a name.
    pub(crate) fn kind(&self) -> Option<NodeKind> {
        match self.content {
            Content::Scalar(_) => Some(NodeKind::Scalar),
            Content::Map(_) => Some(NodeKind::Map),
            Content::Sequence(_) => Some(NodeKind::Sequence),
            Content::Alias(_) => None,
        }
    }

    /// Returns whether the node is tagged as a null. An untagged scalar is none, whatever its text.
    pub(crate) fn is_null(&self) -> bool {
        self.tag == Tag::Null
    }

    /// Returns the style of a scalar.
    pub(crate) fn style(&self) -> ScalarStyle {
        self.style
    }

    /// Sets the style of a scalar.
    pub(crate) fn set_style(&mut self, style: ScalarStyle) {
        self.style = style;
    }

    /// Returns the text of a scalar, unquoted, or the name that an alias refers to; empty for a collection.
    pub(crate) fn text(&self) -> &str {
        match &self.content {
            Content::Scalar(text) | Content::Alias(text) => text,
            Content::Map(_) | Content::Sequence(_) => "",
        }
    }

    /// Replaces the text of a scalar or the name of an alias; style, tag and comments stay. A collection has no text
    /// and is left as it is.
    pub(crate) fn set_text(&mut self, new: impl Into<EcoString>) {
        if let Content::Scalar(text) | Content::Alias(text) = &mut self.content {
            *text = new.into();
        }
    }

    /// Returns the entries of a map, to change them.
    fn entries_mut(&mut self) -> Option<&mut Vec<CommentedEntry>> {
        match &mut self.content {
            Content::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the elements of a sequence.
    pub(crate) fn elements(&self) -> Option<&[Commented]> {
        match &self.content {
            Content::Sequence(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the elements of a sequence, to change them.
    pub(crate) fn elements_mut(&mut self) -> Option<&mut Vec<Commented>> {
        match &mut self.content {
            Content::Sequence(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the value of the first entry of a map whose key has this text, to change it.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Commented> {
        self.entries_mut()?.iter_mut().find(|e| e.key.text() == key).map(|e| &mut e.value)
    }

    /// Adds an entry to the end of a map. The key is a scalar without a tag, so it is written without quotes if its
    /// characters allow that.
    pub(crate) fn push_entry(&mut self, key: impl Into<EcoString>, value: Commented) {
        if let Some(entries) = self.entries_mut() {
            entries.push(CommentedEntry { key: Self::scalar(key), value });
        }
    }

    /// Adds an element to the end of a sequence.
    pub(crate) fn push_element(&mut self, element: Commented) {
        if let Some(elements) = self.elements_mut() {
            elements.push(element);
        }
    }

    /// Puts another node in the place of this one, with the other's comments. The comments around a document stay.
    pub(crate) fn replace(&mut self, other: Commented) {
        let document = self.document.take();
        *self = Self { document, ..other };
    }

    /// Takes over a tag's full name, as a document writes it.
    fn set_written_tag(&mut self, name: &str) {
        self.tag = super::parse::tag_of(name);
        self.tagged = true;
        if self.tag == Tag::Custom {
            self.custom_tag = match name.strip_prefix("tag:yaml.org,2002:") {
                Some(rest) => ecow::eco_format!("!!{rest}"),
                None => name.into(),
            };
        }
    }

    /// Returns the tag that the text of a scalar or the kind of a collection stands for by itself. For go-yaml's writer
    /// `<<` is a string, so a merge key gets its tag written out.
    fn implied_tag(&self) -> Tag {
        match &self.content {
            Content::Scalar(text) => resolve_tag(text),
            Content::Map(_) => Tag::Map,
            Content::Sequence(_) => Tag::Seq,
            Content::Alias(_) => Tag::Empty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Dialect, parse_document};
    use super::*;

    fn parsed(text: &str) -> Commented {
        Commented::parse(text).unwrap().unwrap()
    }

    #[test]
    fn a_tree_without_comments_is_printed_as_go_yaml_v3_prints_it() {
        let cases = [
            ("b: 1\na: [x, {y: 'z'}]\n", "b: 1\na: [x, {y: 'z'}]\n"),
            ("\"yes\": 1\n\"5\": \"6\"\n7: ~\n", "yes: 1\n\"5\": \"6\"\n7: ~\n"),
            ("a:\n    - b:\n        - c\n", "a:\n- b:\n  - c\n"),
            ("a: &x {b: 1}\nc: *x\n", "a: {b: 1}\nc: {b: 1}\n"),
            ("a: !!str 5\nb: !own c\n", "a: !!str 5\nb: c\n"),
            ("a: # gone\n  b\n", "a: b\n"),
        ];
        for (text, want) in cases {
            let node = parse_document(text, 1, Dialect::V3).unwrap().unwrap();
            assert_eq!(Commented::from_node(&node).to_text(), want, "{text:?}");
        }
    }

    #[test]
    fn a_value_keeps_its_style_and_its_comments() {
        let mut root = parsed("# top\n\nport: \"80\" # which\nhost: &h a\n# end\n");
        root.get_mut("port").unwrap().set_text("81");
        root.get_mut("host").unwrap().set_text("b: c");
        let want = "# top\n\nport: \"81\" # which\nhost: &h 'b: c'\n# end\n";
        assert_eq!(root.to_text(), want);
    }

    #[test]
    fn a_comment_stays_with_its_node() {
        let cases = [
            ("a: 1   # line\n", "a: 1 # line\n"),
            ("# head\na:\n    # of b\n    b: 1\n", "# head\na:\n  # of b\n  b: 1\n"),
            ("# document\n\n# head\na: 1\n", "# document\n\n# head\na: 1\n"),
            ("a: 1\n# foot\n\nb: 2\n", "a: 1\n# foot\n\nb: 2\n"),
            (
                "a:\n  b: 1\n  # inside\n# outside\nc: 2\n",
                "a:\n  b: 1\n  # inside\n# outside\nc: 2\n",
            ),
            ("a: # of the key\n- x # line\n- y\n", "a: # of the key\n- x # line\n- y\n"),
            ("a: [x, # one\n  y]\n", "a: [x, # one\n  y]\n"),
            ("a: | # header\n  text\n", "a: | # header\n  text\n"),
            ("a: &x 1 # one\nb: *x # two\n", "a: &x 1 # one\nb: *x # two\n"),
        ];
        for (text, want) in cases {
            assert_eq!(parsed(text).to_text(), want, "{text:?}");
        }
    }

    #[test]
    fn a_text_that_does_not_fit_its_type_gets_a_tag() {
        let mut root = parsed("a: 1\nb: x\n");
        root.get_mut("a").unwrap().set_text("many");
        root.get_mut("b").unwrap().set_text("2");
        assert_eq!(root.to_text(), "a: !!int many\nb: \"2\"\n");
    }

    #[test]
    fn a_tree_grows() {
        let mut root = Commented::map();
        let mut list = Commented::sequence();
        list.push_element(Commented::scalar("x"));
        list.push_element(Commented::scalar(""));
        root.push_entry("on", list);
        root.push_entry("empty", Commented::map());
        assert_eq!(root.to_text(), "on:\n- x\n-\nempty: {}\n");
        assert_eq!(root.get_mut("on").and_then(|n| n.kind()), Some(NodeKind::Sequence));
    }

    #[test]
    fn a_replaced_root_keeps_what_stands_around_the_document() {
        let mut root = parsed("# top\n\na: 1 # gone\n\n# bottom\n");
        root.replace(Commented::scalar("new"));
        assert_eq!(root.to_text(), "# top\n\nnew\n\n# bottom\n");
    }

    #[test]
    fn the_first_of_equal_keys_is_found() {
        let mut root = parsed("a: 1\na: 2\nb: ~\n? [x]\n: y\n");
        assert_eq!(root.get_mut("a").map(|n| n.text()), Some("1"));
        assert_eq!(root.get_mut("").map(|n| n.text()), Some("y"));
        assert!(root.get_mut("b").is_some_and(|n| n.is_null()));
        assert!(root.get_mut("c").is_none() && root.get_mut("a").unwrap().get_mut("x").is_none());
    }
}
