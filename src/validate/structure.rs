//! Objects of Kubernetes' own kinds against the fields of their types.

use std::borrow::Cow;
use std::collections::HashMap;

use super::formats;
use super::report::{Path, Report};
use crate::diagnostic::{Code, nearest};
use crate::schema::{Kubernetes, ListKind, Rule, Shape};
use crate::yaml::{Dialect, Entry, Node, NodeKind, Scalar, ScalarStyle, Tag, resolve};

/// The key under which SOPS keeps what it needs to decrypt an object.
const SOPS: &str = "sops";
/// What the values begin with that SOPS has encrypted.
const ENCRYPTED: &str = "ENC[";

/// The most that the annotations of an object may hold, in bytes.
const MAX_ANNOTATIONS: usize = 256 << 10;

/// Returns the value of a scalar as Kubernetes' tools read it: by YAML 1.1, where `yes` is a boolean.
pub(super) fn scalar_of(node: &Node) -> Scalar<'_> {
    let text = node.text();
    let string = Scalar::Str(Cow::Borrowed(text));
    let quoted = node.tag() == Tag::Empty && node.style() != ScalarStyle::Plain;
    if quoted || matches!(node.tag(), Tag::Str | Tag::Binary) {
        return string;
    }
    resolve(text, node.tag(), Dialect::V2).unwrap_or(string)
}

/// Returns whether Flux fills a text in before Kubernetes sees it (`postBuild.substitute`): it holds a `${NAME}`.
pub(super) fn is_placeholder(node: &Node) -> bool {
    let text = node.text();
    if !text.as_bytes().contains(&b'$') {
        return false;
    }
    let after = text.split_once("${").map(|(_, rest)| rest);
    after.is_some_and(|rest| {
        rest.contains('}') && rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    })
}

/// Returns whether SOPS has encrypted an object.
pub(super) fn is_encrypted(object: &Node) -> bool {
    let sops = object.entries().into_iter().flatten().find(|entry| entry.key.text() == SOPS);
    sops.is_some_and(|entry| entry.value.kind() == NodeKind::Map)
}

/// Returns whether a value counts as absent.
pub(super) fn is_null(node: &Node) -> bool {
    match node.tag() {
        Tag::Null => true,
        Tag::Empty => node.kind() == NodeKind::Scalar && scalar_of(node) == Scalar::Null,
        _ => false,
    }
}

/// Says what a value is, in words.
pub(super) fn describe(node: &Node) -> String {
    match node.kind() {
        NodeKind::Map => "a map".to_owned(),
        NodeKind::Sequence => "a list".to_owned(),
        NodeKind::Scalar => match scalar_of(node) {
            Scalar::Null => "null".to_owned(),
            Scalar::Bool(_) => format!("the boolean `{}`", node.text()),
            Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_) => {
                format!("the number `{}`", node.text())
            }
            Scalar::Str(text) if text.is_empty() => "an empty text".to_owned(),
            Scalar::Str(text) => format!("the text `{}`", shortened(&text)),
        },
    }
}

/// Returns the beginning of a text, on one line.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    if line.len() == text.len() && line.chars().count() <= LONGEST {
        return line.to_owned();
    }
    line.chars().take(LONGEST).chain(['…']).collect()
}

/// Returns the integer that a number is; JSON does not tell `1.0` from `1`.
pub(super) fn integer(scalar: &Scalar<'_>) -> Option<i128> {
    match scalar {
        Scalar::Int(int) => Some(i128::from(*int)),
        Scalar::Uint(uint) => Some(i128::from(*uint)),
        // Beyond this, floating-point numbers are no longer exact.
        Scalar::Float(float) if float.fract() == 0.0 && float.abs() < 9e15 => Some(*float as i128),
        _ => None,
    }
}

/// Checks one object.
pub(super) struct Structure<'a> {
    types: &'a Kubernetes,
    report: &'a mut Report,
    /// SOPS decrypts the object before Kubernetes sees it.
    encrypted: bool,
}

impl<'a> Structure<'a> {
    pub(super) fn new(types: &'a Kubernetes, report: &'a mut Report, object: &Node) -> Self {
        Self { types, report, encrypted: is_encrypted(object) }
    }

