//! Schemas of custom resources, from their definitions.
//!
//! A `CustomResourceDefinition` has a structural schema for each version: the subset of JSON Schema that the API server accepts,
//! with its extensions (`apiextensions-apiserver/pkg/apiserver/schema`). CEL rules are counted, not evaluated.

use std::collections::{BTreeMap, HashMap};

use crate::resource::{Gvk, Pattern};
use crate::yaml::{Dialect, Node, Scalar, resolve};

/// What a value of a custom resource may be.
#[derive(Clone, Debug, Default)]
pub(crate) struct CrdSchema {
    pub(crate) kind: Option<CrdKind>,
    pub(crate) nullable: bool,
    /// `x-kubernetes-preserve-unknown-fields`.
    pub(crate) keeps_unknown: bool,
    /// `x-kubernetes-embedded-resource`.
    pub(crate) embedded: bool,
    pub(crate) int_or_string: bool,
    pub(crate) properties: BTreeMap<String, Self>,
    /// `additionalProperties`; `Some(None)` for `true`.
    #[expect(clippy::option_option, reason = "absent, `true`, and a schema are three things")]
    pub(crate) additional: Option<Option<Box<Self>>>,
    pub(crate) items: Option<Box<Self>>,
    pub(crate) required: Vec<String>,
    /// The values that it may have, as the definition writes them.
    pub(crate) values: Option<Vec<Node>>,
    /// The pattern as it is written, too.
    pub(crate) pattern: Option<(String, Pattern)>,
    pub(crate) format: String,
    pub(crate) minimum: Option<Bound>,
    pub(crate) maximum: Option<Bound>,
    pub(crate) multiple_of: Option<f64>,
    pub(crate) length: Limits,
    pub(crate) item_count: Limits,
    pub(crate) property_count: Limits,
    /// `x-kubernetes-list-map-keys`.
    pub(crate) keys: Vec<String>,
    /// `x-kubernetes-list-type: set`.
    pub(crate) is_set: bool,
    pub(crate) all_of: Vec<Self>,
    pub(crate) any_of: Vec<Self>,
    pub(crate) one_of: Vec<Self>,
    pub(crate) not: Option<Box<Self>>,
    /// How many CEL rules stand here.
    pub(crate) cel_rules: usize,
}

/// A type of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CrdKind {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

/// The least or greatest value of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bound {
    pub(crate) value: f64,
    pub(crate) exclusive: bool,
}

/// How much of something there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) least: Option<u64>,
    pub(crate) most: Option<u64>,
}

fn child<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let entry = node.entries()?.iter().find(|entry| entry.key.text() == name)?;
    (!entry.value.is_null()).then_some(&entry.value)
}

fn text<'n>(node: &'n Node, name: &str) -> &'n str {
    child(node, name).map_or("", Node::text)
}

fn flag(node: &Node, name: &str) -> bool {
    text(node, name) == "true"
}

fn number(node: &Node, name: &str) -> Option<f64> {
    match resolve(text(node, name), crate::yaml::Tag::Empty, Dialect::V2) {
        Ok(Scalar::Int(int)) => Some(int as f64),
        Ok(Scalar::Uint(uint)) => Some(uint as f64),
        Ok(Scalar::Float(float)) => Some(float),
        _ => None,
    }
}

fn limits(node: &Node, least: &str, most: &str) -> Limits {
    let count = |name| number(node, name).filter(|n| *n >= 0.0).map(|n| n as u64);
    Limits { least: count(least), most: count(most) }
}

fn texts(node: &Node, name: &str) -> Vec<String> {
    let elements = child(node, name).and_then(Node::elements).unwrap_or_default();
    elements.iter().map(|element| element.text().to_owned()).collect()
}

