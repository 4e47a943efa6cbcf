//! YAML: text to a tree with a place on every key and value, and a tree to kustomize's bytes.
//!
//! Comes in: text and the global position it begins at. Goes out: [`Node`]s, and bytes. This room knows nothing of
//! Kubernetes, and it never reads a file.
//!
//! kustomize reads and prints YAML with two libraries and a detour through JSON. Their rules are observable, so they are
//! kept apart here: [`scan`] and [`parse`] accept what go-yaml accepts, [`scalar`] resolves plain scalars in two
//! [`Dialect`]s, [`view`] is what kustomize's round trips make of a value, [`mod@write`] is go-yaml v2's format.

mod block;
mod commented;
mod directives;
mod json;
mod json_write;
mod key;
mod node;
mod number;
mod order;
mod outline;
mod parse;
mod place;
#[cfg(test)]
mod properties;
mod scalar;
mod scan;
#[cfg(any(test, feature = "fuzzing"))]
mod second_reader;
mod subset;
mod text;
mod timestamp;
mod view;
mod write;

pub(crate) use block::block_text;
pub(crate) use commented::Commented;
pub(crate) use json::parse_json;
pub(crate) use json_write::{
    JsonNumbers, indent_json, write_json, write_json_string, yaml_to_json,
};
pub(crate) use key::known;
pub use key::{Key, KeyKind};
pub use node::{Entry, Node, NodeKind, ScalarStyle, Tag};
pub(crate) use number::{format_general, format_general_f32};
pub(crate) use outline::{Outline, OutlineElement, OutlineEntry, OutlineForm, outline};
pub(crate) use parse::{Limit, MAX_DEPTH, SyntaxError, created_key, is_integer, parse_document};
pub(crate) use place::{scalar_end, scalar_segments, second_document, token_end};
pub(crate) use scalar::{Dialect, Scalar, is_yaml_1_1_non_string, resolve, resolve_tag};
#[cfg(feature = "fuzzing")]
pub(crate) use second_reader::difference_to_second_reader;
#[cfg(feature = "internals")]
pub(crate) use subset::difference_to_full_parser;
pub(crate) use text::{analyze, escape, is_printable};
pub(crate) use view::{
    ViewFault, ViewFaultKind, check_decodable, direct, json_reread, json_view, plain_node,
    round_numbers,
};
pub(crate) use write::{
    Written, write_decoded_document, write_document, write_document_and_compare,
};

/// Returns a tree as text that go-yaml v3 would write: block style where nothing else was written, scalars as they stand,
/// without a line break at the end.
pub(crate) fn tree_text(node: &Node) -> String {
    Commented::from_node(node).to_text().trim_end_matches('\n').to_owned()
}
