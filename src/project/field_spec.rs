//! Field specifications: which field of which types a transformer changes.
//!
//! The defaults are kustomize's (`api/internal/konfig/builtinpluginconsts`), kept as a table in
//! `schema/field-specs.txt`; `configurations` files and `crds` add to them.

use std::sync::{Arc, LazyLock, OnceLock};

use ecow::EcoString;

use super::decode::{Decoder, Field};
use crate::resource::Gvk;
use crate::yaml::{Key, Node, created_key, is_integer};

/// A part of a [`FieldPath`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathPart {
    /// The field to look for.
    pub(crate) key: Key,
    /// The field to create.
    pub(crate) created: Key,
    /// Whether the field must be a list (`name[]`).
    pub(crate) is_list: bool,
    /// Why the part cannot be followed.
    pub(crate) fault: Option<PartFault>,
}

impl PathPart {
    /// Returns whether both parts lead to the same field in the same way.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.key.same_text(other.key) && (self.is_list, self.fault) == (other.is_list, other.fault)
    }
}

/// Why a part of a path cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartFault {
    Empty,
    Index,
}

/// A path of fields: `spec/template/spec/containers[]/image`. A `\/` is a slash inside a name.
#[derive(Clone, Debug)]
pub(crate) struct FieldPath {
    text: EcoString,
    /// Taken apart when the path is first followed, which few of the default paths are.
    parts: OnceLock<Arc<[PathPart]>>,
}

impl PartialEq for FieldPath {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for FieldPath {}

impl FieldPath {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.into(), parts: OnceLock::new() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn parts(&self) -> &[PathPart] {
        self.parts
            .get_or_init(|| split_path(&self.text, '/').iter().map(|p| path_part(p)).collect())
    }
}

fn path_part(part: &str) -> PathPart {
    let name = part.strip_suffix("[]").unwrap_or(part);
    let is_index = is_integer(name)
        || name == "-"
        || name == "*"
        || name.starts_with('[') && name.ends_with(']');
    let fault =
        if name.is_empty() { Some(PartFault::Empty) } else { is_index.then_some(PartFault::Index) };
    let name_looked_up = name.trim();
    PathPart {
        key: Key::text_key(name_looked_up),
        created: created_key(name_looked_up),
        is_list: name.len() != part.len(),
        fault,
    }
}

/// Splits a path at a delimiter, which a backslash makes part of a name (kyaml's `PathSplitter`).
pub(crate) fn split_path(path: &str, delimiter: char) -> Vec<String> {
    let mut pieces = path.split(delimiter).peekable();
    if path.starts_with(delimiter) {
        pieces.next();
    }
    let mut parts: Vec<String> = Vec::new();
    for piece in pieces {
        match parts.last_mut().filter(|last| last.ends_with('\\')) {
            Some(last) => {
                last.pop();
                last.push(delimiter);
                last.push_str(piece);
            }
            None => parts.push(piece.to_owned()),
        }
    }
    parts
}

/// A field of the types that a [`Gvk`] selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldSpec {
    pub(crate) gvk: Gvk,
    pub(crate) path: FieldPath,
    pub(crate) create: bool,
}

/// Two specifications of one field differ in `create`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldSpecClash {
    pub(crate) path: EcoString,
}

/// Specifications in the order in which they apply; copies share them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSpecs(pub(crate) Arc<Vec<FieldSpec>>);

impl From<Vec<FieldSpec>> for FieldSpecs {
    fn from(specs: Vec<FieldSpec>) -> Self {
        Self(Arc::new(specs))
    }
}

impl FieldSpecs {
    /// Adds a specification, unless one for the same field is there.
    pub(crate) fn add(&mut self, spec: &FieldSpec) -> Result<(), FieldSpecClash> {
        let same = |own: &&FieldSpec| own.gvk.is_selected_by(&spec.gvk) && own.path == spec.path;
        match self.0.iter().find(same) {
            Some(own) if own.create != spec.create => {
                Err(FieldSpecClash { path: spec.path.as_str().into() })
            }
            Some(_) => Ok(()),
            None => {
                Arc::make_mut(&mut self.0).push(spec.clone());
                Ok(())
            }
        }
    }

    /// Adds all specifications of another list.
    pub(crate) fn add_all(&mut self, other: &Self) -> Result<(), FieldSpecClash> {
        other.0.iter().try_for_each(|spec| self.add(spec))
    }

    fn sort(&mut self) {
        Arc::make_mut(&mut self.0).sort_by_cached_key(|spec| order_key(&spec.gvk));
    }
}

/// A type and the fields that refer to objects of it by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameReference {
    pub(crate) gvk: Gvk,
    pub(crate) referrers: FieldSpecs,
}

