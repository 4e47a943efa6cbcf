//! Which objects a patch or a replacement is for.

use super::metadata::metadata_entry;
use super::{Gvk, LabelSelector, Pattern, PatternError, Resource, ResourceId, ResourceSet};
use crate::diagnostic::nearest;
use crate::yaml::{Node, known};

/// No more objects than this are searched for one that was probably meant.
const MAX_SEARCHED: usize = 2_000;

/// The parts of a selector, as they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SelectorParts {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) label_selector: String,
    pub(crate) annotation_selector: String,
}

impl SelectorParts {
    /// Returns whether nothing but label and annotation selectors may be set.
    pub(crate) fn has_no_id(&self) -> bool {
        [&self.group, &self.version, &self.kind, &self.name, &self.namespace]
            .iter()
            .all(|p| p.is_empty())
    }
}

/// A selector is faulty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SelectorError {
    /// A part is no regular expression.
    Pattern(PatternError),
    /// A label or annotation selector cannot be read: the text and the reason.
    Labels(String, String),
}

/// A selector, ready to match. Every part that is set must fit; patterns match whole texts.
#[derive(Clone, Debug)]
pub(crate) struct Selector {
    group: Option<Pattern>,
    version: Option<Pattern>,
    kind: Option<Pattern>,
    name: Option<Pattern>,
    namespace: Option<Pattern>,
    labels: Result<LabelSelector, SelectorError>,
    annotations: Result<LabelSelector, SelectorError>,
    parts: SelectorParts,
}

impl Selector {
    pub(crate) fn new(parts: &SelectorParts) -> Result<Self, SelectorError> {
        let pattern = |text: &str| -> Result<Option<Pattern>, SelectorError> {
            if text.is_empty() {
                return Ok(None);
            }
            Pattern::whole(text).map(Some).map_err(SelectorError::Pattern)
        };
        let labels = |text: &str| {
            LabelSelector::parse(text)
                .map_err(|reason| SelectorError::Labels(text.to_owned(), reason))
        };
        Ok(Self {
            group: pattern(&parts.group)?,
            version: pattern(&parts.version)?,
            kind: pattern(&parts.kind)?,
            name: pattern(&parts.name)?,
            namespace: pattern(&parts.namespace)?,
            labels: labels(&parts.label_selector),
            annotations: labels(&parts.annotation_selector),
            parts: parts.clone(),
        })
    }

    pub(crate) fn matches_gvk(&self, gvk: &Gvk) -> bool {
        fits(self.group.as_ref(), &gvk.group)
            && fits(self.version.as_ref(), &gvk.version)
            && fits(self.kind.as_ref(), &gvk.kind)
    }

    /// Returns whether an id fits, its namespace as written (what replacements compare).
    pub(crate) fn matches_id(&self, id: &ResourceId) -> bool {
        self.matches_gvk(&id.gvk)
            && fits(self.name.as_ref(), &id.name)
            && fits(self.namespace.as_ref(), &id.namespace)
    }

    /// Returns whether the labels and annotations of an object fit. A faulty selector is reported when it is asked.
    pub(crate) fn matches_metadata(&self, node: &Node) -> Result<bool, SelectorError> {
        let labels = self.labels.as_ref().map_err(SelectorError::clone)?;
        let annotations = self.annotations.as_ref().map_err(SelectorError::clone)?;
        let value =
            |field| move |key: &str| metadata_entry(node, field, key).map(|v| v.to_string());
        Ok((labels.is_empty() || labels.matches(value(known::LABELS)))
            && (annotations.is_empty() || annotations.matches(value(known::ANNOTATIONS))))
    }

