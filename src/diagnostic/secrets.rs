//! Which stretches of a text are secret, so that no report shows them.
//!
//! The text may be broken, since a report says why; it is therefore read line by line and not as YAML. Where in doubt, more
//! is masked than need be. Secret are: the values of `data` and `stringData` in documents that speak of a `Secret`, the
//! values of `literals` of `secretGenerator`, what a JSON patch puts into `/data` or `/stringData`, the literal values of
//! replacements that may reach a `Secret`, and whole files that secret generators read.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use memchr::memmem;

use crate::source::{SecretFile, SourceFile};

/// Values shorter than this are masked where they stand, but not looked for in messages: they are parts of other words.
const MIN_SEARCHED: usize = 6;

/// What is secret in a file.
#[derive(Default)]
pub(super) struct FileSecrets {
    /// The secret stretches, ascending and apart.
    pub(super) ranges: Vec<Range<usize>>,
    /// The text of the file; none if nothing in it is secret.
    text: Option<Arc<[u8]>>,
    /// The values that are looked for in messages, each once.
    searched: Vec<String>,
}

impl FileSecrets {
    pub(super) fn of(file: &SourceFile) -> Self {
        let text = text_of(file.bytes());
        let mut ranges = ranges(file.secret(), &text);
        ranges.extend(file.secret_ranges());
        let ranges = apart(ranges);
        let searched = searched(&text, &ranges);
        let text = (!ranges.is_empty()).then(|| Arc::clone(file.bytes()));
        Self { ranges, text, searched }
    }

    /// Returns a message without the secrets of the file: those that a place overlaps, and those long enough to be told
    /// apart.
    pub(super) fn mask_message(&self, message: &str, places: &[Range<usize>]) -> String {
        let is_hidden = |range: &&Range<usize>| {
            places.iter().any(|place| place.start < range.end && range.start < place.end)
        };
        let bytes = self.text.as_deref().unwrap_or_default();
        let hidden = self.ranges.iter().filter(is_hidden);
        let stretches: Vec<Cow<'_, str>> =
            hidden.map(|range| text_of(bytes.get(range.clone()).unwrap_or_default())).collect();
        let here = stretches.iter().flat_map(|stretch| values(stretch));
        let all = here.chain(self.searched.iter().map(String::as_str));
        let mut found: Vec<&str> = all.filter(|value| message.contains(value)).collect();
        // The longest first, so that a part of another secret does not break it up.
        found.sort_by_key(|value| std::cmp::Reverse(value.len()));
        let mut hidden: Vec<Range<usize>> = Vec::new();
        for value in found {
            // A short one is a part of other words too; messages put values between backticks.
            let is_short = value.len() < MIN_SEARCHED;
            for (at, _) in message.match_indices(value) {
                let own = at..at + value.len();
                let is_quoted =
                    message[..own.start].ends_with('`') && message[own.end..].starts_with('`');
                let is_apart =
                    |other: &Range<usize>| other.end <= own.start || own.end <= other.start;
                if (is_quoted || !is_short) && hidden.iter().all(is_apart) {
                    hidden.push(own);
                }
            }
        }
        hidden.sort_by_key(|range| range.start);
        let (mut out, mut from) = (String::with_capacity(message.len()), 0);
        for range in hidden {
            out.push_str(&message[from..range.start]);
            out.push_str(&placeholder(range.len()));
            from = range.end;
        }
        out.push_str(&message[from..]);
        out
    }
}

/// Returns bytes as a text of the same length, so that places in one are places in the other.
fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => bytes.iter().map(|b| if b.is_ascii() { char::from(*b) } else { '?' }).collect(),
    }
}

fn ranges(secret: Option<SecretFile>, text: &str) -> Vec<Range<usize>> {
    match secret {
        Some(SecretFile::Content) => lines(text)
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(start, line)| start..start + line.trim_end().len())
            .collect(),
        Some(SecretFile::Env) => lines(text)
            .filter_map(|(start, line)| {
                let value = line.find('=').map_or(0, |i| i + 1);
                let end = line.trim_end().len();
                (value < end && !line.trim_start().starts_with('#'))
                    .then(|| start + value..start + end)
            })
            .collect(),
        None => in_documents(text),
    }
}

