//! Scalars to text, in the style asked for or the nearest one that can hold them.

use super::write::{INDENT, Writer};
use crate::yaml::scan::break_len;
use crate::yaml::text::{analyze, escape, is_printable};
use crate::yaml::view::chomping_hint;
use crate::yaml::{Dialect, ScalarStyle};

/// Whether a character ends a line in YAML 1.1.
fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

impl Writer<'_> {
    pub(super) fn scalar(&mut self, text: &str, style: ScalarStyle, simple_key: bool) {
        let before = self.indent;
        self.indent = before.max(0) + INDENT;
        match self.allowed_style(text, style, simple_key) {
            ScalarStyle::Plain => self.plain(text),
            ScalarStyle::SingleQuoted => self.single_quoted(text),
            ScalarStyle::DoubleQuoted => self.double_quoted(text),
            ScalarStyle::Literal => self.literal(text),
            ScalarStyle::Folded => self.folded(text),
        }
        self.indent = before;
    }

    fn allowed_style(&self, text: &str, style: ScalarStyle, simple_key: bool) -> ScalarStyle {
        use ScalarStyle::{DoubleQuoted, Folded, Literal, Plain, SingleQuoted};
        let traits = analyze(text, Dialect::V3);
        let flow = self.flow_level > 0;
        let plain_allowed = if flow { traits.flow_plain_allowed } else { traits.plain_allowed };
        let mut style = if simple_key && traits.multiline { DoubleQuoted } else { style };
        if style == Plain && (!plain_allowed || text.is_empty() && (flow || simple_key)) {
            style = SingleQuoted;
        }
        match style {
            SingleQuoted if !traits.single_quoted_allowed => DoubleQuoted,
            Literal | Folded if !traits.block_allowed || flow || simple_key => DoubleQuoted,
            style => style,
        }
    }

    fn plain(&mut self, text: &str) {
        if !text.is_empty() {
            self.separate();
            self.put(text);
            self.whitespace = false;
        }
        self.indention = false;
    }

    fn single_quoted(&mut self, text: &str) {
        self.separate();
        self.sign("'");
        let mut after_break = false;
        for character in text.chars() {
            if is_break(character) {
                if !after_break && character == '\n' {
                    self.line_break('\n');
                }
                self.line_break(character);
                after_break = true;
                continue;
            }
            if after_break && character != ' ' {
                self.start_line();
            }
            if character == '\'' {
                self.put_char('\'');
            }
            self.put_char(character);
            if character != ' ' {
                self.indention = false;
                after_break = false;
            }
        }
        self.sign("'");
    }

    fn double_quoted(&mut self, text: &str) {
        self.separate();
        self.sign("\"");
        let bytes = text.as_bytes();
        // go-yaml asks whether the *value* begins with a byte order mark, for every character of it.
        let escape_all = text.starts_with('\u{feff}');
        for (at, character) in text.char_indices() {
            let must_escape = escape_all
                || !is_printable(bytes, at)
                || break_len(bytes, at) > 0
                || matches!(character, '"' | '\\');
            if must_escape { self.put(&escape(character)) } else { self.put_char(character) }
        }
        self.sign("\"");
    }

    /// Writes the header of a block scalar with the comment that belongs on its line.
    fn block_header(&mut self, sign: &str, text: &str) {
        self.separate();
        self.sign(sign);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.sign("2");
        }
        self.sign(chomping_hint(text));
        if self.waiting.line.is_empty() {
            self.line_break('\n');
        } else {
            self.line_comment();
        }
        self.whitespace = true;
    }

    fn literal(&mut self, text: &str) {
        self.block_header("|", text);
        let mut after_break = true;
        for character in text.chars() {
            if is_break(character) {
                self.line_break(character);
                after_break = true;
            } else {
                if after_break {
                    self.start_line();
                }
                self.put_char(character);
                self.indention = false;
                after_break = false;
            }
        }
    }

    fn folded(&mut self, text: &str) {
        self.block_header(">", text);
        // go-yaml looks at the first character of the value where it means the next line.
        let first = text.chars().find(|&c| !is_break(c));
        let doubles_breaks = !matches!(first, Some(' ' | '\t'));
        let mut after_break = true;
        let mut indented_line = true;
        for character in text.chars() {
            if is_break(character) {
                if !after_break && !indented_line && character == '\n' && doubles_breaks {
                    self.line_break('\n');
                }
                self.line_break(character);
                after_break = true;
            } else {
                if after_break {
                    self.start_line();
                    indented_line = matches!(character, ' ' | '\t');
                }
                self.put_char(character);
                self.indention = false;
                after_break = false;
            }
        }
    }
}
