//! Where the nodes of a text begin and end, for edits of the text itself.
//!
//! A [`Node`](super::Node) has one position, and its tree has neither aliases nor `<<` any more. An [`Outline`] is the document as it is
//! written, token by token, without values: what an anchor names and what a scalar means is the tree's business. The grammar is
//! that of [`parse_document`](super::parse_document), in the dialect of kustomization files; a text that is no YAML for the one is
//! none for the other.

use std::collections::HashMap;

use super::directives::TagHandles;
use super::parse::{MAX_DEPTH, Place, TOO_DEEP};
use super::scalar::Dialect;
use super::scan::{Scanner, TokenKind};
use super::{ScalarStyle, SyntaxError};

/// A node as it is written. All places are byte offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outline {
    /// Where the node begins: at its anchor or tag, if it has one.
    pub(crate) start: usize,
    /// Where its content begins, behind anchor and tag.
    pub(crate) content: usize,
    /// Where it ends. The line break behind a block scalar is not part of it; empty lines that a `+` keeps are.
    pub(crate) end: usize,
    pub(crate) form: OutlineForm,
}

/// How a node is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OutlineForm {
    /// Nothing stands there.
    Absent,
    Scalar(ScalarStyle),
    /// A reference to the node that begins at this place.
    Alias(usize),
    Map {
        entries: Vec<OutlineEntry>,
        flow: bool,
    },
    Sequence {
        elements: Vec<OutlineElement>,
        flow: bool,
    },
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutlineEntry {
    /// Where the key begins, or the `?` before it.
    pub(crate) start: usize,
    pub(crate) key: Outline,
    /// Behind the `:`, if there is one.
    pub(crate) colon: Option<usize>,
    pub(crate) value: Outline,
}

impl OutlineEntry {
    /// Returns where the entry ends.
    pub(crate) fn end(&self) -> usize {
        self.value.end.max(self.colon.unwrap_or(0)).max(self.key.end)
    }
}

/// An element of a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutlineElement {
    /// Where the `-` stands; in a flow collection, where the value begins.
    pub(crate) start: usize,
    pub(crate) value: Outline,
}

impl OutlineElement {
    /// Returns where the element ends: at its value, or its `-` if it has none.
    pub(crate) fn end(&self) -> usize {
        self.value.end
    }
}

type Parse<T> = Result<T, SyntaxError>;

/// Returns the outline of the first document of a text, `None` if it has none.
pub(crate) fn outline(text: &str) -> Result<Option<Outline>, SyntaxError> {
    let mut parser = Parser {
        text,
        scanner: Scanner::new(text, Dialect::V2),
        tag_handles: TagHandles::default(),
        anchors: HashMap::new(),
        depth: 0,
        last_end: 0,
    };
    parser.document()
}

struct Parser<'t> {
    text: &'t str,
    scanner: Scanner<'t>,
    tag_handles: TagHandles,
    /// Where the nodes begin that have these anchors, so far.
    anchors: HashMap<String, usize>,
    depth: usize,
    /// Where the last token ends that is not white space.
    last_end: usize,
}

fn fail<T>(message: &str, at: usize) -> Parse<T> {
    Err(SyntaxError { message: message.to_owned(), at, context: None })
}

