//! Comments: passed over, or collected for a reader that keeps them.
//!
//! go-yaml v3 gives every comment to a token while it scans. What follows a token on its line is a line comment. A run
//! of whole-line comments is the head of the next token, unless an empty line, a smaller indentation or a closing
//! bracket behind it makes it the foot of what stands before. The rules look at lines, columns and line breaks in ways
//! of their own (a CR LF counts as two breaks in the search for the next comment), and kustomize prints their outcome,
//! so they are kept to the letter.

use std::ops::Range;

use super::{Scanner, TokenKind, break_len, is_blank};
use crate::yaml::Dialect;

/// How far, in bytes, go-yaml looks for the next comment over white space.
const LOOKAHEAD: usize = 512;

/// Where a comment stands in relation to its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommentKind {
    /// On lines of its own before the token.
    Head,
    /// Behind the token, on its line.
    Line,
    /// On lines of its own behind the token.
    Foot,
}

/// One or more lines of comment that go together.
#[derive(Clone, Debug)]
pub(crate) struct Comment {
    pub(crate) kind: CommentKind,
    /// The lines, each with its `#`.
    pub(crate) text: String,
    /// The comment is for the first token that begins here or later.
    owner: usize,
    start: Place,
    /// The stretch of text that was searched when the comment was found; empty for one on the line of a token.
    searched: Range<usize>,
}

/// A position; the column counts from 1 for comments on lines of their own.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    at: usize,
    line: usize,
    column: usize,
}

/// Where the scanner began to look for a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct SearchStart {
    pub(super) at: usize,
    pub(super) line: usize,
}

impl<'t> Scanner<'t> {
    /// Returns a scanner that collects comments, in the dialect of go-yaml v3.
    pub(crate) fn with_comments(text: &'t str) -> Self {
        let mut scanner = Self::new(text, Dialect::V3);
        scanner.comments = Some(std::collections::VecDeque::new());
        scanner
    }

    /// Takes the next comment for a token that begins at `start`. A head comment is not for the end of a block and
    /// waits for what follows it.
    pub(crate) fn next_comment(&mut self, token: TokenKind, start: usize) -> Option<Comment> {
        let comments = self.comments.as_mut()?;
        let first = comments.front()?;
        let waits = token == TokenKind::BlockEnd && first.kind == CommentKind::Head;
        if first.owner > start || waits { None } else { comments.pop_front() }
    }

    /// Returns whether a comment follows a position on its line.
    pub(crate) fn has_comment_behind(&self, at: usize) -> bool {
        let rest = &self.bytes[at..];
        let blanks = rest.iter().take_while(|&&b| is_blank(b)).count();
        blanks > 0 && rest.get(blanks) == Some(&b'#')
    }

    pub(super) fn skip_to_line_end(&mut self) {
        while !self.is_break_or_end(0) {
            self.pos += 1;
        }
    }

    /// Returns how many line breaks stand between the last visible character and the current position.
    fn breaks_behind(&self) -> usize {
        let mut breaks = 0;
        let mut rest = &self.bytes[..self.pos];
        loop {
            rest = match rest {
                [rest @ .., b' ' | b'\t'] => rest,
                [rest @ .., b'\r', b'\n']
                | [rest @ .., b'\n' | b'\r']
                | [rest @ .., 0xc2, 0x85]
                | [rest @ .., 0xe2, 0x80, 0xa8 | 0xa9] => {
                    breaks += 1;
                    rest
                }
                _ => return breaks,
            };
        }
    }

    /// Moves past a comment and, as go-yaml v3 does, past the white space and comments on the lines that follow it.
    pub(super) fn skip_comments(&mut self) {
        self.skip_to_line_end();
        if self.dialect == Dialect::V2 {
            return;
        }
        loop {
            let mut ahead = 0;
            while ahead < LOOKAHEAD {
                let breaks = self.break_len(ahead);
                match self.byte(ahead) {
                    b' ' | b'\t' => ahead += 1,
                    _ if breaks > 0 => ahead += breaks,
                    _ => break,
                }
            }
            if ahead == 0 || ahead >= LOOKAHEAD || self.byte(ahead) != b'#' {
                return;
            }
            self.skip_to(self.pos + ahead);
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
            self.skip_to_line_end();
        }
    }

    fn skip_to(&mut self, target: usize) {
        while self.pos < target {
            if self.is_break(0) { self.skip_line() } else { self.pos += 1 }
        }
    }

    /// Moves past a comment on the line of the token that was just read (go-yaml v3's `scan_line_comment`).
    #[inline]
    pub(super) fn skip_line_comment(&mut self, owner: usize) {
        if !matches!(self.byte(0), b' ' | b'\t' | b'#') || self.dialect == Dialect::V2 {
            return;
        }
        let blanks = (0..LOOKAHEAD).take_while(|&i| is_blank(self.byte(i))).count();
        if self.byte(blanks) == b'#' && self.breaks_behind() == 0 {
            self.pos += blanks;
            self.take_line_comment(owner);
        }
    }

