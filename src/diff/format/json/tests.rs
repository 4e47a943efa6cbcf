//! The edits of a report, applied to the one side, give the other; both by trees that are made at random.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::diff::{Snapshot, compare};
use crate::resource::read_documents;

/// Applies the edits of one object, as `docs/diff.md` says. Written for JSON alone.
fn apply(old: &Value, edits: &[(Vec<Value>, &Value)]) -> Value {
    // Edits of this value itself.
    if let [(path, edit)] = edits
        && path.is_empty()
        && edit["op"] == "replace"
    {
        assert_eq!(&edit["old"], old);
        return edit["new"].clone();
    }
    let mut below: BTreeMap<String, Vec<(Vec<Value>, &Value)>> = BTreeMap::new();
    for (path, edit) in edits {
        let (first, rest) = path.split_first().expect("an edit is below");
        below.entry(first.to_string()).or_default().push((rest.to_vec(), edit));
    }
    match old {
        Value::Object(old) => apply_map(old, &below),
        Value::Array(old) => apply_list(old, &below),
        _ => panic!("{old} has nothing below"),
    }
}

fn apply_map(
    old: &Map<String, Value>,
    below: &BTreeMap<String, Vec<(Vec<Value>, &Value)>>,
) -> Value {
    let mut new = old.clone();
    for (key, edits) in below {
        let key: String = serde_json::from_str(key).expect("a field is a string");
        match edits.as_slice() {
            [(path, edit)] if path.is_empty() && edit["op"] == "add" => {
                assert!(new.insert(key, edit["new"].clone()).is_none());
            }
            [(path, edit)] if path.is_empty() && edit["op"] == "remove" => {
                assert_eq!(new.remove(&key).as_ref(), Some(&edit["old"]));
            }
            edits => {
                let value = apply(&new[&key], edits);
                new.insert(key, value);
            }
        }
    }
    Value::Object(new)
}

fn apply_list(old: &[Value], below: &BTreeMap<String, Vec<(Vec<Value>, &Value)>>) -> Value {
    let mut placed: BTreeMap<usize, Value> = BTreeMap::new();
    let mut kept: Vec<Option<Value>> = old.iter().cloned().map(Some).collect();
    let at = |edit: &Value, key: &str| edit[key].as_u64().expect("a place is a number") as usize;
    for (step, edits) in below {
        let step: Value = serde_json::from_str(step).expect("a step is JSON");
        let index = match &step {
            Value::Object(keys) => old.iter().position(|element| {
                keys.iter().all(|(key, value)| element.get(key).unwrap_or(&Value::Null) == value)
            }),
            Value::Number(number) => number.as_u64().map(|index| index as usize),
            _ => None,
        };
        let inner: Vec<_> = edits
            .iter()
            .filter(|(path, edit)| !path.is_empty() || edit["op"] == "replace")
            .cloned()
            .collect();
        if !inner.is_empty() {
            let index = index.expect("the element is there");
            kept[index] = Some(apply(&old[index], &inner));
        }
        for (_, edit) in edits.iter().filter(|(path, _)| path.is_empty()) {
            match edit["op"].as_str() {
                Some("add") => {
                    placed.insert(at(edit, "at"), edit["new"].clone());
                }
                Some("remove") => {
                    assert_eq!(kept[at(edit, "at")].take().as_ref(), Some(&edit["old"]));
                }
                Some("move") => {
                    let element = kept[at(edit, "at")].take().expect("it is there");
                    placed.insert(at(edit, "to"), element);
                }
                _ => {}
            }
        }
    }
    let mut kept = kept.into_iter().flatten();
    let mut new = Vec::new();
    loop {
        match placed.remove(&new.len()) {
            Some(element) => new.push(element),
            None => match kept.next() {
                Some(element) => new.push(element),
                None => break,
            },
        }
    }
    assert!(placed.is_empty(), "every place is reached");
    Value::Array(new)
}

fn snapshot(objects: &[Value]) -> Snapshot {
    let text: Vec<String> = objects.iter().map(ToString::to_string).collect();
    Snapshot::of_objects(read_documents(&text.join("\n---\n"), 1).unwrap())
}

