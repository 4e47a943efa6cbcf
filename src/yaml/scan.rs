//! Text to tokens.
//!
//! The token grammar is libyaml's with go-yaml's departures, because those decide what kustomize accepts: simple keys
//! end after 1,024 characters or a line, quoted scalars may continue at any indentation, `1.2.3.4` and `a:b` are plain
//! in flow collections, `\/` and `%YAML 1.2` are errors. The comment reader of go-yaml v3 looks two tokens ahead and
//! reads white space between comment lines; both change which texts are accepted, and both are kept here.
//!
//! Scalars that stand in the text as they are meant are borrowed from it; only escapes and line folding allocate.
//! Positions are byte offsets; columns count characters, as the indentation rules need.

mod comment;
mod scalar;
mod tag;

use std::collections::VecDeque;

use ecow::EcoString;

use super::parse::TOO_DEEP;
use super::scalar::Dialect;
use super::{MAX_DEPTH, ScalarStyle};
pub(crate) use comment::CommentKind;
use comment::{Comment, SearchStart};

/// Why a text is not YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScanError {
    /// What was found or missing.
    pub(crate) message: &'static str,
    /// Byte offset of the place where it was noticed.
    pub(crate) at: usize,
    /// What was being read, and the byte offset where that began.
    pub(crate) context: Option<(&'static str, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    StreamEnd,
    VersionDirective,
    TagDirective,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    Tag,
    Scalar(ScalarStyle),
}

/// The text that belongs to a token.
#[derive(Clone, Debug)]
pub(crate) enum TokenText<'t> {
    None,
    Borrowed(&'t str),
    Owned(EcoString),
    /// Handle and suffix of a tag, or handle and prefix of a `%TAG` directive.
    Tag(Box<(String, String)>),
}

impl TokenText<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
            Self::None | Self::Tag(_) => "",
        }
    }

    pub(crate) fn to_shared(&self) -> EcoString {
        match self {
            Self::Borrowed(text) => EcoString::from(*text),
            Self::Owned(text) => text.clone(),
            Self::None | Self::Tag(_) => EcoString::new(),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Token<'t> {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) text: TokenText<'t>,
}

#[derive(Clone, Copy, Debug, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token_number: usize,
    at: usize,
    line: usize,
    column: usize,
}

pub(crate) struct Scanner<'t> {
    text: &'t str,
    bytes: &'t [u8],
    control_character: Option<usize>,
    dialect: Dialect,
    ascii: bool,
    pos: usize,
    line: usize,
    line_start: usize,
    /// A position on this line whose column is known, and that column.
    counted: (usize, usize),
    tokens: VecDeque<Token<'t>>,
    tokens_parsed: usize,
    stream_ended: bool,
    flow_level: usize,
    /// The column of the innermost block collection; -1 outside any.
    indent: isize,
    indents: Vec<isize>,
    simple_key_allowed: bool,
    simple_keys: Vec<SimpleKey>,
    /// Where each stretch of the scalar being read came from, if that is asked for.
    pub(super) segments: Option<Vec<(u32, u32)>>,
    /// The comments that no token has taken yet, if they are asked for.
    comments: Option<VecDeque<Comment>>,
}

type Scan<T = ()> = Result<T, ScanError>;

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

impl<'t> Scanner<'t> {
    /// Returns a scanner for a text, which ends for it where the first control character is.
    pub(crate) fn new(text: &'t str, dialect: Dialect) -> Self {
        let control_character = first_control_character(text);
        let text = control_character.map_or(text, |at| &text[..at]);
        let pos = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self {
            text,
            bytes: text.as_bytes(),
            control_character,
            dialect,
            ascii: text.is_ascii(),
            pos,
            line: 0,
            line_start: pos,
            counted: (pos, 0),
            tokens: VecDeque::with_capacity(16),
            tokens_parsed: 0,
            stream_ended: false,
            flow_level: 0,
            indent: -1,
            indents: Vec::new(),
            simple_key_allowed: true,
            simple_keys: vec![SimpleKey::default()],
            segments: None,
            comments: None,
        }
    }

    /// Returns the byte offset up to which the text has been read.
    pub(crate) fn position(&self) -> usize {
        self.pos
    }

    /// Returns where the text holds the first character that YAML does not allow.
    pub(crate) fn control_character(&self) -> Option<usize> {
        self.control_character
    }