impl Parser<'_> {
    fn peek(&mut self) -> Parse<(TokenKind, usize)> {
        let token = self.scanner.peek()?;
        Ok((token.kind, token.start))
    }

    fn peek_kind(&mut self) -> Parse<TokenKind> {
        Ok(self.peek()?.0)
    }

    /// Takes a token and returns where it ends.
    fn skip(&mut self) -> Parse<usize> {
        let token = self.scanner.next()?;
        // The ends of blocks stand where the next token begins.
        if !matches!(token.kind, TokenKind::BlockEnd | TokenKind::StreamEnd) {
            self.last_end = self.last_end.max(token.end);
        }
        Ok(token.end)
    }

    fn document(&mut self) -> Parse<Option<Outline>> {
        match self.peek_kind()? {
            TokenKind::StreamEnd => return Ok(None),
            TokenKind::VersionDirective | TokenKind::TagDirective | TokenKind::DocumentStart => {
                self.tag_handles.read_directives(&mut self.scanner)?;
                let end = self.expect(TokenKind::DocumentStart)?;
                if matches!(
                    self.peek_kind()?,
                    TokenKind::VersionDirective
                        | TokenKind::TagDirective
                        | TokenKind::DocumentStart
                        | TokenKind::DocumentEnd
                        | TokenKind::StreamEnd
                ) {
                    return Ok(Some(absent(end)));
                }
            }
            _ => {}
        }
        self.node(Place::Block).map(Some)
    }

    fn node(&mut self, place: Place) -> Parse<Outline> {
        let (kind, start) = self.peek()?;
        if kind == TokenKind::Alias {
            let token = self.scanner.next()?;
            let Some(&target) = self.anchors.get(token.text.as_str()) else {
                return fail("unknown anchor", start);
            };
            self.last_end = token.end;
            let form = OutlineForm::Alias(target);
            return Ok(Outline { start, content: start, end: token.end, form });
        }
        let mut end = None;
        loop {
            match self.peek_kind()? {
                TokenKind::Anchor => {
                    let token = self.scanner.next()?;
                    self.last_end = token.end;
                    self.anchors.insert(token.text.as_str().to_owned(), start);
                    end = Some(token.end);
                }
                TokenKind::Tag => end = Some(self.skip()?),
                _ => break,
            }
        }
        let mut node = self.content(place, end)?;
        node.start = start;
        Ok(node)
    }

    /// Reads the content of a node. `properties`: where its anchor or tag ends.
    fn content(&mut self, place: Place, properties: Option<usize>) -> Parse<Outline> {
        let (kind, content) = self.peek()?;
        let form = match kind {
            TokenKind::Scalar(style) => {
                let mut end = self.skip()?;
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    end = end_of_block_scalar(self.text, content, end);
                    self.last_end = end;
                }
                let form = OutlineForm::Scalar(style);
                return Ok(Outline { start: content, content, end, form });
            }
            TokenKind::BlockEntry if place == Place::BlockOrIndentless => {
                self.nested(content, |p| p.block_sequence(Indentation::OfTheMap))?
            }
            TokenKind::BlockSequenceStart if place != Place::Flow => {
                self.nested(content, |p| p.block_sequence(Indentation::Own))?
            }
            TokenKind::BlockMappingStart if place != Place::Flow => {
                self.nested(content, Self::block_map)?
            }
            TokenKind::FlowSequenceStart => self.nested(content, Self::flow_sequence)?,
            TokenKind::FlowMappingStart => self.nested(content, Self::flow_map)?,
            _ => {
                return match properties {
                    Some(end) => {
                        let form = OutlineForm::Scalar(ScalarStyle::Plain);
                        Ok(Outline { start: end, content: end, end, form })
                    }
                    None => fail("expected a value", content),
                };
            }
        };
        Ok(Outline { start: content, content, end: self.last_end, form })
    }

    fn nested(
        &mut self,
        at: usize,
        read: impl FnOnce(&mut Self) -> Parse<OutlineForm>,
    ) -> Parse<OutlineForm> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return fail(TOO_DEEP, at);
        }
        let form = read(self)?;
        self.depth -= 1;
        Ok(form)
    }

    fn block_sequence(&mut self, indentation: Indentation) -> Parse<OutlineForm> {
        if indentation == Indentation::Own {
            self.skip()?;
        }
        let mut elements = Vec::new();
        while self.peek_kind()? == TokenKind::BlockEntry {
            let start = self.peek()?.1;
            let end = self.skip()?;
            let value = match self.peek_kind()? {
                TokenKind::BlockEntry | TokenKind::BlockEnd => absent(end),
                TokenKind::Key | TokenKind::Value if indentation == Indentation::OfTheMap => {
                    absent(end)
                }
                _ => self.node(Place::Block)?,
            };
            elements.push(OutlineElement { start, value });
        }
        if indentation == Indentation::Own {
            self.expect(TokenKind::BlockEnd)?;
        }
        Ok(OutlineForm::Sequence { elements, flow: false })
    }

    fn expect(&mut self, wanted: TokenKind) -> Parse<usize> {
        let (kind, at) = self.peek()?;
        if kind == wanted { self.skip() } else { fail("expected something else", at) }
    }

    fn block_map(&mut self) -> Parse<OutlineForm> {
        self.skip()?;
        let mut entries = Vec::new();
        while self.peek_kind()? == TokenKind::Key {
            let start = self.peek()?.1;
            let end = self.skip()?;
            let key = match self.peek_kind()? {
                TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => absent(end),
                _ => self.node(Place::BlockOrIndentless)?,
            };
            let (colon, value) = if self.peek_kind()? == TokenKind::Value {
                let end = self.skip()?;
                let value = match self.peek_kind()? {
                    TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => absent(end),
                    _ => self.node(Place::BlockOrIndentless)?,
                };
                (Some(end), value)
            } else {
                (None, absent(key.end))
            };
            entries.push(OutlineEntry { start, key, colon, value });
        }
        self.expect(TokenKind::BlockEnd)?;
        Ok(OutlineForm::Map { entries, flow: false })
    }

    fn flow_sequence(&mut self) -> Parse<OutlineForm> {
        self.skip()?;
        let mut elements = Vec::new();
        while self.next_item(TokenKind::FlowSequenceEnd, elements.is_empty())? {
            let (kind, start) = self.peek()?;
            let value = if kind == TokenKind::Key {
                self.flow_pair(start)?
            } else {
                self.node(Place::Flow)?
            };
            elements.push(OutlineElement { start, value });
        }
        self.skip()?;
        Ok(OutlineForm::Sequence { elements, flow: true })
    }

    /// Takes the comma between two items of a flow collection. Returns whether another item follows.
    fn next_item(&mut self, end: TokenKind, first: bool) -> Parse<bool> {
        let (mut kind, at) = self.peek()?;
        if kind != end && !first {
            if kind != TokenKind::FlowEntry {
                return fail("expected `,` or the end of the collection", at);
            }
            self.skip()?;
            kind = self.peek_kind()?;
        }
        Ok(kind != end)
    }

    /// Reads `key: value` as an element of a flow sequence.
    fn flow_pair(&mut self, start: usize) -> Parse<Outline> {
        let end = self.skip()?;
        let key = match self.peek_kind()? {
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd => {
                // The token that ends an empty key is taken, whatever it is; see the parser.
                self.skip()?;
                absent(end)
            }
            _ => self.node(Place::Flow)?,
        };
        let (colon, value) = self.flow_value(key.end, TokenKind::FlowSequenceEnd)?;
        let entry = OutlineEntry { start, key, colon, value };
        let end = entry.end();
        let form = OutlineForm::Map { entries: vec![entry], flow: true };
        Ok(Outline { start, content: start, end, form })
    }

    fn flow_value(&mut self, key_end: usize, end: TokenKind) -> Parse<(Option<usize>, Outline)> {
        if self.peek_kind()? != TokenKind::Value {
            return Ok((None, absent(key_end)));
        }
        let colon = self.skip()?;
        let kind = self.peek_kind()?;
        let is_absent = kind == TokenKind::FlowEntry || kind == end;
        Ok((Some(colon), if is_absent { absent(colon) } else { self.node(Place::Flow)? }))
    }

    fn flow_map(&mut self) -> Parse<OutlineForm> {
        self.skip()?;
        let mut entries = Vec::new();
        while self.next_item(TokenKind::FlowMappingEnd, entries.is_empty())? {
            let (kind, start) = self.peek()?;
            if kind != TokenKind::Key {
                let key = self.node(Place::Flow)?;
                let value = absent(key.end);
                entries.push(OutlineEntry { start, key, colon: None, value });
                continue;
            }
            let end = self.skip()?;
            let key = match self.peek_kind()? {
                TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd => absent(end),
                _ => self.node(Place::Flow)?,
            };
            let (colon, value) = self.flow_value(key.end, TokenKind::FlowMappingEnd)?;
            entries.push(OutlineEntry { start, key, colon, value });
        }
        self.skip()?;
        Ok(OutlineForm::Map { entries, flow: true })
    }
}

