//! A graph in the language of Mermaid, which GitHub and GitLab draw in Markdown.

use std::fmt::Write as _;

use super::{Graph, NodeKind};

impl Graph {
    /// Returns the graph as a flowchart.
    pub(crate) fn mermaid(&self) -> String {
        let mut out = String::from("flowchart LR\n");
        for (number, node) in self.nodes.iter().enumerate() {
            let label = escaped(&node.shown());
            let (open, close) = match node.kind {
                NodeKind::Environment => ("([", "])"),
                NodeKind::Kustomization | NodeKind::Component => ("[", "]"),
                _ => ("(", ")"),
            };
            let _ = writeln!(out, "  n{number}{open}\"{label}\"{close}");
        }
        for (number, node) in self.nodes.iter().enumerate() {
            for (field, to) in &node.edges {
                let _ = writeln!(out, "  n{number} -->|{field}| n{to}");
            }
        }
        let shared = [
            (NodeKind::Environment, "stroke-width:3px"),
            (NodeKind::Kustomization, "stroke-width:2px"),
            (NodeKind::Component, "stroke-width:2px,stroke-dasharray:4 2"),
        ];
        for (kind, style) in shared {
            let numbers = self.nodes.iter().enumerate().filter(|(_, node)| node.kind == kind);
            let names: Vec<String> = numbers.map(|(number, _)| format!("n{number}")).collect();
            if !names.is_empty() {
                let (names, class) = (names.join(","), kind.name());
                let _ = writeln!(out, "  classDef {class} {style}\n  class {names} {class}");
            }
        }
        out
    }
}

/// What has a meaning inside a quoted text is written as an entity.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '#' | '&' | '<' | '>' | '`' => {
                let _ = write!(out, "#{};", character as u32);
            }
            '\n' => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::shop;
    use super::*;

    #[test]
    fn nodes_and_edges_are_numbered() {
        let chart = shop().mermaid();
        assert!(chart.starts_with("flowchart LR\n"), "{chart}");
        assert!(
            chart.contains("  n1[\"base\"]\n") && chart.contains("  n0 -->|resources| n1\n"),
            "{chart}"
        );
        assert!(chart.contains("  class n7,n10 environment\n"), "{chart}");
        assert_eq!(escaped("a\"b#c"), "a#34;b#35;c");
    }
}
