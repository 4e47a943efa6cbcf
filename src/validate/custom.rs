//! Custom resources against the schemas of their definitions.
//!
//! The rules are those of structural schemas: fields that no schema names are unknown, unless `x-kubernetes-preserve-unknown-fields` or
//! `additionalProperties` lets them be; what stands in `allOf`, `anyOf`, `oneOf` and `not` restricts values and names no fields.

use super::formats;
use super::report::{Path, Report};
use super::structure::{
    Structure, describe, integer, is_null, is_placeholder, require_distinct, scalar_of, shortened,
};
use crate::diagnostic::{Code, nearest};
use crate::schema::{CrdKind, CrdSchema, Kubernetes, Limits};
use crate::yaml::{Node, NodeKind, Scalar};

/// The type of the metadata of every object.
const OBJECT_META: &str = "apis.meta.v1.ObjectMeta";
/// Fields that every object has, whatever its schema names.
const OBJECT_FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Checks one custom resource.
pub(super) struct Custom<'a> {
    types: &'a Kubernetes,
    report: &'a mut Report,
    /// Fields that no schema names may stay.
    keeps_unknown: bool,
    /// CEL rules that were not evaluated.
    pub(super) skipped_rules: usize,
}

/// What surrounds a schema that stands in a combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It names the fields.
    Structural,
    /// It only restricts what others have named.
    Junctor,
}

impl<'a> Custom<'a> {
    pub(super) fn new(types: &'a Kubernetes, report: &'a mut Report, keeps_unknown: bool) -> Self {
        Self { types, report, keeps_unknown, skipped_rules: 0 }
    }

    /// Checks an object.
    pub(super) fn check_object(&mut self, schema: &CrdSchema, node: &Node) {
        self.check(schema, node, &mut Path::default(), Role::Structural, true);
    }

