//! The four ways to write a scalar.

use ecow::EcoString;

use super::{Scan, ScanError, Scanner, TokenKind, TokenText, is_blank};
use crate::yaml::ScalarStyle;

/// The text of a scalar while it is read: a stretch of the source for as long as that is all it is.
struct Building<'t> {
    source: &'t str,
    borrowed: Option<(usize, usize)>,
    owned: String,
}

impl<'t> Building<'t> {
    fn new(source: &'t str) -> Self {
        Self { source, borrowed: None, owned: String::new() }
    }

    fn len(&self) -> usize {
        self.borrowed.map_or(self.owned.len(), |(start, end)| end - start)
    }

    /// Adds a stretch of the source.
    fn add(&mut self, start: usize, end: usize) {
        match self.borrowed {
            _ if start == end => {}
            None if self.owned.is_empty() => self.borrowed = Some((start, end)),
            Some((first, last)) if last == start => self.borrowed = Some((first, end)),
            _ => {
                let source = self.source;
                self.own().push_str(&source[start..end]);
            }
        }
    }

    fn own(&mut self) -> &mut String {
        if let Some((start, end)) = self.borrowed.take() {
            self.owned.push_str(&self.source[start..end]);
        }
        &mut self.owned
    }

    fn finish(mut self) -> TokenText<'t> {
        match self.borrowed.take() {
            Some((start, end)) => TokenText::Borrowed(&self.source[start..end]),
            None => TokenText::Owned(EcoString::from(self.owned)),
        }
    }
}

/// Line breaks inside a scalar: the first one, and those that follow.
#[derive(Default)]
struct Breaks {
    first: Option<&'static str>,
    more: String,
}

impl Breaks {
    /// Adds the breaks to the text as a folding scalar does: one becomes a space.
    fn fold_into(&mut self, out: &mut String) {
        match self.first.take() {
            Some("\n") if self.more.is_empty() => out.push(' '),
            Some("\n") | None => {}
            Some(other) => out.push_str(other),
        }
        out.push_str(&self.more);
        self.more.clear();
    }
}

const SEPARATORS: [&str; 3] = ["\n", "\u{2028}", "\u{2029}"];

impl Scanner<'_> {
    /// Takes a line break and returns what it means: a line feed, or the Unicode separator it is.
    fn read_break(&mut self) -> &'static str {
        let meaning = match (self.byte(0), self.byte(2)) {
            (0xe2, 0xa8) => SEPARATORS[1],
            (0xe2, _) => SEPARATORS[2],
            _ => SEPARATORS[0],
        };
        self.skip_line();
        meaning
    }

    fn note_segment(&mut self, at: usize, source: usize) {
        if let Some(segments) = &mut self.segments {
            segments.push((at as u32, source as u32));
        }
    }
}

/// Style and text of a scalar, where it ends, and where the scanner stands behind it: position and start of the line.
type FoundScalar<'t> = (ScalarStyle, TokenText<'t>, usize, (usize, usize));