/// Everything that transformers need to know about fields (kustomize's `TransformerConfig`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TransformerConfig {
    pub(crate) name_prefix: FieldSpecs,
    pub(crate) name_suffix: FieldSpecs,
    pub(crate) namespace: FieldSpecs,
    pub(crate) common_labels: FieldSpecs,
    pub(crate) labels: FieldSpecs,
    pub(crate) template_labels: FieldSpecs,
    pub(crate) common_annotations: FieldSpecs,
    pub(crate) name_reference: Vec<NameReference>,
    pub(crate) var_reference: FieldSpecs,
    pub(crate) images: FieldSpecs,
    pub(crate) replicas: FieldSpecs,
}

const SECTIONS: [&str; 10] = [
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "templateLabels",
    "commonAnnotations",
    "varReference",
    "images",
    "replicas",
];

impl TransformerConfig {
    fn section(&mut self, name: &str) -> Option<&mut FieldSpecs> {
        Some(match name {
            "namePrefix" => &mut self.name_prefix,
            "nameSuffix" => &mut self.name_suffix,
            "namespace" => &mut self.namespace,
            "commonLabels" => &mut self.common_labels,
            "labels" => &mut self.labels,
            "templateLabels" => &mut self.template_labels,
            "commonAnnotations" => &mut self.common_annotations,
            "varReference" => &mut self.var_reference,
            "images" => &mut self.images,
            "replicas" => &mut self.replicas,
            _ => return None,
        })
    }

    /// Returns kustomize's defaults, always the same ones.
    pub(crate) fn shared_defaults() -> Arc<Self> {
        Arc::clone(&DEFAULTS)
    }

    /// Returns kustomize's defaults if this is what [`TransformerConfig::shared_defaults`] returns.
    pub(crate) fn as_defaults(&self) -> Option<&'static Self> {
        let defaults: &'static Self = &DEFAULTS;
        std::ptr::eq(self, defaults).then_some(defaults)
    }

    /// Adds what another configuration says.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), FieldSpecClash> {
        if self == other {
            return Ok(());
        }
        let mut other = other.clone();
        for section in SECTIONS {
            let (Some(own), Some(added)) = (self.section(section), other.section(section)) else {
                continue;
            };
            own.add_all(added)?;
        }
        for reference in &other.name_reference {
            self.add_name_reference(reference)?;
        }
        self.sort();
        Ok(())
    }

    pub(crate) fn add_name_reference(
        &mut self,
        reference: &NameReference,
    ) -> Result<(), FieldSpecClash> {
        match self.name_reference.iter_mut().find(|own| own.gvk == reference.gvk) {
            Some(own) => own.referrers.add_all(&reference.referrers),
            None => {
                self.name_reference.push(reference.clone());
                Ok(())
            }
        }
    }

    fn sort(&mut self) {
        for section in SECTIONS {
            if let Some(specs) = self.section(section) {
                specs.sort();
            }
        }
        self.name_reference.sort_by_cached_key(|reference| order_key(&reference.gvk));
    }

    /// Decodes a `configurations` file.
    pub(crate) fn decode(decoder: &mut Decoder, node: &Node) -> Self {
        const FIELDS: &[&str] = &[
            "namePrefix",
            "nameSuffix",
            "namespace",
            "commonLabels",
            "labels",
            "templateLabels",
            "commonAnnotations",
            "nameReference",
            "varReference",
            "images",
            "replicas",
        ];
        let mut config = Self::default();
        decoder.fields(node, "", FIELDS, |d, field, value| {
            if field.name == "nameReference" {
                config.name_reference = d.list(value, field, decode_name_reference);
            } else if let Some(section) = config.section(field.name) {
                *section = d.list(value, field, decode_field_spec).into();
            }
        });
        config.sort();
        config
    }
}

fn decode_name_reference(decoder: &mut Decoder, node: &Node) -> NameReference {
    const FIELDS: &[&str] = &["group", "version", "kind", "fieldSpecs"];
    let mut reference = NameReference { gvk: Gvk::default(), referrers: FieldSpecs::default() };
    decoder.fields(node, "nameReference", FIELDS, |d, field, value| match field.name {
        "fieldSpecs" => reference.referrers = d.list(value, field, decode_field_spec).into(),
        _ => decode_gvk_part(d, field, value, &mut reference.gvk),
    });
    reference
}

/// Decodes a field specification.
pub(crate) fn decode_field_spec(decoder: &mut Decoder, node: &Node) -> FieldSpec {
    const FIELDS: &[&str] = &["group", "version", "kind", "path", "create"];
    let mut spec = FieldSpec { gvk: Gvk::default(), path: FieldPath::new(""), create: false };
    decoder.fields(node, "fieldSpecs", FIELDS, |d, field, value| match field.name {
        "path" => spec.path = FieldPath::new(d.text(value, field).as_str()),
        "create" => spec.create = d.boolean(value, field),
        _ => decode_gvk_part(d, field, value, &mut spec.gvk),
    });
    spec
}