/// Returns the values that are long enough to be told apart in any message, each once.
fn searched(text: &str, secret: &[Range<usize>]) -> Vec<String> {
    let stretches = secret.iter().map(|range| text.get(range.clone()).unwrap_or_default());
    let values = stretches.flat_map(values).filter(|value| value.len() >= MIN_SEARCHED);
    let each: BTreeSet<&str> = values.collect();
    each.into_iter().map(str::to_owned).collect()
}

/// The texts that a message may quote of a stretch: all of it, or what its quotes or brackets hold.
fn values(stretch: &str) -> Vec<&str> {
    let whole = stretch.trim();
    let bare = whole.trim_matches(|c: char| "\"'{}[],".contains(c)).trim();
    let mut out: Vec<&str> = vec![whole, bare];
    let parts = bare.split(|c: char| c.is_whitespace() || matches!(c, ',' | ':'));
    out.extend(parts.map(|part| part.trim_matches(|c: char| "\"'{}[]".contains(c))));
    // A tag, an anchor or an alias says nothing.
    out.retain(|value| !value.is_empty() && !value.starts_with(['!', '&', '*']));
    out
}

/// Returns what stands for a secret of so many bytes.
pub(super) fn placeholder(bytes: usize) -> String {
    format!("<secret, {bytes} bytes>")
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let at = start;
        start += line.len();
        (at, line)
    })
}

/// What files with secrets have.
const MARKS: [&str; 4] = ["Secret", "secretGenerator", "/data", "/stringData"];
/// The kind of a selector that fits a Secret, too.
const ANY_KIND: &str = ".*";

fn in_documents(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let separator = memmem::Finder::new("\n---");
    let mut out = Vec::new();
    // Only documents with a mark are looked at; the rest of a large file is passed over.
    let mut marks: Vec<usize> =
        MARKS.iter().flat_map(|mark| memmem::find_iter(bytes, mark)).collect();
    if marks.is_empty() {
        return Vec::new();
    }
    marks.extend(memmem::find_iter(bytes, ANY_KIND));
    marks.sort_unstable();
    let mut end = 0;
    for mark in marks {
        if mark < end {
            continue;
        }
        let start = memmem::rfind(&bytes[end..mark], b"\n---").map_or(end, |at| end + at + 1);
        end = separator.find(&bytes[mark..]).map_or(text.len(), |at| mark + at + 1);
        in_document(&text[start..end], start, &mut out);
    }
    apart(out)
}

/// Returns stretches in order, joined where they meet.
fn apart(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

fn in_document(text: &str, base: usize, out: &mut Vec<Range<usize>>) {
    let secret_kind = mentions_secret_kind(text);
    let generator = text.contains("secretGenerator") || text.contains("SecretGenerator");
    let data_path = text.contains("/data") || text.contains("/stringData");
    let mut keys: Vec<(&str, Values)> = Vec::new();
    if secret_kind {
        keys.extend([("data", Values::OfKeys), ("stringData", Values::OfKeys)]);
        keys.push(("sourceValue", Values::Whole));
    }
    if secret_kind || data_path {
        keys.push(("value", Values::Whole));
    }
    if generator {
        keys.push(("literals", Values::Literals));
    }
    for (key, values) in keys {
        let mut from = 0;
        while let Some((column, after)) = find_key(&text[from..], key) {
            let (key_at, value_at) = (from + column, from + after);
            mask_value(text, key_at, value_at, values, base, out);
            from = value_at;
        }
    }
}

/// What below a key is secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    /// The values of its entries, not their keys.
    OfKeys,
    /// Everything.
    Whole,
    /// What follows `=` in its elements.
    Literals,
}

