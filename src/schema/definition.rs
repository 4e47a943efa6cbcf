//! A `CustomResourceDefinition` with what checking needs, and nothing else.

use crate::diagnostic::{Code, Diagnostic};
use crate::provenance::OriginId;
use crate::resource::Gvk;
use crate::yaml::{Entry, Key, Node, NodeKind};

/// What of a definition stays, besides the versions.
const SPEC_FIELDS: [&str; 4] = ["group", "names", "scope", "preserveUnknownFields"];
const NAMES_FIELDS: [&str; 4] = ["kind", "listKind", "plural", "singular"];
const VERSION_FIELDS: [&str; 4] = ["name", "served", "storage", "deprecated"];
/// What of a schema says nothing about values.
const PROSE: [&str; 4] = ["description", "title", "example", "externalDocs"];

/// A definition that was reduced to what checking needs.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    /// `metadata.name`: `PLURAL.GROUP`.
    pub(crate) name: String,
    pub(crate) node: Node,
    /// Where the name stands.
    pub(crate) at: OriginId,
}

fn child<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    node.get(Key::text_key(name)).filter(|value| !value.is_null())
}

fn text<'n>(node: Option<&'n Node>, name: &str) -> &'n str {
    node.and_then(|node| child(node, name)).map_or("", Node::text)
}

/// Returns whether an object is a definition.
pub(crate) fn is_definition(object: &Node) -> bool {
    let gvk = Gvk::of(object);
    gvk.kind == "CustomResourceDefinition" && gvk.group == "apiextensions.k8s.io"
}

impl Definition {
    /// Reduces a definition; the fault, with its place, if something is missing without which it defines nothing.
    pub(crate) fn of(object: &Node) -> Result<Self, (Diagnostic, OriginId)> {
        let spec = child(object, "spec");
        let metadata = child(object, "metadata");
        let names = spec.and_then(|spec| child(spec, "names"));
        let name = text(metadata, "name");
        let is_missing = |path: &str, node: Option<&Node>, field: &str| {
            let at = node.unwrap_or(object).origin();
            let missing = || {
                let message = format!("`{path}` is required");
                (Diagnostic::error(Code::SchemaMissingField, message), at)
            };
            if text(node, field).is_empty() { Err(missing()) } else { Ok(()) }
        };
        is_missing("metadata.name", metadata, "name")?;
        is_missing("spec.group", spec, "group")?;
        is_missing("spec.names.kind", names, "kind")?;
        let (plural, group) = (text(names, "plural"), text(spec, "group"));
        if name != format!("{plural}.{group}") {
            // The API server insists on this; and a name like this is that of a file.
            let at = metadata.and_then(|metadata| child(metadata, "name"));
            let message = format!("`metadata.name` must be `{plural}.{group}`, not `{name}`");
            let d = Diagnostic::error(Code::SchemaInvalidValue, message);
            return Err((d, at.unwrap_or(object).origin()));
        }
        let is_dns =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
        if !name.bytes().all(is_dns) || name.contains("..") {
            let message =
                format!("`{name}` must be a DNS name: lower-case letters, digits, `-` and `.`");
            return Err((Diagnostic::error(Code::SchemaInvalidValue, message), object.origin()));
        }
        let at = metadata
            .and_then(|metadata| child(metadata, "name"))
            .map_or(object.origin(), Node::origin);
        Ok(Self { name: name.to_owned(), node: reduced(object, name), at })
    }
}

fn entry(name: &str, value: Node) -> Entry {
    Entry { key: Key::text_key(name), key_origin: OriginId::NONE, value }
}

/// Returns the entries with these names.
fn only(node: &Node, names: &[&str]) -> Vec<Entry> {
    let entries = node.entries().unwrap_or_default().iter();
    let kept = entries.filter(|entry| names.contains(&entry.key.text()) && !entry.value.is_null());
    kept.cloned().collect()
}

fn reduced(object: &Node, name: &str) -> Node {
    let mut fields = only(object, &["apiVersion", "kind"]);
    let metadata =
        Node::map(vec![entry("name", Node::string(name, OriginId::NONE))], OriginId::NONE);
    fields.push(entry("metadata", metadata));
    if let Some(spec) = child(object, "spec") {
        let mut kept = only(spec, &SPEC_FIELDS);
        for field in kept.iter_mut().filter(|field| field.key.text() == "names") {
            field.value = Node::map(only(&field.value, &NAMES_FIELDS), OriginId::NONE);
        }
        // `apiextensions.k8s.io/v1beta1` has one schema for all versions.
        if let Some(validation) = child(spec, "validation") {
            kept.push(entry("validation", with_schema(Vec::new(), validation)));
        }
        if let Some(version) = child(spec, "version") {
            kept.push(entry("version", version.clone()));
        }
        if let Some(versions) = child(spec, "versions").and_then(Node::elements) {
            let versions = versions.iter().map(|version| {
                let mut kept = only(version, &VERSION_FIELDS);
                if let Some(schema) = child(version, "schema") {
                    kept.push(entry("schema", with_schema(Vec::new(), schema)));
                }
                Node::map(kept, OriginId::NONE)
            });
            kept.push(entry("versions", Node::sequence(versions.collect(), OriginId::NONE)));
        }
        fields.push(entry("spec", Node::map(kept, OriginId::NONE)));
    }
    Node::map(fields, OriginId::NONE)
}

