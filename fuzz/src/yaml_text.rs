//! Any text, read as YAML in both dialects, as JSON, and as YAML with comments: no panic, and faults are inside the text.
//! What is read and can be written means the same when it is read again, and the bytes written then are the same.

use kiln::internals::{json, read, read_json, read_yaml_1_1, reprint, write};

/// Reads and writes one text.
pub fn run(text: &str) {
    for read in [read(text), read_yaml_1_1(text), read_json(text).map(Some)] {
        match read {
            Err((message, at)) => {
                assert!(text.is_char_boundary(at), "`{message}` is outside the text, at {at}");
            }
            Ok(None) => {}
            Ok(Some(node)) => written_and_read_again(&node),
        }
    }
    let _ = reprint(text);
}

fn written_and_read_again(node: &kiln::Node) {
    if has_merge_key(node) {
        return;
    }
    let Some(written) = write(node) else { return };
    let again = read(&written).expect("what was written can be read").expect("it holds a value");
    let meant = json(node).expect("what is written has a JSON form");
    if !is_lost_on_the_way(&meant) {
        assert_eq!(Some(meant), json(&again), "the meaning changed: {written:?}");
    }
    assert_eq!(write(&again).as_ref(), Some(&written), "the bytes changed");
}

/// Returns whether kustomize's way to its output changes a value: a next-line character becomes a space, -0 becomes 0.
fn is_lost_on_the_way(json: &str) -> bool {
    let negative_zero = |(at, _)| {
        let (before, after) = (&json[..at], &json[at + 2..]);
        !before.ends_with(|c: char| c.is_ascii_alphanumeric())
            && !after.starts_with(|c: char| c.is_ascii_digit() || c == '.')
    };
    json.contains('\u{85}') || json.match_indices("-0").any(negative_zero)
}

/// Returns whether a map has the key `<<`, which is written as it is and then is a merge key.
fn has_merge_key(node: &kiln::Node) -> bool {
    let entries = node.entries().unwrap_or_default();
    entries.iter().any(|e| e.key.text() == "<<" || has_merge_key(&e.value))
        || node.elements().unwrap_or_default().iter().any(has_merge_key)
}
