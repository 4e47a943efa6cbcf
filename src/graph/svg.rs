//! A graph as a picture: columns from left to right, each node right of all that include it.
//!
//! The rows are those of a tree: what includes stands in the middle of what it includes first. Nothing else is drawn into
//! the row of a tree, so nothing overlaps; only the lines to what is shared cross others.

use std::fmt::Write as _;

use super::{Graph, NodeKind};
use crate::diagnostic::render::escaped;

/// Sizes, in pixels. A character of a monospaced font of 12 pixels is 7.3 wide.
const CHARACTER: f64 = 7.3;
const PADDING: f64 = 10.0;
const ROW: f64 = 34.0;
const HEIGHT: f64 = 24.0;
const GAP: f64 = 70.0;
const MARGIN: f64 = 20.0;

/// Colors that are told apart on a light and on a dark page.
fn color(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Environment => "#7c4dff",
        NodeKind::Kustomization => "#1e6fd9",
        NodeKind::Component => "#00838f",
        NodeKind::Resource => "#2e7d32",
        NodeKind::Patch => "#c25100",
        NodeKind::Source => "#8d6e00",
        NodeKind::Values => "#ad1457",
        NodeKind::Settings => "#5f6b76",
    }
}

const STYLE: &str = "svg { background: #fff; color: #1b1f24; font: 12px ui-monospace, Menlo, Consolas, monospace }
rect { fill: #fff; stroke-width: 2 }
text { fill: currentColor }
path { fill: none; stroke: #8a94a0; stroke-width: 1.2 }
path:hover { stroke: #e0245e; stroke-width: 3 }
@media (prefers-color-scheme: dark) { svg { background: #14181d; color: #e6e9ec } rect { fill: #1d232a } path { stroke: #6b7681 } }";

/// Where a node is drawn.
#[derive(Clone, Copy, Debug, Default)]
struct Spot {
    column: usize,
    row: f64,
}

impl Graph {
    /// Returns the graph as an SVG document.
    pub(crate) fn svg(&self) -> String {
        let spots = self.spots();
        let columns = self.columns(&spots);
        let rows = spots.iter().map(|spot| spot.row).fold(0.0, f64::max) + 1.0;
        let kinds: Vec<NodeKind> = NodeKind::ALL
            .into_iter()
            .filter(|kind| self.nodes.iter().any(|node| node.kind == *kind))
            .collect();
        let legend: f64 = kinds.iter().map(|kind| legend_width(*kind)).sum();
        let (last_left, last_width) = columns.last().copied().unwrap_or_default();
        let width = (last_left + last_width).max(MARGIN + legend) + MARGIN;
        let height = MARGIN + rows * ROW + ROW + MARGIN;
        let edges: usize = self.nodes.iter().map(|node| node.edges.len()).sum();
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             role=\"img\" aria-labelledby=\"title description\">\n<title id=\"title\">What includes what</title>\n\
             <desc id=\"description\">{}</desc>\n<style>{STYLE}</style>\n",
            escaped(&self.description(edges)),
        );
        for (number, node) in self.nodes.iter().enumerate() {
            for (field, to) in &node.edges {
                let title = format!("{} {field} {}", node.label, self.nodes[*to].label);
                let from = (spots[number], box_width(&node.shown()));
                push_line(&mut out, &columns, from, spots[*to], &title);
            }
        }
        for (number, node) in self.nodes.iter().enumerate() {
            let Spot { column, row } = spots[number];
            let (left, _) = columns[column];
            let title = format!("{} {}", node.kind.name(), node.shown());
            push_box(&mut out, (left, MARGIN + row * ROW), node.kind, &node.shown(), &title);
        }
        let mut left = MARGIN;
        for kind in kinds {
            push_box(
                &mut out,
                (left, MARGIN + rows * ROW + ROW / 2.0),
                kind,
                kind.name(),
                "legend",
            );
            left += legend_width(kind);
        }
        out.push_str("</svg>\n");
        out
    }

    fn description(&self, edges: usize) -> String {
        let roots: Vec<&str> =
            self.roots.iter().map(|root| self.nodes[*root].label.as_str()).collect();
        let (nodes, roots) = (self.nodes.len(), roots.join(", "));
        format!(
            "{nodes} environments, kustomizations and files with {edges} relations, from {roots}."
        )
    }

    /// Returns where each node is drawn.
    fn spots(&self) -> Vec<Spot> {
        let mut spots = vec![Spot::default(); self.nodes.len()];
        for &root in &self.roots {
            self.push_right(root, 0, &mut spots, &mut vec![false; self.nodes.len()]);
        }
        let mut next = 0.0;
        let mut seen = vec![false; self.nodes.len()];
        for &root in &self.roots {
            self.give_rows(root, &mut next, &mut seen, &mut spots);
        }
        spots
    }

    /// Moves a node, and all that it includes, at least so far to the right.
    fn push_right(&self, node: usize, column: usize, spots: &mut [Spot], above: &mut [bool]) {
        // In a cycle nobody is right of everybody.
        if above[node] || column < spots[node].column || column > self.nodes.len() {
            return;
        }
        if column > 0 && column == spots[node].column {
            return;
        }
        spots[node].column = column;
        above[node] = true;
        for (_, to) in &self.nodes[node].edges {
            self.push_right(*to, column + 1, spots, above);
        }
        above[node] = false;
    }

    fn give_rows(&self, node: usize, next: &mut f64, seen: &mut [bool], spots: &mut [Spot]) {
        seen[node] = true;
        let first = *next;
        let mut own: Vec<f64> = Vec::new();
        for (_, to) in &self.nodes[node].edges {
            if !seen[*to] {
                self.give_rows(*to, next, seen, spots);
                own.push(spots[*to].row);
            }
        }
        spots[node].row = match (own.first(), own.last()) {
            (Some(top), Some(bottom)) => f64::midpoint(*top, *bottom),
            _ => {
                *next += 1.0;
                first
            }
        };
    }

    /// Returns where each column begins, and its width.
    fn columns(&self, spots: &[Spot]) -> Vec<(f64, f64)> {
        let count = spots.iter().map(|spot| spot.column + 1).max().unwrap_or_default();
        let mut widths = vec![0.0_f64; count];
        for (node, spot) in self.nodes.iter().zip(spots) {
            widths[spot.column] = widths[spot.column].max(box_width(&node.shown()));
        }
        let mut left = MARGIN;
        let place = |width: f64| {
            let own = left;
            left += width + GAP;
            (own, width)
        };
        widths.into_iter().map(place).collect()
    }
}

fn box_width(text: &str) -> f64 {
    text.chars().count() as f64 * CHARACTER + 2.0 * PADDING
}

fn legend_width(kind: NodeKind) -> f64 {
    box_width(kind.name()) + PADDING
}

/// Draws a line from the right side of a box, whose width is given, to the left side of another.
fn push_line(
    out: &mut String,
    columns: &[(f64, f64)],
    (from, own_width): (Spot, f64),
    to: Spot,
    title: &str,
) {
    let (left, width) = columns[from.column];
    let own_right = left + own_width;
    let middle = |row: f64| MARGIN + row * ROW + HEIGHT / 2.0;
    let (x1, y1) = (left + width, middle(from.row));
    let (x2, y2) = (columns[to.column].0, middle(to.row));
    let bend = if x2 > x1 { x1 + (x2 - x1).min(GAP) } else { x1 + GAP };
    let title = escaped(title);
    let _ = writeln!(
        out,
        "<path d=\"M{own_right:.1} {y1:.1} L{x1:.1} {y1:.1} C{:.1} {y1:.1} {:.1} {y2:.1} {bend:.1} {y2:.1} L{x2:.1} {y2:.1}\"><title>{title}</title></path>",
        x1 + GAP / 2.0,
        bend - GAP / 2.0,
    );
}

fn push_box(out: &mut String, (x, y): (f64, f64), kind: NodeKind, text: &str, title: &str) {
    let (width, color) = (box_width(text), color(kind));
    // A kustomization is a folder, everything else but an environment a file.
    let radius = if kind == NodeKind::Environment { HEIGHT / 2.0 } else { 4.0 };
    let dashes = if kind == NodeKind::Component { " stroke-dasharray=\"5 3\"" } else { "" };
    let (title, text) = (escaped(title), escaped(text));
    let _ = writeln!(
        out,
        "<g><title>{title}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{HEIGHT}\" rx=\"{radius}\" \
         stroke=\"{color}\"{dashes}/><text x=\"{:.1}\" y=\"{:.1}\">{text}</text></g>",
        x + PADDING,
        y + HEIGHT / 2.0 + 4.0,
    );
}

#[cfg(test)]
mod tests {
    use super::super::tests::{graph, shop};

    #[test]
    fn every_node_stands_right_of_those_that_include_it_and_none_overlap() {
        let graph = shop();
        let spots = graph.spots();
        for (number, node) in graph.nodes.iter().enumerate() {
            for (_, to) in &node.edges {
                assert!(spots[*to].column > spots[number].column, "{} {}", node.label, to);
            }
        }
        for (number, spot) in spots.iter().enumerate() {
            for other in &spots[number + 1..] {
                let apart = (spot.row - other.row).abs();
                assert!(spot.column != other.column || apart >= 1.0, "{spot:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_picture_says_what_it_shows() {
        let svg = shop().svg();
        assert!(svg.contains("<title id=\"title\">What includes what</title>"), "{svg}");
        assert!(
            svg.contains(
                "11 environments, kustomizations and files with 12 relations, from dev, prod."
            ),
            "{svg}"
        );
        assert!(svg.contains("<title>dev resources base</title>"), "{svg}");
        assert_eq!(svg.matches("<g>").count(), 11 + 7);
    }

    #[test]
    fn a_cycle_can_be_drawn() {
        let files = [
            ("a/kustomization.yaml", "resources: [../b]\n"),
            ("b/kustomization.yaml", "resources: [../a]\n"),
        ];
        assert!(graph(&files, &[(None, "a")]).svg().contains("<title>b resources a</title>"));
    }
}
