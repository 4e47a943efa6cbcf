//! A YAML document to typed values, with a place for every fault.
//!
//! kustomize decodes its own files in two steps, YAML 1.1 to JSON and JSON to Go structures, and the rules of both show:
//! `yes` is a boolean and so no name, a null is as if absent, the last of several equal keys counts, and field names match
//! without regard to case. A [`Decoder`] follows these rules and goes on after a fault, so that one run shows them all.

use ecow::EcoString;

use crate::diagnostic::{Code, nearest};
use crate::provenance::OriginId;
use crate::session::Text;
use crate::yaml::{
    Dialect, Entry, KeyKind, Node, NodeKind, Scalar, ScalarStyle, Tag, direct, format_general_f32,
    resolve,
};

/// Why a document does not have the expected form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DecodeFault {
    /// A field is not known.
    UnknownField {
        name: String,
        at: OriginId,
        /// What the field was looked for in.
        of: &'static str,
        /// The known field that was probably meant.
        meant: Option<&'static str>,
    },
    /// A value has the wrong type.
    WrongType {
        at: OriginId,
        /// The field.
        field: String,
        expected: &'static str,
        found: String,
    },
    /// A key is set twice, where that is an error.
    DuplicateKey { name: String, at: OriginId },
}

/// Something in a document that has no effect, although it looks as if it had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DecodeNotice {
    pub(crate) code: Code,
    pub(crate) at: OriginId,
    pub(crate) message: String,
    /// A few words for the place.
    pub(crate) text: &'static str,
    pub(crate) help: Option<&'static str>,
}

/// Which of kustomize's decoders is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    /// Kustomization files: unknown fields are errors, numbers and booleans are no strings.
    Kustomization,
    /// Transformer configurations: unknown fields and duplicate keys are errors, scalars become strings.
    Strict,
    /// Plugin configurations: unknown fields are ignored, scalars become strings.
    Lenient,
    /// Configurations of the prefix and suffix plugins, which another library reads: like [`Rules::Lenient`], but the
    /// case of field names counts.
    Exact,
}

pub(crate) struct Decoder {
    rules: Rules,
    pub(crate) faults: Vec<DecodeFault>,
    pub(crate) notices: Vec<DecodeNotice>,
}

/// The name a value goes by in messages, as `images.newTag`.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) of: &'a str,
    pub(crate) name: &'a str,
    /// Where the name of the field stands.
    pub(crate) at: OriginId,
}

impl std::fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.of.is_empty() {
            f.write_str(self.name)
        } else {
            write!(f, "{}.{}", self.of, self.name)
        }
    }
}

