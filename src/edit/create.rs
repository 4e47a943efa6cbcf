//! `create`: a new kustomization file, in the bytes that kustomize writes.

use super::metadata::{MetadataKind, parse_pairs_of};
use super::tree::{list, map_of, push, string};
use super::{EditError, fix};
use crate::yaml::{Key, Node, write_document};

/// What a new kustomization says.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewKustomization {
    pub(crate) resources: Vec<String>,
    pub(crate) name_prefix: String,
    pub(crate) name_suffix: String,
    pub(crate) namespace: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) annotations: Vec<(String, String)>,
}

/// Reads comma-separated pairs `key:value`; an empty text holds none.
pub(crate) fn parse_pairs(
    text: &str,
    kind: MetadataKind,
) -> Result<Vec<(String, String)>, EditError> {
    if text.is_empty() { Ok(Vec::new()) } else { parse_pairs_of(text.split(','), kind) }
}

impl NewKustomization {
    /// Returns the text of the file.
    pub(crate) fn to_text(&self) -> String {
        let mut root = Node::default();
        fix::add_type(&mut root);
        if !self.resources.is_empty() {
            let resources = self.resources.iter().map(|resource| string(resource)).collect();
            push(&mut root, "resources", list(resources));
        }
        let texts = map_of(&[
            ("namePrefix", &self.name_prefix),
            ("nameSuffix", &self.name_suffix),
            ("namespace", &self.namespace),
        ]);
        for entry in texts.entries().into_iter().flatten() {
            push(&mut root, entry.key.text(), entry.value.clone());
        }
        for (name, pairs) in
            [("commonLabels", &self.labels), ("commonAnnotations", &self.annotations)]
        {
            if !pairs.is_empty() {
                let mut map = Node::default();
                for (key, value) in pairs {
                    push(&mut map, key, string(value));
                }
                push(&mut root, name, map);
            }
        }
        let mut out = Vec::new();
        // Field by field, because kustomize's writer sorts those of one map.
        for entry in root.entries().into_iter().flatten() {
            let mut one = Node::default();
            push(&mut one, Key::text(entry.key), entry.value.clone());
            // A string has a text in any case: what cannot stand for itself is escaped.
            let _ = write_document(&one, &mut out);
        }
        String::from_utf8_lossy(&out).into_owned()
    }
}
