//! Two sequences: which elements correspond.

use std::collections::HashMap;
use std::hash::Hash;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Up to so many pairs of elements the best alignment is looked for. Beyond it, what is neither at the common beginning nor
/// at the common end is taken for replaced, so that the cost stays linear.
const MAX_PAIRS: usize = 4_000_000;

/// A stretch of both sequences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    /// The elements are the same.
    Same { old: usize, new: usize, len: usize },
    /// So many elements stand in the place of so many others; either number may be 0.
    Other { old: usize, old_len: usize, new: usize, new_len: usize },
}

/// Aligns two sequences.
pub(super) fn align<T: Eq + Hash>(old: &[T], new: &[T]) -> Vec<Stretch> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let old_middle = &old_rest[..old_rest.len() - tail];
    let new_middle = &new_rest[..new_rest.len() - tail];
    let mut out = Vec::new();
    if head > 0 {
        out.push(Stretch::Same { old: 0, new: 0, len: head });
    }
    if old_middle.len().saturating_mul(new_middle.len()) > MAX_PAIRS {
        let (old_len, new_len) = (old_middle.len(), new_middle.len());
        out.push(Stretch::Other { old: head, old_len, new: head, new_len });
    } else {
        // Small numbers are compared faster than what they stand for.
        let mut numbers: HashMap<&T, u32> = HashMap::new();
        let mut number = |element| {
            let next = numbers.len() as u32;
            *numbers.entry(element).or_insert(next)
        };
        let a: Vec<u32> = old_middle.iter().map(&mut number).collect();
        let b: Vec<u32> = new_middle.iter().map(&mut number).collect();
        for op in capture_diff_slices(Algorithm::Myers, &a, &b) {
            out.push(match op {
                DiffOp::Equal { old_index, new_index, len } => {
                    Stretch::Same { old: head + old_index, new: head + new_index, len }
                }
                DiffOp::Delete { old_index, old_len, new_index } => Stretch::Other {
                    old: head + old_index,
                    old_len,
                    new: head + new_index,
                    new_len: 0,
                },
                DiffOp::Insert { old_index, new_index, new_len } => Stretch::Other {
                    old: head + old_index,
                    old_len: 0,
                    new: head + new_index,
                    new_len,
                },
                DiffOp::Replace { old_index, old_len, new_index, new_len } => Stretch::Other {
                    old: head + old_index,
                    old_len,
                    new: head + new_index,
                    new_len,
                },
            });
        }
    }
    if tail > 0 {
        out.push(Stretch::Same { old: old.len() - tail, new: new.len() - tail, len: tail });
    }
    out
}

/// Returns which of the numbers, all different, are no part of the longest ascending subsequence: the fewest that have to
/// move for all to ascend. In time `n log n`.
pub(super) fn out_of_order(numbers: &[usize]) -> Vec<bool> {
    // The last position of the best subsequence of each length, and what comes before each position in it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; numbers.len()];
    for (position, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers[*end] < *number);
        before[position] = length.checked_sub(1).map(|shorter| ends[shorter]);
        match ends.get_mut(length) {
            Some(end) => *end = position,
            None => ends.push(position),
        }
    }
    let mut moved = vec![true; numbers.len()];
    let mut next = ends.last().copied();
    while let Some(position) = next {
        moved[position] = false;
        next = before[position];
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_elements_move() {
        for (numbers, moved) in [
            (&[0, 1, 2][..], &[false, false, false][..]),
            (&[2, 0, 1], &[true, false, false]),
            (&[1, 2, 0], &[false, false, true]),
            (&[], &[]),
        ] {
            assert_eq!(out_of_order(numbers), moved, "{numbers:?}");
        }
    }

    #[test]
    fn large_sequences_are_aligned_at_their_ends() {
        let old: Vec<usize> = (0..5000).collect();
        let new: Vec<usize> =
            (0..5000).map(|n| if n % 4999 == 0 { n } else { n + 10_000 }).collect();
        let found = align(&old, &new);
        assert_eq!(
            found,
            [
                Stretch::Same { old: 0, new: 0, len: 1 },
                Stretch::Other { old: 1, old_len: 4998, new: 1, new_len: 4998 },
                Stretch::Same { old: 4999, new: 4999, len: 1 },
            ]
        );
    }
}