/// Whether a block sequence is indented by itself, or stands at the indentation of the map whose value it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Indentation {
    Own,
    OfTheMap,
}

fn absent(at: usize) -> Outline {
    Outline { start: at, content: at, end: at, form: OutlineForm::Absent }
}

/// Returns where a block scalar ends: with its last line of text, or with the empty lines below it that it keeps.
fn end_of_block_scalar(text: &str, start: usize, end: usize) -> usize {
    let header = text[start..].split(['\n', '\r', '#']).next().unwrap_or_default();
    if !header.contains('+') {
        return end;
    }
    let rest = &text[end..];
    let empty = rest.len() - rest.trim_start_matches([' ', '\r', '\n']).len();
    let Some(last) = rest[..empty].rfind('\n') else { return end };
    end + rest[..last].strip_suffix('\r').map_or(last, str::len)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Dialect, Node, parse_document};
    use super::*;

    /// Writes every node with its text.
    fn shown(text: &str) -> String {
        fn walk(text: &str, node: &Outline, out: &mut String) {
            use std::fmt::Write;
            let part = text[node.content..node.end].replace('\n', "/");
            match &node.form {
                OutlineForm::Absent => out.push('~'),
                OutlineForm::Scalar(_) => {
                    let _ = write!(out, "<{part}>");
                }
                OutlineForm::Alias(at) => {
                    let _ = write!(out, "*{at}");
                }
                OutlineForm::Map { entries, .. } => {
                    out.push('{');
                    for entry in entries {
                        walk(text, &entry.key, out);
                        out.push(':');
                        walk(text, &entry.value, out);
                    }
                    let _ = write!(out, "}}{}", text[node.start..node.end].len());
                }
                OutlineForm::Sequence { elements, .. } => {
                    out.push('[');
                    for element in elements {
                        walk(text, &element.value, out);
                    }
                    let _ = write!(out, "]{}", text[node.start..node.end].len());
                }
            }
        }
        let mut out = String::new();
        walk(text, &outline(text).unwrap().unwrap(), &mut out);
        out
    }

    #[test]
    fn nodes_end_where_their_last_token_ends() {
        let cases = [
            ("a: 1 # one\nb:\n- x\n- y # why\n\nc: d\n", "{<a>:<1><b>:[<x><y>]7<c>:<d>}33"),
            ("a:\n  - b: c\n    d:\n  -\n", "{<a>:[{<b>:<c><d>:~}11~]17}22"),
            (
                "a: |\n  x\n  y\n\n# no\nb: >+\n  z\n\n\nc: 1\n",
                "{<a>:<|/  x/  y><b>:<>+/  z//><c>:<1>}35",
            ),
            ("a: [b, {c: d}, 'e']\n", "{<a>:[<b>{<c>:<d>}6<'e'>]16}19"),
            ("a: &x {b: c}\nd: *x\n", "{<a>:{<b>:<c>}9<d>:*3}18"),
            ("a: !!str\nb:\n", "{<a>:<><b>:~}11"),
        ];
        for (text, want) in cases {
            assert_eq!(shown(text), want, "{text:?}");
        }
    }

    fn leaves(node: &Node, out: &mut Vec<usize>) {
        if node.is_scalar() {
            out.extend(node.origin().position().map(|at| at as usize - 1));
        }
        for entry in node.entries().into_iter().flatten() {
            leaves(&entry.value, out);
        }
        for element in node.elements().into_iter().flatten() {
            leaves(element, out);
        }
    }

    fn scalars(node: &Outline, out: &mut Vec<usize>) {
        match &node.form {
            OutlineForm::Scalar(_) => out.push(node.start),
            OutlineForm::Map { entries, .. } => {
                for entry in entries {
                    scalars(&entry.value, out);
                }
            }
            OutlineForm::Sequence { elements, .. } => {
                for element in elements {
                    scalars(&element.value, out);
                }
            }
            OutlineForm::Absent | OutlineForm::Alias(_) => {}
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

        #[test]
        fn an_outline_has_the_scalars_of_the_tree(text in super::super::properties::yaml_texts()) {
            let tree = parse_document(&text, 1, Dialect::V2);
            let found = outline(&text);
            // A node with two anchors is no YAML, and readers make different things of it.
            let has_anchors = text.matches('&').count() > 1;
            if let (Ok(Some(tree)), Ok(Some(found))) = (&tree, &found) {
                let (mut want, mut got) = (Vec::new(), Vec::new());
                leaves(tree, &mut want);
                scalars(found, &mut got);
                if !text.contains(['*', '<']) && !has_anchors {
                    prop_assert!(got.iter().all(|at| want.contains(at)), "{:?} {:?} {:?}", text, got, want);
                }
            }
            if tree.is_ok() && !has_anchors {
                prop_assert!(found.is_ok(), "{:?} {:?}", text, found);
            }
        }
    }
}
