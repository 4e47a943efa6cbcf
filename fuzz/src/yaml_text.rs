//! Any text, read as YAML in both dialects, as JSON, and as YAML with comments: no panic, and faults are inside the text.
//! What is read and can be written means the same when it is read again, and the bytes written then are the same.

use kiln::fuzzing::{json, read, read_json, read_yaml_1_1, reprint, write};

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
    // kustomize's way to its output makes a space of a next-line character.
    if !json(node).is_some_and(|json| json.contains('\u{85}')) {
        assert_eq!(json(node), json(&again), "the meaning changed: {written:?}");
    }
    assert_eq!(write(&again).as_ref(), Some(&written), "the bytes changed");
}

/// Returns whether a map has the key `<<`, which is written as it is and then is a merge key.
fn has_merge_key(node: &kiln::Node) -> bool {
    let entries = node.entries().unwrap_or_default();
    entries.iter().any(|e| e.key.text() == "<<" || has_merge_key(&e.value))
        || node.elements().unwrap_or_default().iter().any(has_merge_key)
}
