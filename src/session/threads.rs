//! Work that several threads share. What comes out does not depend on how many they are.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use super::WORKER_STACK_BYTES;

/// Does `count` pieces of work with up to `jobs` threads and returns their results in order.
pub(crate) fn in_parallel<T: Send + Sync>(
    count: usize,
    jobs: usize,
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    if jobs < 2 {
        return (0..count).map(work).collect();
    }
    let results: Vec<OnceLock<T>> = (0..count).map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let take = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(result) = results.get(index) else { return };
            // No other thread has this number.
            let _ = result.set(work(index));
        }
    };
    thread::scope(|scope| {
        for _ in 1..jobs.min(count) {
            // A thread that cannot be started is no fault: this one does its work.
            let builder = thread::Builder::new().stack_size(WORKER_STACK_BYTES);
            if builder.spawn_scoped(scope, take).is_err() {
                break;
            }
        }
        take();
    });
    results.into_iter().filter_map(OnceLock::into_inner).collect()
}

/// Does work for each item with several threads, and hands the results over one after the other, in the order of the items, while
/// others are still being made.
pub(crate) fn in_order<I: Send, T: Send>(
    items: impl Iterator<Item = I> + Send,
    jobs: usize,
    work: impl Fn(I) -> T + Sync,
    mut take: impl FnMut(T) + Send,
) {
    if jobs < 2 {
        return items.for_each(|item| take(work(item)));
    }
    let items = Mutex::new(items.enumerate());
    // What is done and cannot be handed over yet, and the number of what is handed over next.
    let done: Mutex<(BTreeMap<usize, T>, usize)> = Mutex::default();
    let take = Mutex::new(&mut take);
    let hand_over = |take: &mut dyn FnMut(T)| {
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        let (results, number) = &mut *done;
        let Some(result) = results.remove(number) else { return false };
        *number += 1;
        drop(done);
        take(result);
        true
    };
    let work = || {
        loop {
            let item = items.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((index, item)) = item else { return };
            let result = work(item);
            done.lock().unwrap_or_else(PoisonError::into_inner).0.insert(index, result);
            // While one thread hands results over, the others go on.
            if let Ok(mut take) = take.try_lock() {
                while hand_over(&mut **take) {}
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..jobs {
            // A thread that cannot be started is no fault: this one does its work.
            let builder = thread::Builder::new().stack_size(WORKER_STACK_BYTES);
            if builder.spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    let mut take = take.lock().unwrap_or_else(PoisonError::into_inner);
    while hand_over(&mut **take) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for jobs in [1, 2, 7] {
            let mut taken = Vec::new();
            // The first ones take longest.
            let work = |item: u32| {
                (item..64).for_each(|_| thread::yield_now());
                item * 2
            };
            in_order(0..64, jobs, work, |result| taken.push(result));
            assert_eq!(taken, (0..64).map(|item| item * 2).collect::<Vec<_>>());
            assert_eq!(in_parallel(64, jobs, |index| work(index as u32)), taken);
        }
        in_order(0..0_u32, 4, |item| item, |_| unreachable!("there is nothing"));
    }
}