fn with_schema(mut fields: Vec<Entry>, node: &Node) -> Node {
    if let Some(schema) = child(node, "openAPIV3Schema") {
        fields.push(entry("openAPIV3Schema", without_prose(schema)));
    }
    Node::map(fields, OriginId::NONE)
}

/// Returns a schema without what is said to people.
fn without_prose(schema: &Node) -> Node {
    let Some(entries) = schema.entries() else { return schema.clone() };
    let kept = entries.iter().filter(|entry| !PROSE.contains(&entry.key.text()));
    let kept = kept.map(|entry| {
        let value = match entry.key.text() {
            "properties" => each_value(&entry.value),
            "items" | "additionalProperties" | "not" => without_prose(&entry.value),
            "allOf" | "anyOf" | "oneOf" => match entry.value.elements() {
                Some(all) => {
                    Node::sequence(all.iter().map(without_prose).collect(), OriginId::NONE)
                }
                None => entry.value.clone(),
            },
            _ => entry.value.clone(),
        };
        Entry { value, ..entry.clone() }
    });
    Node::map(kept.collect(), OriginId::NONE)
}

fn each_value(properties: &Node) -> Node {
    if properties.kind() != NodeKind::Map {
        return properties.clone();
    }
    let entries = properties.entries().unwrap_or_default().iter();
    let entries =
        entries.map(|entry| Entry { value: without_prose(&entry.value), ..entry.clone() });
    Node::map(entries.collect(), OriginId::NONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Dialect, parse_document, write_document};

    fn definition(text: &str) -> Result<String, String> {
        let node = parse_document(text, 1, Dialect::V3).unwrap().unwrap();
        let definition = Definition::of(&node).map_err(|(d, _)| d.message)?;
        let mut out = Vec::new();
        write_document(&definition.node, &mut out).unwrap();
        Ok(String::from_utf8(out).unwrap())
    }

    const FARM: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: farms.example.com
  annotations: {controller-gen.kubebuilder.io/version: v0.19.0}
  uid: 6f1c
spec:
  conversion: {strategy: None}
  group: example.com
  names: {kind: Farm, plural: farms, shortNames: [fm], categories: [all]}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns: [{name: Age, type: date, jsonPath: .x}]
    schema:
      openAPIV3Schema:
        description: A farm.
        type: object
        properties:
          description: {type: string, description: What the farm says.}
          title: {type: string, title: T, default: x}
          fields:
            type: array
            items: {type: object, description: One., anyOf: [{description: d, required: [a]}]}
            x-kubernetes-list-type: map
            x-kubernetes-list-map-keys: [name]
            x-kubernetes-validations: [{rule: 'size(self) > 0', message: none}]
status:
  storedVersions: [v1]
";

    #[test]
    fn a_definition_keeps_what_checking_needs() {
        let expected = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: farms.example.com
spec:
  group: example.com
  names:
    kind: Farm
    plural: farms
  scope: Namespaced
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        properties:
          description:
            type: string
          fields:
            items:
              anyOf:
              - required:
                - a
              type: object
            type: array
            x-kubernetes-list-map-keys:
            - name
            x-kubernetes-list-type: map
            x-kubernetes-validations:
            - message: none
              rule: size(self) > 0
          title:
            default: x
            type: string
        type: object
    served: true
    storage: true
";
        assert_eq!(definition(FARM).unwrap(), expected);
        assert_eq!(definition(expected).unwrap(), expected);
    }

    #[test]
    fn a_definition_that_defines_nothing_is_a_fault() {
        for (part, other, message) in [
            ("  group: example.com\n", "", "`spec.group` is required"),
            ("kind: Farm", "other: Farm", "`spec.names.kind` is required"),
            (
                "name: farms.example.com",
                "name: ../farms",
                "`metadata.name` must be `farms.example.com`, not `../farms`",
            ),
        ] {
            let changed = FARM.replace(part, other);
            assert_ne!(changed, FARM);
            assert_eq!(definition(&changed).unwrap_err(), message);
        }
        let outside = FARM.replace("farms", "../farms");
        assert!(definition(&outside).unwrap_err().contains("must be a DNS name"));
    }
}
