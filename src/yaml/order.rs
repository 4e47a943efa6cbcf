//! The order of keys in the output: go-yaml v2's, where `k9` comes before `k10`.

use std::cmp::Ordering;

/// Compares two keys as go-yaml v2's `keyList.Less` does.
///
/// Characters are compared one by one; at the first difference a letter comes after anything else, and runs of digits
/// compare as numbers. The comparison is not transitive for every three keys (`a10`, `a1b2`, `a9`); kustomize's own
/// output then varies between runs, and [`sort_keys`] picks one order.
pub(crate) fn compare_keys(a: &str, b: &str) -> Ordering {
    // Two bytes that are ASCII are characters, and those before them are the same.
    let difference = a.bytes().zip(b.bytes()).find(|(own, other)| own != other);
    match difference {
        None => return a.len().cmp(&b.len()),
        Some((own, other)) if own.is_ascii_alphabetic() && other.is_ascii_alphabetic() => {
            return own.cmp(&other);
        }
        Some(_) => {}
    }
    if a.is_ascii() && b.is_ascii() {
        let char_at = |bytes: &[u8], i: usize| char::from(bytes[i]);
        return compare(
            a.len(),
            b.len(),
            |i| char_at(a.as_bytes(), i),
            |i| char_at(b.as_bytes(), i),
        );
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    compare(a.len(), b.len(), |i| a[i], |i| b[i])
}

fn compare(
    a_len: usize,
    b_len: usize,
    a: impl Fn(usize) -> char,
    b: impl Fn(usize) -> char,
) -> Ordering {
    let Some(i) = (0..a_len.min(b_len)).find(|&i| a(i) != b(i)) else { return a_len.cmp(&b_len) };
    let (own, other) = (a(i), b(i));
    match (own.is_alphabetic(), other.is_alphabetic()) {
        (true, true) => return own.cmp(&other),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // A difference after a number's first digit is in the middle of that number.
    let inside_number = (own == '0' || other == '0')
        && (0..i).rev().map(&a).take_while(|c| is_digit(*c)).any(|c| c != '0');
    let start = i64::from(inside_number);
    let (own_value, own_end) = number_at(i, a_len, start, &a);
    let (other_value, other_end) = number_at(i, b_len, start, &b);
    own_value.cmp(&other_value).then(own_end.cmp(&other_end)).then(own.cmp(&other))
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn number_at(from: usize, len: usize, start: i64, at: &impl Fn(usize) -> char) -> (i64, usize) {
    let mut value = start;
    let mut end = from;
    while end < len && is_digit(at(end)) {
        value = value.wrapping_mul(10).wrapping_add(at(end) as i64 - '0' as i64);
        end += 1;
    }
    (value, end)
}

/// Sorts entries by their keys. A merge sort of our own: the comparison need not be consistent, which the standard
/// library's sorts may answer with a panic.
pub(crate) fn sort_keys<T>(entries: &mut Vec<(&'static str, T)>) {
    let in_order = |w: &[(&str, T)]| compare_keys(w[0].0, w[1].0) != Ordering::Greater;
    if entries.windows(2).all(in_order) {
        return;
    }
    if entries.len() <= 24 {
        for i in 1..entries.len() {
            let mut j = i;
            while j > 0 && compare_keys(entries[j].0, entries[j - 1].0) == Ordering::Less {
                entries.swap(j, j - 1);
                j -= 1;
            }
        }
        return;
    }
    let mut right = entries.split_off(entries.len() / 2);
    sort_keys(entries);
    sort_keys(&mut right);
    let mut merged = Vec::with_capacity(entries.len() + right.len());
    let (mut left, mut right) = (entries.drain(..).peekable(), right.into_iter().peekable());
    while let (Some(l), Some(r)) = (left.peek(), right.peek()) {
        let take_right = compare_keys(r.0, l.0) == Ordering::Less;
        merged.extend(if take_right { right.next() } else { left.next() });
    }
    merged.extend(left);
    merged.extend(right);
    *entries = merged;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_naturally() {
        let mut keys: Vec<(&'static str, ())> = [
            "k10", "k9", "Kind", "kind", "a-b", "a.b", "ab", "a1", "a01", "a", "_x", "1", "10", "9",
        ]
        .into_iter()
        .map(|k| (k, ()))
        .collect();
        sort_keys(&mut keys);
        let keys: Vec<&str> = keys.into_iter().map(|(k, ())| k).collect();
        assert_eq!(
            keys,
            [
                "_x", "1", "9", "10", "Kind", "a", "a-b", "a.b", "a1", "a01", "ab", "k9", "k10",
                "kind"
            ]
        );
    }

    #[test]
    fn an_inconsistent_order_is_still_an_order() {
        let mut keys: Vec<(&'static str, ())> =
            ["a10", "a1b2", "a9"].into_iter().cycle().take(60).map(|k| (k, ())).collect();
        sort_keys(&mut keys);
        assert_eq!(keys.len(), 60);
    }
}
