//! A graph in the language of Graphviz.

use std::fmt::Write as _;

use super::{Graph, NodeKind};

impl Graph {
    /// Returns the graph for `dot`.
    pub(crate) fn dot(&self) -> String {
        let mut out = String::from(
            "digraph kiln {\n  rankdir=LR;\n  node [shape=box, fontname=\"monospace\", fontsize=10];\n  \
             edge [fontname=\"monospace\", fontsize=8];\n",
        );
        for (number, node) in self.nodes.iter().enumerate() {
            let shape = match node.kind {
                NodeKind::Environment => "oval",
                NodeKind::Kustomization => "folder",
                NodeKind::Component => "component",
                _ => "note",
            };
            let (label, kind) = (quoted(&node.shown()), node.kind.name());
            let _ =
                writeln!(out, "  n{number} [label={label}, shape={shape}, tooltip=\"{kind}\"];");
        }
        for (number, node) in self.nodes.iter().enumerate() {
            for (field, to) in &node.edges {
                let _ = writeln!(out, "  n{number} -> n{to} [label=\"{field}\"];");
            }
        }
        out.push_str("}\n");
        out
    }
}

/// Only quotes and the backslashes of escapes have a meaning in a text.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::shop;
    use super::*;

    #[test]
    fn nodes_and_edges_are_numbered() {
        let dot = shop().dot();
        assert!(dot.starts_with("digraph kiln {\n") && dot.ends_with("}\n"));
        assert!(
            dot.contains("  n1 [label=\"base\", shape=folder, tooltip=\"kustomization\"];\n"),
            "{dot}"
        );
        assert!(dot.contains("  n0 -> n1 [label=\"resources\"];\n"), "{dot}");
        assert_eq!(quoted("a\"b\\"), r#""a\"b\\""#);
    }
}
