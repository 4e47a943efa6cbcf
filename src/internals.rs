//! What the fuzz targets in `fuzz/` and the benchmarks in `benches/` need of the compiler's inside. It exists only with the
//! feature `internals`, is no part of the public API, and asserts nothing itself: each target says what must hold.

use crate::Node;
use crate::yaml::{
    Commented, Dialect, JsonNumbers, SyntaxError, parse_document, write_document, write_json,
};

/// Why a text is not YAML, and the byte offset where that was noticed.
pub type Fault = (String, usize);

fn fault(error: SyntaxError) -> Fault {
    (error.message, error.at)
}

/// Returns the first document of a text as objects are read.
pub fn read(text: &str) -> Result<Option<Node>, Fault> {
    parse_document(text, 1, Dialect::V3).map_err(fault)
}

/// Returns the first document of a text as kustomizations are read.
pub fn read_yaml_1_1(text: &str) -> Result<Option<Node>, Fault> {
    parse_document(text, 1, Dialect::V2).map_err(fault)
}

/// Returns the value of a JSON text.
pub fn read_json(text: &str) -> Result<Node, Fault> {
    crate::yaml::parse_json(text, 1).map_err(fault)
}

/// Returns a tree as it is written to the output; none if it is refused.
pub fn write(node: &Node) -> Option<String> {
    let mut bytes = Vec::new();
    write_document(node, &mut bytes).ok()?;
    Some(String::from_utf8(bytes).expect("what is written is UTF-8"))
}

/// Returns a tree as JSON, numbers as they are; none if it has no JSON form.
pub fn json(node: &Node) -> Option<String> {
    let mut out = String::new();
    write_json(node, JsonNumbers::Exact, &mut out).ok()?;
    Some(out)
}

/// Returns a text as the steps print it that change YAML inside strings, comments and all; none if it is not YAML.
pub fn reprint(text: &str) -> Option<String> {
    Some(Commented::parse(text).ok()??.to_text())
}

/// Returns how the tree that is read without tokens differs from that of the full parser; none if both agree, or if the
/// text is none that is read so.
pub fn difference_to_full_parser(text: &str) -> Option<String> {
    crate::yaml::difference_to_full_parser(text)
}

/// Returns how the tree of a text differs from what another parser reads; none if both agree.
#[cfg(feature = "fuzzing")]
pub fn difference_to_second_reader(text: &str) -> Option<String> {
    crate::yaml::difference_to_second_reader(text)
}
