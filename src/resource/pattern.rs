//! Regular expressions as Go writes them, anchored or not.
//!
//! Selectors are regular expressions in kustomize, yet nearly all of them are plain names. Those are compared as text;
//! the rest is handed to a regular expression engine, after the few spellings in which Go's syntax differs are rewritten.

use regex_lite::Regex;

/// A pattern of Go's `regexp` package.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// The pattern matches exactly this text.
    Text(String),
    /// The pattern is a regular expression.
    Regex(Box<Regex>),
}

/// A pattern that is no regular expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is not a regular expression: {message}")]
pub(crate) struct PatternError {
    pub(crate) pattern: String,
    pub(crate) message: String,
}

const META: &[char] = &['\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$'];

impl Pattern {
    /// Compiles a pattern that must match a whole text.
    pub(crate) fn whole(pattern: &str) -> Result<Self, PatternError> {
        if !pattern.contains(META) {
            return Ok(Self::Text(pattern.to_owned()));
        }
        compile(pattern, &format!("^(?:{})$", translate(pattern))).map(|r| Self::Regex(Box::new(r)))
    }

    /// Compiles a pattern as it stands, with a text before and after it.
    pub(crate) fn between(before: &str, pattern: &str, after: &str) -> Result<Self, PatternError> {
        let regex = compile(pattern, &format!("{before}{}{after}", translate(pattern)))?;
        Ok(Self::Regex(Box::new(regex)))
    }

    /// Returns whether the pattern matches.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Text(wanted) => wanted == text,
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

fn compile(pattern: &str, translated: &str) -> Result<Regex, PatternError> {
    Regex::new(translated)
        .map_err(|e| PatternError { pattern: pattern.to_owned(), message: e.to_string() })
}

/// Rewrites what Go reads differently: a `{` that begins no repetition is a character, `\Q...\E` quotes, and inside a
/// class `[`, `&`, `~` and `<` have no meaning of their own.
fn translate(pattern: &str) -> String {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut in_class = false;
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        let next = chars.get(i + 1).copied();
        match c {
            '\\' if next == Some('Q') => {
                i += 2;
                while i < chars.len() && !(chars[i] == '\\' && chars.get(i + 1) == Some(&'E')) {
                    push_literal(&mut out, chars[i]);
                    i += 1;
                }
                i += 1;
            }
            '\\' => {
                // `\<` is a character in Go, an assertion elsewhere.
                if !matches!(next, Some('<' | '>')) {
                    out.push('\\');
                }
                if let Some(next) = next {
                    out.push(next);
                }
                i += 1;
            }
            '[' if in_class && next == Some(':') => out.push('['),
            '[' if in_class => out.push_str("\\["),
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            '[' => {
                in_class = true;
                out.push('[');
                if chars.get(i + 1) == Some(&'^') {
                    out.push('^');
                    i += 1;
                }
                // A `]` right after the bracket is a character.
                if chars.get(i + 1) == Some(&']') {
                    out.push_str("\\]");
                    i += 1;
                }
            }
            ']' if in_class => {
                // `:]` ends a named class, which stands inside this one.
                let named = out.ends_with(':') && chars[..i].iter().rev().any(|&c| c == '[');
                let opens = chars[..i].windows(2).rposition(|w| w == ['[', ':']);
                let inner = named && opens.is_some_and(|o| !chars[o + 2..i].contains(&']'));
                if !inner {
                    in_class = false;
                }
                out.push(']');
            }
            '{' if !in_class && !is_repetition(&chars[i..]) => out.push_str("\\{"),
            '}' if !in_class && !closes_repetition(&chars, i) => out.push_str("\\}"),
            other => out.push(other),
        }
        i += 1;
    }
    out
}

fn push_literal(out: &mut String, c: char) {
    if !c.is_alphanumeric() && c.is_ascii() {
        out.push('\\');
    }
    out.push(c);
}

/// `{n}`, `{n,}` or `{n,m}`.
fn is_repetition(chars: &[char]) -> bool {
    let Some(end) = chars.iter().position(|&c| c == '}') else { return false };
    let body: String = chars[1..end].iter().collect();
    let (low, high) = body.split_once(',').unwrap_or((&body, ""));
    let number = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    !low.is_empty() && number(low) && number(high)
}

fn closes_repetition(chars: &[char], at: usize) -> bool {
    chars[..at].iter().rposition(|&c| c == '{').is_some_and(|open| is_repetition(&chars[open..=at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_patterns_are_anchored() {
        let cases = [
            ("app", "app", true),
            ("app", "my-app", false),
            ("app.*", "app-1", true),
            ("a|b", "b", true),
            ("a|b", "ab", false),
            ("", "", true),
            ("my.app", "my-app", true),
            ("[a-c]{2}", "ab", true),
            ("x{y}", "x{y}", true),
            ("[[:alpha:]-]+", "a-b", true),
            ("\\Qa.b\\E", "a.b", true),
            ("\\Qa.b\\E", "axb", false),
        ];
        for (pattern, text, want) in cases {
            assert_eq!(Pattern::whole(pattern).unwrap().is_match(text), want, "{pattern} {text}");
        }
        assert!(Pattern::whole("a(").is_err());
        assert!(Pattern::whole("*a").is_err());
    }
}
