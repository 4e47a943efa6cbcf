//! Regular expressions in Go's syntax, rewritten for the engine at hand.
//!
//! Comes in: a pattern as Go's `regexp` package reads it (`regexp/syntax`). Goes out: a pattern of the same meaning in the
//! syntax of `regex_lite`, in which nothing is left to interpretation, or why Go refuses it. Nobody asks what a group has
//! matched, so all groups become nameless. What differs from other dialects:
//!
//! - A repetition of a repetition (`a**`) is refused, and so is one of more than a thousand.
//! - `{` that begins no repetition is a character, `\Q...\E` quotes, and `\07` is octal.
//! - Inside a class, `[`, `&` and `~` have no meaning of their own, and after `\d` neither has `-`.

use std::fmt::Write as _;

use regex_syntax::hir::{Class, HirKind};

/// What a repetition may add up to, nested ones multiplied.
const MAX_REPEAT: u32 = 1000;

/// What a closed part of a pattern is, as far as what follows it needs to know.
struct Piece {
    /// Where it begins in the output.
    start: usize,
    /// How often its most repeated part is repeated.
    repeats: u32,
}

/// A group that is not closed yet.
#[derive(Default)]
struct Group {
    /// Where it begins in the output.
    start: usize,
    /// The last piece, which a repetition would be for.
    last: Option<Piece>,
    /// How often the most repeated piece is repeated.
    repeats: u32,
}

struct Translator<'p> {
    rest: &'p str,
    out: String,
    groups: Vec<Group>,
}

/// Rewrites a pattern.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut translator =
        Translator { rest: pattern, out: String::new(), groups: vec![Group::default()] };
    translator.pattern()?;
    Ok(translator.out)
}

