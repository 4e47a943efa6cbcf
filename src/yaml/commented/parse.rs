//! Text to a tree with comments.
//!
//! The grammar is the one of [`parse_document`](crate::yaml::parse_document). On top of it, comments that the scanner
//! has given to tokens are gathered as tokens are looked at, and handed to nodes as go-yaml v3 does: a scalar, an alias
//! and the beginning or end of a flow collection take all that has been gathered, a block map takes it at its end, a
//! block list takes nothing. A value that stands empty takes nothing either, so its comment moves on to what follows.
//! Foot comments go from a value to its key, because only there do they survive being written.

use std::collections::HashSet;

use ecow::EcoString;

use super::{Commented, CommentedEntry, Comments, Content, DocumentComments};
use crate::yaml::directives::TagHandles;
use crate::yaml::parse::{Place, TOO_DEEP, refuse_control_characters};
use crate::yaml::scalar::resolve_tag;
use crate::yaml::scan::{CommentKind, Scanner, Token, TokenKind};
use crate::yaml::{MAX_DEPTH, ScalarStyle, SyntaxError, Tag};

type Parse<T> = Result<T, SyntaxError>;

/// Returns the first document of a text, `None` if it has none.
pub(super) fn parse(text: &str) -> Parse<Option<Commented>> {
    let mut parser = Parser {
        scanner: Scanner::with_comments(text),
        tag_handles: TagHandles::default(),
        anchors: HashSet::new(),
        gathered: Gathered::default(),
        depth: 0,
    };
    let parsed = parser.document();
    refuse_control_characters(text, parser.scanner.position(), parsed)
}

/// Comments of the tokens seen so far that no node has taken.
#[derive(Default)]
struct Gathered {
    head: String,
    line: String,
    foot: String,
}

impl Gathered {
    fn add(&mut self, kind: CommentKind, text: &str) {
        let lines = match kind {
            CommentKind::Head => &mut self.head,
            CommentKind::Line => &mut self.line,
            CommentKind::Foot => &mut self.foot,
        };
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(text);
    }
}

struct Parser<'t> {
    scanner: Scanner<'t>,
    tag_handles: TagHandles,
    anchors: HashSet<EcoString>,
    gathered: Gathered,
    depth: usize,
}

