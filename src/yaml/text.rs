//! What a string's characters allow: the ways YAML's writers can put it down.
//!
//! Both of kustomize's writers decide on a style by the same analysis (`yaml_emitter_analyze_scalar`). They differ in
//! tabs only: go-yaml v2 counts a tab as a special character, v3 does not.

use super::Dialect;
use super::scan::break_len;

/// What was found in a string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one string")]
pub(crate) struct TextTraits {
    /// It has line breaks.
    pub(crate) multiline: bool,
    /// It can stand without quotes in block context.
    pub(crate) plain_allowed: bool,
    /// It can stand without quotes in a flow collection.
    pub(crate) flow_plain_allowed: bool,
    /// It can stand in single quotes.
    pub(crate) single_quoted_allowed: bool,
    /// It can stand as a block.
    pub(crate) block_allowed: bool,
}

/// Classes of bytes that matter to the analysis; every other byte is an ordinary character.
const ORDINARY: u8 = 0;
const SPACE: u8 = 1;
const OTHER: u8 = 2;

const CLASSES: [u8; 256] = {
    let mut classes = [OTHER; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        classes[byte] = ORDINARY;
        byte += 1;
    }
    classes[b' ' as usize] = SPACE;
    classes[b',' as usize] = OTHER;
    classes[b'?' as usize] = OTHER;
    classes[b'[' as usize] = OTHER;
    classes[b']' as usize] = OTHER;
    classes[b'{' as usize] = OTHER;
    classes[b'}' as usize] = OTHER;
    classes[b':' as usize] = OTHER;
    classes[b'#' as usize] = OTHER;
    classes
};

/// Returns whether the character at `at` is one that a YAML writer leaves as it is (go-yaml's `is_printable`).
pub(crate) fn is_printable(bytes: &[u8], at: usize) -> bool {
    let next = |i: usize| bytes.get(at + i).copied().unwrap_or(0);
    match bytes[at] {
        b'\n' | 0x20..=0x7e => true,
        0xc2 => next(1) >= 0xa0,
        0xc3..=0xec | 0xee => true,
        0xed => next(1) < 0xa0,
        0xef => {
            // All but the byte order mark and the two that are no characters.
            !matches!((next(1), next(2)), (0xbb, 0xbf) | (0xbf, 0xbe | 0xbf))
        }
        _ => false,
    }
}

/// Returns the number of bytes of the character that begins with `byte`.
pub(crate) fn width(byte: u8) -> usize {
    match byte {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
        _ => 1,
    }
}

/// Returns how a character is written in double quotes when it cannot stand for itself.
pub(crate) fn escape(character: char) -> String {
    let short = match character {
        '\0' => "0",
        '\x07' => "a",
        '\x08' => "b",
        '\t' => "t",
        '\n' => "n",
        '\x0b' => "v",
        '\x0c' => "f",
        '\r' => "r",
        '\x1b' => "e",
        '"' => "\"",
        '\\' => "\\",
        '\u{85}' => "N",
        '\u{a0}' => "_",
        '\u{2028}' => "L",
        '\u{2029}' => "P",
        _ => "",
    };
    let code = character as u32;
    match code {
        _ if !short.is_empty() => format!("\\{short}"),
        0..=0xff => format!("\\x{code:02X}"),
        0x100..=0xffff => format!("\\u{code:04X}"),
        _ => format!("\\U{code:08X}"),
    }
}

fn is_blank_or_break(bytes: &[u8], at: usize) -> bool {
    matches!(bytes.get(at), None | Some(b' ' | b'\t')) || break_len(bytes, at) > 0
}

