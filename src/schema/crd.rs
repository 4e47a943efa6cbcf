//! Schemas of custom resources, from their definitions.
//!
//! A `CustomResourceDefinition` has a structural schema for each version: the subset of JSON Schema that the API server accepts,
//! with its extensions (`apiextensions-apiserver/pkg/apiserver/schema`). CEL rules are counted, not evaluated.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ecow::EcoString;

use super::definition::is_definition;
use super::{ListRule, catalogue};
use crate::resource::{Gvk, Pattern, Scopes};
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
    /// A value that is missing is filled in before anything is checked.
    pub(crate) has_default: bool,
    pub(crate) properties: BTreeMap<String, Below>,
    /// `additionalProperties`; for `true`, a schema that says nothing.
    pub(crate) additional: Option<Below>,
    pub(crate) items: Option<Below>,
    pub(crate) required: Vec<String>,
    /// The values that it may have, as the definition writes them.
    pub(crate) values: Option<Vec<Node>>,
    pub(crate) pattern: Option<LazyPattern>,
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

/// A schema that stands in another one.
#[derive(Clone, Debug)]
pub(crate) enum Below {
    Own(Arc<CrdSchema>),
    /// One that is decoded when it is asked for.
    Written(Arc<WrittenSchema>),
    /// One of the catalogue, which is decoded then, too.
    Shared(catalogue::SchemaId),
}

/// A schema as it is written.
#[derive(Debug)]
pub(crate) struct WrittenSchema {
    node: Node,
    decoded: OnceLock<CrdSchema>,
}

impl Below {
    pub(super) fn own(schema: CrdSchema) -> Self {
        Self::Own(Arc::new(schema))
    }
}

impl Deref for Below {
    type Target = CrdSchema;

    fn deref(&self) -> &CrdSchema {
        match self {
            Self::Own(schema) => schema,
            Self::Written(schema) => schema.decoded.get_or_init(|| CrdSchema::of(&schema.node)),
            Self::Shared(id) => catalogue::schema(*id),
        }
    }
}

/// A pattern that is compiled when a text is compared with it. One that Go would refuse matches any text.
#[derive(Clone, Debug)]
pub(crate) struct LazyPattern {
    text: String,
    compiled: OnceLock<Option<Pattern>>,
}

impl LazyPattern {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), compiled: OnceLock::new() }
    }

    /// Returns the pattern as it is written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    fn compiled(&self) -> Option<&Pattern> {
        self.compiled.get_or_init(|| Pattern::between("", &self.text, "").ok()).as_ref()
    }

    #[cfg(test)]
    pub(super) fn is_valid(&self) -> bool {
        self.compiled().is_some()
    }

    /// Returns whether the pattern matches.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.compiled().is_none_or(|pattern| pattern.is_match(text))
    }
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

/// Where the texts lead that stand in place of schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    /// Nowhere: they are no schemas.
    None,
    /// To other schemas of the catalogue.
    Catalogue,
}

impl CrdSchema {
    /// Reads an `openAPIV3Schema`.
    pub(crate) fn of(node: &Node) -> Self {
        Self::read(node, Names::None)
    }

    /// Reads a schema of the catalogue, in which names stand for others.
    pub(super) fn of_catalogue(node: &Node) -> Self {
        Self::read(node, Names::Catalogue)
    }