fn fail<T>(message: &str, at: usize, context: Option<(&'static str, usize)>) -> Parse<T> {
    Err(SyntaxError { message: message.to_owned(), at, context })
}

/// Returns a value that is not written at all.
fn empty() -> Commented {
    Commented::with(Content::Scalar(EcoString::new()), Tag::Null)
}

impl<'t> Parser<'t> {
    /// Looks at the next token and gathers the comments that it releases.
    fn peek(&mut self) -> Parse<(TokenKind, usize)> {
        let (kind, start) = self.scanner.peek().map(|token| (token.kind, token.start))?;
        while let Some(comment) = self.scanner.next_comment(kind, start) {
            self.gathered.add(comment.kind, &comment.text);
        }
        Ok((kind, start))
    }

    fn peek_kind(&mut self) -> Parse<TokenKind> {
        Ok(self.peek()?.0)
    }

    fn skip(&mut self) -> Parse<Token<'t>> {
        Ok(self.scanner.next()?)
    }

    fn take_comments(&mut self) -> Comments {
        let Gathered { head, line, foot } = std::mem::take(&mut self.gathered);
        Comments { head: head.into(), line: line.into(), foot: foot.into() }
    }

    fn document(&mut self) -> Parse<Option<Commented>> {
        let mut head = EcoString::new();
        let mut root = match self.peek_kind()? {
            TokenKind::StreamEnd => return Ok(None),
            TokenKind::VersionDirective | TokenKind::TagDirective | TokenKind::DocumentStart => {
                self.tag_handles.read_directives(&mut self.scanner)?;
                let (kind, at) = self.peek()?;
                if kind != TokenKind::DocumentStart {
                    return fail("expected `---` after the directives", at, None);
                }
                self.skip()?;
                match self.peek_kind()? {
                    TokenKind::VersionDirective
                    | TokenKind::TagDirective
                    | TokenKind::DocumentStart
                    | TokenKind::DocumentEnd
                    | TokenKind::StreamEnd => empty(),
                    _ => self.node(Place::Block)?,
                }
            }
            _ => {
                head = self.split_document_head();
                self.node(Place::Block)?
            }
        };
        if self.peek_kind()? == TokenKind::DocumentEnd {
            self.skip()?;
        }
        let Comments { head: late_head, foot, .. } = self.take_comments();
        let foot = if foot.is_empty() { late_head } else { foot };
        root.document = Some(Box::new(DocumentComments { head, foot }));
        Ok(Some(root))
    }

    /// Takes the comments before a document up to the last empty line; the rest is for the first node.
    fn split_document_head(&mut self) -> EcoString {
        let head = &mut self.gathered.head;
        let (end, rest) = match head.rfind("\n\n") {
            _ if head.ends_with('\n') => (head.len() - 1, head.len()),
            Some(at) => (at, at + 2),
            None => return EcoString::new(),
        };
        let of_document = EcoString::from(&head[..end]);
        head.drain(..rest);
        of_document
    }

    fn node(&mut self, place: Place) -> Parse<Commented> {
        self.node_with_stem(place, EcoString::new())
    }

    /// Reads a node: an alias, or anchor and tag in any order and then the content. `stem` is the head comment of a
    /// block collection.
    fn node_with_stem(&mut self, place: Place, stem: EcoString) -> Parse<Commented> {
        let (kind, start) = self.peek()?;
        if kind == TokenKind::Alias {
            return self.alias(start);
        }
        let mut anchor: Option<EcoString> = None;
        let mut tag: Option<String> = None;
        loop {
            match self.peek_kind()? {
                TokenKind::Anchor if anchor.is_none() => {
                    anchor = Some(self.skip()?.text.to_shared());
                }
                TokenKind::Tag if tag.is_none() => {
                    let token = self.skip()?;
                    tag = Some(self.tag_handles.name(&token.text, start)?);
                }
                _ => break,
            }
        }
        // Known from here on: a node may contain an alias of itself.
        self.anchors.extend(anchor.clone());
        let mut node = self.content(place, start, anchor.is_some() || tag.is_some(), stem)?;
        node.anchor = anchor.unwrap_or_default();
        // A lone `!` asks for nothing.
        if let Some(tag) = tag.filter(|t| t != "!") {
            node.set_written_tag(&tag);
        }
        Ok(node)
    }

    fn alias(&mut self, at: usize) -> Parse<Commented> {
        let comments = self.take_comments();
        let name = self.skip()?.text.to_shared();
        if !self.anchors.contains(&name) {
            return fail(&format!("unknown anchor `{name}`"), at, None);
        }
        let mut node = Commented::with(Content::Alias(name), Tag::Empty);
        node.comments = comments;
        Ok(node)
    }

    fn content(
        &mut self,
        place: Place,
        start: usize,
        has_properties: bool,
        stem: EcoString,
    ) -> Parse<Commented> {
        let (kind, at) = self.peek()?;
        let read = match kind {
            TokenKind::Scalar(style) => return self.scalar(style),
            TokenKind::BlockEntry if place == Place::BlockOrIndentless => Self::indentless_sequence,
            TokenKind::FlowSequenceStart => Self::flow_sequence,
            TokenKind::FlowMappingStart => Self::flow_mapping,
            TokenKind::BlockSequenceStart if place != Place::Flow => Self::block_sequence,
            TokenKind::BlockMappingStart if place != Place::Flow => Self::block_mapping,
            _ if has_properties => return Ok(empty()),
            _ => {
                let what = if place == Place::Flow { "a flow collection" } else { "a block" };
                return fail("expected a value", at, Some((what, start)));
            }
        };
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return fail(TOO_DEEP, start, None);
        }
        let mut node = read(self)?;
        self.depth -= 1;
        if !stem.is_empty() {
            node.comments.head = stem;
        }
        Ok(node)
    }

    fn scalar(&mut self, style: ScalarStyle) -> Parse<Commented> {
        let comments = self.take_comments();
        let text = self.skip()?.text.to_shared();
        let tag = match style {
            ScalarStyle::Plain if text == "<<" => Tag::Merge,
            ScalarStyle::Plain => resolve_tag(&text),
            _ => Tag::Str,
        };
        let mut node = Commented::with(Content::Scalar(text), tag);
        node.style = style;
        node.comments = comments;
        Ok(node)
    }

    fn block_sequence(&mut self) -> Parse<Commented> {
        let open = self.skip()?.start;
        let mut elements = Vec::new();
        loop {
            match self.peek()? {
                (TokenKind::BlockEntry, _) => {
                    let stem = self.skip_block_entry()?;
                    elements.push(match self.peek_kind()? {
                        TokenKind::BlockEntry | TokenKind::BlockEnd => empty(),
                        _ => self.node_with_stem(Place::Block, stem)?,
                    });
                }
                (TokenKind::BlockEnd, _) => {
                    self.skip()?;
                    return Ok(Commented::with(Content::Sequence(elements), Tag::Seq));
                }
                (_, at) => {
                    let context = Some(("a list", open));
                    return fail("expected `-` or the end of the list", at, context);
                }
            }
        }
    }

    fn indentless_sequence(&mut self) -> Parse<Commented> {
        let mut elements = Vec::new();
        while self.peek_kind()? == TokenKind::BlockEntry {
            let stem = self.skip_block_entry()?;
            elements.push(match self.peek_kind()? {
                TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => {
                    empty()
                }
                _ => self.node_with_stem(Place::Block, stem)?,
            });
        }
        Ok(Commented::with(Content::Sequence(elements), Tag::Seq))
    }

    /// Takes a `-`. If a block collection begins right behind it, what has been gathered so far is the head comment of
    /// that collection as a whole, not of its first element or key, and is returned.
    fn skip_block_entry(&mut self) -> Parse<EcoString> {
        let gathered = self.gathered.head.len();
        self.skip()?;
        let kind = self.peek_kind()?;
        let opens = matches!(kind, TokenKind::BlockSequenceStart | TokenKind::BlockMappingStart);
        if gathered == 0 || !opens {
            return Ok(EcoString::new());
        }
        let head = &mut self.gathered.head;
        let stem = EcoString::from(&head[..gathered]);
        // A line break stands between the stem and what came later.
        head.drain(..head.len().min(gathered + 1));
        Ok(stem)
    }

    fn block_mapping(&mut self) -> Parse<Commented> {
        let open = self.skip()?.start;
        let mut entries: Vec<CommentedEntry> = Vec::new();
        loop {
            match self.peek()? {
                (TokenKind::Key, _) => {
                    self.skip()?;
                    let mut key = match self.peek_kind()? {
                        TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => empty(),
                        _ => self.node(Place::BlockOrIndentless)?,
                    };
                    // The foot of a key is dedented: it stands below the value before it.
                    if let Some(last) = entries.last_mut()
                        && !key.comments.foot.is_empty()
                    {
                        last.key.comments.foot = std::mem::take(&mut key.comments.foot);
                    }
                    let value = self.block_mapping_value()?;
                    entries.push(entry(key, value));
                }
                (TokenKind::BlockEnd, _) => {
                    let mut comments = self.take_comments();
                    self.skip()?;
                    if let Some(last) = entries.last_mut()
                        && !comments.foot.is_empty()
                    {
                        last.key.comments.foot = std::mem::take(&mut comments.foot);
                    }
                    comments.head = EcoString::new();
                    let mut node = Commented::with(Content::Map(entries), Tag::Map);
                    node.comments = comments;
                    return Ok(node);
                }
                (_, at) => return fail("expected a key", at, Some(("a map", open))),
            }
        }
    }

    fn block_mapping_value(&mut self) -> Parse<Commented> {
        if self.peek_kind()? != TokenKind::Value {
            return Ok(empty());
        }
        self.skip()?;
        match self.peek_kind()? {
            TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => Ok(empty()),
            _ => self.node(Place::BlockOrIndentless),
        }
    }

    fn flow_sequence(&mut self) -> Parse<Commented> {
        let head = self.take_comments().head;
        let open = self.skip()?.start;
        let mut elements = Vec::new();
        loop {
            let (mut kind, at) = self.peek()?;
            if kind != TokenKind::FlowSequenceEnd && !elements.is_empty() {
                if kind != TokenKind::FlowEntry {
                    return fail("expected `,` or `]`", at, Some(("a list", open)));
                }
                self.skip()?;
                kind = self.peek_kind()?;
            }
            match kind {
                TokenKind::FlowSequenceEnd => {
                    return self
                        .end_flow(Commented::with(Content::Sequence(elements), Tag::Seq), head);
                }
                TokenKind::Key => elements.push(self.flow_pair()?),
                _ => elements.push(self.node(Place::Flow)?),
            }
        }
    }

    /// Takes the bracket that ends a flow collection.
    fn end_flow(&mut self, mut node: Commented, head: EcoString) -> Parse<Commented> {
        node.comments = Comments { head, ..self.take_comments() };
        node.flow = true;
        self.skip()?;
        Ok(node)
    }

    /// Reads `key: value` as an element of a flow sequence: a map with one entry.
    fn flow_pair(&mut self) -> Parse<Commented> {
        self.skip()?;
        let key = match self.peek_kind()? {
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd => {
                // go-yaml takes the token that ends an empty key, whatever it is.
                self.skip()?;
                empty()
            }
            _ => self.node(Place::Flow)?,
        };
        let value = self.flow_value(TokenKind::FlowSequenceEnd)?;
        let mut node = Commented::with(Content::Map(vec![entry(key, value)]), Tag::Map);
        node.flow = true;
        Ok(node)
    }

    fn flow_value(&mut self, end: TokenKind) -> Parse<Commented> {
        if self.peek_kind()? != TokenKind::Value {
            return Ok(empty());
        }
        self.skip()?;
        let kind = self.peek_kind()?;
        if kind == TokenKind::FlowEntry || kind == end {
            Ok(empty())
        } else {
            self.node(Place::Flow)
        }
    }

    fn flow_mapping(&mut self) -> Parse<Commented> {
        let head = self.take_comments().head;
        let open = self.skip()?.start;
        let mut entries = Vec::new();
        loop {
            let (mut kind, at) = self.peek()?;
            if kind != TokenKind::FlowMappingEnd && !entries.is_empty() {
                if kind != TokenKind::FlowEntry {
                    return fail("expected `,` or `}`", at, Some(("a map", open)));
                }
                self.skip()?;
                kind = self.peek_kind()?;
            }
            match kind {
                TokenKind::FlowMappingEnd => {
                    return self.end_flow(Commented::with(Content::Map(entries), Tag::Map), head);
                }
                TokenKind::Key => {
                    self.skip()?;
                    let key = match self.peek_kind()? {
                        TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd => {
                            empty()
                        }
                        _ => self.node(Place::Flow)?,
                    };
                    let value = self.flow_value(TokenKind::FlowMappingEnd)?;
                    entries.push(entry(key, value));
                }
                _ => {
                    let key = self.node(Place::Flow)?;
                    entries.push(entry(key, empty()));
                }
            }
        }
    }
}

/// Returns an entry; the foot comment of the value goes to the key.
fn entry(mut key: Commented, mut value: Commented) -> CommentedEntry {
    if key.comments.foot.is_empty() {
        key.comments.foot = std::mem::take(&mut value.comments.foot);
    }
    CommentedEntry { key, value }
}
