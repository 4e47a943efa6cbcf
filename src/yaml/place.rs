//! Where tokens end, and where the characters of a scalar stand.
//!
//! The tree keeps one position per node. What a report needs beyond that is read from the text again.

use super::scalar::Dialect;
use super::scan::{Scanner, TokenKind};

/// Returns the offset behind the token that begins at `at`, for a label that underlines it.
pub(crate) fn token_end(text: &str, at: usize) -> usize {
    let Some(rest) = text.get(at..) else { return at };
    let line = rest.find(['\n', '\r']).unwrap_or(rest.len());
    let quoted = rest.starts_with(['"', '\'']);
    let token = quoted.then(|| Scanner::new(rest, Dialect::V3).next().ok()).flatten();
    let end = match token {
        Some(token) if matches!(token.kind, TokenKind::Scalar(_)) => token.end,
        _ => {
            let word = &rest[..line];
            let stop = word.find([' ', ',', ']', '}']).unwrap_or(line);
            word[..stop].trim_end_matches(':').len()
        }
    };
    at + end.max(1).min(rest.len())
}

/// Returns where the stretches of a scalar's text stand in the source that it is written in: pairs of an offset in the
/// text and an offset in the source. `at` is where the scalar begins.
pub(crate) fn scalar_segments(source: &str, at: usize, text: &str) -> Vec<(u32, u32)> {
    let Some(rest) = source.get(at..) else { return vec![(0, at as u32)] };
    let mut scanner = Scanner::new(rest, Dialect::V2);
    scanner.segments = Some(Vec::new());
    while let Ok(token) = scanner.next() {
        match token.kind {
            TokenKind::Scalar(_) if token.text.as_str() == text => {
                let mut found = scanner.segments.take().unwrap_or_default();
                if found.first().is_none_or(|&(own, _)| own > 0) {
                    // The text begins with line breaks, which no line of the source stands for.
                    found.insert(0, (0, 0));
                }
                return found.into_iter().map(|(own, source)| (own, source + at as u32)).collect();
            }
            TokenKind::BlockMappingStart | TokenKind::Key | TokenKind::Anchor | TokenKind::Tag => {}
            _ => break,
        }
    }
    // Not read the same way alone: every line leads to where the scalar begins.
    let lines = text
        .bytes()
        .enumerate()
        .filter(|&(_, b)| b == b'\n')
        .map(|(i, _)| (i as u32 + 1, at as u32));
    std::iter::once((0, at as u32)).chain(lines).collect()
}

/// Returns the offset behind the scalar that begins at `at` and has this text.
pub(crate) fn scalar_end(source: &str, at: usize, text: &str) -> usize {
    let Some(rest) = source.get(at..) else { return at };
    let end = match rest.chars().next() {
        Some('"' | '\'') => return token_end(source, at),
        Some('|' | '>') => block_end(rest),
        _ => plain_end(rest, text),
    };
    at + end
}

/// A block scalar ends before the first line with less indentation than its first line.
fn block_end(rest: &str) -> usize {
    let mut end = rest.find('\n').map_or(rest.len(), |at| at + 1);
    let mut indent = None;
    for line in rest[end..].split_inclusive('\n') {
        let content = line.trim_start_matches(' ');
        if !content.trim().is_empty() {
            let own = line.len() - content.len();
            if own < *indent.get_or_insert(own) || own == 0 {
                break;
            }
        }
        end += line.len();
    }
    rest[..end].trim_end().len()
}

/// The words of a plain scalar stand in its source, on one line or on several.
fn plain_end(rest: &str, text: &str) -> usize {
    let mut end = 0;
    for word in text.split_whitespace() {
        let behind = &rest[end..];
        let blank = behind.len() - behind.trim_start().len();
        if !behind[blank..].starts_with(word) {
            break;
        }
        end += blank + word.len();
    }
    end
}

/// Returns where the content of a second document of a stream begins. Markers count at the start of a line, whatever
/// stands there, as they do in YAML.
pub(crate) fn second_document(text: &str) -> Option<usize> {
    let (mut offset, mut has_first, mut is_behind) = (0, false, false);
    for line in text.split_inclusive('\n') {
        let marker = ["---", "..."].into_iter().find_map(|marker| {
            line.strip_prefix(marker)
                .filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
        });
        let content = marker.unwrap_or(line).trim();
        is_behind |= marker.is_some() && has_first;
        if !content.is_empty() && !content.starts_with(['#', '%']) {
            if is_behind {
                return Some(offset + line.len() - line.trim_start().len());
            }
            has_first = true;
        }
        offset += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_document_is_found() {
        assert_eq!(second_document("a: 1\n"), None);
        assert_eq!(second_document("# x\n---\na: 1\n---\n# no\n"), None);
        assert_eq!(second_document("a: 1\n--- # x\nb: 2\n"), Some(13));
        assert_eq!(second_document("a: |\n  ---\n  b\n"), None);
        assert_eq!(second_document("a: 1\n...\nb: 2\n"), Some(9));
    }

    #[test]
    fn tokens_end_where_they_end() {
        let end = |text: &str, at| token_end(text, at);
        assert_eq!(end("a: b c\n", 3), 4);
        assert_eq!(end("a: 'b c' # x", 3), 8);
        assert_eq!(end("[a, b]", 1), 2);
        assert_eq!(end("key: x", 0), 3);
        assert_eq!(end("a", 1), 1);
    }

    #[test]
    fn scalars_end_where_they_end() {
        let end = |text: &str, at, scalar: &str| text[at..scalar_end(text, at, scalar)].to_owned();
        assert_eq!(end("a: b c # x\n", 3, "b c"), "b c");
        assert_eq!(end("a: b\n   c\nd: e\n", 3, "b c"), "b\n   c");
        assert_eq!(end("a: 'b c' # x", 3, "b c"), "'b c'");
        assert_eq!(end("a: |\n  b\n\n  c\nd: e\n", 3, "b\n\nc\n"), "|\n  b\n\n  c");
        assert_eq!(end("- >-\n  b\n- c\n", 2, "b"), ">-\n  b");
        assert_eq!(end("a:\nb: c\n", 3, ""), "");
    }

    #[test]
    fn lines_of_a_block_lead_to_their_source() {
        let source = "patch: |-\n  - op: add\n    path: /a\nnext: 1\n";
        let segments = scalar_segments(source, 7, "- op: add\n  path: /a");
        assert_eq!(segments, [(0, 12), (10, 24)]);
        assert_eq!(scalar_segments("|\n\n  a\n", 0, "\na\n"), [(0, 0), (1, 5)]);
        let source = "k: \"a\\tb\"\n";
        assert_eq!(scalar_segments(source, 3, "a\tb"), [(0, 4), (2, 7)]);
    }
}
