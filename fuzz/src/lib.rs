//! What each fuzz target does with one input, and what must hold. `docs/fuzzing.md` says how to run them.

pub mod kustomization;
pub mod name_reference;
pub mod patch;
pub mod project;
pub mod second_reader;
pub mod yaml_text;
