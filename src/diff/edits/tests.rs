use super::*;
use crate::yaml::{Dialect, parse_document};

fn node(text: &str) -> Node {
    parse_document(text, 1, Dialect::V3).unwrap().unwrap()
}

fn shown(node: &Node) -> String {
    let mut out = String::new();
    fingerprint(node, &mut out);
    out
}

fn listed(old: &str, new: &str) -> Vec<String> {
    let line = |edit: Edit| {
        let path = edit.path.to_string();
        match edit.change {
            Change::Add { new, at } => format!("+ {path} {} {at:?}", shown(&new)),
            Change::Remove { old, at } => format!("- {path} {} {at:?}", shown(&old)),
            Change::Replace { old, new } => format!("~ {path} {} {}", shown(&old), shown(&new)),
            Change::Move { from, to } => format!("> {path} {from} {to}"),
        }
    };
    between(&node(old), &node(new)).into_iter().map(line).collect()
}

#[test]
fn values_are_compared_by_type_and_not_by_look() {
    for (old, new, edits) in [
        ("a: 1", "a: \"1\"", &["~ a Int(1) Str(\"1\")"][..]),
        ("a: 0x10", "a: 16", &[]),
        ("a: 1", "a: 1.0", &["~ a Int(1) Float(1.0)"]),
        ("a: x", "a: 'x'", &[]),
        ("a: .nan", "a: .nan", &[]),
        ("a: ~", "a: null", &[]),
        ("a: null", "b: null", &["- a Null None", "+ b Null None"]),
        ("{a: 1, b: 2}", "{b: 2, a: 1}", &[]),
        ("a: {}", "a: []", &["~ a {} []"]),
        ("a: {}", "a: {b: 1}", &["+ a.b Int(1) None"]),
        ("a.b/c: {d: 1}", "a.b/c: {d: 2}", &["~ a\\.b/c.d Int(1) Int(2)"]),
    ] {
        assert_eq!(listed(old, new), edits, "{old} -> {new}");
    }
}

#[test]
fn lists_of_kubernetes_are_matched_by_their_keys() {
    let pod = |rest: &str| format!("{{apiVersion: v1, kind: Pod, spec: {{{rest}}}}}");
    for (old, new, edits) in [
        (
            "containers: [{name: a, image: x}, {name: b}]",
            "containers: [{name: b}, {name: a, image: y}]",
            &[
                "> spec.containers[name=a] 0 1",
                "~ spec.containers[name=a].image Str(\"x\") Str(\"y\")",
            ][..],
        ),
        (
            "containers: [{name: a, ports: [{containerPort: 1}, {containerPort: 1, protocol: UDP}]}]",
            "containers: [{name: a, ports: [{containerPort: 1, protocol: UDP, hostPort: 2}]}]",
            &[
                "- spec.containers[name=a].ports[containerPort=1] {\"containerPort\":Int(1),} Some(0)",
                "+ spec.containers[name=a].ports[containerPort=1,protocol=UDP].hostPort Int(2) None",
            ],
        ),
        // Without a key of Kubernetes: by `name`, if all have one; else by what is the same.
        (
            "x: [{name: a}, {name: b, c: 1}]",
            "x: [{name: b, c: 2}]",
            &[
                "- spec.x[name=a] {\"name\":Str(\"a\"),} Some(0)",
                "~ spec.x[name=b].c Int(1) Int(2)",
            ],
        ),
        (
            "x: [{name: a}, {name: a}]",
            "x: [{name: a}]",
            &["- spec.x[1] {\"name\":Str(\"a\"),} Some(1)"],
        ),
        (
            "x: [a, b, c]",
            "x: [b, d, c, e]",
            &[
                "- spec.x[0] Str(\"a\") Some(0)",
                "+ spec.x[1] Str(\"d\") Some(1)",
                "+ spec.x[3] Str(\"e\") Some(3)",
            ],
        ),
        ("x: [a, {b: 1}, c]", "x: [a, {b: 2}, c]", &["~ spec.x[1].b Int(1) Int(2)"]),
    ] {
        assert_eq!(listed(&pod(old), &pod(new)), edits, "{old} -> {new}");
    }
}
