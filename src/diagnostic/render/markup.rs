//! Text inside HTML, XML and SVG.

/// Returns a text that stands for itself in an element or, between double quotes, in an attribute. Characters that XML cannot hold become
/// U+FFFD.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn marks_and_control_characters_do_not_stay() {
        assert_eq!(
            escaped("a<b & \"c\">\u{1}\u{ffff}"),
            "a&lt;b &amp; &quot;c&quot;&gt;\u{fffd}\u{fffd}"
        );
        assert_eq!(escaped("a\n\tb"), "a\n\tb");
    }
}