impl Decoder {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, faults: Vec::new(), notices: Vec::new() }
    }

    /// Calls `decode` for every field of a map that is known and not null, with the name as `known` spells it. A null is a
    /// map without fields.
    pub(crate) fn fields(
        &mut self,
        node: &Node,
        of: &'static str,
        known: &'static [&'static str],
        mut decode: impl FnMut(&mut Self, Field<'static>, &Node),
    ) {
        if is_null(node) {
            return;
        }
        let Some(entries) = node.entries() else {
            self.wrong_type(node, Field { of: "", name: of, at: OriginId::NONE }, "a map");
            return;
        };
        let mut met: Vec<(&str, OriginId)> = Vec::new();
        for entry in self.effective_entries(entries) {
            let name = entry.key.text();
            let exact = known.iter().find(|k| **k == name);
            let by_case = || known.iter().find(|k| k.eq_ignore_ascii_case(name));
            let found = if self.rules == Rules::Exact { exact } else { exact.or_else(by_case) };
            match found {
                Some(name) if !is_null(&entry.value) => {
                    if let Some((_, at)) = met.iter().find(|(known, _)| known == name) {
                        self.duplicate(name, *at);
                    }
                    met.push((name, entry.key_origin));
                    decode(self, Field { of, name, at: entry.key_origin }, &entry.value);
                }
                Some(_) => {}
                None if matches!(self.rules, Rules::Lenient | Rules::Exact) => {}
                None => {
                    let meant = nearest(name, known.iter().copied());
                    let (name, at) = (name.to_owned(), entry.key_origin);
                    self.faults.push(DecodeFault::UnknownField { name, at, of, meant });
                }
            }
        }
    }

    /// Returns the entries that count, in the order of JSON: by key; of several with one key, the last.
    fn effective_entries<'n>(&mut self, entries: &'n [Entry]) -> Vec<&'n Entry> {
        let mut out: Vec<&Entry> = Vec::with_capacity(entries.len());
        for entry in entries {
            match out.iter_mut().find(|e| e.key.same_text(entry.key)) {
                Some(known) => {
                    if self.rules == Rules::Strict {
                        let (name, at) = (entry.key.text().to_owned(), entry.key_origin);
                        self.faults.push(DecodeFault::DuplicateKey { name, at });
                    } else {
                        self.duplicate(entry.key.text(), known.key_origin);
                    }
                    *known = entry;
                }
                None => out.push(entry),
            }
            if entry.key.kind() != KeyKind::Text {
                let found = "a key that is not a string".to_owned();
                let field = entry.key.text().to_owned();
                self.faults.push(DecodeFault::WrongType {
                    at: entry.key_origin,
                    field,
                    expected: "a string",
                    found,
                });
            }
        }
        out.sort_by_key(|e| e.key.text());
        out
    }

    fn duplicate(&mut self, name: &str, at: OriginId) {
        self.notices.push(DecodeNotice {
            code: Code::DuplicateField,
            at,
            message: format!("`{name}` is written again below: this one counts for nothing"),
            text: "without effect",
            help: Some("join the two"),
        });
    }

    pub(crate) fn wrong_type(&mut self, node: &Node, field: Field<'_>, expected: &'static str) {
        let found = describe(node);
        self.faults.push(DecodeFault::WrongType {
            at: node.origin(),
            field: field.to_string(),
            expected,
            found,
        });
    }

    /// Decodes a string.
    pub(crate) fn text(&mut self, node: &Node, field: Field<'_>) -> Text {
        self.text_with(node, field, self.rules != Rules::Kustomization)
    }

    /// Decodes a string of a structure that is embedded in another, into which no scalar is converted.
    pub(crate) fn embedded_text(&mut self, node: &Node, field: Field<'_>) -> Text {
        self.text_with(node, field, false)
    }

    fn text_with(&mut self, node: &Node, field: Field<'_>, converts: bool) -> Text {
        let at = node.origin();
        let value = match scalar(node) {
            Some(Scalar::Str(text)) => Some(EcoString::from(text.as_ref())),
            Some(Scalar::Null) => Some(EcoString::new()),
            Some(Scalar::Bool(value)) if converts => Some(value.to_string().into()),
            Some(Scalar::Int(value)) if converts => Some(value.to_string().into()),
            Some(Scalar::Uint(value)) if converts => Some(value.to_string().into()),
            Some(Scalar::Float(value)) if converts => Some(format_general_f32(value).into()),
            _ => None,
        };
        if value.is_none() {
            self.wrong_type(node, field, "a string");
        }
        Text { value: value.unwrap_or_default(), at }
    }

    /// Decodes a boolean.
    pub(crate) fn boolean(&mut self, node: &Node, field: Field<'_>) -> bool {
        match scalar(node) {
            Some(Scalar::Bool(value)) => value,
            Some(Scalar::Null) => false,
            _ => {
                self.wrong_type(node, field, "true or false");
                false
            }
        }
    }

    /// Decodes an integer.
    pub(crate) fn integer(&mut self, node: &Node, field: Field<'_>) -> i64 {
        match scalar(node) {
            Some(Scalar::Int(value)) => value,
            Some(Scalar::Null) => 0,
            // JSON writes a whole float as an integer.
            Some(Scalar::Float(value)) if value.fract() == 0.0 && value.abs() < 1e18 => {
                value as i64
            }
            _ => {
                self.wrong_type(node, field, "an integer");
                0
            }
        }
    }

    /// Decodes a list, element by element.
    pub(crate) fn list<T>(
        &mut self,
        node: &Node,
        field: Field<'_>,
        mut decode: impl FnMut(&mut Self, &Node) -> T,
    ) -> Vec<T> {
        match node.elements() {
            Some(elements) => elements.iter().map(|e| decode(self, e)).collect(),
            None => {
                self.wrong_type(node, field, "a list");
                Vec::new()
            }
        }
    }

    /// Decodes a list of strings. A null element is an empty string.
    pub(crate) fn texts(&mut self, node: &Node, field: Field<'_>) -> Vec<Text> {
        self.list(node, field, |d, e| d.text(e, field))
    }

    /// Decodes a map of strings, sorted by key.
    pub(crate) fn text_map(&mut self, node: &Node, field: Field<'_>) -> Vec<(EcoString, Text)> {
        self.text_map_with(node, field, self.rules != Rules::Kustomization)
    }

    /// Decodes a map of strings of a structure that is embedded in another, into which no scalar is converted.
    pub(crate) fn embedded_text_map(
        &mut self,
        node: &Node,
        field: Field<'_>,
    ) -> Vec<(EcoString, Text)> {
        self.text_map_with(node, field, false)
    }

    fn text_map_with(
        &mut self,
        node: &Node,
        field: Field<'_>,
        converts: bool,
    ) -> Vec<(EcoString, Text)> {
        let Some(entries) = node.entries() else {
            self.wrong_type(node, field, "a map");
            return Vec::new();
        };
        let entries = self.effective_entries(entries);
        let text = |e: &Entry| (e.key.text().into(), self.text_with(&e.value, field, converts));
        entries.into_iter().map(text).collect()
    }
}

