//! What a plain scalar's text means.
//!
//! Two dialects meet in a project. Resources and strategic merge patches are read by go-yaml v3, where `yes` is a
//! string; kustomization files, JSON patches and plugin configurations by go-yaml v2, where it is `true`. Both resolve
//! numbers and dates alike (`resolve.go` in either).

use std::borrow::Cow;

use super::Tag;
use super::number::{Number, parse_number};
use super::timestamp::parse_timestamp;

/// Which rules resolve plain scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// go-yaml v3: resources and strategic merge patches.
    V3,
    /// go-yaml v2 (YAML 1.1): kustomization files, JSON patches, plugin configurations.
    V2,
}

/// The value of a scalar once its type is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    /// No value.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above the signed range.
    Uint(u64),
    /// A floating-point number, perhaps infinite or not a number.
    Float(f64),
    /// A string.
    Str(Cow<'a, str>),
}

impl From<Number> for Scalar<'_> {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(value) => Self::Int(value),
            Number::Uint(value) => Self::Uint(value),
            Number::Float(value) => Self::Float(value),
        }
    }
}

/// What an untagged plain scalar's first byte allows it to be.
enum Hint {
    String,
    Word,
    Number,
}

fn hint(text: &str) -> Hint {
    match text.as_bytes().first() {
        None => Hint::Word,
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => Hint::Number,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            Hint::Word
        }
        Some(_) => Hint::String,
    }
}

fn special_float(text: &str) -> Option<f64> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// Returns the boolean that a word stands for in YAML 1.2, and in 1.1 where asked.
fn boolean(text: &str, dialect: Dialect) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if dialect == Dialect::V2 => {
            Some(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if dialect == Dialect::V2 => {
            Some(false)
        }
        _ => None,
    }
}

/// Returns the tag that go-yaml v3 gives to an untagged plain scalar.
pub(crate) fn resolve_tag(text: &str) -> Tag {
    resolve_tag_in(text, Dialect::V3)
}

/// Returns the tag that a dialect gives to an untagged plain scalar.
pub(super) fn resolve_tag_in(text: &str, dialect: Dialect) -> Tag {
    match hint(text) {
        Hint::String => Tag::Str,
        Hint::Word => match text {
            "" | "~" | "null" | "Null" | "NULL" => Tag::Null,
            _ if boolean(text, dialect).is_some() => Tag::Bool,
            _ => Tag::Str,
        },
        Hint::Number => {
            if special_float(text).is_some() {
                return Tag::Float;
            }
            if !text.starts_with('.') && parse_timestamp(text).is_some() {
                return Tag::Timestamp;
            }
            match parse_number(text) {
                Some(Number::Float(_)) => Tag::Float,
                Some(_) => Tag::Int,
                None => Tag::Str,
            }
        }
    }
}

/// A scalar's text does not fit the tag that it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TagMismatch {
    /// The tag that the text resolves to.
    pub found: Tag,
    /// The tag that was set.
    pub expected: Tag,
}

/// Returns the value of a plain scalar under a tag ([`Tag::Empty`]: whatever its text says).
pub(crate) fn resolve(text: &str, tag: Tag, dialect: Dialect) -> Result<Scalar<'_>, TagMismatch> {
    let string = || Scalar::Str(Cow::Borrowed(text));
    if matches!(tag, Tag::Str | Tag::Binary | Tag::Merge | Tag::Map | Tag::Seq | Tag::Custom) {
        return Ok(string());
    }
    let found = match resolve_tag_in(text, dialect) {
        // A date is looked for only where none or a date is asked for.
        Tag::Timestamp if !matches!(tag, Tag::Empty | Tag::Timestamp) => match parse_number(text) {
            Some(Number::Float(_)) => Tag::Float,
            Some(_) => Tag::Int,
            None => Tag::Str,
        },
        found => found,
    };
    let fits = tag == Tag::Empty || tag == found || (tag == Tag::Float && found == Tag::Int);
    if !fits {
        return Err(TagMismatch { found, expected: tag });
    }
    Ok(match found {
        Tag::Null => Scalar::Null,
        Tag::Bool => Scalar::Bool(boolean(text, dialect).unwrap_or_default()),
        Tag::Timestamp => match parse_timestamp(text) {
            // go-yaml v2 keeps the text of a date, v3 makes it a time.
            Some(time) if dialect == Dialect::V3 => Scalar::Str(Cow::Owned(time)),
            _ => string(),
        },
        Tag::Int | Tag::Float => match (special_float(text), parse_number(text)) {
            (Some(float), _) => Scalar::Float(float),
            (None, Some(Number::Int(int))) if tag == Tag::Float => Scalar::Float(int as f64),
            // An unsigned integer is not accepted as a float by go-yaml.
            (None, Some(Number::Uint(_))) if tag == Tag::Float => {
                return Err(TagMismatch { found: Tag::Int, expected: tag });
            }
            (None, Some(number)) => number.into(),
            (None, None) => string(),
        },
        _ => string(),
    })
}

