//! Values that are set one by one: `a.b[0]=c`.

use std::path::PathBuf;

use super::schema::Schema;
use super::{Values, schema};
use crate::diagnostic::{Code, Diagnostic, Fallible, Reported};
use crate::provenance::OriginId;
use crate::session::Context;
use crate::source::{SourceFile, display_path};
use crate::yaml::{Key, Node, NodeKind, ScalarStyle, Tag, parse_json};

/// A value that the command line sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// `--set`: true, false, null and integers have their types, unless a schema says otherwise; else a string.
    Typed(String),
    /// `--set-string`
    Text(String),
    /// `--set-json`
    Json(String),
    /// `--set-file`: the content of a file.
    File(String, PathBuf),
    /// An entry of the parameter `set` of an Argo CD Application: as `--set`, named as users know it.
    Parameter(String),
}

impl Setting {
    fn flag(&self) -> &'static str {
        match self {
            Self::Typed(_) => "--set",
            Self::Text(_) => "--set-string",
            Self::Json(_) => "--set-json",
            Self::File(..) => "--set-file",
            Self::Parameter(_) => "parameters.set",
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Typed(text) | Self::Text(text) | Self::Json(text) => text,
            Self::File(text, _) | Self::Parameter(text) => text,
        }
    }
}

/// A part of a path: a key, or a place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Key(String),
    Index(usize),
}

/// Takes `a.b[0]` apart; a backslash keeps a dot in a key. None if it is no path.
pub(crate) fn path(text: &str) -> Option<Vec<Part>> {
    let mut out = Vec::new();
    let mut key = String::new();
    let mut after_index = false;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => key.push(characters.next()?),
            '.' | '[' => {
                if !key.is_empty() {
                    out.push(Part::Key(std::mem::take(&mut key)));
                } else if !after_index {
                    return None;
                }
                after_index = false;
                if character == '[' {
                    let digits: String = characters.by_ref().take_while(|c| *c != ']').collect();
                    out.push(Part::Index(digits.parse().ok()?));
                    after_index = true;
                }
            }
            _ if after_index => return None,
            _ => key.push(character),
        }
    }
    match (key.is_empty(), after_index) {
        (false, _) => out.push(Part::Key(key)),
        (true, true) => {}
        (true, false) => return None,
    }
    Some(out)
}

/// The longest list that is made by setting an element.
const MAX_INDEX: usize = 10_000;

/// Sets one value.
pub(super) fn apply(
    cx: &mut Context<'_>,
    values: &mut Values,
    setting: &Setting,
    schema: Option<&Schema>,
) -> Fallible<()> {
    let flag = setting.flag();
    let file = cx.session.text_of_flag(flag, setting.text());
    let Ok(file) = file else {
        let message = "more than 2 GiB of input in one run";
        return Err(cx.fail(Diagnostic::error(Code::FileTooLarge, message)));
    };
    let Some((name, value)) = setting.text().split_once('=') else {
        return Err(invalid(cx, &file, flag, "it is not written as PATH=VALUE"));
    };
    let Some(parts) = path(name) else {
        return Err(invalid(cx, &file, flag, "what stands before `=` is no path as `a.b[0]`"));
    };
    let origin = OriginId::written(file.base() + name.len() as u32 + 1);
    let plain = |tag| Node::scalar(value, ScalarStyle::Plain, tag, origin);
    let node = match setting {
        Setting::Text(_) => plain(Tag::Str),
        Setting::File(_, path) => match cx.session.file(path) {
            Ok(content) => {
                let Ok(text) = std::str::from_utf8(content.bytes()) else {
                    return Err(invalid(cx, &file, flag, "the file is not UTF-8 text"));
                };
                Node::scalar(text, ScalarStyle::Plain, Tag::Str, OriginId::written(content.base()))
            }
            Err(error) => {
                let shown = display_path(path, &cx.options.shown_from);
                let reason = super::reason(&error);
                let message = format!("the file `{shown}` of `{flag}` cannot be read: {reason}");
                return Err(cx.fail(Diagnostic::error(Code::ValuesMissing, message)));
            }
        },
        Setting::Json(_) => match parse_json(value, file.base() + name.len() as u32 + 1) {
            Ok(node) => node,
            Err(_) => return Err(invalid(cx, &file, flag, "what stands behind `=` is not JSON")),
        },
        Setting::Typed(_) | Setting::Parameter(_) => {
            match schema.and_then(|schema| schema::type_at(schema, &parts)) {
                Some(tag) => plain(tag),
                None if matches!(value, "true" | "false") => plain(Tag::Bool),
                None if value == "null" => plain(Tag::Null),
                None if is_integer(value) => plain(Tag::Int),
                None => plain(Tag::Str),
            }
        }
    };
    let mut root = std::mem::take(&mut values.root);
    let done = put(&mut root, &parts, &node, values);
    values.root = root;
    match done {
        Some(()) => Ok(()),
        None => Err(invalid(
            cx,
            &file,
            flag,
            "on the way there stands a value that is no map, or a list that is shorter",
        )),
    }
}

