//! The keys and values of a generator: literals, files and env files.
//!
//! The rules are kustomize's (`api/kv/kv.go`). A generator reads its env files first, then its literals, then its files; a
//! key that comes twice is a fault.

use std::path::Path;

use ecow::EcoString;

use super::GeneratedKind;
use crate::diagnostic::{Code, Diagnostic, Fallible};
use crate::project::GeneratorArgs;
use crate::provenance::OriginId;
use crate::session::{Context, Text};
use crate::source::{SecretFile, SourceFile, Span};

/// One key of a generated object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) key: EcoString,
    pub(super) value: Vec<u8>,
    /// Where the pair is written.
    pub(super) at: OriginId,
    /// Where the value begins, as far as it has a place of its own.
    pub(super) text_at: OriginId,
}

/// A line of an env file is read only up to this length, its line break included; a longer one ends the file. This is the
/// limit of Go's line scanner, whose error kustomize does not look at.
const MAX_ENV_LINE: usize = 64 * 1024;

/// The end of a template's name, which is no part of the key of a file.
const TEMPLATE_SUFFIX: &str = ".j2";

/// Returns the pairs of a generator, sorted by key.
pub(super) fn read(
    cx: &mut Context<'_>,
    root: &Path,
    kind: GeneratedKind,
    args: &GeneratorArgs,
) -> Fallible<Vec<Pair>> {
    let mut pairs = Vec::new();
    for entry in &args.envs {
        let file = cx.file(root, entry)?;
        if kind == GeneratedKind::Secret {
            file.mark_secret(SecretFile::Env);
        }
        match env_pairs(&file) {
            Ok(found) => {
                warn_of_env_file(cx, &file, &found);
                pairs.extend(found.pairs);
            }
            Err((start, end)) => {
                let span = Span { file: file.id(), start: start as u32, end: end as u32 };
                let d =
                    Diagnostic::error(Code::FileNotUtf8, "a line of an env file is not UTF-8 text");
                return Err(cx.fail(d.at(span, "not UTF-8")));
            }
        }
    }
    for literal in &args.literals {
        match split_literal(literal.as_str()) {
            Some((key, value)) => {
                let at = literal.at;
                pairs.push(Pair { key: key.into(), value: value.into(), at, text_at: at });
            }
            None => {
                let message =
                    format!("a literal is written as KEY=VALUE, found `{}`", masked(literal));
                let d = Diagnostic::error(Code::GeneratorInvalid, message);
                return Err(cx.fail(d.at(cx.span(literal.at), "not KEY=VALUE")));
            }
        }
    }
    for entry in &args.files {
        let (key, path) = match split_file(entry.as_str()) {
            Ok(parts) => parts,
            Err(fault) => {
                let d =
                    Diagnostic::error(Code::GeneratorInvalid, format!("`{}` {fault}", entry.value));
                let d = d.at(cx.span(entry.at), "not a file source");
                return Err(cx.fail(d.help("write the path of a file, or KEY=PATH")));
            }
        };
        let file = cx.file(root, &Text { value: path.into(), at: entry.at })?;
        // A template is called by what it is rendered to, unless a key is written out.
        let is_default = !entry.value.contains('=') && file.is_rendered();
        let key = match key.strip_suffix(TEMPLATE_SUFFIX) {
            Some(rest) if is_default && !rest.is_empty() => rest.into(),
            _ => key,
        };
        if kind == GeneratedKind::Secret {
            file.mark_secret(SecretFile::Content);
        }
        let at = OriginId::written(file.base());
        pairs.push(Pair { key, value: file.bytes().to_vec(), at, text_at: at });
    }
    pairs.sort_by(|a, b| a.key.cmp(&b.key));
    for pair in pairs.iter().filter(|pair| !is_valid_key(&pair.key)) {
        let message = format!("Kubernetes does not accept the key `{}`", pair.key);
        let d = Diagnostic::warning(Code::GeneratorInvalidKey, message)
            .at(cx.span(pair.at), "of this value")
            .help("a key consists of letters, digits, `-`, `_` and `.`, at most 253 of them");
        cx.warn(d);
    }
    for window in pairs.windows(2) {
        if let [first, second] = window
            && first.key == second.key
        {
            let message = format!("`{}` generates the key `{}` twice", args.name.value, first.key);
            let d = Diagnostic::error(Code::GeneratorDuplicateKey, message)
                .at(cx.span(second.at), "generated again here")
                .at(cx.span(first.at), "first generated here");
            return Err(cx.fail(d.help("remove one of the sources, or give it another key")));
        }
    }
    Ok(pairs)
}

/// See `IsConfigMapKey` of the Kubernetes API.
fn is_valid_key(key: &str) -> bool {
    let is_fit = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    !key.is_empty()
        && key.len() <= 253
        && key.bytes().all(is_fit)
        && !matches!(key, "." | "..")
        && !key.starts_with("..")
}

fn warn_of_env_file(cx: &mut Context<'_>, file: &SourceFile, found: &EnvFile) {
    for (key, offset) in &found.without_value {
        let message = format!("`{key}` has no value: the text is empty");
        let d = Diagnostic::warning(Code::GeneratorNoValue, message)
            .at(cx.span_at(file.base() + *offset as u32), "no `=`")
            .help(format!("write `{key}=` if that is meant; the environment is never looked at"));
        cx.warn(d);
    }
    if let Some(offset) = found.cut_at {
        let message = "the line is too long: it and everything below are not read";
        let d = Diagnostic::warning(Code::GeneratorLineTooLong, message)
            .at(cx.span_at(file.base() + offset as u32), "not read from here on")
            .help("name a file with the value under `files`; a line holds less than 64 KiB");
        cx.warn(d);
    }
}