impl Translator<'_> {
    fn pattern(&mut self) -> Result<(), String> {
        // The repetition that was just read, as it is written.
        let mut repetition: Option<&str> = None;
        while let Some(c) = self.rest.chars().next() {
            let before = self.rest;
            let mut repeated = None;
            match c {
                '(' if before.starts_with("(?") => self.open_special()?,
                '(' => {
                    self.advance(1);
                    self.open("(?:");
                }
                '|' => {
                    self.advance(1);
                    self.out.push('|');
                    self.group().last = None;
                }
                ')' => {
                    self.advance(1);
                    self.close()?;
                }
                '^' | '$' | '.' => {
                    self.advance(1);
                    self.piece(|out| out.push(c));
                }
                '[' => self.class()?,
                '*' | '+' | '?' => {
                    self.advance(1);
                    self.repeat(&before[..1], before, repetition, 1)?;
                    repeated = Some(before);
                }
                '{' => match repeat_bounds(before) {
                    Some((low, high, length)) => {
                        let too_large = low > MAX_REPEAT || high.is_some_and(|h| h > MAX_REPEAT);
                        if too_large || high.is_some_and(|h| h < low) {
                            return Err(format!(
                                "the repeat count `{}` is invalid",
                                &before[..length]
                            ));
                        }
                        self.advance(length);
                        self.repeat(&before[..length], before, repetition, high.unwrap_or(low))?;
                        repeated = Some(before);
                    }
                    None => self.literal()?,
                },
                '\\' => self.escape()?,
                _ => self.literal()?,
            }
            repetition = repeated;
        }
        if self.groups.len() > 1 { Err("a `)` is missing".to_owned()) } else { Ok(()) }
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.advance(c.len_utf8());
        Some(c)
    }

    fn group(&mut self) -> &mut Group {
        self.groups.last_mut().expect("the outermost group is never closed")
    }

    /// Writes a piece that is repeated once.
    fn piece(&mut self, write: impl FnOnce(&mut String)) {
        let start = self.out.len();
        write(&mut self.out);
        let group = self.group();
        group.last = Some(Piece { start, repeats: 1 });
        group.repeats = group.repeats.max(1);
    }

    fn literal(&mut self) -> Result<(), String> {
        let c = self.next().ok_or("a character is missing")?;
        self.piece(|out| push_literal(out, c));
        Ok(())
    }

    fn open(&mut self, opening: &str) {
        let start = self.out.len();
        self.out.push_str(opening);
        self.groups.push(Group { start, ..Group::default() });
    }

    fn close(&mut self) -> Result<(), String> {
        if self.groups.len() < 2 {
            return Err("found a `)` that closes nothing".to_owned());
        }
        self.out.push(')');
        if let Some(closed) = self.groups.pop() {
            let repeats = closed.repeats.max(1);
            let group = self.group();
            group.repeats = group.repeats.max(repeats);
            group.last = Some(Piece { start: closed.start, repeats });
        }
        Ok(())
    }

    /// Reads `(?P<name>`, `(?<name>`, `(?flags:` or `(?flags)`.
    fn open_special(&mut self) -> Result<(), String> {
        let text = self.rest;
        if let Some(name) = text.strip_prefix("(?P<").or_else(|| text.strip_prefix("(?<")) {
            let end = name.find('>').unwrap_or(0);
            let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            if end == 0 || !name[..end].bytes().all(is_word) {
                return Err(format!("`{text}` begins with no valid name of a group"));
            }
            self.advance(text.len() - name.len() + end + 1);
            self.open("(?:");
            return Ok(());
        }
        let flags = &text[2..];
        let end = flags.find(|c| !matches!(c, 'i' | 'm' | 's' | 'U' | '-')).unwrap_or(flags.len());
        let sign = flags[..end].find('-');
        let refused = sign.is_some_and(|at| at + 1 == end || flags[at + 1..end].contains('-'));
        match flags[end..].chars().next() {
            Some(':') if !refused => {
                self.advance(2 + end + 1);
                self.open(&text[..=2 + end]);
            }
            Some(')') if !refused => {
                self.advance(2 + end + 1);
                if end > 0 {
                    self.out.push_str(&text[..=2 + end]);
                }
            }
            other => {
                let end = end + other.map_or(0, char::len_utf8);
                return Err(format!("`{}` is not supported", &text[..2 + end]));
            }
        }
        Ok(())
    }

    /// Repeats the last piece. `before`: the rest of the pattern from the operator on; `earlier`: the same for the operator
    /// right before this one.
    fn repeat(
        &mut self,
        operator: &str,
        before: &str,
        earlier: Option<&str>,
        count: u32,
    ) -> Result<(), String> {
        let lazy = self.rest.starts_with('?');
        if lazy {
            self.advance(1);
        }
        let here = &before[..before.len() - self.rest.len()];
        if let Some(earlier) = earlier {
            let both = &earlier[..earlier.len() - self.rest.len()];
            return Err(format!("`{both}` repeats a repetition"));
        }
        let Some(piece) = self.group().last.as_mut() else {
            return Err(format!("`{here}` repeats nothing"));
        };
        let start = piece.start;
        if operator.starts_with('{') {
            // `{0}` drops what it repeats, so nothing there counts.
            piece.repeats = if count == 0 { 1 } else { piece.repeats.saturating_mul(count) };
            if count >= 2 && piece.repeats > MAX_REPEAT {
                return Err(format!("the repeat count `{here}` is invalid"));
            }
        }
        let repeats = piece.repeats;
        let group = self.group();
        group.repeats = group.repeats.max(repeats);
        // What stands between the piece and its operator, flags or nothing, does not matter.
        self.out.insert_str(start, "(?:");
        self.out.push(')');
        self.out.push_str(operator);
        if lazy {
            self.out.push('?');
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        let rest = self.rest;
        match rest[1..].chars().next() {
            Some(c @ ('A' | 'b' | 'B' | 'z')) => {
                self.advance(2);
                self.piece(|out| out.extend(['\\', c]));
            }
            Some('Q') => {
                let quoted = &rest[2..];
                let end = quoted.find("\\E");
                for c in quoted[..end.unwrap_or(quoted.len())].chars() {
                    self.piece(|out| push_literal(out, c));
                }
                self.rest = end.map_or("", |end| &quoted[end + 2..]);
            }
            _ => {
                let mut class = String::new();
                if self.class_escape(&mut class)? {
                    self.piece(|out| _ = write!(out, "[{class}]"));
                } else {
                    let c = self.escaped_char()?;
                    self.piece(|out| push_literal(out, c));
                }
            }
        }
        Ok(())
    }

    /// Reads `\d`, `\pL` and their like, as what stands between the brackets of a class. False if it is none.
    fn class_escape(&mut self, out: &mut String) -> Result<bool, String> {
        let Some(letter) = self.rest.strip_prefix('\\').and_then(|r| r.chars().next()) else {
            return Ok(false);
        };
        out.push_str(match letter {
            'd' => "0-9",
            'D' => "\\x00-/:-\\x{10FFFF}",
            's' => "\\t\\n\\f\\r ",
            'S' => "\\x00-\\x08\\x0B\\x0E-\\x1F!-\\x{10FFFF}",
            'w' => "0-9A-Za-z_",
            'W' => "\\x00-/:-@\\[-\\^`\\{-\\x{10FFFF}",
            'p' | 'P' => return self.unicode_class(letter == 'P', out).map(|()| true),
            _ => return Ok(false),
        });
        self.advance(2);
        Ok(true)
    }

    fn unicode_class(&mut self, negated: bool, out: &mut String) -> Result<(), String> {
        let text = self.rest;
        let invalid = |part: &str| format!("`{part}` is no class of characters");
        let name = match text[2..].chars().next() {
            Some('{') => {
                let end = text.find('}').ok_or_else(|| invalid(text))?;
                self.advance(end + 1);
                &text[3..end]
            }
            Some(c) => {
                self.advance(2 + c.len_utf8());
                &text[2..2 + c.len_utf8()]
            }
            None => return Err(invalid(text)),
        };
        let part = &text[..text.len() - self.rest.len()];
        let (name, negated) = match name.strip_prefix('^') {
            Some(name) => (name, !negated),
            None => (name, negated),
        };
        push_unicode_class(name, negated, out).ok_or_else(|| invalid(part))
    }

    /// Reads an escape that stands for one character.
    fn escaped_char(&mut self) -> Result<char, String> {
        let text = self.rest;
        self.advance(1);
        let escaped = self.next().ok_or("the pattern ends with a `\\`")?;
        let found = match escaped {
            '0' => Some(self.octal(0)),
            '1'..='7' if self.rest.starts_with(|c| matches!(c, '0'..='7')) => {
                Some(self.octal(u32::from(escaped) - u32::from('0')))
            }
            'x' => self.hexadecimal(),
            'a' => Some(7),
            'f' => Some(12),
            'n' => Some(10),
            'r' => Some(13),
            't' => Some(9),
            'v' => Some(11),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(u32::from(c)),
            _ => None,
        };
        let part = &text[..text.len() - self.rest.len()];
        let c = found.and_then(char::from_u32);
        c.ok_or_else(|| format!("`{part}` is no escape sequence"))
    }

    /// Reads up to two more octal digits.
    fn octal(&mut self, first: u32) -> u32 {
        let mut value = first;
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else { break };
            value = value * 8 + digit;
            self.advance(1);
        }
        value
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let (digits, end) = match self.rest.strip_prefix('{') {
            Some(rest) => {
                let digits = &rest[..rest.find('}')?];
                (digits, digits.len() + 2)
            }
            None => (self.rest.get(..2)?, 2),
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.advance(end);
        u32::from_str_radix(digits, 16).ok()
    }

    fn class(&mut self) -> Result<(), String> {
        let text = self.rest;
        self.advance(1);
        let mut class = String::from("[");
        if self.rest.starts_with('^') {
            self.advance(1);
            class.push('^');
        }
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            first = false;
            if let Some(named) =
                self.rest.strip_prefix("[:").and_then(|r| Some(&r[..r.find(":]")?]))
            {
                if !is_named_class(named) {
                    return Err(format!("`[:{named}:]` is no class of characters"));
                }
                _ = write!(class, "[:{named}:]");
                self.advance(named.len() + 4);
                continue;
            }
            if self.class_escape(&mut class)? {
                continue;
            }
            let start = self.rest;
            let low = self.class_char(text)?;
            push_literal(&mut class, low);
            if self.rest.starts_with('-') && self.rest.len() > 1 && !self.rest.starts_with("-]") {
                self.advance(1);
                let high = self.class_char(text)?;
                if high < low {
                    let range = &start[..start.len() - self.rest.len()];
                    return Err(format!("the range `{range}` is empty"));
                }
                class.push('-');
                push_literal(&mut class, high);
            }
        }
        self.advance(1);
        class.push(']');
        self.piece(|out| out.push_str(&class));
        Ok(())
    }

    fn class_char(&mut self, class: &str) -> Result<char, String> {
        match self.rest.chars().next() {
            None => Err(format!("a `]` is missing for `{class}`")),
            Some('\\') => self.escaped_char(),
            Some(c) => {
                self.advance(c.len_utf8());
                Ok(c)
            }
        }
    }
}