/// Masks what stands behind a key: on its line, in brackets that open there, and on deeper lines below.
fn mask_value(
    text: &str,
    key_at: usize,
    value_at: usize,
    values: Values,
    base: usize,
    out: &mut Vec<Range<usize>>,
) {
    let line_start = text[..key_at].rfind('\n').map_or(0, |i| i + 1);
    let indent = key_at - line_start;
    let rest_end = text[value_at..].find('\n').map_or(text.len(), |i| value_at + i);
    let rest = text[value_at..rest_end].trim();
    let end = if rest.starts_with(['{', '[']) {
        bracket_end(text, value_at)
    } else if rest.starts_with(['"', '\'']) {
        quote_end(text, value_at).max(rest_end)
    } else {
        rest_end
    };
    push_line(
        text,
        value_at,
        end.max(rest_end),
        if values == Values::Literals { Values::Literals } else { Values::Whole },
        base,
        out,
    );
    let mut at = (end.max(rest_end) + 1).min(text.len());
    while at < text.len() {
        let line_end = text[at..].find('\n').map_or(text.len(), |i| at + i);
        let line = &text[at..line_end];
        let own = line.len() - line.trim_start().len();
        let is_item = values != Values::OfKeys && own == indent && line[own..].starts_with("- ");
        if !line.trim().is_empty() && own <= indent && !is_item {
            break;
        }
        push_line(text, at, line_end, values, base, out);
        at = line_end + 1;
    }
}

fn push_line(
    text: &str,
    start: usize,
    end: usize,
    values: Values,
    base: usize,
    out: &mut Vec<Range<usize>>,
) {
    for (offset, line) in lines(&text[start..end]) {
        let content = line.trim_start();
        let mut from = line.len() - content.len();
        match values {
            Values::OfKeys => {
                if let Some(colon) = content
                    .find(": ")
                    .or_else(|| content.trim_end().strip_suffix(':').map(str::len))
                {
                    from += colon + 1;
                }
            }
            Values::Literals => {
                let item = if content.starts_with("- ") { 2 } else { 0 };
                from += content.find('=').map_or(item, |i| i + 1);
            }
            Values::Whole => {}
        }
        let kept = line[from..].len() - line[from..].trim_start().len();
        let (from, to) = (from + kept, line.trim_end().len());
        // Marks of a block scalar and opening brackets say nothing.
        if from < to
            && !matches!(
                line[from..to].trim(),
                "|" | "|-" | "|+" | ">" | ">-" | ">+" | "{" | "[" | "-" | "[]" | "{}"
            )
        {
            out.push(base + start + offset + from..base + start + offset + to);
        }
    }
}

/// Returns whether a text holds `kind: Secret`, in whatever style, or a selector of that kind.
fn mentions_secret_kind(text: &str) -> bool {
    let mut from = 0;
    while let Some((_, after)) = find_key(&text[from..], "kind") {
        let value = text[from + after..].trim_start_matches([' ', '\t', '"', '\'']);
        let line = value.lines().next().unwrap_or_default();
        // Selectors are patterns: `.*` or `Secret|ConfigMap` fit a Secret too.
        if line.contains("Secret")
            && !line.starts_with("SealedSecret")
            && !line.starts_with("ExternalSecret")
            || line.starts_with(".*")
        {
            return true;
        }
        from += after;
    }
    false
}

/// Returns where a key stands and where its value may begin.
fn find_key(text: &str, key: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(found) = text[from..].find(key) {
        let at = from + found;
        let end = at + key.len();
        from = end;
        let starts = text[..at].chars().next_back().is_none_or(|c| " \t\n\r{,\"'".contains(c));
        if !starts {
            continue;
        }
        let after = text[end..].trim_start_matches(['"', '\'']).trim_start_matches([' ', '\t']);
        if after.starts_with(':') {
            let quoted = text[..at].ends_with(['"', '\'']);
            return Some((at - usize::from(quoted), text.len() - after.len() + 1));
        }
    }
    None
}

