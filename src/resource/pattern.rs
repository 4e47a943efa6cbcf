//! Regular expressions as Go writes them, anchored or not.
//!
//! Selectors are regular expressions in kustomize, yet nearly all of them are plain names. Those are compared as text;
//! the rest is handed to a regular expression engine, after the few spellings in which Go's syntax differs are rewritten.

use std::fmt::Write;

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
        compile(pattern, "^(?:", ")$").map(|r| Self::Regex(Box::new(r)))
    }

    /// Compiles a pattern as it stands, with a text before and after it.
    pub(crate) fn between(before: &str, pattern: &str, after: &str) -> Result<Self, PatternError> {
        compile(pattern, before, after).map(|r| Self::Regex(Box::new(r)))
    }

    /// Returns whether the pattern matches.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Text(wanted) => wanted == text,
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

fn compile(pattern: &str, before: &str, after: &str) -> Result<Regex, PatternError> {
    let error = |message: String| PatternError { pattern: pattern.to_owned(), message };
    let translated = translate(pattern).map_err(|message| error(message.to_owned()))?;
    Regex::new(&format!("{before}{translated}{after}")).map_err(|e| error(e.to_string()))
}

/// Rewrites what Go reads differently: a `{` that begins no repetition is a character, `\Q...\E` quotes, and inside a
/// class `[`, `&`, `~` and `<` have no meaning of their own. Refuses what only Go refuses: a repetition of a repetition, and
/// large ones.
fn translate(pattern: &str) -> Result<String, &'static str> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut in_class = false;
    let mut repeats = false;
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        let next = chars.get(i + 1).copied();
        let repetition = if in_class { 0 } else { repetition_len(&chars[i..])? };
        if repetition > 0 {
            if repeats {
                return Err("a repetition cannot be repeated");
            }
            let lazy = usize::from(chars.get(i + repetition) == Some(&'?'));
            out.extend(&chars[i..i + repetition + lazy]);
            i += repetition + lazy;
            repeats = true;
            continue;
        }
        repeats = false;
        match c {
            '\\' if next == Some('Q') && !in_class => {
                i += 2;
                while i < chars.len() && !(chars[i] == '\\' && chars.get(i + 1) == Some(&'E')) {
                    push_literal(&mut out, chars[i]);
                    i += 1;
                }
                if i == chars.len() {
                    return Err("a `\\Q` has no `\\E`");
                }
                i += 1;
            }
            '\\' if octal_len(&chars[i + 1..]) > 0 => {
                let len = octal_len(&chars[i + 1..]);
                let digits = chars[i + 1..=i + len].iter();
                let code = digits.fold(0, |code, digit| code * 8 + digit.to_digit(8).unwrap_or(0));
                let _ = write!(out, "\\x{{{code:x}}}");
                i += len;
            }
            '(' if !in_class && next == Some('?') && !has_known_flags(&chars[i + 2..]) => {
                return Err("a group has an unknown flag");
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
            '{' if !in_class => out.push_str("\\{"),
            '}' if !in_class => out.push_str("\\}"),
            other => out.push(other),
        }
        i += 1;
    }
    Ok(out)
}

fn push_literal(out: &mut String, c: char) {
    if !c.is_alphanumeric() && c.is_ascii() {
        out.push('\\');
    }
    out.push(c);
}

/// Returns the length of a character's octal number: three digits, or fewer after a zero. A single other digit is none.
fn octal_len(chars: &[char]) -> usize {
    let len = chars.iter().take(3).take_while(|c| c.is_digit(8)).count();
    if len == 1 && chars[0] != '0' { 0 } else { len }
}

/// Returns whether the flags behind `(?` are ones that Go knows; a name in `<>` is none.
fn has_known_flags(chars: &[char]) -> bool {
    let flags = chars.iter().take_while(|c| !matches!(c, ':' | ')' | '<'));
    flags.clone().all(|c| matches!(c, 'i' | 'm' | 's' | 'U' | '-')) || flags.eq(&['P'])
}

/// The largest count in `{n,m}`.
const MAX_REPETITION: u32 = 1000;

/// Returns the length of the repetition that a text begins with, `*`, `+`, `?`, `{n}`, `{n,}` or `{n,m}`; 0 if there is none.
fn repetition_len(chars: &[char]) -> Result<usize, &'static str> {
    if matches!(chars[0], '*' | '+' | '?') {
        return Ok(1);
    }
    let end = chars.iter().position(|&c| c == '}');
    let Some(end) = end.filter(|_| chars[0] == '{') else { return Ok(0) };
    let body: String = chars[1..end].iter().collect();
    let (low, high) = body.split_once(',').unwrap_or((&body, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if low.is_empty() || !digits(low) || !digits(high) {
        return Ok(0);
    }
    let is_large = |s: &&str| !s.is_empty() && !s.parse::<u32>().is_ok_and(|n| n <= MAX_REPETITION);
    if [low, high].iter().any(is_large) {
        return Err("a repetition has at most 1000 times");
    }
    Ok(end + 1)
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
            ("\\141\\0b", "a\0b", true),
            ("(?i)(?P<n>a)(?:B)", "Ab", true),
        ];
        for (pattern, text, want) in cases {
            assert_eq!(Pattern::whole(pattern).unwrap().is_match(text), want, "{pattern} {text}");
        }
        assert!(Pattern::whole("a(").is_err());
        assert!(Pattern::whole("*a").is_err());
        for pattern in [
            "a++",
            "a*?+",
            "a{2}{3}",
            "a{2}??",
            "a{1001}",
            "a{1,99999999999}",
            "(?x)a",
            "\\Qa",
            "\\8",
        ] {
            assert!(Pattern::whole(pattern).is_err(), "{pattern}");
        }
        for pattern in ["a+?", "(a+)+", "a{2}?", "a{1000}", "[a++]", "a\\++", "a{,2}+", "a}+"] {
            assert!(Pattern::whole(pattern).is_ok(), "{pattern}");
        }
    }
}