/// A literal may be a secret: only what could be its key is shown.
fn masked(literal: &Text) -> String {
    match literal.as_str().split_once('=') {
        Some((key, _)) => format!("{key}=…"),
        None => "…".to_owned(),
    }
}

/// Splits a literal at its first `=`; one pair of quotes around the value is taken off.
fn split_literal(literal: &str) -> Option<(&str, &str)> {
    let (key, value) = literal.split_once('=').filter(|(key, _)| !key.is_empty())?;
    let quoted =
        |quote: char| value.len() >= 2 && value.starts_with(quote) && value.ends_with(quote);
    let value = if quoted('"') || quoted('\'') { &value[1..value.len() - 1] } else { value };
    Some((key, value))
}

/// Splits `[KEY=]PATH`; the key of a mere path is its last part.
fn split_file(source: &str) -> Result<(EcoString, &str), &'static str> {
    match source.matches('=').count() {
        0 => Ok((base_name(source).into(), source)),
        1 if source.starts_with('=') => Err("has no key before `=`"),
        1 if source.ends_with('=') => Err("has no path behind `=`"),
        1 => {
            let (key, path) = source.split_once('=').unwrap_or_default();
            Ok((key.into(), path))
        }
        _ => Err("holds more than one `=`"),
    }
}

/// The last part of a path (Go's `path.Base`).
fn base_name(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    match path.trim_end_matches('/').rsplit('/').next() {
        Some("") | None => "/",
        Some(name) => name,
    }
}

/// What an env file holds.
#[derive(Debug, Default)]
struct EnvFile {
    pairs: Vec<Pair>,
    /// The lines that have a key and no `=`: the key and the offset.
    without_value: Vec<(EcoString, usize)>,
    /// Where reading ends before the end of the file.
    cut_at: Option<usize>,
}

/// Returns what an env file holds, or the range of a line that is not UTF-8.
fn env_pairs(file: &SourceFile) -> Result<EnvFile, (usize, usize)> {
    let mut out = EnvFile::default();
    let bytes = file.bytes();
    let mut start = 0;
    while start < bytes.len() {
        let line_break = bytes[start..].iter().position(|&b| b == b'\n');
        let end = line_break.map_or(bytes.len(), |i| start + i);
        if end - start >= MAX_ENV_LINE {
            out.cut_at = Some(start);
            break;
        }
        let line = bytes[start..end].strip_suffix(b"\r").unwrap_or(&bytes[start..end]);
        let text = std::str::from_utf8(line).map_err(|_| (start, end))?;
        let text = if start == 0 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
        let text = text.trim_start();
        if !text.is_empty() && !text.starts_with('#') {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            // A line that begins with `=` has no key and says nothing.
            if !key.is_empty() {
                let offset = start + line.len() - text.len();
                let place = |offset: usize| OriginId::written(file.base() + offset as u32);
                let (at, text_at) = (place(offset), place(start + line.len() - value.len()));
                if !text.contains('=') {
                    out.without_value.push((key.into(), offset));
                }
                out.pairs.push(Pair { key: key.into(), value: value.into(), at, text_at });
            }
        }
        start = end + 1;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    #[test]
    fn literals_split_at_the_first_equals_sign() {
        assert_eq!(split_literal("a=b=c"), Some(("a", "b=c")));
        assert_eq!(split_literal("a=\"b\""), Some(("a", "b")));
        assert_eq!(split_literal("a='b\""), Some(("a", "'b\"")));
        assert_eq!(split_literal("a=\""), Some(("a", "\"")));
        assert_eq!(split_literal("a="), Some(("a", "")));
        assert_eq!(split_literal("=b"), None);
        assert_eq!(split_literal("a"), None);
    }

    #[test]
    fn file_sources_have_a_key() {
        assert_eq!(split_file("a/b.txt"), Ok(("b.txt".into(), "a/b.txt")));
        assert_eq!(split_file("k=a/b.txt"), Ok(("k".into(), "a/b.txt")));
        assert!(
            split_file("=a").is_err() && split_file("a=").is_err() && split_file("a=b=c").is_err()
        );
    }

    #[test]
    fn env_files_keep_what_follows_the_key() {
        let sources = SourceMap::default();
        let text = "\u{feff}A=1\r\n  # no\n B = 2 \nC\n\n=x\nD=a=b";
        let file = sources.add("/e".into(), text.as_bytes().into()).unwrap();
        let pairs = env_pairs(&file).unwrap().pairs;
        let found: Vec<(&str, &[u8])> =
            pairs.iter().map(|p| (p.key.as_str(), &p.value[..])).collect();
        assert_eq!(found, [("A", &b"1"[..]), ("B ", b" 2 "), ("C", b""), ("D", b"a=b")]);
    }

    #[test]
    fn a_line_that_is_too_long_ends_an_env_file() {
        let sources = SourceMap::default();
        let text = format!("A=1\nB={}\nC=3\n", "x".repeat(MAX_ENV_LINE));
        let file = sources.add("/e".into(), text.as_bytes().into()).unwrap();
        assert_eq!(env_pairs(&file).unwrap().pairs.len(), 1);
    }
}
