//! The lines of a text, by byte offsets.

/// A text that is edited line by line.
#[derive(Clone, Copy)]
pub(super) struct Lines<'t> {
    pub(super) text: &'t str,
    /// The line break that the text uses.
    pub(super) line_break: &'static str,
}

const BREAKS: [char; 2] = ['\n', '\r'];

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let first = text.find(BREAKS).map_or("", |at| &text[at..]);
        let line_break = if first.starts_with("\r\n") {
            "\r\n"
        } else if first.starts_with('\r') {
            "\r"
        } else {
            "\n"
        };
        Self { text, line_break }
    }

    /// Returns where the line of an offset begins, behind a byte order mark.
    pub(super) fn start(&self, at: usize) -> usize {
        match self.text[..at].rfind(BREAKS) {
            Some(found) => found + 1,
            None if self.text.starts_with('\u{feff}') => '\u{feff}'.len_utf8().min(at),
            None => 0,
        }
    }

    /// Returns where the line of an offset ends, before its line break.
    pub(super) fn end(&self, at: usize) -> usize {
        self.text[at..].find(BREAKS).map_or(self.text.len(), |found| at + found)
    }

    /// Returns where the next line begins; the end of the text if there is none.
    pub(super) fn next(&self, at: usize) -> usize {
        let end = self.end(at);
        let rest = &self.text[end..];
        end + if rest.starts_with("\r\n") { 2 } else { rest.len().min(1) }
    }

    /// Returns where the line before this one begins. `start`: where a line begins.
    pub(super) fn previous(&self, start: usize) -> Option<usize> {
        let before = self.text[..start].strip_suffix(BREAKS)?;
        let before =
            if self.text[..start].ends_with("\r\n") { &before[..before.len() - 1] } else { before };
        Some(self.start(before.len()))
    }

    /// Returns the number of columns before an offset on its line.
    pub(super) fn column(&self, at: usize) -> usize {
        self.text[self.start(at)..at].chars().count()
    }

    /// Returns whether nothing but spaces stands before an offset on its line.
    pub(super) fn is_first(&self, at: usize) -> bool {
        self.text[self.start(at)..at].bytes().all(|b| b == b' ')
    }

    /// Returns the line that begins at an offset, without its line break.
    pub(super) fn line(&self, start: usize) -> &'t str {
        &self.text[start..self.end(start)]
    }

    /// Returns whether the line that begins at an offset holds a comment and nothing else.
    pub(super) fn is_comment(&self, start: usize) -> bool {
        self.line(start).trim_start_matches([' ', '\t']).starts_with('#')
    }

    /// Returns whether the line that begins at an offset is empty.
    pub(super) fn is_blank(&self, start: usize) -> bool {
        self.line(start).trim().is_empty()
    }

    /// Returns where the comment lines begin that stand right above a line, not above `limit`.
    pub(super) fn comments_above(&self, start: usize, limit: usize) -> usize {
        let mut found = start;
        while let Some(line) = self.previous(found)
            && line >= limit
            && self.is_comment(line)
        {
            found = line;
        }
        found
    }

    /// Returns whether the text behind an offset is at its end.
    pub(super) fn is_end(&self, at: usize) -> bool {
        at >= self.text.len()
    }
}

/// Returns lines as a text, each indented, with a line break behind each. Empty lines stay empty.
pub(super) fn indented(lines: &[String], column: usize, line_break: &str) -> String {
    let mut out = String::new();
    for line in lines {
        push_line(&mut out, line, column);
        out.push_str(line_break);
    }
    out
}

/// Returns lines as a text that goes on behind what stands on the line already.
pub(super) fn continued(lines: &[String], column: usize, line_break: &str) -> String {
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        if index == 0 {
            out.push_str(line);
        } else {
            out.push_str(line_break);
            push_line(&mut out, line, column);
        }
    }
    out
}

fn push_line(out: &mut String, line: &str, column: usize) {
    if !line.is_empty() {
        out.extend(std::iter::repeat_n(' ', column));
        out.push_str(line);
    }
}

/// Returns lines without the indentation that they have in common, up to `column`.
pub(super) fn dedented(lines: &[&str], column: usize) -> Vec<String> {
    let dedent = |line: &&str| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        line[indent.min(column)..].trim_end_matches('\r').to_owned()
    };
    lines.iter().map(dedent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_start_and_an_end() {
        let lines = Lines::new("\u{feff}a: b\r\n  c\r\n\r\nd");
        assert_eq!(lines.line_break, "\r\n");
        assert_eq!((lines.start(5), lines.end(5), lines.next(5)), (3, 7, 9));
        assert_eq!((lines.column(4), lines.column(11), lines.is_first(11)), (1, 2, true));
        assert_eq!(
            (lines.previous(9), lines.previous(3), lines.previous(16)),
            (Some(3), None, Some(14))
        );
        assert!(lines.is_end(lines.next(16)));
    }

    #[test]
    fn comments_right_above_a_line_are_found() {
        let text = "# a\n\n# b\n  # c\nd: 1\n";
        let lines = Lines::new(text);
        let line = text.find('d').unwrap();
        assert_eq!(lines.comments_above(line, 0), 5);
        assert_eq!(lines.comments_above(line, 9), 9);
    }
}