fn push_literal(out: &mut String, c: char) {
    if matches!(
        c,
        '\\' | '.'
            | '+'
            | '*'
            | '?'
            | '('
            | ')'
            | '|'
            | '['
            | ']'
            | '{'
            | '}'
            | '^'
            | '$'
            | '#'
            | '&'
            | '-'
            | '~'
    ) {
        out.push('\\');
    }
    out.push(c);
}

/// Reads `{n}`, `{n,}` or `{n,m}`: the bounds and the length. A bound that is too large for a number is one that is too
/// large to be allowed.
fn repeat_bounds(text: &str) -> Option<(u32, Option<u32>, usize)> {
    let end = text.find('}')?;
    let body = &text[1..end];
    let number = |digits: &str| {
        let leading_zero = digits.len() > 1 && digits.starts_with('0');
        let fits =
            !digits.is_empty() && !leading_zero && digits.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| digits.parse().unwrap_or(u32::MAX))
    };
    let (low, high) = match body.split_once(',') {
        None => (number(body)?, Some(number(body)?)),
        Some((low, "")) => (number(low)?, None),
        Some((low, high)) => (number(low)?, Some(number(high)?)),
    };
    Some((low, high, end + 1))
}

fn is_named_class(name: &str) -> bool {
    matches!(
        name.strip_prefix('^').unwrap_or(name),
        "alnum"
            | "alpha"
            | "ascii"
            | "blank"
            | "cntrl"
            | "digit"
            | "graph"
            | "lower"
            | "print"
            | "punct"
            | "space"
            | "upper"
            | "word"
            | "xdigit"
    )
}