    fn check<'n>(
        &mut self,
        schema: &CrdSchema,
        node: &'n Node,
        path: &mut Path<'n>,
        role: Role,
        is_object: bool,
    ) {
        self.skipped_rules += schema.cel_rules;
        if is_null(node) {
            if !schema.nullable && role == Role::Structural && schema.kind.is_some() {
                // The API server drops a null that is not allowed, and fills in the default.
                return;
            }
            return;
        }
        if node.is_scalar() && is_placeholder(node) || !self.check_kind(schema, node, path) {
            return;
        }
        match node.kind() {
            NodeKind::Map => self.check_map(schema, node, path, role, is_object),
            NodeKind::Sequence => self.check_list(schema, node, path, role),
            NodeKind::Scalar => self.check_scalar(schema, node, path),
        }
        if let Some(values) = &schema.values {
            let same =
                |value: &Node| value.kind() == node.kind() && scalar_of(value) == scalar_of(node);
            if node.is_scalar() && !values.iter().any(same) {
                let texts: Vec<&str> = values.iter().map(Node::text).collect();
                self.report.not_one_of(path, node.origin(), node.text(), &texts);
            }
        }
        for one in &schema.all_of {
            self.check(one, node, path, Role::Junctor, false);
        }
        let fitting = |custom: &mut Self, all: &[CrdSchema]| {
            all.iter().filter(|one| custom.fits(one, node, path)).count()
        };
        if !schema.any_of.is_empty() && fitting(self, &schema.any_of) == 0 {
            self.report.invalid(
                path,
                node.origin(),
                "fits none of the forms that it may have",
                None,
            );
        }
        if !schema.one_of.is_empty() {
            match fitting(self, &schema.one_of) {
                1 => {}
                0 => self.report.invalid(
                    path,
                    node.origin(),
                    "fits none of the forms that it may have",
                    None,
                ),
                _ => {
                    let message = "fits several of the forms of which it may have one";
                    self.report.invalid(path, node.origin(), message, None);
                }
            }
        }
        if let Some(not) = &schema.not
            && self.fits(not, node, path)
        {
            self.report.invalid(path, node.origin(), "has a form that it must not have", None);
        }
    }

    /// Returns whether a value fits a schema that stands in a combination.
    fn fits(&self, schema: &CrdSchema, node: &Node, path: &Path<'_>) -> bool {
        let mut report = Report::default();
        let mut inner = Custom::new(self.types, &mut report, true);
        inner.check(schema, node, &mut path.clone(), Role::Junctor, false);
        report.found.is_empty()
    }

    fn check_kind(&mut self, schema: &CrdSchema, node: &Node, path: &Path<'_>) -> bool {
        let is_int_or_string = schema.int_or_string || schema.format == "int-or-string";
        if is_int_or_string && schema.kind.is_none_or(|kind| kind == CrdKind::String) {
            let fits = node.is_scalar()
                && (integer(&scalar_of(node)).is_some()
                    || matches!(scalar_of(node), Scalar::Str(_)));
            if !fits {
                self.report.wrong_type(path, node, "an integer or text");
            }
            return fits;
        }
        let Some(kind) = schema.kind else { return true };
        let (fits, expected) = match kind {
            CrdKind::Object => (node.kind() == NodeKind::Map, "a map"),
            CrdKind::Array => (node.kind() == NodeKind::Sequence, "a list"),
            CrdKind::String => {
                (node.is_scalar() && matches!(scalar_of(node), Scalar::Str(_)), "text")
            }
            CrdKind::Integer => {
                (node.is_scalar() && integer(&scalar_of(node)).is_some(), "an integer")
            }
            CrdKind::Number => (
                node.is_scalar()
                    && matches!(
                        scalar_of(node),
                        Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_)
                    ),
                "a number",
            ),
            CrdKind::Boolean => (
                node.is_scalar() && matches!(scalar_of(node), Scalar::Bool(_)),
                "`true` or `false`",
            ),
        };
        if !fits {
            self.report.wrong_type(path, node, expected);
        }
        fits
    }

    fn check_map<'n>(
        &mut self,
        schema: &CrdSchema,
        node: &'n Node,
        path: &mut Path<'n>,
        role: Role,
        is_object: bool,
    ) {
        let entries = node.entries().unwrap_or_default();
        let is_object = is_object || schema.embedded;
        // An object without a word about its fields may hold anything.
        let names_fields = !schema.properties.is_empty();
        let keeps =
            self.keeps_unknown || schema.keeps_unknown || role == Role::Junctor || !names_fields;
        for entry in entries {
            let key = entry.key.text();
            if is_object && OBJECT_FIELDS.contains(&key) {
                if key == "metadata" {
                    path.push_key(key);
                    Structure::new(self.types, self.report, node).check_type(
                        OBJECT_META,
                        &entry.value,
                        path,
                    );
                    path.pop();
                }
                continue;
            }
            let below = match (schema.properties.get(key), &schema.additional) {
                (Some(property), _) => Some(property),
                (None, Some(values)) => Some(values),
                (None, None) if keeps => None,
                (None, None) => {
                    let names = schema.properties.keys().map(String::as_str);
                    let near = nearest(key, names);
                    self.report.unknown_field(
                        path,
                        key,
                        (entry.key_origin, entry.value.origin()),
                        near,
                    );
                    None
                }
            };
            if let Some(below) = below {
                path.push_key(key);
                self.check(below, &entry.value, path, role, false);
                path.pop();
            }
        }
        for name in &schema.required {
            let value = entries.iter().find(|entry| entry.key.text() == name);
            let property = schema.properties.get(name);
            // The API server fills defaults in first, in place of a null that is not allowed, too.
            if property.is_some_and(|property| property.has_default) && role == Role::Structural {
                continue;
            }
            let may_be_null = || property.is_some_and(|property| property.nullable);
            match value {
                None => self.report.missing(path, name, node.origin()),
                Some(entry) if is_null(&entry.value) && !may_be_null() => {
                    self.report.missing(path, name, entry.key_origin);
                }
                Some(_) => {}
            }
        }
        self.check_count(schema.property_count, entries.len() as u64, "fields", node, path);
    }

    fn check_list<'n>(
        &mut self,
        schema: &CrdSchema,
        node: &'n Node,
        path: &mut Path<'n>,
        role: Role,
    ) {
        let elements = node.elements().unwrap_or_default();
        if let Some(items) = &schema.items {
            for (index, element) in elements.iter().enumerate() {
                path.push_index(index);
                self.check(items, element, path, role, false);
                path.pop();
            }
        }
        self.check_count(schema.item_count, elements.len() as u64, "elements", node, path);
        if !schema.keys.is_empty() {
            require_distinct(self.report, &schema.keys, elements, path, Code::SchemaDuplicateKey);
        }
        if schema.is_set {
            for (index, element) in elements.iter().enumerate().filter(|(_, e)| e.is_scalar()) {
                let first =
                    elements[..index].iter().find(|e| e.is_scalar() && e.text() == element.text());
                if let Some(first) = first {
                    path.push_index(index);
                    let named = format!("the value `{}`", shortened(element.text()));
                    let code = Code::SchemaDuplicateKey;
                    self.report.duplicate(code, path, element.origin(), first.origin(), &named);
                    path.pop();
                }
            }
        }
    }

    fn check_count(
        &mut self,
        limits: Limits,
        count: u64,
        what: &str,
        node: &Node,
        path: &Path<'_>,
    ) {
        let message = match (limits.least, limits.most) {
            (Some(least), _) if count < least => {
                format!("must have at least {least} {what}, not {count}")
            }
            (_, Some(most)) if count > most => {
                format!("must have at most {most} {what}, not {count}")
            }
            _ => return,
        };
        self.report.invalid(path, node.origin(), &message, None);
    }

    fn check_scalar(&mut self, schema: &CrdSchema, node: &Node, path: &Path<'_>) {
        let value = scalar_of(node);
        let mut invalid = |message: &str| self.report.invalid(path, node.origin(), message, None);
        match &value {
            Scalar::Str(text) => {
                if let Some(pattern) = schema.pattern.as_ref().filter(|p| !p.is_match(text)) {
                    let written = pattern.as_str();
                    invalid(&format!("must match `{written}`, not `{}`", shortened(text)));
                }
                if let Some(expected) = wrong_format(&schema.format, text) {
                    invalid(&format!("must be {expected}, not `{}`", shortened(text)));
                }
                let length = text.chars().count() as u64;
                match (schema.length.least, schema.length.most) {
                    (Some(1), _) if length == 0 => invalid("must not be empty"),
                    (Some(least), _) if length < least => {
                        invalid(&format!("must have at least {least} characters, not {length}"));
                    }
                    (_, Some(most)) if length > most => {
                        invalid(&format!("must have at most {most} characters, not {length}"));
                    }
                    _ => {}
                }
            }
            Scalar::Int(_) | Scalar::Uint(_) | Scalar::Float(_) => {
                let number = match value {
                    Scalar::Int(int) => int as f64,
                    Scalar::Uint(uint) => uint as f64,
                    Scalar::Float(float) => float,
                    _ => return,
                };
                if let Some(bound) = schema.minimum {
                    let than = if bound.exclusive { "more than" } else { "at least" };
                    if number < bound.value || bound.exclusive && number <= bound.value {
                        invalid(&format!("must be {than} {}, not {number}", bound.value));
                    }
                }
                if let Some(bound) = schema.maximum {
                    let than = if bound.exclusive { "less than" } else { "at most" };
                    if number > bound.value || bound.exclusive && number >= bound.value {
                        invalid(&format!("must be {than} {}, not {number}", bound.value));
                    }
                }
                if let Some(step) = schema.multiple_of.filter(|step| (number / step).fract() != 0.0)
                {
                    invalid(&format!("must be a multiple of {step}, not {number}"));
                }
                let bits = match schema.format.as_str() {
                    "int32" => i128::from(i32::MIN)..=i128::from(i32::MAX),
                    "int64" => i128::from(i64::MIN)..=i128::from(i64::MAX),
                    _ => return,
                };
                if integer(&value).is_some_and(|int| !bits.contains(&int)) {
                    invalid(&format!("is no `{}`: {}", schema.format, describe(node)));
                }
            }
            Scalar::Bool(_) | Scalar::Null => {}
        }
    }
}

/// Returns what a text should be and is not, by the formats that the API server checks.
fn wrong_format(format: &str, text: &str) -> Option<&'static str> {
    let (fits, expected) = match format {
        "date-time" => (formats::is_date_time(text), "a time, as `2006-01-02T15:04:05Z`"),
        "duration" => (formats::is_duration(text), "a duration, as `1h30m`"),
        "ipv4" => (formats::is_ip(text) && text.contains('.'), "an IP address of version 4"),
        "ipv6" => (formats::is_ip(text) && text.contains(':'), "an IP address of version 6"),
        "cidr" => (formats::is_cidr(text), "a range of addresses, as `10.0.0.0/8`"),
        "byte" => (formats::is_base64(text), "base64"),
        _ => return None,
    };
    (!fits).then_some(expected)
}