    /// Returns the next token without taking it.
    pub(crate) fn peek(&mut self) -> Scan<&Token<'t>> {
        self.fetch_more_tokens()?;
        Ok(&self.tokens[0])
    }

    /// Takes the next token.
    pub(crate) fn next(&mut self) -> Scan<Token<'t>> {
        self.fetch_more_tokens()?;
        self.tokens_parsed += 1;
        self.tokens.pop_front().ok_or(ScanError {
            message: "the text has ended",
            at: self.pos,
            context: None,
        })
    }

    fn error<T>(&self, message: &'static str, context: Option<(&'static str, usize)>) -> Scan<T> {
        Err(ScanError { message, at: self.pos, context })
    }

    /// The byte `ahead` of the current one; 0 past the end, and only there.
    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.pos + ahead).copied().unwrap_or(0)
    }

    /// Moves past spaces.
    fn skip_spaces(&mut self) {
        self.pos += self.bytes[self.pos..].iter().take_while(|&&b| b == b' ').count();
    }

    /// The length of the line break at `pos + ahead`, or 0.
    fn break_len(&self, ahead: usize) -> usize {
        break_len(self.bytes, self.pos + ahead)
    }

    fn is_break(&self, ahead: usize) -> bool {
        self.break_len(ahead) > 0
    }

    /// Blank, line break or end.
    fn is_blank_or_end(&self, ahead: usize) -> bool {
        let byte = self.byte(ahead);
        byte == 0 || is_blank(byte) || self.is_break(ahead)
    }

    fn is_break_or_end(&self, ahead: usize) -> bool {
        self.byte(ahead) == 0 || self.is_break(ahead)
    }

    fn column(&mut self) -> usize {
        if self.ascii {
            return self.pos - self.line_start;
        }
        if self.counted.0 < self.line_start || self.counted.0 > self.pos {
            self.counted = (self.line_start, 0);
        }
        let between = &self.bytes[self.counted.0..self.pos];
        let characters = between.iter().filter(|&&b| b & 0xc0 != 0x80).count();
        self.counted = (self.pos, self.counted.1 + characters);
        self.counted.1
    }

    /// Moves past the line break at the current position.
    fn skip_line(&mut self) {
        let len = self.break_len(0);
        if len > 0 {
            self.pos += len;
            self.line += 1;
            self.line_start = self.pos;
        }
    }

    fn push(&mut self, kind: TokenKind, start: usize, text: TokenText<'t>) {
        let end = self.pos;
        self.tokens.push_back(Token { kind, start, end, text });
    }

    /// Reads until the parser may look at the next token: none is waiting to become a simple key, and (v3) two more
    /// are known.
    fn fetch_more_tokens(&mut self) -> Scan {
        let ahead = if self.dialect == Dialect::V3 { 2 } else { 0 };
        loop {
            if self.stream_ended {
                return Ok(());
            }
            if self.tokens.len() > ahead {
                let number = self.tokens_parsed;
                let head =
                    self.simple_keys.iter().rposition(|k| k.possible && k.token_number == number);
                match head {
                    None => return Ok(()),
                    Some(index) if !self.is_simple_key_valid(index)? => return Ok(()),
                    Some(_) => {}
                }
            }
            self.fetch_next_token()?;
        }
    }

    fn fetch_next_token(&mut self) -> Scan {
        let search = SearchStart { at: self.pos, line: self.line };
        self.scan_to_next_token(search);
        let column = self.column();
        self.unroll_indent(column as isize, search.at);
        if self.pos >= self.bytes.len() {
            return self.fetch_stream_end();
        }
        let byte = self.byte(0);
        if column == 0 {
            if byte == b'%' {
                return self.fetch_directive();
            }
            if self.is_document_indicator() {
                let kind =
                    if byte == b'-' { TokenKind::DocumentStart } else { TokenKind::DocumentEnd };
                return self.fetch_document_indicator(kind);
            }
        }
        let followed_by_blank = self.is_blank_or_end(1);
        let flow = self.flow_level > 0;
        // A comment behind `:` or `,` is for the token before.
        let owner = match byte {
            b',' if flow => self.tokens.back().map_or(0, |last| last.start),
            b':' if !flow => self.tokens.back().map_or(0, |last| last.start),
            _ => self.pos,
        };
        match byte {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart)?,
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart)?,
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd)?,
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd)?,
            b',' => self.fetch_flow_entry()?,
            // A lone `-` has no comment of its own in go-yaml: the comment belongs to what follows.
            b'-' if followed_by_blank => return self.fetch_block_entry(),
            b'?' if flow || followed_by_blank => self.fetch_key()?,
            b':' if flow || followed_by_blank => self.fetch_value()?,
            b'*' => self.fetch_anchor(TokenKind::Alias)?,
            b'&' => self.fetch_anchor(TokenKind::Anchor)?,
            b'!' => self.fetch_tag()?,
            b'|' if !flow => self.fetch_block_scalar(ScalarStyle::Literal)?,
            b'>' if !flow => self.fetch_block_scalar(ScalarStyle::Folded)?,
            b'\'' => self.fetch_flow_scalar(ScalarStyle::SingleQuoted)?,
            b'"' => self.fetch_flow_scalar(ScalarStyle::DoubleQuoted)?,
            b'-' if !is_blank(self.byte(1)) => self.fetch_plain_scalar()?,
            b'?' | b':' if !flow && !followed_by_blank => self.fetch_plain_scalar()?,
            b'-' | b'?' | b':' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => return self.no_token(),
            _ if self.is_blank_or_end(0) => return self.no_token(),
            _ => self.fetch_plain_scalar()?,
        }
        self.skip_line_comment(owner);
        Ok(())
    }

    fn no_token(&self) -> Scan {
        let message = if self.byte(0) == b'\t' {
            "a tab cannot be used for indentation"
        } else {
            "found a character that cannot start any token"
        };
        self.error(message, None)
    }

    fn is_document_indicator(&self) -> bool {
        let rest = &self.bytes[self.pos..];
        (rest.starts_with(b"---") || rest.starts_with(b"...")) && self.is_blank_or_end(3)
    }

    // White space and comments.

    fn scan_to_next_token(&mut self, search: SearchStart) {
        loop {
            self.skip_spaces();
            while self.byte(0) == b' '
                || (self.byte(0) == b'\t' && (self.flow_level > 0 || !self.simple_key_allowed))
            {
                self.pos += 1;
            }
            let collects = self.comments.is_some();
            if collects {
                self.turn_line_comment_into_head();
            }
            if self.byte(0) == b'#' {
                if collects { self.collect_comments(search) } else { self.skip_comments() }
            }
            if !self.is_break(0) {
                return;
            }
            self.skip_line();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    // Simple keys and indentation.

    fn is_simple_key_valid(&mut self, index: usize) -> Scan<bool> {
        let key = self.simple_keys[index];
        if !key.possible {
            return Ok(false);
        }
        if key.line == self.line && self.column() <= key.column + 1024 {
            return Ok(true);
        }
        if key.required {
            return self.error("could not find the expected `:`", Some(("a key", key.at)));
        }
        self.simple_keys[index].possible = false;
        Ok(false)
    }

    fn save_simple_key(&mut self) -> Scan {
        let column = self.column();
        let required = self.flow_level == 0 && self.indent == column as isize;
        if self.simple_key_allowed {
            self.remove_simple_key()?;
            let token_number = self.tokens_parsed + self.tokens.len();
            let (at, line) = (self.pos, self.line);
            let key = SimpleKey { possible: true, required, token_number, at, line, column };
            if let Some(last) = self.simple_keys.last_mut() {
                *last = key;
            }
        }
        Ok(())
    }

    fn remove_simple_key(&mut self) -> Scan {
        let Some(key) = self.simple_keys.last_mut() else { return Ok(()) };
        if key.possible && key.required {
            let at = key.at;
            return self.error("could not find the expected `:`", Some(("a key", at)));
        }
        key.possible = false;
        Ok(())
    }

    fn roll_indent(
        &mut self,
        column: usize,
        before: Option<usize>,
        kind: TokenKind,
        at: usize,
    ) -> Scan {
        if self.flow_level > 0 || self.indent >= column as isize {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column as isize;
        if self.indents.len() > MAX_DEPTH {
            return self.error(TOO_DEEP, None);
        }
        let token = Token { kind, start: at, end: at, text: TokenText::None };
        match before {
            Some(number) => self.tokens.insert(number - self.tokens_parsed, token),
            None => self.tokens.push_back(token),
        }
        Ok(())
    }

    /// Ends the blocks that are indented by more than `column`. `search` is where the search for the next token began.
    fn unroll_indent(&mut self, column: isize, search: usize) {
        if self.flow_level > 0 || self.indent <= column {
            return;
        }
        let collects = self.comments.is_some();
        let mut end = if collects { self.character_before(search) } else { self.pos };
        while self.indent > column {
            if collects {
                end = self.block_end(end);
            }
            let token = Token { kind: TokenKind::BlockEnd, start: end, end, text: TokenText::None };
            self.tokens.push_back(token);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    // Tokens.

    fn fetch_stream_end(&mut self) -> Scan {
        self.unroll_indent(-1, self.pos);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.push(TokenKind::StreamEnd, self.pos, TokenText::None);
        self.stream_ended = true;
        Ok(())
    }

    fn fetch_document_indicator(&mut self, kind: TokenKind) -> Scan {
        self.unroll_indent(-1, self.pos);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.pos;
        self.pos += 3;
        self.push(kind, start, TokenText::None);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind) -> Scan {
        self.save_simple_key()?;
        self.simple_keys.push(SimpleKey::default());
        self.flow_level += 1;
        if self.flow_level > MAX_DEPTH {
            return self.error(TOO_DEEP, None);
        }
        self.simple_key_allowed = true;
        self.push_indicator(kind);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind) -> Scan {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            self.simple_keys.pop();
        }
        self.simple_key_allowed = false;
        self.push_indicator(kind);
        Ok(())
    }

    fn push_indicator(&mut self, kind: TokenKind) {
        let start = self.pos;
        self.pos += 1;
        self.push(kind, start, TokenText::None);
    }

    fn fetch_flow_entry(&mut self) -> Scan {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(TokenKind::FlowEntry);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Scan {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return self.error("a list element is not allowed here", None);
            }
            let column = self.column();
            self.roll_indent(column, None, TokenKind::BlockSequenceStart, self.pos)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(TokenKind::BlockEntry);
        Ok(())
    }

    fn fetch_key(&mut self) -> Scan {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return self.error("a map key is not allowed here", None);
            }
            let column = self.column();
            self.roll_indent(column, None, TokenKind::BlockMappingStart, self.pos)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.push_indicator(TokenKind::Key);
        Ok(())
    }

    fn fetch_value(&mut self) -> Scan {
        let last = self.simple_keys.len() - 1;
        if self.is_simple_key_valid(last)? {
            let key = self.simple_keys[last];
            let token =
                Token { kind: TokenKind::Key, start: key.at, end: key.at, text: TokenText::None };
            self.tokens.insert(key.token_number - self.tokens_parsed, token);
            let before = Some(key.token_number);
            self.roll_indent(key.column, before, TokenKind::BlockMappingStart, key.at)?;
            self.simple_keys[last].possible = false;
            self.simple_key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.simple_key_allowed {
                    return self.error("a map value is not allowed here", None);
                }
                let column = self.column();
                self.roll_indent(column, None, TokenKind::BlockMappingStart, self.pos)?;
            }
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.push_indicator(TokenKind::Value);
        Ok(())
    }
}

/// Returns where the first byte of a kind is, which hardly any text has. Whole blocks are tested without a branch, as many
/// bytes at once as the processor can.
pub(super) fn position(bytes: &[u8], is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
    const BLOCK: usize = 64;
    let mut start = 0;
    for block in bytes.chunks(BLOCK) {
        if block.iter().fold(false, |any, &b| any | is_wanted(b)) {
            return block.iter().position(|&b| is_wanted(b)).map(|offset| start + offset);
        }
        start += block.len();
    }
    None
}

/// Returns the offset of the first character that YAML does not allow in a text.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a test without branches is done for many bytes at once"
)]
pub(super) fn first_control_character(text: &str) -> Option<usize> {
    let suspicious = |b: u8| {
        (b < 0x20) & !matches!(b, b'\t' | b'\n' | b'\r') | (b == 0x7f) | matches!(b, 0xc2 | 0xef)
    };
    let mut from = 0;
    while let Some(offset) = position(&text.as_bytes()[from..], suspicious) {
        let at = from + offset;
        let character = text[at..].chars().next()?;
        match character {
            '\u{85}' | '\u{a0}'..='\u{fffd}' => {}
            _ => return Some(at),
        }
        from = at + character.len_utf8();
    }
    None
}

/// Returns the length of the line break at `at`, or 0: CR LF, CR, LF, NEL, LS, PS.
pub(crate) fn break_len(bytes: &[u8], at: usize) -> usize {
    let byte = |i: usize| bytes.get(at + i).copied().unwrap_or(0);
    match byte(0) {
        b'\n' => 1,
        b'\r' if byte(1) == b'\n' => 2,
        b'\r' => 1,
        0xc2 if byte(1) == 0x85 => 2,
        0xe2 if byte(1) == 0x80 && matches!(byte(2), 0xa8 | 0xa9) => 3,
        _ => 0,
    }
}