/// Returns whether YAML 1.1 would read the text of a plain scalar as something other than a string; kustomize then
/// quotes it (`IsYaml1_1NonString`).
pub(crate) fn is_yaml_1_1_non_string(text: &str) -> bool {
    !text.is_empty() && !text.contains('\n') && resolve_tag_in(text, Dialect::V2) != Tag::Str
}

/// Returns whether a text looks like YAML 1.1's base-60 numbers (`1:30`), which the writers quote.
pub(super) fn is_base_60(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let Some((whole, rest)) = rest.split_once(':') else { return false };
    let whole_fits = whole.starts_with(|c: char| c.is_ascii_digit())
        && whole.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let (sexagesimal, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    whole_fits
        && fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && sexagesimal.split(':').all(|part| match part.as_bytes() {
            [digit] => digit.is_ascii_digit(),
            [tens, digit] => matches!(tens, b'0'..=b'5') && digit.is_ascii_digit(),
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_depend_on_the_dialect() {
        for word in ["yes", "on", "n", "Off"] {
            assert_eq!(resolve_tag(word), Tag::Str, "{word}");
            assert_eq!(resolve_tag_in(word, Dialect::V2), Tag::Bool, "{word}");
        }
        for (text, tag) in [
            ("", Tag::Null),
            ("~", Tag::Null),
            ("nUll", Tag::Str),
            ("True", Tag::Bool),
            ("tRue", Tag::Str),
            ("<<", Tag::Str),
            ("1", Tag::Int),
            ("1.5", Tag::Float),
            ("-.inf", Tag::Float),
            ("2001-01-01", Tag::Timestamp),
            ("1.2.3.4", Tag::Str),
            ("-x", Tag::Str),
        ] {
            assert_eq!(resolve_tag(text), tag, "{text}");
        }
    }

    #[test]
    fn base_60_numbers() {
        for text in ["1:30", "-190:20:30", "1_0:5", "+1:2.5", "12:30:45."] {
            assert!(is_base_60(text), "{text}");
        }
        for text in ["1:60", ":30", "a:30", "1:", "1:30:", "1:300", "_1:30"] {
            assert!(!is_base_60(text), "{text}");
        }
    }

    #[test]
    fn a_written_tag_must_fit_the_text() {
        let v3 = |text, tag| resolve(text, tag, Dialect::V3);
        assert_eq!(v3("5", Tag::Float), Ok(Scalar::Float(5.0)));
        assert_eq!(v3("5", Tag::Str), Ok(Scalar::Str("5".into())));
        assert_eq!(v3("abc", Tag::Int), Err(TagMismatch { found: Tag::Str, expected: Tag::Int }));
        assert_eq!(v3("1e3", Tag::Int), Err(TagMismatch { found: Tag::Float, expected: Tag::Int }));
        assert_eq!(v3("2001-01-01", Tag::Empty), Ok(Scalar::Str("2001-01-01T00:00:00Z".into())));
        assert_eq!(
            resolve("2001-01-01", Tag::Empty, Dialect::V2),
            Ok(Scalar::Str("2001-01-01".into()))
        );
    }
}
