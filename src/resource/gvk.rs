//! Group, version and kind.

use ecow::EcoString;

use crate::yaml::{Node, known};

/// The type of an object: its API group (empty for the core), version and kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gvk {
    /// The API group; empty for the core.
    pub group: EcoString,
    /// The version.
    pub version: EcoString,
    /// The kind.
    pub kind: EcoString,
}

impl Gvk {
    /// Returns the type with these three parts.
    pub fn new(group: &str, version: &str, kind: &str) -> Self {
        Self { group: group.into(), version: version.into(), kind: kind.into() }
    }

    /// Returns the type that an object states.
    pub fn of(node: &Node) -> Self {
        let text = |key| node.get(key).map(Node::shared_text).unwrap_or_default();
        let (group, version) = split_api_version(&text(known::API_VERSION));
        Self { group, version, kind: text(known::KIND) }
    }

    /// Returns whether this is the type that an object states.
    pub(crate) fn is_of(&self, node: &Node) -> bool {
        let text = |key| node.get(key).map_or("", Node::text);
        let api_version = text(known::API_VERSION);
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.kind == text(known::KIND) && self.group == group && self.version == version
    }

    /// Returns the `apiVersion` of the type.
    pub fn api_version(&self) -> EcoString {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            ecow::eco_format!("{}/{}", self.group, self.version)
        }
    }

    /// Returns whether the type fits a selector, whose empty parts fit anything.
    pub fn is_selected_by(&self, selector: &Gvk) -> bool {
        let fits = |part: &EcoString, wanted: &EcoString| wanted.is_empty() || part == wanted;
        fits(&self.kind, &selector.kind)
            && fits(&self.group, &selector.group)
            && fits(&self.version, &selector.version)
    }

    /// Returns whether no part is set.
    pub fn is_empty(&self) -> bool {
        self.group.is_empty() && self.version.is_empty() && self.kind.is_empty()
    }

    /// Returns the parts joined with `_`, with a mark for each empty one; kustomize's orders compare these.
    pub(crate) fn sort_text(&self) -> String {
        let part = |text: &EcoString, empty: &str| {
            if text.is_empty() { empty.to_owned() } else { text.to_string() }
        };
        format!(
            "{}_{}_{}",
            part(&self.group, "~G"),
            part(&self.version, "~V"),
            part(&self.kind, "~K")
        )
    }
}

impl std::fmt::Display for Gvk {
    /// Writes `Kind.group`, or `Kind` for the core.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.kind)?;
        if self.group.is_empty() { Ok(()) } else { write!(f, ".{}", self.group) }
    }
}

/// Splits an `apiVersion` at its first `/` into group and version.
pub(crate) fn split_api_version(api_version: &str) -> (EcoString, EcoString) {
    match api_version.split_once('/') {
        Some((group, version)) => (group.into(), version.into()),
        None => (EcoString::new(), api_version.into()),
    }
}