    /// Checks a value that should have the type.
    pub(super) fn check_type<'n>(&mut self, name: &str, node: &'n Node, path: &mut Path<'n>) {
        let Some(found) = self.types.type_of(name) else { return };
        let Some(entries) = node.entries() else {
            return self.wrong(node, path, "a map");
        };
        for entry in entries {
            let key = entry.key.text();
            let Some(field) = found.field(key) else {
                if !(self.encrypted && path.is_root() && key == SOPS) {
                    let names = found.fields.iter().map(|field| field.name);
                    self.report.unknown_field(
                        path,
                        key,
                        (entry.key_origin, entry.value.origin()),
                        nearest(key, names),
                    );
                }
                continue;
            };
            if is_null(&entry.value) {
                continue;
            }
            path.push_key(key);
            self.check_shape(&field.shape, &entry.value, path, field.lenient);
            if let Some(rule) = &field.rule {
                self.check_rule(rule, &entry.value, path);
            }
            path.pop();
        }
        for field in found.fields.iter().filter(|field| field.required) {
            let value = entries.iter().find(|entry| entry.key.text() == field.name);
            if value.is_none_or(|entry| is_null(&entry.value)) {
                let at = value.map_or(node.origin(), |entry| entry.key_origin);
                self.report.missing(path, field.name, at);
            }
        }
    }

    fn check_shape<'n>(
        &mut self,
        shape: &Shape,
        node: &'n Node,
        path: &mut Path<'n>,
        lenient: bool,
    ) {
        match shape {
            Shape::Any => {}
            Shape::Object if node.kind() == NodeKind::Map => {}
            Shape::Object => self.wrong(node, path, "a map"),
            Shape::Type(name) => self.check_type(name, node, path),
            Shape::Map(values) => {
                let Some(entries) = node.entries() else { return self.wrong(node, path, "a map") };
                for entry in entries.iter().filter(|entry| !is_null(&entry.value)) {
                    path.push_key(entry.key.text());
                    self.check_shape(values, &entry.value, path, false);
                    path.pop();
                }
            }
            Shape::List(kind, elements) => {
                let Some(nodes) = node.elements() else { return self.wrong(node, path, "a list") };
                for (index, element) in nodes.iter().enumerate() {
                    if !is_null(element) {
                        path.push_index(index);
                        self.check_shape(elements, element, path, false);
                        path.pop();
                    }
                }
                if let ListKind::Keyed(keys) = kind {
                    let code =
                        if lenient { Code::SchemaRepeatedEntry } else { Code::SchemaDuplicateKey };
                    require_distinct(self.report, keys, nodes, path, code);
                }
            }
            _ => self.check_scalar(shape, node, path),
        }
    }

    fn check_scalar(&mut self, shape: &Shape, node: &Node, path: &Path<'_>) {
        let expected = match shape {
            Shape::Int32 | Shape::Int64 => "an integer",
            Shape::Number => "a number",
            Shape::Bool => "`true` or `false`",
            Shape::IntOrString => "an integer or text",
            Shape::Quantity => "a quantity, as `100m` or `2Gi`",
            Shape::Time => "a time, as `2006-01-02T15:04:05Z`",
            Shape::Bytes => "base64",
            _ => "text",
        };
        if node.kind() != NodeKind::Scalar {
            return self.wrong(node, path, expected);
        }
        if is_placeholder(node) {
            return;
        }
        let value = scalar_of(node);
        let is_hidden = self.encrypted && node.text().starts_with(ENCRYPTED);
        let fits = match (shape, &value) {
            _ if is_hidden => true,
            (Shape::Int32 | Shape::Int64, value) => match integer(value) {
                Some(int) => {
                    let (bits, fits) = match shape {
                        Shape::Int32 => (32, i32::try_from(int).is_ok()),
                        _ => (64, i64::try_from(int).is_ok()),
                    };
                    if !fits {
                        let message = format!("is no integer of {bits} bits: `{}`", node.text());
                        self.report.invalid(path, node.origin(), &message, None);
                    }
                    true
                }
                None => false,
            },
            (
                Shape::Number | Shape::Quantity,
                Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_),
            )
            | (Shape::Bool, Scalar::Bool(_))
            | (
                Shape::String | Shape::IntOrString | Shape::Time | Shape::Bytes | Shape::Quantity,
                Scalar::Str(_),
            ) => true,
            (Shape::IntOrString, value) => integer(value).is_some(),
            _ => false,
        };
        if !fits {
            return self.wrong(node, path, expected);
        }
        let Scalar::Str(text) = &value else { return };
        let is_right = match shape {
            _ if is_hidden => true,
            Shape::Quantity => formats::is_quantity(text),
            Shape::Time => formats::is_date_time(text),
            Shape::Bytes => formats::is_base64(text),
            _ => true,
        };
        if !is_right {
            let message = match shape {
                // It may be a secret.
                Shape::Bytes => "must be base64".to_owned(),
                _ => format!("must be {expected}, not `{}`", shortened(text)),
            };
            let help = (*shape == Shape::Bytes).then_some("plain text belongs under `stringData`");
            self.report.invalid(path, node.origin(), &message, help);
        }
    }

    fn check_rule(&mut self, rule: &Rule, node: &Node, path: &mut Path<'_>) {
        if let Rule::Items(rule) = rule {
            for (index, element) in node.elements().into_iter().flatten().enumerate() {
                path.push_index(index);
                self.check_rule(rule, element, path);
                path.pop();
            }
            return;
        }
        if let (Rule::Format(format), Some(entries)) = (rule, node.entries()) {
            return self.check_keys(format, entries, node, path);
        }
        if node.kind() != NodeKind::Scalar || is_placeholder(node) {
            return;
        }
        let value = scalar_of(node);
        match (rule, &value) {
            // An empty text stands for the default.
            (Rule::Enum(values), Scalar::Str(text))
                if !text.is_empty() && !values.contains(&text.as_ref()) =>
            {
                self.report.not_one_of(path, node.origin(), text, values);
            }
            (Rule::Range(low, high), value) => {
                let Some(int) = integer(value) else { return };
                if int < i128::from(*low) || int > i128::from(*high) {
                    let message = match *high {
                        i64::MAX => format!("must be at least {low}, not {int}"),
                        _ => format!("must be between {low} and {high}, not {int}"),
                    };
                    self.report.invalid(path, node.origin(), &message, None);
                }
            }
            (Rule::Format(format), value) => self.check_format(format, value, node, path),
            _ => {}
        }
    }

    fn check_format(&mut self, format: &str, value: &Scalar<'_>, node: &Node, path: &Path<'_>) {
        if let ("port", Some(port)) = (format, integer(value)) {
            if !(1..=65535).contains(&port) {
                let message = format!("must be a port between 1 and 65535, not {port}");
                self.report.invalid(path, node.origin(), &message, None);
            }
            return;
        }
        let Scalar::Str(text) = value else { return };
        // An empty text is as good as none, except where it must not be empty.
        if text.is_empty() {
            if format == "nonempty" {
                self.report.invalid(path, node.origin(), "must not be empty", None);
            }
            return;
        }
        let (fits, expected) = match format {
            "dns-label" => (
                formats::is_dns_label(text),
                "at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends",
            ),
            "dns-name" => (
                formats::is_dns_subdomain(text),
                "a DNS name: lower-case letters, digits, `-` and `.`",
            ),
            "port" | "port-name" => (
                formats::is_port_name(text),
                "at most 15 lower-case letters, digits and single `-`, with at least one letter",
            ),
            "ip" => (formats::is_ip(text), "an IP address"),
            "cidr" => (formats::is_cidr(text), "a range of addresses, as `10.0.0.0/8`"),
            "schedule" => (
                formats::is_schedule(text),
                "a schedule of five fields, as `*/5 * * * *`, or as `@daily`",
            ),
            _ => (true, ""),
        };
        if !fits {
            let message = format!("must be {expected}, not `{}`", shortened(text));
            self.report.invalid(path, node.origin(), &message, None);
        }
    }

    /// Checks the keys of a map, and the values of labels.
    fn check_keys(&mut self, format: &str, entries: &[Entry], node: &Node, path: &Path<'_>) {
        let mut size = 0;
        for entry in entries {
            let key = entry.key.text();
            let fits = match format {
                "config-keys" => formats::is_config_key(key),
                "annotations" => formats::is_qualified_name(&key.to_ascii_lowercase()),
                _ => formats::is_qualified_name(key),
            };
            if !fits {
                let expected = match format {
                    "config-keys" => "of letters, digits, `-`, `_` and `.`",
                    _ => {
                        "at most 63 letters, digits, `-`, `_` and `.`, perhaps behind a DNS name and `/`"
                    }
                };
                let message = format!("has the key `{}`: it must be {expected}", shortened(key));
                self.report.invalid(path, entry.key_origin, &message, None);
            }
            let text = entry.value.text();
            size += key.len() + text.len();
            let is_text = entry.value.is_scalar() && !is_placeholder(&entry.value);
            if format == "labels" && is_text && !formats::is_label_value(text) {
                let message = format!(
                    "must be at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends, not `{}`",
                    shortened(text)
                );
                self.report.invalid_field(path, key, entry.value.origin(), &message);
            }
        }
        if format == "annotations" && size > MAX_ANNOTATIONS {
            let message = format!("holds {size} bytes, and at most {MAX_ANNOTATIONS} are allowed");
            self.report.invalid(path, node.origin(), &message, None);
        }
    }

    fn wrong(&mut self, node: &Node, path: &Path<'_>, expected: &str) {
        self.report.wrong_type(path, node, expected);
    }
}