    /// Moves past the comment at the current position, which belongs to the token at `owner`.
    pub(super) fn take_line_comment(&mut self, owner: usize) {
        let from = self.pos;
        self.skip_to_line_end();
        if let Some(comments) = &mut self.comments {
            let text = self.text[from..self.pos].to_owned();
            let start = Place { at: from, line: self.line, column: 0 };
            comments.push_back(Comment {
                kind: CommentKind::Line,
                text,
                owner,
                start,
                searched: 0..0,
            });
        }
    }

    /// Makes a comment on the line of a key the head of the list below it, once the list's first element is reached.
    pub(super) fn turn_line_comment_into_head(&mut self) {
        let mut last = self.tokens.iter().rev().map(|token| token.kind);
        if last.next() != Some(TokenKind::BlockEntry)
            || last.next() != Some(TokenKind::BlockSequenceStart)
            || self.is_break(0)
        {
            return;
        }
        let (at, line) = (self.pos, self.line);
        if let Some(comment) = self.comments.as_mut().and_then(|c| c.back_mut())
            && comment.kind == CommentKind::Line
        {
            comment.kind = CommentKind::Head;
            if comment.start.line + 1 == line {
                comment.owner = at;
            }
        }
    }

    /// Moves past the comments from the current position on, up to the next token, and collects them.
    pub(super) fn collect_comments(&mut self, search: SearchStart) {
        let (mut owner, behind_value) = self.token_before_comments();
        let breaks = self.breaks_behind();
        // A comment that begins here is the foot of what stands before it.
        let foot_line = (search.line > 0).then(|| {
            let below = breaks == 0 && self.column() > 1;
            (self.line + 1 + usize::from(below)).saturating_sub(breaks)
        });
        let indent = self.indent.max(0) as usize;
        let mut found = Vec::new();
        let mut text = String::new();
        let mut start = Place::default();
        let mut searched_from = search.at;
        let mut no_empty_line_yet = breaks <= 1;
        let mut after_empty_line = false;
        let (mut line, mut column) = (self.line, self.column());
        let mut ahead = 0;
        let mut comment = |kind, text: &mut String, owner, start, searched| {
            if !text.is_empty() {
                found.push(Comment { kind, text: std::mem::take(text), owner, start, searched });
            }
        };
        while ahead < LOOKAHEAD {
            column += 1;
            let here = self.pos + ahead;
            let byte = self.byte(ahead);
            let closes_flow = self.flow_level > 0 && matches!(byte, b']' | b'}');
            let is_break = break_len(self.bytes, here) > 0;
            let dedented = start.column <= indent;
            if is_blank(byte) {
                ahead += 1;
                continue;
            }
            if closes_flow || is_break || byte == 0 {
                let belongs_above = Some(start.line) == foot_line && !behind_value || dedented;
                if closes_flow || !after_empty_line && no_empty_line_yet && belongs_above {
                    if !text.is_empty() {
                        let owned_by = if dedented { start.at } else { owner };
                        comment(CommentKind::Foot, &mut text, owned_by, start, searched_from..here);
                        (searched_from, owner) = (here, here);
                    }
                } else if !after_empty_line && !text.is_empty() && byte != 0 {
                    text.push('\n');
                }
                if !is_break {
                    break;
                }
                (no_empty_line_yet, after_empty_line) = (false, true);
                (line, column) = (line + 1, 0);
                ahead += 1;
                continue;
            }
            if !text.is_empty() && column <= indent && column != start.column {
                comment(CommentKind::Foot, &mut text, owner, start, searched_from..here);
                (searched_from, owner) = (here, here);
            }
            if byte != b'#' {
                break;
            }
            if text.is_empty() {
                start = Place { at: here, line, column };
            } else {
                text.push('\n');
            }
            after_empty_line = false;
            self.skip_to(here);
            self.skip_to_line_end();
            text.push_str(&self.text[here..self.pos]);
            // The search goes on behind the line break, whatever its first byte is.
            (line, column, ahead) = (self.line, 0, 1);
        }
        let searched = searched_from..(self.pos + ahead).saturating_sub(1);
        comment(CommentKind::Head, &mut text, start.at, start, searched);
        if let Some(comments) = &mut self.comments {
            comments.append(&mut found.into());
        }
    }

    /// Returns where the token begins whose foot a comment may be, and whether it is a `:`.
    fn token_before_comments(&self) -> (usize, bool) {
        let mut last = self.tokens.iter().rev();
        let token = match last.next() {
            Some(token) if token.kind == TokenKind::FlowEntry => last.next(),
            other => other,
        };
        token.map_or((0, false), |t| (t.start, t.kind == TokenKind::Value))
    }

    /// Returns where a block ends: before comments at its own indentation that were found while looking for the next
    /// token. `from` is where the last block ended, or where the search began.
    pub(super) fn block_end(&self, from: usize) -> usize {
        let (mut end, mut stop) = (from, from);
        for comment in self.comments.iter().flatten().rev() {
            if comment.searched.end < stop {
                break;
            }
            if comment.start.column as isize == self.indent + 1 {
                end = comment.start.at;
            }
            stop = comment.searched.start;
        }
        end
    }

    /// Returns the offset of the character before `at`.
    pub(super) fn character_before(&self, at: usize) -> usize {
        (0..at).rev().find(|&i| self.text.is_char_boundary(i)).unwrap_or(0)
    }
}