    fn read(node: &Node, names: Names) -> Self {
        let list = |name| {
            let elements = child(node, name).and_then(Node::elements).unwrap_or_default();
            elements.iter().map(|element| Self::read(element, names)).collect()
        };
        let bound = |name, exclusive| {
            number(node, name).map(|value| Bound { value, exclusive: flag(node, exclusive) })
        };
        let below = |node: &Node| match names {
            Names::Catalogue if node.is_scalar() => catalogue::named(node.text()),
            _ => Below::own(Self::read(node, names)),
        };
        let properties = child(node, "properties").and_then(Node::entries).unwrap_or_default();
        let additional =
            child(node, "additionalProperties").and_then(|additional| match additional.text() {
                "true" => Some(Below::own(Self::default())),
                "false" => None,
                _ => Some(below(additional)),
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
            has_default: child(node, "default").is_some(),
            properties: properties
                .iter()
                .map(|entry| (entry.key.text().to_owned(), below(&entry.value)))
                .collect(),
            additional,
            items: child(node, "items").map(below),
            required: texts(node, "required"),
            values: child(node, "enum").and_then(Node::elements).map(<[Node]>::to_vec),
            pattern: child(node, "pattern").map(|pattern| LazyPattern::new(pattern.text())),
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
            not: child(node, "not").map(|not| Box::new(Self::read(not, names))),
            // The catalogue says how many there are.
            cel_rules: child(node, "x-kubernetes-validations").map_or(0, |rules| {
                let count = || rules.text().parse().unwrap_or(0);
                rules.elements().map_or_else(count, <[Node]>::len)
            }),
        }
    }

    /// Returns the schema of a field.
    pub(super) fn field(&self, name: &str) -> Option<&Below> {
        self.properties.get(name).or(self.additional.as_ref())
    }

    /// Returns how strategic merge patches treat a list.
    pub(super) fn list_rule(&self) -> ListRule {
        if self.keys.is_empty() {
            return ListRule::default();
        }
        ListRule { strategy: "merge".to_owned(), keys: self.keys.clone() }
    }

    /// Returns a list of values that have the schema.
    pub(super) fn list_of(items: Below) -> Self {
        Self { kind: Some(CrdKind::Array), items: Some(items), ..Self::default() }
    }

    /// Returns a map of values that have the schema.
    pub(super) fn map_of(values: Below) -> Self {
        Self { kind: Some(CrdKind::Object), additional: Some(values), ..Self::default() }
    }
}

/// Whether a version of a custom resource can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CrdState {
    Served,
    Deprecated,
    /// The definition has it, and does not serve it.
    NotServed,
    /// Older releases of the operator serve it, the newest one that is known does not.
    Gone,
}

/// A version of a custom resource.
#[derive(Clone, Debug)]
pub(crate) struct CrdVersion {
    pub(crate) state: CrdState,
    /// The release of the operator, if the version is from the catalogue.
    pub(crate) release: Option<&'static str>,
    pub(crate) is_namespaced: bool,
    /// Whether fields that the schema does not name stay.
    pub(crate) keeps_unknown: bool,
    /// None if the definition has no schema.
    pub(crate) schema: Option<Below>,
}

/// The custom resources that are known: those that were added, and those of the catalogue.
#[derive(Clone, Debug, Default)]
pub struct CrdTypes {
    /// The versions that were added, by group and kind.
    added: BTreeMap<(EcoString, EcoString), BTreeMap<EcoString, CrdVersion>>,
    /// What is asked for a kind that was not added, before the catalogue is.
    before_catalogue: Option<Arc<Self>>,
    /// The files that the definitions were read from.
    files: Vec<PathBuf>,
}

impl CrdTypes {
    /// Returns types to which others can be added, whose definitions then count before those of `known`.
    pub(crate) fn above(known: Arc<Self>) -> Self {
        Self { before_catalogue: Some(known), ..Self::default() }
    }

    /// Notes that definitions were read from a file.
    pub(crate) fn note_file(&mut self, path: &Path) {
        self.files.push(path.to_path_buf());
    }

