//! Changes of a kustomization file that leave the rest of its text as it is.
//!
//! Comes in: the text of a kustomization and what is to be changed. Goes out: the text with that change, and nothing else, made:
//! comments, order, indentation, quotes and line breaks stay. Nothing is read or written here but what is handed in.

mod flow;
mod lines;
#[cfg(test)]
mod properties;
mod render;
mod rewrite;
mod same;

pub(crate) use rewrite::{read, rewrite};
