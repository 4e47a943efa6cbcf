//! Strict JSON, with a place on every value.
//!
//! kustomize hands a patch that begins with `[` to Go's JSON reader, which refuses what YAML would forgive. Numbers keep
//! their text; strings are double-quoted scalars.

use ecow::EcoString;

use super::parse::TOO_DEEP;
use super::{Entry, Key, MAX_DEPTH, Node, ScalarStyle, SyntaxError, Tag};
use crate::provenance::OriginId;

/// Returns the value that a JSON text holds. `base` is the global position of its first byte.
pub(crate) fn parse_json(text: &str, base: u32) -> Result<Node, SyntaxError> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, base, depth: 0 };
    reader.skip_space();
    let value = reader.value()?;
    reader.skip_space();
    if reader.at < reader.bytes.len() {
        return reader.fail("expected the end of the JSON text");
    }
    Ok(value)
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    base: u32,
    depth: usize,
}

type Read<T> = Result<T, SyntaxError>;

impl Reader<'_> {
    fn fail<T>(&self, message: &str) -> Read<T> {
        Err(SyntaxError { message: message.to_owned(), at: self.at, context: None })
    }

    fn origin(&self, at: usize) -> OriginId {
        OriginId::written(self.base + at as u32)
    }

    fn byte(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn skip_space(&mut self) {
        while matches!(self.byte(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Read<Node> {
        let start = self.at;
        match self.byte() {
            b'{' | b'[' => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return self.fail(TOO_DEEP);
                }
                let mut node = if self.byte() == b'{' { self.object()? } else { self.array()? };
                node.set_flow();
                self.depth -= 1;
                Ok(node)
            }
            b'"' => {
                let text = self.string()?;
                Ok(Node::scalar(text, ScalarStyle::DoubleQuoted, Tag::Str, self.origin(start)))
            }
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true", Tag::Bool),
            b'f' => self.word("false", Tag::Bool),
            b'n' => self.word("null", Tag::Null),
            0 => self.fail("the JSON text ends before its value does"),
            _ => self.fail("expected a JSON value"),
        }
    }

    fn word(&mut self, word: &str, tag: Tag) -> Read<Node> {
        let start = self.at;
        if !self.text[start..].starts_with(word) {
            return self.fail("expected a JSON value");
        }
        self.at += word.len();
        Ok(Node::scalar(word, ScalarStyle::Plain, tag, self.origin(start)))
    }

    fn number(&mut self) -> Read<Node> {
        let start = self.at;
        if self.byte() == b'-' {
            self.at += 1;
        }
        match self.byte() {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits()?,
            _ => return self.fail("expected a digit"),
        }
        let mut tag = Tag::Int;
        if self.byte() == b'.' {
            self.at += 1;
            self.digits()?;
            tag = Tag::Float;
        }
        if matches!(self.byte(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.byte(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
            tag = Tag::Float;
        }
        Ok(Node::scalar(&self.text[start..self.at], ScalarStyle::Plain, tag, self.origin(start)))
    }

    fn digits(&mut self) -> Read<()> {
        let start = self.at;
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start { self.fail("expected a digit") } else { Ok(()) }
    }

    fn array(&mut self) -> Read<Node> {
        let start = self.at;
        self.at += 1;
        let mut elements = Vec::new();
        loop {
            self.skip_space();
            if self.byte() == b']' && elements.is_empty() {
                break;
            }
            elements.push(self.value()?);
            self.skip_space();
            match self.byte() {
                b',' => self.at += 1,
                b']' => break,
                _ => return self.fail("expected `,` or `]`"),
            }
        }
        self.at += 1;
        Ok(Node::sequence(elements, self.origin(start)))
    }

    fn object(&mut self) -> Read<Node> {
        let start = self.at;
        self.at += 1;
        let mut entries = Vec::new();
        loop {
            self.skip_space();
            if self.byte() == b'}' && entries.is_empty() {
                break;
            }
            if self.byte() != b'"' {
                return self.fail("expected a key in double quotes");
            }
            let key_origin = self.origin(self.at);
            let key = Key::text_key(&self.string()?);
            self.skip_space();
            if self.byte() != b':' {
                return self.fail("expected `:`");
            }
            self.at += 1;
            self.skip_space();
            let value = self.value()?;
            entries.push(Entry { key, key_origin, value });
            self.skip_space();
            match self.byte() {
                b',' => self.at += 1,
                b'}' => break,
                _ => return self.fail("expected `,` or `}`"),
            }
        }
        self.at += 1;
        Ok(Node::map(entries, self.origin(start)))
    }

    fn string(&mut self) -> Read<EcoString> {
        self.at += 1;
        let start = self.at;
        let mut owned = String::new();
        let mut from = start;
        loop {
            match self.byte() {
                b'"' => break,
                b'\\' => {
                    owned.push_str(&self.text[from..self.at]);
                    let character = self.escape()?;
                    owned.push(character);
                    from = self.at;
                }
                0 if self.at >= self.bytes.len() => return self.fail("the string does not end"),
                0..=0x1f => return self.fail("a control character must be escaped"),
                _ => self.at += 1,
            }
        }
        let rest = &self.text[from..self.at];
        self.at += 1;
        if from == start {
            return Ok(rest.into());
        }
        owned.push_str(rest);
        Ok(owned.into())
    }

    fn escape(&mut self) -> Read<char> {
        self.at += 1;
        let escape = self.byte();
        self.at += 1;
        Ok(match escape {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex4()?;
                let pair =
                    (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u");
                if pair {
                    let back = self.at;
                    self.at += 2;
                    let second = self.hex4()?;
                    if (0xdc00..0xe000).contains(&second) {
                        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                        return Ok(char::from_u32(code).unwrap_or('\u{fffd}'));
                    }
                    self.at = back;
                }
                // Half of a pair reads as the replacement character.
                char::from_u32(first).unwrap_or('\u{fffd}')
            }
            _ => {
                self.at -= 1;
                return self.fail("found an unknown escape");
            }
        })
    }

    fn hex4(&mut self) -> Read<u32> {
        let digits = self.bytes.get(self.at..self.at + 4).and_then(|d| std::str::from_utf8(d).ok());
        let digits = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|d| u32::from_str_radix(d, 16).ok()) {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => self.fail("an escape needs four hexadecimal digits"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_strict() {
        for text in [r#"[{"a": [1, -2.5e3, true, null, "x\u00e9\ud83d\ude00\/"]}]"#, " {} ", "[]"] {
            assert!(parse_json(text, 1).is_ok(), "{text}");
        }
        for text in
            ["[{a: 1}]", "[1,]", "{\"a\" 1}", "01", "[1", "\"a\nb\"", "[] x", "'a'", "+1", ""]
        {
            assert!(parse_json(text, 1).is_err(), "{text}");
        }
        let node = parse_json(r#"["a\n\ud83d\ude00\ud800"]"#, 1).unwrap();
        assert_eq!(node.elements().unwrap()[0].text(), "a\n\u{1f600}\u{fffd}");
    }
}
