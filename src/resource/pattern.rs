//! Regular expressions as Go writes them, anchored or not.
//!
//! Selectors are regular expressions in kustomize, yet nearly all of them are plain names. Those are compared as text;
//! the rest is rewritten from Go's syntax and handed to a regular expression engine.

use regex_lite::Regex;

use super::go_regex;

/// A pattern of Go's `regexp` package.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// The pattern matches exactly this text.
    Text(String),
    /// The pattern matches where this text is, anywhere.
    Inside(String),
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
        Self::between("^(?:", pattern, ")$")
    }

    /// Compiles a pattern as it stands, with a text before and after it.
    pub(crate) fn between(before: &str, pattern: &str, after: &str) -> Result<Self, PatternError> {
        if before.is_empty() && after.is_empty() && !pattern.contains(META) {
            return Ok(Self::Inside(pattern.to_owned()));
        }
        let refused = |message| PatternError { pattern: pattern.to_owned(), message };
        // The whole is translated: a `)` of the pattern may close what stands before it.
        let translated =
            go_regex::translate(&format!("{before}{pattern}{after}")).map_err(refused)?;
        let regex = Regex::new(&translated).map_err(|e| refused(e.to_string()))?;
        Ok(Self::Regex(Box::new(regex)))
    }

    /// Returns whether the pattern matches.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Text(wanted) => wanted == text,
            Self::Inside(wanted) => text.contains(wanted.as_str()),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
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
            ("a)|(b", "xb", true),
            ("\\pL+", "Äpp", true),
            ("\\PL+", "Äpp", false),
            ("\\p{Greek}", "a", false),
            ("(?i)APP", "app", true),
            ("[^\\W\\d]+", "a_b", true),
        ];
        for (pattern, text, want) in cases {
            assert_eq!(Pattern::whole(pattern).unwrap().is_match(text), want, "{pattern} {text}");
        }
        assert!(Pattern::whole("a(").is_err());
        assert!(Pattern::whole("*a").is_err());
    }
}