/// Returns the value of a scalar by YAML 1.1; none for a collection or a value that contradicts its tag.
pub(crate) fn scalar(node: &Node) -> Option<Scalar<'_>> {
    if !node.is_scalar() {
        return None;
    }
    let tag = match node.tag() {
        tag if node.is_tagged() => tag,
        _ if node.style() != ScalarStyle::Plain => Tag::Str,
        _ => Tag::Empty,
    };
    if tag == Tag::Binary {
        return direct(node).ok();
    }
    resolve(node.text(), tag, Dialect::V2).ok()
}

pub(crate) fn is_null(node: &Node) -> bool {
    matches!(scalar(node), Some(Scalar::Null))
}

fn describe(node: &Node) -> String {
    match (node.kind(), scalar(node)) {
        (NodeKind::Map, _) => "a map".to_owned(),
        (NodeKind::Sequence, _) => "a list".to_owned(),
        (_, Some(Scalar::Bool(_))) => format!("the boolean `{}`", node.text()),
        (_, Some(Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_))) => {
            format!("the number `{}`", node.text())
        }
        (_, Some(Scalar::Null)) => "nothing".to_owned(),
        _ => "a string".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse_document;

    const FIELDS: &[&str] = &["resources", "namePrefix"];

    fn decode(text: &str, rules: Rules) -> (Vec<String>, Vec<DecodeFault>) {
        let node = parse_document(text, 1, Dialect::V2).unwrap().unwrap();
        let mut decoder = Decoder::new(rules);
        let mut out = Vec::new();
        decoder.fields(&node, "", FIELDS, |d, field, value| match field.name {
            "resources" => {
                out.extend(d.texts(value, field).into_iter().map(|t| t.value.to_string()));
            }
            _ => out.push(d.text(value, field).value.to_string()),
        });
        (out, decoder.faults)
    }

    #[test]
    fn fields_match_without_case_and_the_last_one_counts() {
        let (out, faults) =
            decode("Resources: [a]\nnamePrefix: x\nnamePrefix: z\n", Rules::Kustomization);
        assert_eq!(out, ["a", "z"]);
        assert_eq!(faults, []);
    }

    #[test]
    fn faults_are_collected() {
        let (_, faults) = decode("resoruces: [a]\nnamePrefix: yes\n", Rules::Kustomization);
        assert_eq!(faults.len(), 2);
        assert!(matches!(&faults[1], DecodeFault::UnknownField { meant: Some("resources"), .. }));
        assert!(matches!(&faults[0], DecodeFault::WrongType { .. }));
    }

    #[test]
    fn lenient_rules_convert_scalars() {
        assert_eq!(
            decode("namePrefix: 1.50\nfoo: 1\n", Rules::Lenient),
            (vec!["1.5".to_owned()], vec![])
        );
        assert_eq!(decode("namePrefix: no\n", Rules::Strict).0, ["false"]);
        assert_eq!(decode("namePrefix: x\nnamePrefix: y\n", Rules::Strict).1.len(), 1);
    }
}