    /// Returns the files that the definitions were read from.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Adds the versions of a definition; returns whether the object is one. Those that are known stay as they are.
    pub(crate) fn add(&mut self, object: &Node) -> bool {
        if !is_definition(object) {
            return false;
        }
        let is_old = Gvk::of(object).version == "v1beta1";
        let Some(spec) = child(object, "spec") else { return true };
        let kind = child(spec, "names").map_or("", |names| text(names, "kind"));
        let group = text(spec, "group");
        // `apiextensions.k8s.io/v1beta1` has one schema for all versions.
        let shared = child(spec, "validation").and_then(|v| child(v, "openAPIV3Schema"));
        let keeps_unknown = match text(spec, "preserveUnknownFields") {
            "" => is_old,
            other => other == "true",
        };
        let is_namespaced = text(spec, "scope") != "Cluster";
        let known = self.added.entry((group.into(), kind.into())).or_default();
        let mut add = |name: &str, version: Option<&Node>| {
            let own = version.and_then(|v| child(v, "schema"));
            let schema = own.and_then(|s| child(s, "openAPIV3Schema")).or(shared);
            let is_served = version.is_none_or(|v| text(v, "served") != "false");
            let state = match version.is_some_and(|v| flag(v, "deprecated")) {
                _ if !is_served => CrdState::NotServed,
                true => CrdState::Deprecated,
                false => CrdState::Served,
            };
            let schema = schema.map(|schema| {
                let (node, decoded) = (schema.clone(), OnceLock::new());
                Below::Written(Arc::new(WrittenSchema { node, decoded }))
            });
            let release = None;
            let entry = CrdVersion { state, release, is_namespaced, keeps_unknown, schema };
            known.entry(name.into()).or_insert(entry);
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

    fn added(&self, group: &str, kind: &str) -> Option<&BTreeMap<EcoString, CrdVersion>> {
        let own = self.added.get(&(group.into(), kind.into()));
        own.or_else(|| self.before_catalogue.as_ref()?.added(group, kind))
    }

    /// Returns what is known of a type. The catalogue is asked if no definition of the kind was added.
    pub(crate) fn get(&self, gvk: &Gvk) -> Option<&CrdVersion> {
        match self.added(&gvk.group, &gvk.kind) {
            Some(versions) => versions.get(&gvk.version),
            None => catalogue::version(gvk),
        }
    }

    /// Adds where the kinds live, in every version.
    pub(crate) fn add_scopes(&self, scopes: &mut Scopes) {
        let mut layer = Some(self);
        while let Some(types) = layer {
            for ((group, kind), versions) in &types.added {
                for (version, one) in versions {
                    scopes.add(Gvk::new(group, version, kind), one.is_namespaced);
                }
            }
            layer = types.before_catalogue.as_deref();
        }
        for (gvk, version) in catalogue::all() {
            if self.added(&gvk.group, &gvk.kind).is_none() {
                scopes.add(gvk, version.is_namespaced);
            }
        }
    }

    /// Returns the release of the operator whose definition of a kind counts, if it is that of the catalogue.
    pub(crate) fn release_of(&self, group: &str, kind: &str) -> Option<&'static str> {
        match self.added(group, kind) {
            Some(_) => None,
            None => catalogue::versions_of(group, kind).first()?.1.release,
        }
    }

    /// Returns the versions of a kind that can be used, the preferred one first.
    pub(crate) fn versions_of(&self, group: &str, kind: &str) -> Vec<&str> {
        let mut found: Vec<(&str, &CrdVersion)> = match self.added(group, kind) {
            Some(versions) => versions.iter().map(|(name, one)| (name.as_str(), one)).collect(),
            None => catalogue::versions_of(group, kind),
        };
        found.retain(|(_, one)| matches!(one.state, CrdState::Served | CrdState::Deprecated));
        found.sort_by_cached_key(|(name, one)| {
            Reverse((one.state == CrdState::Served, priority(name)))
        });
        found.into_iter().map(|(name, _)| name).collect()
    }
}

/// The order in which Kubernetes prefers versions (`k8s.io/apimachinery/pkg/version`): `v2`, `v1`, `v1beta2`, `v1alpha1`, others.
fn priority(version: &str) -> (u8, u64, u64) {
    let parts = || {
        let rest = version.strip_prefix('v')?;
        let (major, stage) =
            rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let major = major.parse().ok()?;
        for (name, rank) in [("beta", 2), ("alpha", 1)] {
            if let Some(minor) = stage.strip_prefix(name) {
                return Some((rank, major, minor.parse().ok()?));
            }
        }
        stage.is_empty().then_some((3, major, 0))
    };
    parts().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse_document;

    #[test]
    fn versions_are_preferred_as_kubernetes_prefers_them() {
        let mut versions =
            ["v1alpha1", "v10", "v2", "v1beta2", "v1beta10", "foo", "v11alpha2", "v1"];
        versions.sort_by_key(|version| Reverse(priority(version)));
        assert_eq!(
            versions,
            ["v10", "v2", "v1", "v1beta10", "v1beta2", "v11alpha2", "v1alpha1", "foo"]
        );
    }

    fn definition(version: &str) -> Node {
        let text = format!(
            "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  group: cert-manager.io
  names: {{kind: Certificate}}
  scope: Cluster
  versions:
  - name: {version}
    schema: {{openAPIV3Schema: {{type: object, properties: {{spec: string, status: {{type: string}}}}}}}}
"
        );
        parse_document(&text, 1, Dialect::V2).unwrap().unwrap()
    }

    #[test]
    fn a_definition_that_was_added_hides_all_versions_of_the_catalogue() {
        let mut types = CrdTypes::default();
        let (v1, v9) = (
            Gvk::new("cert-manager.io", "v1", "Certificate"),
            Gvk::new("cert-manager.io", "v9", "Certificate"),
        );
        assert!(types.get(&v1).unwrap().release.is_some());
        assert!(types.add(&definition("v9")));
        assert!(types.get(&v1).is_none());
        assert_eq!(types.versions_of("cert-manager.io", "Certificate"), ["v9"]);
        let found = types.get(&v9).unwrap();
        assert!(found.release.is_none() && !found.is_namespaced);
        // A text is no schema here, whatever the catalogue has under that name.
        let schema = found.schema.as_ref().unwrap();
        assert_eq!(schema.properties["spec"].kind, None);
        assert_eq!(schema.properties["status"].kind, Some(CrdKind::String));
    }
}
