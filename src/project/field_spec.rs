//! Field specifications: which field of which types a transformer changes.
//!
//! The defaults are kustomize's (`api/internal/konfig/builtinpluginconsts`), kept as a table in
//! `schema/field-specs.txt`; `configurations` files and `crds` add to them.

use std::sync::LazyLock;

use ecow::EcoString;

use super::decode::{Decoder, Field};
use crate::provenance::OriginId;
use crate::resource::Gvk;
use crate::yaml::Node;

/// A field of the types that a [`Gvk`] selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldSpec {
    pub(crate) gvk: Gvk,
    pub(crate) path: EcoString,
    pub(crate) create: bool,
}

/// Two specifications of one field differ in `create`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldSpecClash {
    pub(crate) path: EcoString,
}

/// Specifications in the order in which they apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSpecs(pub(crate) Vec<FieldSpec>);

impl FieldSpecs {
    /// Adds a specification, unless one for the same field is there.
    pub(crate) fn add(&mut self, spec: &FieldSpec) -> Result<(), FieldSpecClash> {
        let same = |own: &&FieldSpec| own.gvk.is_selected_by(&spec.gvk) && own.path == spec.path;
        match self.0.iter().find(same) {
            Some(own) if own.create != spec.create => Err(FieldSpecClash { path: spec.path.clone() }),
            Some(_) => Ok(()),
            None => {
                self.0.push(spec.clone());
                Ok(())
            }
        }
    }

    /// Adds all specifications of another list.
    pub(crate) fn add_all(&mut self, other: &Self) -> Result<(), FieldSpecClash> {
        other.0.iter().try_for_each(|spec| self.add(spec))
    }

    fn sort(&mut self) {
        self.0.sort_by_cached_key(|spec| order_key(&spec.gvk));
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

    /// Returns kustomize's defaults.
    pub(crate) fn defaults() -> Self {
        DEFAULTS.clone()
    }

    /// Adds what another configuration says.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), FieldSpecClash> {
        if self == other {
            return Ok(());
        }
        let mut other = other.clone();
        for section in SECTIONS {
            let (Some(own), Some(added)) = (self.section(section), other.section(section)) else { continue };
            own.add_all(added)?;
        }
        for reference in &other.name_reference {
            self.add_name_reference(reference)?;
        }
        self.sort();
        Ok(())
    }

    pub(crate) fn add_name_reference(&mut self, reference: &NameReference) -> Result<(), FieldSpecClash> {
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
                section.0 = d.list(value, field, decode_field_spec);
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
        "fieldSpecs" => reference.referrers.0 = d.list(value, field, decode_field_spec),
        _ => decode_gvk_part(d, field, value, &mut reference.gvk),
    });
    reference
}

/// Decodes a field specification.
pub(crate) fn decode_field_spec(decoder: &mut Decoder, node: &Node) -> FieldSpec {
    const FIELDS: &[&str] = &["group", "version", "kind", "path", "create"];
    let mut spec = FieldSpec { gvk: Gvk::default(), path: EcoString::new(), create: false };
    decoder.fields(node, "fieldSpecs", FIELDS, |d, field, value| match field.name {
        "path" => spec.path = d.text(value, field).value,
        "create" => spec.create = d.boolean(value, field),
        _ => decode_gvk_part(d, field, value, &mut spec.gvk),
    });
    spec
}

/// Decodes `group`, `version` or `kind` of an embedded type.
pub(crate) fn decode_gvk_part(decoder: &mut Decoder, field: Field<'_>, value: &Node, gvk: &mut Gvk) {
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
pub(crate) const ORDER_LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

fn order_key(gvk: &Gvk) -> (i32, String) {
    let first = ORDER_FIRST.iter().position(|k| *k == gvk.kind).map(|i| i as i32 - ORDER_FIRST.len() as i32);
    let last = ORDER_LAST.iter().position(|k| *k == gvk.kind).map(|i| i as i32 + 1);
    (first.or(last).unwrap_or_default(), gvk.sort_text())
}

static DEFAULTS: LazyLock<TransformerConfig> =
    LazyLock::new(|| read_table(include_str!("../../schema/field-specs.txt")));

/// Reads the table of defaults: a section a line, its specifications indented below it.
fn read_table(table: &str) -> TransformerConfig {
    let mut config = TransformerConfig::default();
    let mut section = "";
    for line in table.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        if let Some(spec) = line.strip_prefix("  ") {
            let spec = read_spec(spec);
            match config.section(section) {
                Some(specs) => specs.0.push(spec),
                None => {
                    if let Some(reference) = config.name_reference.last_mut() {
                        reference.referrers.0.push(spec);
                    }
                }
            }
        } else {
            section = line;
            if let Some(gvk) = line.strip_prefix("nameReference ") {
                let reference = NameReference { gvk: read_gvk(gvk), referrers: FieldSpecs::default() };
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
    let path = words.next().unwrap_or_default().into();
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

/// Where a list of specifications was asked for; for faults.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpecPlace(pub(crate) OriginId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_kustomizes() {
        let config = TransformerConfig::defaults();
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
        let spec = |create| FieldSpec { gvk: Gvk::default(), path: "a/b".into(), create };
        specs.add(&spec(true)).unwrap();
        specs.add(&spec(true)).unwrap();
        assert_eq!(specs.0.len(), 1);
        assert!(specs.add(&spec(false)).is_err());
    }
}
