//! Generators: from entries of a kustomization and the files they name to objects.
//!
//! Comes in: the typed entries of `configMapGenerator` and `secretGenerator`, or plugin configurations of the same kinds.
//! Goes out: objects, which [`absorb()`] adds to the set. Nothing is named after its content here: that is the last step of
//! a build, for which [`content_hash`] computes the suffix.

mod absorb;
mod hash;
mod iam;
mod object;
mod sources;

pub(crate) use absorb::absorb;
pub(crate) use hash::{HashFault, content_hash};
pub(crate) use iam::{IamPolicy, generate_iam_policy};
pub(crate) use object::{GeneratedKind, generate};
