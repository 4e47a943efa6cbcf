//! Directives, anchors, aliases and tags.

use super::{Scan, Scanner, TokenKind, TokenText, is_blank, is_word};

impl Scanner<'_> {
    pub(super) fn fetch_directive(&mut self) -> Scan {
        self.unroll_indent(-1, self.pos);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.pos;
        let context = Some(("a directive", start));
        self.pos += 1;
        let name = self.take_word();
        if !self.is_blank_or_end(0) || name.is_empty() {
            return self.error("a directive needs a name", context);
        }
        match name.as_str() {
            "YAML" => {
                self.skip_blanks();
                let version = self.take_while(|b| b.is_ascii_digit() || b == b'.');
                let is_number = |n: &str| matches!(n.len(), 1 | 2) && !n.contains('.');
                if !version
                    .split_once('.')
                    .is_some_and(|(major, minor)| is_number(major) && is_number(minor))
                {
                    return self.error("a version is two numbers with a `.` between them", context);
                }
                self.push(TokenKind::VersionDirective, start, TokenText::Owned(version.into()));
            }
            "TAG" => {
                self.skip_blanks();
                let handle = self.scan_tag_handle(start)?;
                if handle != "!" && (handle.len() < 2 || !handle.ends_with('!')) {
                    return self.error("a tag handle ends with `!`", context);
                }
                if !is_blank(self.byte(0)) {
                    return self.error("a tag handle is followed by a blank", context);
                }
                self.skip_blanks();
                let prefix = self.scan_tag_uri("", start)?;
                if !self.is_blank_or_end(0) {
                    return self
                        .error("a tag prefix is followed by a blank or a line break", context);
                }
                self.push(
                    TokenKind::TagDirective,
                    start,
                    TokenText::Tag(Box::new((handle, prefix))),
                );
            }
            _ => return self.error("found an unknown directive", context),
        }
        self.skip_blanks();
        if self.byte(0) == b'#' {
            self.skip_to_line_end();
        }
        if !self.is_break_or_end(0) {
            return self.error("a directive ends with its line", context);
        }
        self.skip_line();
        Ok(())
    }

    fn skip_blanks(&mut self) {
        while is_blank(self.byte(0)) {
            self.pos += 1;
        }
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> String {
        let start = self.pos;
        while self.bytes.get(self.pos).is_some_and(|&b| wanted(b)) {
            self.pos += 1;
        }
        self.text[start..self.pos].to_owned()
    }

    fn take_word(&mut self) -> String {
        self.take_while(is_word)
    }

    pub(super) fn fetch_anchor(&mut self, kind: TokenKind) -> Scan {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.pos;
        self.pos += 1;
        let name = self.take_word();
        let followed = self.is_blank_or_end(0)
            || matches!(self.byte(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !followed {
            let what = if kind == TokenKind::Alias { "an alias" } else { "an anchor" };
            return self
                .error("a name holds letters, digits, `-` and `_` only", Some((what, start)));
        }
        self.push(kind, start, TokenText::Owned(name.into()));
        Ok(())
    }

    pub(super) fn fetch_tag(&mut self) -> Scan {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.pos;
        let tag = self.scan_tag(start)?;
        self.push(TokenKind::Tag, start, TokenText::Tag(Box::new(tag)));
        Ok(())
    }

    fn scan_tag(&mut self, start: usize) -> Scan<(String, String)> {
        let context = Some(("a tag", start));
        let tag = if self.byte(1) == b'<' {
            self.pos += 2;
            let uri = self.scan_tag_uri("", start)?;
            if self.byte(0) != b'>' {
                return self.error("a verbatim tag ends with `>`", context);
            }
            self.pos += 1;
            (String::new(), uri)
        } else {
            let handle = self.scan_tag_handle(start)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.scan_tag_uri("", start)?;
                (handle, suffix)
            } else {
                let suffix = self.scan_tag_uri(&handle, start)?;
                if suffix.is_empty() { (suffix, "!".to_owned()) } else { ("!".to_owned(), suffix) }
            }
        };
        if !self.is_blank_or_end(0) {
            return self.error("a tag is followed by a blank or a line break", context);
        }
        Ok(tag)
    }

    fn scan_tag_handle(&mut self, start: usize) -> Scan<String> {
        if self.byte(0) != b'!' {
            return self.error("a tag begins with `!`", Some(("a tag", start)));
        }
        self.pos += 1;
        let mut handle = format!("!{}", self.take_word());
        if self.byte(0) == b'!' {
            self.pos += 1;
            handle.push('!');
        }
        Ok(handle)
    }

    fn scan_tag_uri(&mut self, head: &str, start: usize) -> Scan<String> {
        let mut uri: Vec<u8> = head.bytes().skip(1).collect();
        let mut found = !head.is_empty();
        loop {
            match self.byte(0) {
                b'%' => uri.extend(self.scan_uri_escape(start)?),
                byte if is_word(byte) || b";/?:@&=+$,.!~*'()[]".contains(&byte) => {
                    uri.push(byte);
                    self.pos += 1;
                }
                _ => break,
            }
            found = true;
        }
        if !found {
            return self.error("a tag needs a name", Some(("a tag", start)));
        }
        String::from_utf8(uri).or_else(|_| self.error("a tag is not UTF-8", Some(("a tag", start))))
    }

    fn scan_uri_escape(&mut self, start: usize) -> Scan<Vec<u8>> {
        let mut octets = Vec::new();
        let mut wanted = 1;
        while octets.len() < wanted {
            let hex = self.bytes.get(self.pos + 1..self.pos + 3);
            let octet = hex
                .filter(|h| self.byte(0) == b'%' && h.iter().all(u8::is_ascii_hexdigit))
                .and_then(|h| std::str::from_utf8(h).ok())
                .and_then(|h| u8::from_str_radix(h, 16).ok());
            let Some(octet) = octet else {
                return self.error(
                    "an escape in a tag needs two hexadecimal digits",
                    Some(("a tag", start)),
                );
            };
            if octets.is_empty() {
                wanted = match octet {
                    0..=0x7f => 1,
                    0xc0..=0xdf => 2,
                    0xe0..=0xef => 3,
                    0xf0..=0xf7 => 4,
                    _ => {
                        return self
                            .error("an escape in a tag is not UTF-8", Some(("a tag", start)));
                    }
                };
            }
            octets.push(octet);
            self.pos += 3;
        }
        Ok(octets)
    }
}
