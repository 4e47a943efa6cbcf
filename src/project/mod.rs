//! Kustomizations: from a directory to a typed file, with every fault at its place.
//!
//! Comes in: a directory. Goes out: a [`Kustomization`] whose fields are checked and placed, and the field
//! specifications that its configurations and CRDs add. Nothing is built here.

pub(crate) mod crds;
pub(crate) mod decode;
pub(crate) mod field_spec;
pub(crate) mod kustomization;
pub(crate) mod load;

pub(crate) use field_spec::{FieldSpec, FieldSpecClash, FieldSpecs, NameReference, TransformerConfig};
pub(crate) use kustomization::{
    FieldOptions, GeneratorArgs, GeneratorOptions, Image, Kustomization, Label, Patch, Replacement,
    ReplacementSource, ReplacementTarget, Replica, SortOptions, StringMap, Target, Var,
};
pub(crate) use load::{Layer, load_configurations, load_layer};
