//! Changes of a kustomization file that leave the rest of its text as it is.
//!
//! Comes in: the text of a kustomization and what is to be changed, as kustomize's `edit` commands say it. Goes out: the text with
//! that change made and nothing else: comments, order, indentation, quotes and line breaks stay. What the new text builds to is
//! what kustomize's own result builds to. Nothing is read or written here but what is handed in.
//!
//! A command changes the tree of the file as kustomize changes its structures; [`mod@rewrite`] then finds the text for the tree:
//!
//! ```yaml
//! images:
//! - name: api      # the shop's
//!   newTag: "1.4"  # edit set image api:1.5 changes these three characters
//! ```

mod block;
mod create;
mod fix;
mod flow;
mod generators;
mod images;
mod lines;
mod lists;
mod metadata;
mod patches;
mod path_match;
#[cfg(test)]
mod properties;
mod render;
mod replicas;
mod rewrite;
mod same;
mod tree;
mod vars;
mod walk;

use crate::yaml::{Node, SyntaxError};

pub(crate) use create::{NewKustomization, parse_pairs};
pub(crate) use fix::Fix;
pub(crate) use generators::{GeneratorChange, GeneratorKind, expand_sources};
pub(crate) use images::parse_images;
pub(crate) use lists::{StringList, parse_build_metadata};
pub(crate) use metadata::{
    LabelForm, MetadataKind, Overwrite, check_set, parse_keys, parse_metadata,
};
pub(crate) use patches::PatchArg;
pub(crate) use path_match::{has_meta, path_match};
pub(crate) use replicas::parse_replicas;
pub(crate) use rewrite::RewriteError;
use rewrite::{read, rewrite};
pub(crate) use vars::convert_vars;

/// Why a command changes nothing. The texts are kustomize's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EditError {
    /// The arguments are not written as they should be.
    #[error("{0}")]
    Usage(String),
    /// The kustomization does not allow the change.
    #[error("{0}")]
    Refused(String),
}

impl EditError {
    fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    fn refused(message: impl Into<String>) -> Self {
        Self::Refused(message.into())
    }

    /// Puts what was being done in front, as Go's wrapped errors have it.
    pub(crate) fn during(self, what: &str) -> Self {
        match self {
            Self::Usage(message) => Self::Usage(format!("{what}: {message}")),
            Self::Refused(message) => Self::Refused(format!("{what}: {message}")),
        }
    }
}

/// A kustomization file that is being changed.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    text: String,
    root: Node,
    was_empty: bool,
    /// What the user should know, though it is no error.
    pub(crate) notices: Vec<String>,
}

impl Edit {
    /// Reads a kustomization file, whose types are checked already.
    pub(crate) fn new(text: &str) -> Result<Self, SyntaxError> {
        let root = read(text)?;
        let was_empty = root.is_empty();
        Ok(Self { text: text.to_owned(), root, was_empty, notices: Vec::new() })
    }

    /// Returns the tree as it is now.
    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    /// Returns the new text.
    pub(crate) fn finish(mut self) -> Result<String, RewriteError> {
        if self.was_empty && !self.root.is_empty() {
            fix::add_type(&mut self.root);
        }
        rewrite(&self.text, &self.root)
    }

    /// Sets a field that is a string; an empty one is removed.
    pub(crate) fn set_text(&mut self, name: &str, value: &str) {
        tree::set_text(&mut self.root, name, value);
    }

    fn notice(&mut self, message: String) {
        self.notices.push(message);
    }
}
