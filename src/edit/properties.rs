//! What holds for every text and every change of its tree: the result has the tree that was asked for, and lines that have
//! nothing to do with the change are as they were.

use std::fmt::Write;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::{read, rewrite};
use crate::provenance::OriginId;
use crate::yaml::{Key, Node, ScalarStyle, Tag};

fn string(text: &str) -> Node {
    Node::scalar(text, ScalarStyle::DoubleQuoted, Tag::Str, OriginId::NONE)
}

/// A change of one place of a tree. The numbers choose the place and what happens there.
#[derive(Clone, Debug)]
struct Change {
    place: Vec<u8>,
    what: u8,
    text: String,
}

fn changes() -> impl Strategy<Value = Change> {
    let text = prop_oneof![
        4 => "[a-c]{1,3}",
        1 => prop::sample::select(vec!["1.0", "yes", "", "a: b", "- c", "# d", "it's", "a\nb", "x\n", " e", "\t", "null", "é"]).prop_map(str::to_owned),
    ];
    (prop::collection::vec(any::<u8>(), 0..4), any::<u8>(), text)
        .prop_map(|(place, what, text)| Change { place, what, text })
}

fn value(change: &Change) -> Node {
    let text = string(&change.text);
    match change.what / 16 % 5 {
        0 => Node::sequence(vec![text], OriginId::NONE),
        1 => {
            let mut map = Node::default();
            map.push_entry(Key::text_key("n"), OriginId::NONE, text.clone());
            map.push_entry(
                Key::text_key("m"),
                OriginId::NONE,
                Node::sequence(vec![text], OriginId::NONE),
            );
            map
        }
        _ => text,
    }
}

fn apply(node: &mut Node, change: &Change) {
    let mut node = node;
    for step in &change.place {
        let count = node.len();
        if count == 0 {
            break;
        }
        let index = usize::from(*step) % count;
        let is_collection = |node: &Node| !node.is_scalar();
        // Only maps and lists are entered.
        if node.entries().is_some() {
            if !is_collection(&node.entries().unwrap()[index].value) {
                break;
            }
            node = &mut node.entries_mut().unwrap()[index].value;
        } else {
            if !is_collection(&node.elements().unwrap()[index]) {
                break;
            }
            node = &mut node.elements_mut().unwrap()[index];
        }
    }
    let new = value(change);
    let count = node.len();
    let index = change.place.last().map_or(0, |&n| usize::from(n)) % count.max(1);
    if let Some(elements) = node.elements_mut() {
        match change.what % 6 {
            0 if count > 0 => drop(elements.remove(index)),
            1 if count > 0 => elements[index] = new,
            2 => elements.insert(index.min(count), new),
            3 => elements.sort_by(|a, b| a.text().cmp(b.text())),
            4 if count > 0 => {
                // Wrapped into a map, as the old forms of patches are.
                let wrapped = elements[index].clone();
                let mut map = Node::map(Vec::new(), wrapped.origin());
                map.push_entry(Key::text_key("path"), OriginId::NONE, wrapped);
                elements[index] = map;
            }
            _ => elements.push(new),
        }
    } else if let Some(entries) = node.entries_mut() {
        match change.what % 6 {
            0 if count > 1 => drop(entries.remove(index)),
            1 if count > 0 => entries[index].value = new,
            2 if count > 0 => {
                let key = Key::text_key("moved");
                if entries.iter().all(|e| e.key != key) {
                    entries[index].key = key;
                }
            }
            3 if count > 0 => {
                let inner = entries[index].value.clone();
                entries[index].value = Node::sequence(vec![inner], OriginId::NONE);
            }
            _ => {
                let key = Key::text_key(["new", "other"][usize::from(change.what / 128)]);
                if entries.iter().all(|e| e.key != key) {
                    node.push_entry(key, OriginId::NONE, new);
                }
            }
        }
    }
}