    /// Returns whether an object fits by its original or its present name and namespace (what patches compare).
    pub(crate) fn matches(&self, resource: &Resource) -> Result<bool, SelectorError> {
        let current = resource.id();
        if !self.matches_gvk(&current.gvk) {
            return Ok(false);
        }
        let original = resource.previous().first();
        let namespace = self.namespace.as_ref();
        let original_namespace = original.map_or(current.effective_namespace(), |o| &o.namespace);
        let original_name = original.map_or(&current.name, |o| &o.name);
        Ok((fits(namespace, original_namespace) || fits(namespace, current.effective_namespace()))
            && (fits(self.name.as_ref(), original_name) || fits(self.name.as_ref(), &current.name))
            && self.matches_metadata(resource.node())?)
    }

    /// Returns the objects of a set that may fit, in order. A selector with a plain name looks at those objects only.
    pub(crate) fn candidates(&self, set: &ResourceSet) -> Vec<usize> {
        match &self.name {
            Some(Pattern::Text(name)) => set.named(name),
            _ => (0..set.len()).collect(),
        }
    }

    /// Returns the objects of a set that fit, in order.
    pub(crate) fn select(&self, set: &ResourceSet) -> Result<Vec<usize>, SelectorError> {
        let mut found = Vec::new();
        for index in self.candidates(set) {
            if self.matches(set.get(index))? {
                found.push(index);
            }
        }
        Ok(found)
    }
}

impl Selector {
    /// Returns an object that nearly fits, and what would make it fit.
    pub(crate) fn near_miss(&self, set: &ResourceSet) -> Option<(usize, String)> {
        let objects = || set.iter().enumerate().take(MAX_SEARCHED);
        let ids = || objects().map(|(index, r)| (index, r.id()));
        let name = |id: &ResourceId| fits(self.name.as_ref(), &id.name);
        let namespace = |id: &ResourceId| fits(self.namespace.as_ref(), id.effective_namespace());
        if let Some((index, id)) = ids().find(|(_, id)| self.matches_gvk(&id.gvk) && name(id)) {
            if namespace(id) {
                return None;
            }
            let help = match id.namespace.as_str() {
                "" => "remove the namespace from the target".to_owned(),
                found => format!("write `namespace: {found}`"),
            };
            return Some((index, help));
        }
        let of_kind = || ids().filter(|(_, id)| self.matches_gvk(&id.gvk) && namespace(id));
        let near = nearest(&self.parts.name, of_kind().map(|(_, id)| id.name.as_str()));
        if let Some((index, id)) = of_kind().find(|(_, id)| near == Some(id.name.as_str())) {
            return Some((index, format!("write `name: {}`", id.name)));
        }
        let named =
            || ids().filter(|(_, id)| !self.parts.name.is_empty() && name(id) && namespace(id));
        let (index, id) = named().next()?;
        let kind = fits(self.kind.as_ref(), &id.gvk.kind);
        let group = fits(self.group.as_ref(), &id.gvk.group);
        Some((
            index,
            match (kind, group) {
                (false, _) => format!("write `kind: {}`", id.gvk.kind),
                (true, false) if id.gvk.group.is_empty() => {
                    "remove the group from the target".to_owned()
                }
                (true, false) => format!("write `group: {}`", id.gvk.group),
                (true, true) => format!("write `version: {}`", id.gvk.version),
            },
        ))
    }
}

/// What is looked for, as messages name it.
impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = &self.parts;
        let all = [
            ("group", &parts.group),
            ("version", &parts.version),
            ("kind", &parts.kind),
            ("name", &parts.name),
            ("namespace", &parts.namespace),
            ("labels", &parts.label_selector),
            ("annotations", &parts.annotation_selector),
        ];
        let mut first = true;
        for (what, text) in all.into_iter().filter(|(_, text)| !text.is_empty()) {
            write!(f, "{}{what} `{text}`", if first { "" } else { ", " })?;
            first = false;
        }
        if first { f.write_str("the empty target") } else { Ok(()) }
    }
}

fn fits(pattern: Option<&Pattern>, text: &str) -> bool {
    pattern.is_none_or(|p| p.is_match(text))
}
