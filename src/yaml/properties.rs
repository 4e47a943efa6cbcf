//! What holds for every tree: written and read again it means the same, and written once more it has the same bytes. What
//! holds for every text: it is read or refused, its tree is the one that another parser reads, and the above holds for it.

use std::path::Path;

use proptest::prelude::*;

use super::second_reader::difference_to_second_reader;
use super::subset::difference_to_full_parser;

use super::{
    Commented, Dialect, JsonNumbers, Key, Node, ScalarStyle, Tag, parse_document, parse_json,
    write_document, write_json,
};
use crate::provenance::OriginId;

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,8}",
        "[ -~]{0,24}",
        "[a-z :#'\"\\-\\n\\t]{0,60}",
        "([a-z]{1,12} ){0,20}",
        "[0-9.eEx_+-]{1,8}",
        any::<String>(),
        prop_oneof![Just("yes"), Just("~"), Just("null"), Just("2001-01-01"), Just("<<"), Just("")]
            .prop_map(str::to_owned),
    ]
}

fn trees() -> impl Strategy<Value = Node> {
    let plain = |text: String, tag| Node::scalar(text, ScalarStyle::Plain, tag, OriginId::NONE);
    let scalar = prop_oneof![
        4 => texts().prop_map(|text| Node::string(text, OriginId::NONE)),
        1 => any::<i64>().prop_map(move |n| plain(n.to_string(), Tag::Int)),
        1 => any::<bool>().prop_map(move |b| plain(b.to_string(), Tag::Bool)),
        1 => Just(()).prop_map(|()| Node::null(OriginId::NONE)),
    ];
    scalar.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6)
                .prop_map(|elements| Node::sequence(elements, OriginId::NONE)),
            prop::collection::btree_map(texts(), inner, 0..6).prop_map(|entries| {
                let mut map = Node::map(Vec::new(), OriginId::NONE);
                for (key, value) in entries {
                    map.push_entry(Key::text_key(&key), OriginId::NONE, value);
                }
                map
            }),
        ]
    })
}

fn json(node: &Node) -> String {
    let mut out = String::new();
    write_json(node, JsonNumbers::Exact, &mut out).expect("what was written can be read");
    out
}

/// Texts that once were read for ever, written so that they meant something else, or read unlike libyaml.
const FOUND_BY_FUZZING: &[&str] = &[
    // A scanner that takes NUL for the end and then waits for the end.
    "a: |\n \0\0b\n",
    // An empty key in a list takes the token behind it.
    "[? ]]\n",
    "[? , , b]\n",
];

/// Texts that are nearly YAML: lines of what YAML is made of.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-c]{1,3}",
        2 => "[ \\n]{1,4}",
        1 => "\\PC",
        6 => prop::sample::select(vec![
            ": ", "- ", "? ", "\n", "\n  ", "\n- ", ", ", "[", "]", "{", "}", "'", "\"", "|", ">", "|-\n  ", ">2+\n   ",
            "&a ", "*a ", "!t ", "!!str ", "#", " # c", "---\n", "...\n", "%YAML 1.1\n", "\t", "\r\n", "\\n", "''", "<<: ",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat() + "\n")
}

/// Texts that are nearly of the subset that is read without tokens: lines of block maps and lists.
fn block_like() -> impl Strategy<Value = String> {
    let word = || {
        prop::sample::select(vec![
            "a", "bc", "1", "x y", "a:b", "~", "'q'", "\"r\"", "--z", "#n", "\u{e9}",
        ])
    };
    let value = prop_oneof![
        4 => word().prop_map(str::to_owned),
        2 => prop::sample::select(vec![
            "", "|", ">-", "|2", "[]", "{}", "[a, 'b']", "{a: b, \"c\": [d]}", "'x", "y'", "\"x\\n", "z\"", "{a: b,", "c: d}", "[a,", "b]",
            "- e", "- f: g", "? h", "*i", "&j k", "\tl", "---", "...", "<<: m", "it''s",
        ]).prop_map(str::to_owned),
    ];
    let comment = prop::sample::select(vec!["", "", "", "", " # c", " #", "#d", " ", "\t"]);
    let start = prop::sample::select(vec!["", "", "- ", "- ", "- - ", "-", "# "]);
    let key = prop_oneof![4 => word().prop_map(|w| format!("{w}:")), 1 => Just(String::new())];
    let space = prop::sample::select(vec![" ", " ", " ", "", "  "]);
    let line = (0..5usize, start, key, space, value, comment).prop_map(
        |(indent, start, key, space, value, comment)| {
            format!("{:indent$}{start}{key}{space}{value}{comment}\n", "")
        },
    );
    let line = prop_oneof![8 => line, 1 => Just("\n".to_owned()), 1 => Just("---\n".to_owned())];
    prop::collection::vec(line, 0..9).prop_map(|lines| lines.concat())
}

