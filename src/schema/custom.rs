//! A schema document of the user's: `openapi.path`, an OpenAPI v2 document in JSON or YAML.

use std::collections::HashMap;

use super::ListRule;
use crate::resource::{Gvk, Scopes};
use crate::yaml::{Dialect, Node, Scalar, SyntaxError, direct, parse_document, parse_json};

const GROUP_VERSION_KIND: &str = "x-kubernetes-group-version-kind";

/// Why a schema document cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SchemaFault {
    /// The bytes are not UTF-8; the offset of the first that is not.
    NotUtf8(usize),
    /// The text is not YAML or JSON.
    Syntax(SyntaxError),
}

/// A schema document, indexed by type.
#[derive(Debug)]
pub(crate) struct CustomSchema {
    definitions: Option<Node>,
    types: HashMap<Gvk, Node>,
    scopes: Vec<(Gvk, bool)>,
}

fn child<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    // The last of several equal keys counts, as everywhere in a document that is read as JSON.
    node.entries()?.iter().rev().find(|e| e.key.text() == name).map(|e| &e.value)
}

fn text(node: &Node, name: &str) -> Option<String> {
    match child(node, name).map(direct)? {
        Ok(Scalar::Str(text)) => Some(text.into_owned()),
        _ => None,
    }
}

fn gvk_of(node: &Node) -> Option<Gvk> {
    Some(Gvk::new(
        &text(node, "group").unwrap_or_default(),
        &text(node, "version")?,
        &text(node, "kind")?,
    ))
}

impl CustomSchema {
    /// Reads a schema document.
    pub(crate) fn read(bytes: &[u8], base: u32) -> Result<Self, SchemaFault> {
        let text = std::str::from_utf8(bytes).map_err(|e| SchemaFault::NotUtf8(e.valid_up_to()))?;
        let root = if text.starts_with('{') {
            parse_json(text, base).map(Some)
        } else {
            parse_document(text, base, Dialect::V2)
        };
        let root = root.map_err(SchemaFault::Syntax)?.unwrap_or_default();
        let definitions = child(&root, "definitions").cloned();
        let mut types = HashMap::new();
        for entry in definitions.as_ref().and_then(Node::entries).into_iter().flatten() {
            let stated = child(&entry.value, GROUP_VERSION_KIND).and_then(Node::elements);
            for gvk in stated.into_iter().flatten().filter_map(gvk_of) {
                types.insert(gvk, entry.value.clone());
            }
        }
        let mut scopes = Vec::new();
        for path in child(&root, "paths").and_then(Node::entries).into_iter().flatten() {
            let stated = child(&path.value, "get").and_then(|get| child(get, GROUP_VERSION_KIND));
            if let Some(gvk) = stated.and_then(gvk_of) {
                scopes.push((gvk, path.key.text().contains("namespaces/{namespace}")));
            }
        }
        Ok(Self { definitions, types, scopes })
    }

    /// Adds what the document says about scopes.
    pub(crate) fn add_scopes(&self, scopes: &mut Scopes) {
        for (gvk, namespaced) in &self.scopes {
            scopes.add(gvk.clone(), *namespaced);
        }
    }

    /// Returns whether the schema knows a type.
    pub(crate) fn has_type(&self, gvk: &Gvk) -> bool {
        self.for_type(gvk).is_some()
    }

    pub(super) fn for_type(&self, gvk: &Gvk) -> Option<Node> {
        self.types.get(gvk).cloned()
    }

    pub(super) fn definition(&self, name: &str) -> Option<Node> {
        child(self.definitions.as_ref()?, name).cloned()
    }
}

/// The name that a schema refers to.
pub(super) fn reference(schema: &Node) -> Option<String> {
    let reference = text(schema, "$ref")?;
    Some(reference.strip_prefix("#/definitions/").unwrap_or(&reference).to_owned())
}

pub(super) fn field<'n>(schema: &'n Node, name: &str) -> Option<&'n Node> {
    let property = child(schema, "properties").and_then(|p| child(p, name));
    property.or_else(|| child(schema, "additionalProperties").filter(|a| a.entries().is_some()))
}

pub(super) fn elements(schema: &Node) -> Option<&Node> {
    if text(schema, "type")? == "array" { child(schema, "items") } else { None }
}

pub(super) fn list_rule(schema: &Node) -> ListRule {
    let Some(strategy) = text(schema, "x-kubernetes-patch-strategy") else {
        return ListRule::default();
    };
    let listed = child(schema, "x-kubernetes-list-map-keys").and_then(Node::elements);
    let keys = match listed {
        Some(keys) => keys.iter().map(|k| k.text().to_owned()).collect(),
        None => text(schema, "x-kubernetes-patch-merge-key").into_iter().collect(),
    };
    ListRule { strategy, keys }
}
