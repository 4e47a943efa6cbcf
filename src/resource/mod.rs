//! Objects: their ids, their memory of earlier names, and the set that a build works on.
//!
//! Comes in: text of files. Goes out: [`Resource`]s in a [`ResourceSet`]. This room knows what an object is (type, name,
//! namespace, labels, annotations) and how kustomize tells objects apart; it knows nothing of kustomizations.

mod documents;
mod go_regex;
mod gvk;
mod id;
mod label_selector;
mod metadata;
mod object;
mod pattern;
mod scope;
mod selector;
mod set;

pub(crate) use documents::{
    ReadFault, last_separator, pieces, read_documents, read_objects, read_pieces, split,
};
pub use gvk::Gvk;
pub(crate) use id::{DEFAULT_NAMESPACE, NOT_NAMESPACED};
pub use id::{PreviousId, ResourceId};
pub(crate) use label_selector::LabelSelector;
pub(crate) use metadata::{
    AliasWrites, get_or_create_map, metadata_entry, metadata_map, metadata_text, set_field,
    set_scalar, set_string_map_entry,
};
pub(crate) use object::Behavior;
pub use object::Resource;
pub(crate) use pattern::{Pattern, PatternError};
pub(crate) use scope::Scopes;
pub(crate) use selector::{Selector, SelectorError, SelectorParts};
pub(crate) use set::IdClash;
pub use set::ResourceSet;