/// Lines of kustomizations, as people write them.
fn documents() -> impl Strategy<Value = String> {
    let comment = || prop::sample::select(vec!["", "", "", " # c1", "  #c2"]);
    let above = || {
        prop::sample::select(vec![
            "",
            "",
            "",
            "# above\n",
            "\n",
            "\n# one\n# two\n",
            "    # far in\n",
        ])
    };
    let word =
        || prop::sample::select(vec!["a", "b.yaml", "'q'", "\"r s\"", "x=1", "1.0", "y", "é"]);
    let scalar = (above(), "[a-d]", word(), comment())
        .prop_map(|(above, key, word, comment)| format!("{above}s{key}: {word}{comment}\n"));
    let list = (
        above(),
        "[a-d]",
        prop::collection::vec((above(), word(), comment()), 0..4),
        comment(),
        0..3usize,
    )
        .prop_map(|(above, key, items, comment, indent)| {
            let mut out =
                format!("{above}l{key}:{}{comment}\n", if items.is_empty() { " []" } else { "" });
            for (above, word, comment) in items {
                let _ = writeln!(out, "{above}{:indent$}- {word}{comment}", "");
            }
            out
        });
    let maps = (
        above(),
        "[a-d]",
        prop::collection::vec((word(), word(), above(), comment()), 1..4),
        0..3usize,
    )
        .prop_map(|(above, key, items, indent)| {
            let mut out = format!("{above}m{key}:\n");
            for (name, tag, above, comment) in items {
                let _ = write!(
                    out,
                    "{:indent$}- name: {name}{comment}\n{above}{:indent$}  newTag: {tag}\n",
                    "", ""
                );
            }
            out
        });
    let map =
        (above(), "[a-d]", prop::collection::vec((above(), "[a-f]", word(), comment()), 0..4))
            .prop_map(|(above, key, items)| {
                let mut out =
                    format!("{above}o{key}:{}\n", if items.is_empty() { " {}" } else { "" });
                for (above, name, word, comment) in items {
                    let _ = writeln!(out, "{above}  {name}: {word}{comment}");
                }
                out
            });
    let flow = prop::sample::select(vec![
        "fa: [a, b]\n",
        "fb: {a: b, c: [d]}\n",
        "fc: [\n  a,\n  b, # c\n]\n",
        "fd: [\n  a,\n  b ]\n",
        "fe: [ a , b , ]\n",
        "ff: {a: b,\n     c: d}\n",
        "fg: [{name: a, newTag: b}, {name: c}]\n",
        "fh: []  # none\n",
        "fi:\n",
        "fj: ~\n",
        "ba: |\n  x\n  y\n",
        "bb: >-\n  x\n\n  y\n",
        "bc:\n- |-\n  p: 1\n  q: 2\n# foot\n- z\n",
        "bd: |+\n  k\n\n",
        "xa: &x\n  a: b\nxb: *x\n",
        "xc: &y [p]\nxd: *y\n",
        "xe: &z {i: j}\nxf:\n  <<: *z\n  k: l\n",
        "na:\n- - a\n  - b\n-\n  c: d\n",
        "? qa\n: b\n",
        "\"nb\": 'x'\n",
    ])
    .prop_map(str::to_owned);
    let part = prop_oneof![2 => scalar, 3 => list, 3 => maps, 2 => map, 3 => flow];
    let head = prop::sample::select(vec!["", "", "---\n", "# head\n\n", "\u{feff}"]);
    let foot = prop::sample::select(vec!["", "", "# foot\n", "\n# foot\n", "\n\n", "...\n"]);
    (head, prop::collection::btree_map("[a-z]{2}", part, 0..4), foot, any::<bool>(), any::<bool>())
        .prop_map(|(head, parts, foot, crlf, open)| {
            let parts: Vec<String> = parts.into_values().collect();
            let mut text = format!("{head}{}{foot}", parts.concat());
            if open && text.ends_with('\n') && !text.ends_with("\n\n") {
                text.pop();
            }
            if crlf { text.replace('\n', "\r\n") } else { text }
        })
}

fn check(text: &str, changes: &[Change]) -> Result<(), TestCaseError> {
    let Ok(old) = read(text) else { return Ok(()) };
    let mut wanted = old.clone();
    for change in changes {
        apply(&mut wanted, change);
    }
    let edited = rewrite(text, &wanted);
    prop_assert!(edited.is_ok() || text.contains("<<"), "not in place:\n{text}\n{wanted:?}");
    let Ok(edited) = edited else { return Ok(()) };
    let read = read(&edited);
    prop_assert!(
        read.as_ref().is_ok_and(|read| super::same::same(read, &wanted)),
        "{text}\n{edited}"
    );
    if text.contains("\r\n") {
        prop_assert!(!edited.replace("\r\n", "").contains('\n'), "{edited:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn the_text_gets_the_tree_that_is_wanted(text in documents(), changes in prop::collection::vec(changes(), 1..4)) {
        check(&text, &changes)?;
    }

    #[test]
    fn what_stays_keeps_its_lines(text in documents(), change in changes()) {
        let Ok(old) = read(&text) else { return Ok(()) };
        // One entry or element of the root is changed or added; nothing below others is touched.
        let mut wanted = old.clone();
        let index = change.place.first().map_or(0, |&n| usize::from(n)) % old.len().max(1);
        apply(&mut wanted, &Change { place: vec![index as u8], ..change });
        let Ok(edited) = rewrite(&text, &wanted) else { return Ok(()) };
        let unchanged: Vec<&crate::yaml::Entry> = old
            .entries()
            .unwrap()
            .iter()
            .filter(|e| wanted.entries().unwrap().iter().any(|w| w.key == e.key && super::same::same(&w.value, &e.value)))
            .collect();
        let outline = crate::yaml::outline(&text).unwrap();
        if text.contains('*') || super::same::effective(old.entries().unwrap()).len() < old.len() {
            // Aliases may have been written out; of doubled keys, only one counts.
            return Ok(());
        }
        let Some(crate::yaml::OutlineForm::Map { entries, .. }) = outline.map(|o| o.form) else { return Ok(()) };
        let mut touched = Vec::new();
        for entry in entries {
            let end = text[entry.end()..].find(['\n', '\r']).map_or(text.len(), |n| entry.end() + n);
            let at = entry.key.start + 1;
            if end == text.len() && text[entry.start..].contains(": |") {
                // What a block without line break means depends on what comes behind it.
            } else if unchanged.iter().any(|e| e.key_origin.position() == Some(at as u32)) {
                prop_assert!(edited.contains(&text[entry.start..end]), "{text}\n{edited}");
            } else {
                touched.push(entry.start..end);
            }
        }
        let mut left: Vec<&str> = edited.trim_start_matches('\u{feff}').lines().map(str::trim).collect();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            if line.trim().starts_with('#') && !touched.iter().any(|t| t.contains(&start)) {
                let found = left.iter().position(|l| *l == line.trim());
                prop_assert!(found.is_some(), "lost {line}\n{text}\n{edited}");
                left.swap_remove(found.unwrap());
            }
            start += line.len();
        }
    }
}