impl<'t> Scanner<'t> {
    /// Reads the scalar outside flow collections that begins at `at`, on the line that begins at `line_start`, inside a block
    /// of column `indent`.
    pub(crate) fn scalar_at(
        &mut self,
        at: usize,
        line_start: usize,
        indent: isize,
    ) -> Scan<FoundScalar<'t>> {
        (self.pos, self.line_start, self.indent) = (at, line_start, indent);
        let (style, (text, end)) = match self.byte(0) {
            b'|' => (ScalarStyle::Literal, self.scan_block_scalar(true)?),
            b'>' => (ScalarStyle::Folded, self.scan_block_scalar(false)?),
            b'\'' => (ScalarStyle::SingleQuoted, (self.scan_flow_scalar(true)?, self.pos)),
            b'"' => (ScalarStyle::DoubleQuoted, (self.scan_flow_scalar(false)?, self.pos)),
            _ => (ScalarStyle::Plain, self.scan_plain_scalar()?),
        };
        Ok((style, text, end, (self.pos, self.line_start)))
    }

    pub(super) fn fetch_plain_scalar(&mut self) -> Scan {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.pos;
        let (text, end) = self.scan_plain_scalar()?;
        self.push(TokenKind::Scalar(ScalarStyle::Plain), start, text);
        if let Some(token) = self.tokens.back_mut() {
            token.end = end;
        }
        Ok(())
    }

    fn scan_plain_scalar(&mut self) -> Scan<(TokenText<'t>, usize)> {
        let start = self.pos;
        let indent = self.indent + 1;
        let mut text = Building::new(self.text);
        let mut end = start;
        let mut blanks = (start, start);
        let mut breaks = Breaks::default();
        let mut leading_blanks = false;
        loop {
            if self.pos == self.line_start && self.is_document_indicator() {
                break;
            }
            if self.byte(0) == b'#' {
                break;
            }
            let chunk = self.pos;
            self.skip_plain_characters();
            if self.pos > chunk {
                if leading_blanks {
                    breaks.fold_into(text.own());
                    leading_blanks = false;
                } else {
                    text.add(blanks.0, blanks.1);
                }
                self.note_segment(text.len(), chunk);
                text.add(chunk, self.pos);
                end = self.pos;
            }
            if !(is_blank(self.byte(0)) || self.is_break(0)) {
                break;
            }
            blanks = (self.pos, self.pos);
            loop {
                if is_blank(self.byte(0)) {
                    if leading_blanks && self.byte(0) == b'\t' && (self.column() as isize) < indent
                    {
                        let context = Some(("a plain scalar", start));
                        return self.error("a tab cannot be used for indentation", context);
                    }
                    self.pos += 1;
                    self.skip_spaces();
                    blanks.1 = self.pos;
                } else if self.is_break(0) {
                    let meaning = self.read_break();
                    if leading_blanks {
                        breaks.more.push_str(meaning);
                    } else {
                        breaks.first = Some(meaning);
                        leading_blanks = true;
                    }
                } else {
                    break;
                }
            }
            if self.flow_level == 0 && (self.column() as isize) < indent {
                break;
            }
        }
        if leading_blanks {
            self.simple_key_allowed = true;
        }
        Ok((text.finish(), end))
    }

    /// Moves to the first character that ends a run of plain text: a blank, a break, the end, or an indicator.
    fn skip_plain_characters(&mut self) {
        let flow = self.flow_level > 0;
        while let Some(&byte) = self.bytes.get(self.pos) {
            match byte {
                // Most spaces stand alone between two words.
                b' ' if self.byte(1).is_ascii_alphanumeric() => self.pos += 2,
                b' ' | b'\t' | b'\n' | b'\r' => return,
                b':' if self.is_blank_or_end(1) => return,
                b',' | b'?' | b'[' | b']' | b'{' | b'}' if flow => return,
                0xc2 | 0xe2 if self.is_break(0) => return,
                _ => self.pos += 1,
            }
        }
    }

    pub(super) fn fetch_flow_scalar(&mut self, style: ScalarStyle) -> Scan {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.pos;
        let text = self.scan_flow_scalar(style == ScalarStyle::SingleQuoted)?;
        self.push(TokenKind::Scalar(style), start, text);
        Ok(())
    }

    fn scan_flow_scalar(&mut self, single: bool) -> Scan<TokenText<'t>> {
        let start = self.pos;
        let context = Some(("a quoted scalar", start));
        let quote = if single { b'\'' } else { b'"' };
        self.pos += 1;
        let mut text = Building::new(self.text);
        loop {
            if self.pos == self.line_start && self.is_document_indicator() {
                return self.error("found a document indicator inside a quoted scalar", context);
            }
            if self.pos >= self.bytes.len() {
                return self.error("the quoted scalar does not end", context);
            }
            let mut breaks = Breaks::default();
            let mut leading_blanks = self.scan_quoted_characters(single, &mut text, start)?;
            if self.byte(0) == quote {
                break;
            }
            let blanks = self.pos;
            let mut blanks_end = self.pos;
            loop {
                if is_blank(self.byte(0)) {
                    self.pos += 1;
                    if !leading_blanks {
                        blanks_end = self.pos;
                    }
                } else if self.is_break(0) {
                    let meaning = self.read_break();
                    if leading_blanks {
                        breaks.more.push_str(meaning);
                    } else {
                        breaks.first = Some(meaning);
                        leading_blanks = true;
                    }
                } else {
                    break;
                }
            }
            if leading_blanks {
                breaks.fold_into(text.own());
            } else {
                text.add(blanks, blanks_end);
            }
        }
        self.pos += 1;
        Ok(text.finish())
    }

    /// Reads quoted text up to a blank, a break or the closing quote. Returns whether an escaped line break ended it.
    fn scan_quoted_characters(
        &mut self,
        single: bool,
        text: &mut Building<'t>,
        start: usize,
    ) -> Scan<bool> {
        self.note_segment(text.len(), self.pos);
        let mut chunk = self.pos;
        while let Some(&byte) = self.bytes.get(self.pos) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => break,
                0xc2 | 0xe2 if self.is_break(0) => break,
                b'\'' if single && self.byte(1) == b'\'' => {
                    text.add(chunk, self.pos + 1);
                    self.pos += 2;
                    chunk = self.pos;
                    text.own();
                    self.note_segment(text.len(), self.pos);
                }
                b'\'' if single => break,
                b'"' if !single => break,
                b'\\' if !single && self.is_break(1) => {
                    text.add(chunk, self.pos);
                    self.pos += 1;
                    self.skip_line();
                    return Ok(true);
                }
                b'\\' if !single => {
                    text.add(chunk, self.pos);
                    self.scan_escape(text.own(), start)?;
                    chunk = self.pos;
                    self.note_segment(text.len(), self.pos);
                }
                _ => self.pos += 1,
            }
        }
        text.add(chunk, self.pos);
        Ok(false)
    }

    fn scan_escape(&mut self, out: &mut String, start: usize) -> Scan {
        let escape = self.byte(1);
        let digits = match escape {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        if digits == 0 {
            let Some(meaning) = simple_escape(escape) else {
                return self.error("found an unknown escape", Some(("a quoted scalar", start)));
            };
            out.push(meaning);
            self.pos += 2;
            return Ok(());
        }
        let hex = self.bytes.get(self.pos + 2..self.pos + 2 + digits);
        let hex = hex.filter(|h| h.iter().all(u8::is_ascii_hexdigit));
        let Some(hex) = hex.and_then(|h| std::str::from_utf8(h).ok()) else {
            return self
                .error("an escape needs hexadecimal digits", Some(("a quoted scalar", start)));
        };
        let code = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32);
        let Some(character) = code else {
            return self
                .error("an escape names no Unicode character", Some(("a quoted scalar", start)));
        };
        out.push(character);
        self.pos += 2 + digits;
        Ok(())
    }

    pub(super) fn fetch_block_scalar(&mut self, style: ScalarStyle) -> Scan {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        let start = self.pos;
        let (text, end) = self.scan_block_scalar(style == ScalarStyle::Literal)?;
        self.push(TokenKind::Scalar(style), start, text);
        if let Some(token) = self.tokens.back_mut() {
            token.end = end;
        }
        Ok(())
    }

    fn scan_block_scalar(&mut self, literal: bool) -> Scan<(TokenText<'t>, usize)> {
        let start = self.pos;
        let context = Some(("a block scalar", start));
        self.pos += 1;
        let (chomping, increment) = self.scan_block_header(start)?;
        while is_blank(self.byte(0)) {
            self.pos += 1;
        }
        if self.byte(0) == b'#' {
            self.take_line_comment(start);
        }
        if !self.is_break_or_end(0) {
            return self.error("a block scalar begins on the next line", context);
        }
        let mut end = self.pos;
        self.skip_line();

        let mut indent = if increment > 0 { self.indent.max(0) as usize + increment } else { 0 };
        let mut text = String::new();
        let mut first_break: Option<&'static str> = None;
        let mut more_breaks = String::new();
        self.scan_block_breaks(&mut indent, &mut more_breaks, start)?;
        let mut leading_blank = false;
        while self.pos < self.bytes.len() && self.column() == indent {
            let trailing_blank = is_blank(self.byte(0));
            match first_break.take() {
                Some("\n") if !literal && !leading_blank && !trailing_blank => {
                    text.push_str(if more_breaks.is_empty() { " " } else { "" });
                }
                Some(other) => text.push_str(other),
                None => {}
            }
            text.push_str(&more_breaks);
            more_breaks.clear();
            leading_blank = is_blank(self.byte(0));
            let line = self.pos;
            self.skip_to_line_end();
            self.note_segment(text.len(), line);
            text.push_str(&self.text[line..self.pos]);
            end = self.pos;
            if self.is_break(0) {
                first_break = Some(self.read_break());
            }
            self.scan_block_breaks(&mut indent, &mut more_breaks, start)?;
        }
        if chomping != Chomping::Strip
            && let Some(first) = first_break
        {
            text.push_str(first);
        }
        if chomping == Chomping::Keep {
            text.push_str(&more_breaks);
        }
        Ok((TokenText::Owned(EcoString::from(text)), end))
    }

    fn scan_block_header(&mut self, start: usize) -> Scan<(Chomping, usize)> {
        let mut chomping = Chomping::Clip;
        let mut increment = 0;
        // Either order, each at most once.
        let mut chomping_read = false;
        loop {
            match self.byte(0) {
                sign @ (b'+' | b'-') if !chomping_read => {
                    chomping = if sign == b'+' { Chomping::Keep } else { Chomping::Strip };
                    chomping_read = true;
                }
                b'0' if increment == 0 => {
                    let context = Some(("a block scalar", start));
                    return self.error("an indentation indicator cannot be 0", context);
                }
                digit @ b'1'..=b'9' if increment == 0 => increment = usize::from(digit - b'0'),
                _ => return Ok((chomping, increment)),
            }
            self.pos += 1;
            if increment > 0 && chomping_read {
                return Ok((chomping, increment));
            }
        }
    }

    /// Takes empty lines and indentation before a line of a block scalar; finds the indentation if it is not known.
    fn scan_block_breaks(&mut self, indent: &mut usize, breaks: &mut String, start: usize) -> Scan {
        let mut widest = 0;
        loop {
            while (*indent == 0 || self.column() < *indent) && self.byte(0) == b' ' {
                self.pos += 1;
            }
            widest = widest.max(self.column());
            if (*indent == 0 || self.column() < *indent) && self.byte(0) == b'\t' {
                return self.tab_in_block_scalar(start);
            }
            if !self.is_break(0) {
                break;
            }
            breaks.push_str(self.read_break());
        }
        if *indent == 0 {
            *indent = widest.max((self.indent + 1).max(0) as usize).max(1);
        }
        Ok(())
    }

    fn tab_in_block_scalar(&self, start: usize) -> Scan {
        Err(ScanError {
            message: "found a tab where a block scalar needs spaces for indentation",
            at: self.pos,
            context: Some(("a block scalar", start)),
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Clip,
    Strip,
    Keep,
}

fn simple_escape(escape: u8) -> Option<char> {
    Some(match escape {
        b'0' => '\0',
        b'a' => '\x07',
        b'b' => '\x08',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\x0b',
        b'f' => '\x0c',
        b'r' => '\r',
        b'e' => '\x1b',
        b' ' => ' ',
        b'"' => '"',
        b'\'' => '\'',
        b'\\' => '\\',
        b'N' => '\u{85}',
        b'_' => '\u{a0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}