/// Returns what a writer of the dialect may do with a string.
pub(crate) fn analyze(text: &str, dialect: Dialect) -> TextTraits {
    let bytes = text.as_bytes();
    if bytes.is_empty() {
        return TextTraits {
            plain_allowed: true,
            single_quoted_allowed: true,
            ..TextTraits::default()
        };
    }
    let (mut block_indicators, mut flow_indicators) = first_character(bytes);
    let (mut multiline, mut special, mut tabs) = (false, false, false);
    let leading_space = bytes[0] == b' ';
    let leading_break = break_len(bytes, 0) > 0;
    let (mut trailing_space, mut trailing_break) = (false, false);
    let (mut break_space, mut space_break) = (false, false);
    let (mut previous_space, mut previous_break) = (false, false);
    let mut preceded_by_blank = true;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let class = CLASSES[byte as usize];
        if class == ORDINARY {
            (previous_space, previous_break, preceded_by_blank) = (false, false, false);
            let is_ordinary = |b: &&u8| CLASSES[**b as usize] == ORDINARY;
            at += bytes[at..].iter().take_while(is_ordinary).count();
            continue;
        }
        let len = width(byte);
        let last = at + len >= bytes.len();
        if class == SPACE {
            trailing_space |= last;
            break_space |= previous_break;
            (previous_space, previous_break, preceded_by_blank) = (true, false, true);
            at += 1;
            continue;
        }
        match byte {
            b',' | b'?' | b'[' | b']' | b'{' | b'}' if at > 0 => flow_indicators = true,
            b':' if at > 0 => {
                flow_indicators = true;
                block_indicators |= is_blank_or_break(bytes, at + 1);
            }
            b'#' if at > 0 && preceded_by_blank => {
                flow_indicators = true;
                block_indicators = true;
            }
            b'\t' if dialect == Dialect::V3 => tabs = true,
            _ if !is_printable(bytes, at) => special = true,
            _ => {}
        }
        let is_break = break_len(bytes, at) > 0;
        if is_break {
            multiline = true;
            trailing_break |= last;
            space_break |= previous_space;
        }
        (previous_space, previous_break) = (false, is_break);
        preceded_by_blank = is_break || byte == b'\t';
        at += len;
    }
    let unquotable =
        leading_space || leading_break || trailing_space || trailing_break || multiline;
    let needs_escapes = space_break || special || tabs;
    TextTraits {
        multiline,
        plain_allowed: !(unquotable || break_space || needs_escapes || block_indicators),
        flow_plain_allowed: !(unquotable || break_space || needs_escapes || flow_indicators),
        single_quoted_allowed: !(break_space || needs_escapes),
        block_allowed: !(trailing_space || space_break || special),
    }
}

/// Returns whether the beginning of a string is an indicator in block and in flow context.
fn first_character(bytes: &[u8]) -> (bool, bool) {
    if bytes.starts_with(b"---") || bytes.starts_with(b"...") {
        return (true, true);
    }
    let followed_by_blank = is_blank_or_break(bytes, width(bytes[0]));
    match bytes[0] {
        b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
        | b'"' | b'%' | b'@' | b'`' => (true, true),
        b'?' | b':' => (followed_by_blank, true),
        b'-' => (followed_by_blank, followed_by_blank),
        _ => (false, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_decides_how_it_can_be_written() {
        let plain = |text| analyze(text, Dialect::V2).plain_allowed;
        for text in ["a", "a:b", "-x", "?x", "a, b", "x#y", "\u{e9}t\u{e9}"] {
            assert!(plain(text), "{text}");
        }
        for text in [
            "a: b",
            "a #b",
            "- x",
            "#a",
            "a:",
            " a",
            "a ",
            "---",
            "...x",
            "a\nb",
            "a\tb",
            "\u{1f600}",
            "*a",
        ] {
            assert!(!plain(text), "{text}");
        }
        assert!(!analyze("a,b", Dialect::V3).flow_plain_allowed);
        assert!(analyze("a\tb\n", Dialect::V3).block_allowed);
        assert!(!analyze("a\tb\n", Dialect::V2).block_allowed);
        assert!(!analyze("a \nb", Dialect::V2).block_allowed);
        assert!(analyze("it's: x", Dialect::V2).single_quoted_allowed);
    }
}
