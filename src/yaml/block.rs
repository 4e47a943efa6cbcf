//! Plain block text of small trees that the compiler makes itself.

use super::Node;
use super::write::write_string;

/// Returns maps and lists of strings as YAML text.
pub(crate) fn block_text(node: &Node) -> String {
    let mut out = String::new();
    write(node, 0, &mut out);
    out
}

fn write(node: &Node, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    for entry in node.entries().unwrap_or_default() {
        out.push_str(&pad);
        out.push_str(entry.key.text());
        out.push(':');
        if entry.value.is_scalar() {
            out.push(' ');
            out.push_str(&write_string(entry.value.text()));
            out.push('\n');
        } else {
            out.push('\n');
            write(&entry.value, indent + 2, out);
        }
    }
    for element in node.elements().unwrap_or_default() {
        let mut inner = String::new();
        write(element, indent + 2, &mut inner);
        out.push_str(&pad);
        out.push_str("- ");
        out.push_str(&inner[indent + 2..]);
    }
}