/// Returns where the bracket that opens at or behind `start` closes; the end of the text if it does not.
fn bracket_end(text: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(start) {
        match (quote, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(b'"'), b'\\') => escaped = true,
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'{' | b'[') => depth += 1,
            (None, b'}' | b']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// Returns the end of the line on which a quoted text that opens at or behind `start` closes.
fn quote_end(text: &str, start: usize) -> usize {
    let Some(open) = text[start..].find(['"', '\'']).map(|i| start + i) else { return start };
    let quote = text.as_bytes()[open];
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(open + 1) {
        if escaped {
            escaped = false;
        } else if quote == b'"' && byte == b'\\' {
            escaped = true;
        } else if byte == quote {
            return text[at..].find('\n').map_or(text.len(), |i| at + i);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let mut out = text.to_owned();
        for range in in_documents(text).into_iter().rev() {
            out.replace_range(range, "#");
        }
        out
    }

    #[test]
    fn values_of_secrets_are_found() {
        assert_eq!(
            masked("kind: Secret\ndata:\n  a: cGFzcw==\n  b: |\n    x\n    y\ntype: Opaque\n"),
            "kind: Secret\ndata:\n  a: #\n  b: |\n    #\n    #\ntype: Opaque\n"
        );
        assert_eq!(
            masked("{\"kind\": \"Secret\", \"data\": {\"a\": \"b\"}, \"type\": \"x\"}"),
            "{\"kind\": \"Secret\", \"data\": #"
        );
        assert_eq!(masked("kind: ConfigMap\ndata:\n  a: b\n"), "kind: ConfigMap\ndata:\n  a: b\n");
        assert_eq!(
            masked(
                "kind: ConfigMap\ndata:\n  a: b\n---\nstringData:\n  a: \"b\n  c\"\nkind: Secret\n"
            ),
            "kind: ConfigMap\ndata:\n  a: b\n---\nstringData:\n  a: #\n  #\nkind: Secret\n"
        );
    }

    #[test]
    fn literals_of_secret_generators_are_found() {
        assert_eq!(
            masked(
                "secretGenerator:\n- name: s\n  literals:\n  - a=b\n  - \"c=d\"\n  type: x\nnamePrefix: p\n"
            ),
            "secretGenerator:\n- name: s\n  literals:\n  - a=#\n  - \"c=#\n  type: x\nnamePrefix: p\n"
        );
        assert_eq!(
            masked("secretGenerator:\n- literals: [a=b, c=d]\n  name: s\n"),
            "secretGenerator:\n- literals: [a=#\n  name: s\n"
        );
    }

    #[test]
    fn patches_of_data_are_found() {
        assert_eq!(
            masked("- op: add\n  path: /data/a\n  value: secret\n"),
            "- op: add\n  path: /data/a\n  value: #\n"
        );
        assert_eq!(
            masked("- sourceValue: abc\n  targets:\n  - select: {kind: Secret}\n"),
            "- sourceValue: #\n  targets:\n  - select: {kind: Secret}\n"
        );
    }

    #[test]
    fn bytes_that_are_no_text_move_nothing() {
        let bytes = b"# \xff\xfe\xe9\nkind: Secret\ndata: {a: secret}\n";
        let text = text_of(bytes);
        assert_eq!(text.len(), bytes.len());
        let found = ranges(None, &text);
        assert_eq!(found.len(), 1);
        assert_eq!(&bytes[found[0].clone()], b"{a: secret}");
    }

    #[test]
    fn messages_lose_what_a_place_holds_and_long_values() {
        let text = "kind: Secret\ndata:\n  a: on\n  b: longer-value\n";
        let secret = in_documents(text);
        let at = text.find("on\n").unwrap();
        let place = std::iter::once(at..at + 2).collect::<Vec<_>>();
        let words = searched(text, &secret);
        let secrets =
            FileSecrets { ranges: secret, text: Some(text.as_bytes().into()), searched: words };
        assert_eq!(
            secrets.mask_message("`on` and `longer-value`", &place),
            "`<secret, 2 bytes>` and `<secret, 12 bytes>`"
        );
        assert_eq!(secrets.mask_message("`on`", &[]), "`on`");
        let text = "kind: Secret\ndata:\n  a: secret\n  b: secret-too\n";
        let ranges = in_documents(text);
        let searched = searched(text, &ranges);
        let secrets = FileSecrets { ranges, text: None, searched };
        assert_eq!(
            secrets.mask_message("secret-too, `my-secret`", &[]),
            "<secret, 10 bytes>, `my-<secret, 6 bytes>`",
            "what stands for a secret is not looked through"
        );
    }
}