/// An integer without a sign before zeros, which could be a phone number.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_plain && (text == "0" || !digits.starts_with('0')) && text.parse::<i64>().is_ok()
}

fn invalid(cx: &mut Context<'_>, file: &SourceFile, flag: &str, what: &str) -> Reported {
    let text = String::from_utf8_lossy(file.bytes());
    // The value may be secret.
    let name =
        text.split_once('=').map_or_else(|| text.to_string(), |(name, _)| format!("{name}=…"));
    let d = Diagnostic::error(Code::ValuesInvalid, format!("`{flag} {name}`: {what}"));
    cx.fail(d)
}

fn put(node: &mut Node, parts: &[Part], value: &Node, values: &mut Values) -> Option<()> {
    let Some((part, rest)) = parts.split_first() else {
        values.overridden.insert(value.origin(), node.clone());
        *node = value.clone();
        return Some(());
    };
    let removes = rest.is_empty() && value.is_null();
    match part {
        Part::Key(name) => {
            let key = Key::text_key(name);
            if node.kind() != NodeKind::Map {
                return None;
            }
            if removes {
                node.remove(key);
                return Some(());
            }
            if node.get(key).is_none() {
                node.push_entry(key, value.origin(), empty(rest, value));
                if rest.is_empty() {
                    return Some(());
                }
            }
            put(node.get_mut(key)?, rest, value, values)
        }
        Part::Index(index) => {
            if node.kind() != NodeKind::Sequence || *index > node.len() || *index > MAX_INDEX {
                return None;
            }
            let elements = node.elements_mut()?;
            if *index == elements.len() {
                elements.push(empty(rest, value));
                if rest.is_empty() {
                    return Some(());
                }
            }
            put(&mut elements[*index], rest, value, values)
        }
    }
}

/// What stands at a new place, on the way to a value.
fn empty(rest: &[Part], value: &Node) -> Node {
    match rest.first() {
        None => value.clone(),
        Some(Part::Key(_)) => Node::map(Vec::new(), value.origin()),
        Some(Part::Index(_)) => Node::sequence(Vec::new(), value.origin()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_apart() {
        let key = |text: &str| Part::Key(text.to_owned());
        assert_eq!(path("a.b[0].c"), Some(vec![key("a"), key("b"), Part::Index(0), key("c")]));
        assert_eq!(path(r"a\.b.c"), Some(vec![key("a.b"), key("c")]));
        assert_eq!(path("a[1][2]"), Some(vec![key("a"), Part::Index(1), Part::Index(2)]));
        for bad in ["", ".", "a.", ".a", "a..b", "a[x]", "a[0]b"] {
            assert_eq!(path(bad), None, "{bad}");
        }
    }

    #[test]
    fn integers_have_no_leading_zero() {
        for text in ["0", "7", "-12", "1234567890"] {
            assert!(is_integer(text), "{text}");
        }
        for text in ["", "-", "007", "-0", "1.0", "1e3", "+1", "99999999999999999999"] {
            assert!(!is_integer(text), "{text}");
        }
    }
}
