//! Which objects a patch or a replacement is for.

use super::metadata::metadata_entry;
use super::{Gvk, LabelSelector, Pattern, PatternError, Resource, ResourceId, ResourceSet};
use crate::yaml::{Node, known};

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

fn fits(pattern: Option<&Pattern>, text: &str) -> bool {
    pattern.is_none_or(|p| p.is_match(text))
}