impl CrdSchema {
    /// Reads an `openAPIV3Schema`.
    pub(crate) fn of(node: &Node) -> Self {
        let list = |name| {
            let elements = child(node, name).and_then(Node::elements).unwrap_or_default();
            elements.iter().map(Self::of).collect()
        };
        let bound = |name, exclusive| {
            number(node, name).map(|value| Bound { value, exclusive: flag(node, exclusive) })
        };
        let properties = child(node, "properties").and_then(Node::entries).unwrap_or_default();
        let additional =
            child(node, "additionalProperties").and_then(|additional| match additional.entries() {
                Some(_) => Some(Some(Box::new(Self::of(additional)))),
                None => (additional.text() == "true").then_some(None),
            });
        Self {
            kind: match text(node, "type") {
                "object" => Some(CrdKind::Object),
                "array" => Some(CrdKind::Array),
                "string" => Some(CrdKind::String),
                "integer" => Some(CrdKind::Integer),
                "number" => Some(CrdKind::Number),
                "boolean" => Some(CrdKind::Boolean),
                _ => None,
            },
            nullable: flag(node, "nullable"),
            keeps_unknown: flag(node, "x-kubernetes-preserve-unknown-fields"),
            embedded: flag(node, "x-kubernetes-embedded-resource"),
            int_or_string: flag(node, "x-kubernetes-int-or-string"),
            properties: properties
                .iter()
                .map(|entry| (entry.key.text().to_owned(), Self::of(&entry.value)))
                .collect(),
            additional,
            items: child(node, "items").map(|items| Box::new(Self::of(items))),
            required: texts(node, "required"),
            values: child(node, "enum").and_then(Node::elements).map(<[Node]>::to_vec),
            pattern: child(node, "pattern").and_then(|pattern| {
                let written = pattern.text();
                Some((written.to_owned(), Pattern::between("", written, "").ok()?))
            }),
            format: text(node, "format").to_owned(),
            minimum: bound("minimum", "exclusiveMinimum"),
            maximum: bound("maximum", "exclusiveMaximum"),
            multiple_of: number(node, "multipleOf").filter(|n| *n > 0.0),
            length: limits(node, "minLength", "maxLength"),
            item_count: limits(node, "minItems", "maxItems"),
            property_count: limits(node, "minProperties", "maxProperties"),
            keys: texts(node, "x-kubernetes-list-map-keys"),
            is_set: text(node, "x-kubernetes-list-type") == "set",
            all_of: list("allOf"),
            any_of: list("anyOf"),
            one_of: list("oneOf"),
            not: child(node, "not").map(|not| Box::new(Self::of(not))),
            cel_rules: child(node, "x-kubernetes-validations")
                .and_then(Node::elements)
                .map_or(0, <[Node]>::len),
        }
    }
}

/// A version of a custom resource.
#[derive(Clone, Debug)]
pub(crate) struct CrdVersion {
    pub(crate) served: bool,
    pub(crate) deprecated: bool,
    /// Whether fields that the schema does not name stay.
    pub(crate) keeps_unknown: bool,
    /// None if the definition has no schema.
    pub(crate) schema: Option<CrdSchema>,
}

/// The custom resources that are known, by group, version and kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct CrdTypes(HashMap<Gvk, CrdVersion>);

impl CrdTypes {
    /// Adds the versions of a definition; returns whether the object is one. Those that are known stay as they are.
    pub(crate) fn add(&mut self, object: &Node) -> bool {
        let gvk = Gvk::of(object);
        if gvk.kind != "CustomResourceDefinition" || gvk.group != "apiextensions.k8s.io" {
            return false;
        }
        let Some(spec) = child(object, "spec") else { return true };
        let kind = child(spec, "names").map_or("", |names| text(names, "kind"));
        let group = text(spec, "group");
        // `apiextensions.k8s.io/v1beta1` has one schema for all versions.
        let shared = child(spec, "validation").and_then(|v| child(v, "openAPIV3Schema"));
        let is_old = gvk.version == "v1beta1";
        let keeps_unknown = match text(spec, "preserveUnknownFields") {
            "" => is_old,
            other => other == "true",
        };
        let mut add = |name: &str, version: Option<&Node>| {
            let own = version.and_then(|v| child(v, "schema"));
            let schema = own.and_then(|s| child(s, "openAPIV3Schema")).or(shared);
            let entry = CrdVersion {
                served: version.is_none_or(|v| text(v, "served") != "false"),
                deprecated: version.is_some_and(|v| flag(v, "deprecated")),
                keeps_unknown,
                schema: schema.map(CrdSchema::of),
            };
            self.0.entry(Gvk::new(group, name, kind)).or_insert(entry);
        };
        let versions = child(spec, "versions").and_then(Node::elements).unwrap_or_default();
        for version in versions {
            add(text(version, "name"), Some(version));
        }
        if versions.is_empty() {
            add(text(spec, "version"), None);
        }
        true
    }

    /// Adds types of other definitions. Those that are known stay as they are.
    pub(crate) fn add_all(&mut self, other: &Self) {
        let mut others: Vec<(&Gvk, &CrdVersion)> = other.0.iter().collect();
        others.retain(|(gvk, _)| !self.0.contains_key(gvk));
        self.0.extend(others.into_iter().map(|(gvk, version)| (gvk.clone(), version.clone())));
    }

    /// Returns what is known of a type.
    pub(crate) fn get(&self, gvk: &Gvk) -> Option<&CrdVersion> {
        self.0.get(gvk)
    }

    /// Returns the versions of a kind that are known.
    pub(crate) fn versions_of(&self, group: &str, kind: &str) -> Vec<&str> {
        let same = |gvk: &&Gvk| gvk.group == group && gvk.kind == kind;
        let mut versions: Vec<&str> =
            self.0.keys().filter(same).map(|gvk| gvk.version.as_str()).collect();
        versions.sort_unstable();
        versions
    }
}