/// Texts of either kind.
pub(super) fn yaml_texts() -> impl Strategy<Value = String> {
    prop_oneof![yaml_like(), block_like()]
}

#[expect(clippy::disallowed_methods, reason = "the test reads the fixtures")]
fn yaml_files_below(directory: &Path, texts: &mut Vec<String>) {
    for path in std::fs::read_dir(directory).into_iter().flatten().flatten().map(|e| e.path()) {
        if path.is_dir() {
            yaml_files_below(&path, texts);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            texts.extend(std::fs::read_to_string(path));
        }
    }
}

/// Reads a text in every way, and what can be written again.
fn read_and_written(text: &str) -> Result<(), TestCaseError> {
    let _ = Commented::parse(text).map(|document| document.map(|d| d.to_text()));
    let read = |dialect| parse_document(text, 1, dialect);
    for tree in [read(Dialect::V3), read(Dialect::V2), parse_json(text, 1).map(Some)] {
        match tree {
            Err(error) => prop_assert!(text.is_char_boundary(error.at), "{:?}", error),
            Ok(None) => {}
            Ok(Some(tree)) => written_and_read_again(&tree)?,
        }
    }
    Ok(())
}

/// Returns whether a map has the key `<<`, which is written as it is and then is a merge key.
fn has_merge_key(tree: &Node) -> bool {
    let entries = tree.entries().unwrap_or_default();
    entries.iter().any(|e| e.key.text() == "<<" || has_merge_key(&e.value))
        || tree.elements().unwrap_or_default().iter().any(has_merge_key)
}

fn written_and_read_again(tree: &Node) -> Result<(), TestCaseError> {
    let mut bytes = Vec::new();
    // Some texts have no form that kustomize could read again; they are refused.
    if has_merge_key(tree) || write_document(tree, &mut bytes).is_err() {
        return Ok(());
    }
    // A comment below a document makes a last text longer on kustomize's way to its output.
    if tree.is_footed() {
        return Ok(());
    }
    let text = String::from_utf8(bytes).expect("output is UTF-8");
    let read = parse_document(&text, 1, Dialect::V3);
    prop_assert!(matches!(read, Ok(Some(_))), "not read again: {text:?}");
    let read = read.ok().flatten().expect("it was just seen");
    // kustomize's way to its output makes a space of a next-line character.
    let meant = json(tree);
    if !meant.contains('\u{85}') {
        prop_assert_eq!(json(&read), meant, "{}", text);
    }
    let mut again = Vec::new();
    prop_assert!(write_document(&read, &mut again).is_ok());
    prop_assert_eq!(String::from_utf8_lossy(&again), text);
    Ok(())
}

#[test]
fn texts_of_the_project_are_read_as_another_parser_reads_them() {
    let mut texts = FOUND_BY_FUZZING.iter().map(|&t| t.to_owned()).collect();
    yaml_files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &mut texts);
    for text in texts {
        assert_eq!(difference_to_second_reader(&text), None, "{text}");
        assert_eq!(difference_to_full_parser(&text), None, "{text}");
        read_and_written(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn a_written_tree_means_the_same_and_is_stable(tree in trees()) {
        written_and_read_again(&tree)?;
    }

    #[test]
    fn a_text_is_read_as_another_parser_reads_it(text in yaml_like()) {
        prop_assert_eq!(difference_to_second_reader(&text), None);
        prop_assert_eq!(difference_to_full_parser(&text), None);
        read_and_written(&text)?;
    }

    #[test]
    fn the_subset_is_read_as_the_full_parser_reads_it(text in block_like()) {
        prop_assert_eq!(difference_to_full_parser(&text), None);
    }
}
