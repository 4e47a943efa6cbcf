//! A tree, or a YAML text, to JSON text as Go's `encoding/json` writes it: keys sorted by bytes, HTML escaped.
//!
//! [`write_json`] writes the effective values ([`super::view`]). [`yaml_to_json`] decodes a text as go-yaml v3 does into
//! plain values: anchors and `<<` are resolved, comments are gone, dates become strings with a time.

use super::number::format_json;
use super::view::{ViewFault, checked_entries, direct, effective};
use super::{Dialect, Node, Scalar, parse_document};

/// Returns the first document of a YAML text as JSON on one line; none if JSON cannot hold it: a key that is no string or
/// stands twice, an infinite number.
pub(crate) fn yaml_to_json(yaml: &str) -> Option<String> {
    let mut out = String::new();
    let decoded = |node: &Node, _: bool, out: &mut String| {
        write_scalar(&direct(node)?, JsonNumbers::Exact, out);
        Ok(())
    };
    match parse_document(yaml, 0, Dialect::V3).ok()? {
        Some(node) => write(&node, false, false, &mut out, &decoded).ok()?,
        None => out.push_str("null"),
    }
    Some(out)
}

/// How numbers are written to JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonNumbers {
    /// As decoded from YAML: integers stay exact.
    Exact,
    /// As decoded from JSON once more: every number is a 64-bit float.
    Floats,
}

/// Writes a node as Go's `encoding/json` writes what kustomize decoded from it: keys sorted by bytes, `<`, `>` and `&`
/// escaped.
pub(crate) fn write_json(
    node: &Node,
    numbers: JsonNumbers,
    out: &mut String,
) -> Result<(), ViewFault> {
    write(node, true, false, out, &|node, flow, out| {
        write_scalar(&effective(node, flow)?, numbers, out);
        Ok(())
    })
}

/// Writes the scalar of a node; told whether it stands in flow style.
type ScalarWriter<'w> = &'w dyn Fn(&Node, bool, &mut String) -> Result<(), ViewFault>;

fn write(
    node: &Node,
    top: bool,
    flow: bool,
    out: &mut String,
    scalar: ScalarWriter<'_>,
) -> Result<(), ViewFault> {
    let flow = flow || node.is_flow();
    if let Some(entries) = node.entries() {
        let mut entries = checked_entries(entries, top)?;
        entries.sort_unstable_by_key(|(text, _)| *text);
        out.push('{');
        for (i, (text, value)) in entries.into_iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            write_json_string(text, out);
            out.push(':');
            write(value, false, flow, out, scalar)?;
        }
        out.push('}');
        return Ok(());
    }
    if let Some(elements) = node.elements() {
        out.push('[');
        for (i, element) in elements.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            write(element, false, flow, out, scalar)?;
        }
        out.push(']');
        return Ok(());
    }
    scalar(node, flow, out)
}

fn write_scalar(scalar: &Scalar<'_>, numbers: JsonNumbers, out: &mut String) {
    match scalar {
        Scalar::Null => out.push_str("null"),
        Scalar::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Scalar::Int(value) if numbers == JsonNumbers::Exact => out.push_str(&value.to_string()),
        Scalar::Uint(value) if numbers == JsonNumbers::Exact => out.push_str(&value.to_string()),
        Scalar::Int(value) => out.push_str(&format_json(*value as f64)),
        Scalar::Uint(value) => out.push_str(&format_json(*value as f64)),
        Scalar::Float(value) => out.push_str(&format_json(*value)),
        Scalar::Str(text) => write_json_string(text, out),
    }
}

/// Writes a string as Go's `encoding/json` does, with HTML escapes.
pub(crate) fn write_json_string(text: &str, out: &mut String) {
    use std::fmt::Write;
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", character as u32);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Puts a JSON text without spaces onto lines, indented by two, as Go's `json.MarshalIndent` does.
pub(crate) fn indent_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0;
    let (mut in_string, mut escaped) = (false, false);
    let break_line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    let mut characters = json.chars().peekable();
    while let Some(character) = characters.next() {
        if in_string {
            out.push(character);
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        match character {
            '{' | '[' => {
                out.push(character);
                if let Some(end) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    break_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth -= 1;
                break_line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(character);
                break_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                in_string = character == '"';
                out.push(character);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_becomes_json_as_go_makes_it() {
        let cases = [
            (
                "b: 1\na: [x, ~, yes, true, 0x1F, 1e3, 1.50]\n",
                r#"{"a":["x",null,"yes",true,31,1000,1.5],"b":1}"#,
            ),
            ("a: &x {b: 1}\nc:\n  <<: *x\n  d: *x\n", r#"{"a":{"b":1},"c":{"b":1,"d":{"b":1}}}"#),
            ("a: '<b>&' # gone\n", r#"{"a":"\u003cb\u003e\u0026"}"#),
            ("a: 2001-01-01\nb: !!binary aGk=\n", r#"{"a":"2001-01-01T00:00:00Z","b":"hi"}"#),
            ("a: >\n {\n   b\n }\n", r#"{"a":"{\n  b\n}\n"}"#),
            ("# nothing\n", "null"),
        ];
        for (yaml, want) in cases {
            assert_eq!(yaml_to_json(yaml).as_deref(), Some(want), "{yaml:?}");
        }
        for yaml in ["1: x\n", "a: 1\na: 2\n", "a: .inf\n", "a: *x\n", "a: !!int x\n"] {
            assert_eq!(yaml_to_json(yaml), None, "{yaml:?}");
        }
    }

    #[test]
    fn json_is_indented_outside_of_its_strings() {
        let json = r#"{"a":[],"b":[1,{"c":"x,{\"y\":[z]}\\"}],"d":{}}"#;
        let lines = [
            "{",
            r#"  "a": [],"#,
            r#"  "b": ["#,
            "    1,",
            "    {",
            r#"      "c": "x,{\"y\":[z]}\\""#,
            "    }",
            "  ],",
            r#"  "d": {}"#,
            "}",
        ];
        assert_eq!(indent_json(json), lines.join("\n"));
    }
}
