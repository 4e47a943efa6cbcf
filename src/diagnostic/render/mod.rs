//! Diagnostics to text, one file per format.

mod short;

pub use short::short;
