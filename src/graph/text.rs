//! A graph as a tree.

use std::fmt::Write as _;

use super::Graph;

impl Graph {
    /// Returns the graph as a tree. What was shown before, with all that it includes, is marked `(*)`.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        let mut shown = vec![false; self.nodes.len()];
        for &root in &self.roots {
            out.push_str(&self.nodes[root].shown());
            self.below(root, "", &mut shown, &mut out);
        }
        out
    }

    fn below(&self, node: usize, prefix: &str, shown: &mut [bool], out: &mut String) {
        let edges = &self.nodes[node].edges;
        if shown[node] && !edges.is_empty() {
            out.push_str(" (*)\n");
            return;
        }
        out.push('\n');
        shown[node] = true;
        for (index, (field, to)) in edges.iter().enumerate() {
            let is_last = index + 1 == edges.len();
            let (branch, rest) =
                if is_last { ("└── ", "    ") } else { ("├── ", "│   ") };
            let _ = write!(out, "{prefix}{branch}{field}: {}", self.nodes[*to].shown());
            self.below(*to, &format!("{prefix}{rest}"), shown, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::shop;

    #[test]
    fn a_tree_shows_what_is_shared_once() {
        let want = "\
dev
├── values: values.yaml
└── path: dev
    ├── resources: base
    │   ├── resources: base/web.yaml
    │   ├── configMapGenerator: base/e.env
    │   └── configMapGenerator: base/a b.txt
    ├── components: tls
    └── patches: dev/web.yaml
prod
├── values: values.yaml
└── path: prod
    ├── resources: base (*)
    └── components: tls
";
        assert_eq!(shop().text(), want);
    }
}
