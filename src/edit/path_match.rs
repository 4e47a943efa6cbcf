//! Go's patterns for paths (`path/filepath.Match`).

/// Returns whether a text has characters that mean something in a pattern.
pub(crate) fn has_meta(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', '\\'])
}

/// Returns whether a whole name fits a pattern; none if the pattern is malformed.
///
/// `*` stands for any characters but `/`, `?` for one of them, `[a-z]` for one of a class, `[^a]` for one outside it, and `\`
/// takes the meaning from the character behind it.
pub(crate) fn path_match(pattern: &str, name: &str) -> Option<bool> {
    let pattern = parse(pattern)?;
    let name: Vec<char> = name.chars().collect();
    // One way back suffices: what stands before the last `*` fits as early as it can, and no `*` crosses a `/`.
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(Piece::Star) => {
                star = Some((p, n));
                p += 1;
            }
            Some(piece) if piece.fits(name[n]) => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, from)) if name[from] != '/' => {
                    star = Some((at, from + 1));
                    (p, n) = (at + 1, from + 1);
                }
                _ => return Some(false),
            },
        }
    }
    Some(pattern[p..].iter().all(|piece| *piece == Piece::Star))
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Star,
    Any,
    One(char),
    Class { ranges: Vec<(char, char)>, negated: bool },
}

impl Piece {
    fn fits(&self, character: char) -> bool {
        match self {
            Self::Star => false,
            Self::Any => character != '/',
            Self::One(one) => *one == character,
            Self::Class { ranges, negated } => {
                let is_in = ranges.iter().any(|(low, high)| (*low..=*high).contains(&character));
                is_in != *negated
            }
        }
    }
}

fn parse(pattern: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        pieces.push(match character {
            '*' => Piece::Star,
            '?' => Piece::Any,
            '\\' => Piece::One(rest.next()?),
            '[' => {
                let negated = rest.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                while rest.peek() != Some(&']') || ranges.is_empty() {
                    let low = class_character(&mut rest)?;
                    let high = match rest.next_if_eq(&'-') {
                        Some(_) => class_character(&mut rest)?,
                        None => low,
                    };
                    ranges.push((low, high));
                }
                rest.next();
                Piece::Class { ranges, negated }
            }
            other => Piece::One(other),
        });
    }
    Some(pieces)
}

/// Takes a character of a class. One that has a meaning there needs a `\`, and none may be the last of the pattern.
fn class_character(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    let character = match rest.next()? {
        '-' | ']' => return None,
        '\\' => rest.next()?,
        other => other,
    };
    rest.peek().map(|_| character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_gos_do() {
        let cases = [
            ("abc", "abc", Some(true)),
            ("*", "abc", Some(true)),
            ("*c", "abc", Some(true)),
            ("a*", "a", Some(true)),
            ("a*", "ab/c", Some(false)),
            ("a*/b", "abc/b", Some(true)),
            ("a*/b", "a/c/b", Some(false)),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", Some(true)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", Some(false)),
            ("a*b?c*x", "abxbbxdbxebxczzx", Some(true)),
            ("ab[b-d]", "abc", Some(true)),
            ("ab[^c]", "abc", Some(false)),
            ("a[^a]b", "a/b", Some(true)),
            ("a?b", "a/b", Some(false)),
            ("[a-ζ]*", "α", Some(true)),
            ("*[a-ζ]", "A", Some(false)),
            ("a\\*b", "a*b", Some(true)),
            ("[\\]a]", "]", Some(true)),
            ("[]a]", "]", None),
            ("[-]", "-", None),
            ("[x-]", "x", None),
            ("[", "a", None),
            ("[^", "a", None),
            ("a[", "ab", None),
            ("\\", "a", None),
            ("", "", Some(true)),
            ("", "a", Some(false)),
            ("**.yaml", "a.yaml", Some(true)),
        ];
        for (pattern, name, want) in cases {
            assert_eq!(path_match(pattern, name), want, "{pattern} {name}");
        }
    }
}