/// Writes the characters of a Unicode category or script.
fn push_unicode_class(name: &str, negated: bool, out: &mut String) -> Option<()> {
    let sign = if negated { 'P' } else { 'p' };
    let find = |property: &str| {
        let class = format!("\\{sign}{{{property}{name}}}");
        Some(regex_syntax::Parser::new().parse(&class).ok()?.into_kind())
    };
    let is_name = name.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b' '));
    match find("gc=").or_else(|| find("sc=")).filter(|_| is_name && !name.is_empty())? {
        HirKind::Class(Class::Unicode(class)) => {
            for range in class.ranges() {
                push_literal(out, range.start());
                out.push('-');
                push_literal(out, range.end());
            }
        }
        HirKind::Literal(literal) => {
            for c in std::str::from_utf8(&literal.0).ok()?.chars() {
                push_literal(out, c);
            }
        }
        _ => {}
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_rewritten() {
        let cases = [
            ("app", "app"),
            ("a+b", "(?:a)+b"),
            ("(?P<n>a)(?i)*", "(?:(?:a)(?i))*"),
            ("[[a]", "[\\[a]"),
            ("\\Qa.b", "a\\.b"),
            ("[\\d-a]", "[0-9\\-a]"),
            ("\\07x{", "\u{7}x\\{"),
            ("a{01}", "a\\{01\\}"),
            ("(a{100}){10}", "(?:(?:(?:a){100})){10}"),
        ];
        for (pattern, want) in cases {
            assert_eq!(translate(pattern).as_deref(), Ok(want), "{pattern}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        let refused = [
            "a**",
            "a+?*",
            "a{2}{3}",
            "a{1001}",
            "a{2,1}",
            "(a{100}){11}",
            "(?x)a",
            "(?-)",
            "(?<é>a)",
            "\\u0041",
            "\\8",
            "\\1",
            "\\C",
            "a\\",
            "[a",
            "[b-a]",
            "[[:foo:]]",
            "\\p{foo}",
            "a(",
            "a)",
            "*",
            "a|*",
            "(?=a)",
        ];
        for pattern in refused {
            assert!(translate(pattern).is_err(), "{pattern}");
        }
    }
}