fn report(old: &[Value], new: &[Value]) -> Value {
    let report = Report {
        from: SideName::default(),
        to: SideName::default(),
        environments: vec![EnvironmentReport {
            name: "e".to_owned(),
            path: String::new(),
            was: None,
            outcome: Outcome::Compared(compare(&snapshot(old), &snapshot(new))),
        }],
    };
    let look = Look { show_secrets: true, ..Look::default() };
    serde_json::from_str(&json(&report, &look)).unwrap()
}

fn name_of(object: &Value) -> String {
    format!("{}/{}", object["kind"], object["metadata"]["name"])
}

/// Applies a whole report to objects, which are compared without their order.
fn applied(old: &[Value], report: &Value) -> BTreeMap<String, Value> {
    let mut objects: BTreeMap<String, Value> =
        old.iter().map(|object| (name_of(object), object.clone())).collect();
    let Some(environment) = report["environments"].get(0) else { return objects };
    for resource in environment["resources"].as_array().unwrap() {
        match resource["change"].as_str().unwrap() {
            "create" => {
                let object = &resource["object"];
                objects.insert(name_of(object), object.clone());
            }
            "delete" => {
                assert!(objects.remove(&name_of(&resource["object"])).is_some());
            }
            _ => {
                let kind = &resource["id"]["kind"];
                let name = format!("{kind}/{}", resource["from"]["name"]);
                let before = objects.remove(&name).expect("the object is there");
                let edits: Vec<(Vec<Value>, &Value)> = resource["edits"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|edit| (edit["path"].as_array().unwrap().clone(), edit))
                    .collect();
                let after = apply(&before, &edits);
                objects.insert(name_of(&after), after);
            }
        }
    }
    objects
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0_i64..4).prop_map(Value::from),
        (0_u32..3).prop_map(|n| json!(f64::from(n) + 0.5)),
        "[ab1]{0,2}".prop_map(Value::from),
        "[ab]\n[ab]\n{0,2}".prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner.clone(), 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
            // Lists with keys.
            prop::collection::vec(("[abc]", inner), 0..5).prop_map(|list| {
                let element = |(name, value)| json!({ "name": name, "value": value });
                Value::Array(list.into_iter().map(element).collect())
            }),
        ]
    })
}

fn ports() -> impl Strategy<Value = Value> {
    prop::collection::vec((0..3, prop::option::of("TCP|UDP"), 0..2), 0..4).prop_map(|list| {
        let element = |(port, protocol, host): (i32, Option<String>, i32)| match protocol {
            Some(protocol) => {
                json!({ "containerPort": port, "protocol": protocol, "hostPort": host })
            }
            None => json!({ "containerPort": port, "hostPort": host }),
        };
        Value::Array(list.into_iter().map(element).collect())
    })
}

fn objects() -> impl Strategy<Value = Vec<Value>> {
    let object =
        (prop_oneof![Just("Pod"), Just("ConfigMap"), Just("Thing")], "[ab]", value(), ports());
    prop::collection::vec(object, 0..4).prop_map(|list| {
        let object = |(kind, name, value, ports): (&str, String, Value, Value)| {
            let api_version = if kind == "Thing" { "example.com/v1" } else { "v1" };
            json!({
                "apiVersion": api_version, "kind": kind, "metadata": { "name": name },
                "spec": { "x": value, "containers": [{ "name": "c", "ports": ports }] },
            })
        };
        let mut objects: Vec<Value> = list.into_iter().map(object).collect();
        objects.sort_by_key(name_of);
        objects.dedup_by_key(|object| name_of(object));
        objects
    })
}

const CASES: u32 = if cfg!(debug_assertions) { 400 } else { 4000 };

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) })]

    #[test]
    fn applying_a_report_to_one_side_gives_the_other(old in objects(), new in objects()) {
        let found = report(&old, &new);
        let want: BTreeMap<String, Value> =
            new.iter().map(|object| (name_of(object), object.clone())).collect();
        prop_assert_eq!(applied(&old, &found), want);
    }

    #[test]
    fn a_side_does_not_differ_from_itself(objects in objects()) {
        let found = report(&objects, &objects);
        prop_assert_eq!(&found["environments"], &json!([]));
    }

    #[test]
    fn every_edit_is_of_values_that_differ(old in objects(), new in objects()) {
        let found = report(&old, &new);
        for resource in found["environments"][0]["resources"].as_array().into_iter().flatten() {
            for edit in resource["edits"].as_array().into_iter().flatten() {
                prop_assert!(edit["op"] != "replace" || edit["old"] != edit["new"], "{}", edit);
            }
        }
    }
}
