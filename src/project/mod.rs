//! Kustomizations: from a directory to a typed file, with every fault at its place.
//!
//! Comes in: a directory. Goes out: a [`Kustomization`] whose fields are checked and placed, and the field
//! specifications that its configurations and CRDs add. Nothing is built here.

mod crds;
mod decode;
mod field_spec;
mod kustomization;
mod load;
mod settings;

pub(crate) use crds::load_crds;
pub(crate) use decode::{Decoder, Field, Rules, scalar};
pub(crate) use field_spec::{
    FieldPath, FieldSpec, FieldSpecClash, FieldSpecs, NameReference, ORDER_FIRST, ORDER_LAST,
    PartFault, PathPart, TransformerConfig, decode_field_spec, split_path,
};
pub(crate) use kustomization::{
    FieldOptions, GeneratorArgs, GeneratorOptions, Image, Kustomization, Label, Patch, Replacement,
    ReplacementSource, ReplacementTarget, Replica, SortOptions, Target, Var, decode_generator,
    decode_image, decode_patch, decode_replacement, decode_replica, decode_target,
};
pub(crate) use load::{
    FILE_NAMES, Layer, check_types, decode_replacements, load_configurations, load_layer,
    report_clash, report_faults, warn_of_notices,
};
pub(crate) use settings::{
    Environment, External, Glob, PodSecurity, RenderLayout, SecretPolicy, Settings, ValuesFile,
    discover, find_kustomizations, has_kustomization, with_definitions,
};
pub use settings::{Project, ProjectLocation, load_project};