/// Reports elements of a keyed list that have the keys of an earlier one.
pub(super) fn require_distinct(
    report: &mut Report,
    keys: &[impl AsRef<str>],
    nodes: &[Node],
    path: &mut Path<'_>,
    code: Code,
) {
    if nodes.len() < 2 {
        return;
    }
    let mut seen: HashMap<Vec<&str>, &Node> = HashMap::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        let Some(entries) = node.entries() else { continue };
        let value = |key: &str| {
            let found = entries.iter().find(|entry| entry.key.text() == key);
            match found.filter(|entry| !is_null(&entry.value)) {
                Some(entry) => entry.value.text(),
                // The API server fills it in.
                None if key == "protocol" => "TCP",
                None => "",
            }
        };
        let own: Vec<&str> = keys.iter().map(|key| value(key.as_ref())).collect();
        if keys.iter().zip(&own).all(|(key, text)| text.is_empty() || key.as_ref() == "protocol") {
            continue;
        }
        if let Some(first) = seen.get(&own) {
            path.push_index(index);
            let named: Vec<String> = keys
                .iter()
                .zip(&own)
                .map(|(key, text)| format!("{} `{text}`", key.as_ref()))
                .collect();
            report.duplicate(code, path, node.origin(), first.origin(), &named.join(" and "));
            path.pop();
        } else {
            seen.insert(own, node);
        }
    }
}