/// Decodes `group`, `version` or `kind` of an embedded type.
pub(crate) fn decode_gvk_part(
    decoder: &mut Decoder,
    field: Field<'_>,
    value: &Node,
    gvk: &mut Gvk,
) {
    let text = decoder.embedded_text(value, field).value;
    match field.name {
        "group" => gvk.group = text,
        "version" => gvk.version = text,
        _ => gvk.kind = text,
    }
}

/// The kinds that come first and last in kustomize's orders.
pub(crate) const ORDER_FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// The kinds that come last.
pub(crate) const ORDER_LAST: [&str; 2] =
    ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

fn order_key(gvk: &Gvk) -> (i32, String) {
    let first = ORDER_FIRST
        .iter()
        .position(|k| *k == gvk.kind)
        .map(|i| i as i32 - ORDER_FIRST.len() as i32);
    let last = ORDER_LAST.iter().position(|k| *k == gvk.kind).map(|i| i as i32 + 1);
    (first.or(last).unwrap_or_default(), gvk.sort_text())
}

static DEFAULTS: LazyLock<Arc<TransformerConfig>> =
    LazyLock::new(|| Arc::new(read_table(include_str!("../../schema/field-specs.txt"))));

/// Reads the table of defaults: a section a line, its specifications indented below it.
fn read_table(table: &str) -> TransformerConfig {
    let mut config = TransformerConfig::default();
    let mut section = "";
    for line in table.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        if let Some(spec) = line.strip_prefix("  ") {
            let spec = read_spec(spec);
            match config.section(section) {
                Some(specs) => Arc::make_mut(&mut specs.0).push(spec),
                None => {
                    if let Some(reference) = config.name_reference.last_mut() {
                        Arc::make_mut(&mut reference.referrers.0).push(spec);
                    }
                }
            }
        } else {
            section = line;
            if let Some(gvk) = line.strip_prefix("nameReference ") {
                let reference =
                    NameReference { gvk: read_gvk(gvk), referrers: FieldSpecs::default() };
                config.name_reference.push(reference);
            }
        }
    }
    config.sort();
    config
}

/// `PATH [GROUP/VERSION/KIND] [create]`
fn read_spec(line: &str) -> FieldSpec {
    let mut words = line.split(' ');
    let path = FieldPath::new(words.next().unwrap_or_default());
    let (mut gvk, mut create) = (Gvk::default(), false);
    for word in words {
        if word == "create" {
            create = true;
        } else {
            gvk = read_gvk(word);
        }
    }
    FieldSpec { gvk, path, create }
}

/// `GROUP|VERSION|KIND`, each perhaps empty.
fn read_gvk(text: &str) -> Gvk {
    let mut parts = text.split('|');
    let mut part = || parts.next().unwrap_or_default();
    Gvk::new(part(), part(), part())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_keeps_a_slash_inside_a_name() {
        let split = |path: &str| split_path(path, '/');
        assert_eq!(split("a/b"), ["a", "b"]);
        assert_eq!(split("/a/b"), ["a", "b"]);
        assert_eq!(split(r"a/b.c\/d/e"), ["a", "b.c/d", "e"]);
        assert_eq!(split(""), [""]);
        assert_eq!(split("a//b"), ["a", "", "b"]);
    }

    #[test]
    fn the_defaults_are_kustomizes() {
        let config = TransformerConfig::shared_defaults();
        assert_eq!(config.name_prefix.0.len(), 1);
        assert_eq!(config.namespace.0.len(), 3);
        assert_eq!(config.common_labels.0.len(), 32);
        assert_eq!(config.template_labels.0.len(), 10);
        assert_eq!(config.common_annotations.0.len(), 9);
        assert_eq!(config.images.0.len(), 6);
        assert_eq!(config.replicas.0.len(), 4);
        assert_eq!(config.var_reference.0.len(), 72);
        assert_eq!(config.name_reference.iter().map(|r| r.referrers.0.len()).sum::<usize>(), 167);
    }

    #[test]
    fn a_field_may_not_be_both_created_and_not() {
        let mut specs = FieldSpecs::default();
        let spec = |create| FieldSpec { gvk: Gvk::default(), path: FieldPath::new("a/b"), create };
        specs.add(&spec(true)).unwrap();
        specs.add(&spec(true)).unwrap();
        assert_eq!(specs.0.len(), 1);
        assert!(specs.add(&spec(false)).is_err());
    }
}
