//! Waiting requests, taken in turn from each client.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Why a request may not wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum QueueError {
    /// as many wait as may
    Full { limit: usize },
    /// the process is about to end
    Stopping,
}

/// First come, first served within a client; clients take turns.
pub(super) struct FairQueue<T> {
    limit: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    /// clients with something waiting, the next one's turn first
    clients: VecDeque<(String, VecDeque<(T, Instant)>)>,
    waiting: usize,
    running: usize,
    ending: bool,
}

/// How much is waiting and in work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    pub waiting: usize,
    pub running: usize,
}

impl<T> FairQueue<T> {
    pub fn new(limit: usize) -> Self {
        let state = State {
            clients: VecDeque::new(),
            waiting: 0,
            running: 0,
            ending: false,
        };
        Self {
            limit,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    pub fn put(&self, client: &str, item: T) -> Result<(), QueueError> {
        let mut state = self.lock();
        if state.ending {
            return Err(QueueError::Stopping);
        }
        if state.waiting >= self.limit {
            return Err(QueueError::Full { limit: self.limit });
        }
        state.waiting += 1;
        let entry = (item, Instant::now());
        match state.clients.iter_mut().find(|(name, _)| name == client) {
            Some((_, items)) => items.push_back(entry),
            None => state
                .clients
                .push_back((client.to_owned(), VecDeque::from([entry]))),
        }
        self.changed.notify_one();
        Ok(())
    }

    /// The next item and how long it waited; blocks until there is one, `None` at the end.
    pub fn take(&self) -> Option<(T, Duration)> {
        let mut state = self.lock();
        loop {
            if let Some((name, mut items)) = state.clients.pop_front() {
                let taken = items.pop_front();
                if !items.is_empty() {
                    state.clients.push_back((name, items));
                }
                if let Some((item, since)) = taken {
                    state.waiting -= 1;
                    state.running += 1;
                    return Some((item, since.elapsed()));
                }
            } else if state.ending {
                return None;
            } else {
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// An item taken has been dealt with.
    pub fn done(&self) {
        self.lock().running -= 1;
    }

    /// No more items; those that wait are still handed out.
    pub fn finish(&self) {
        self.lock().ending = true;
        self.changed.notify_all();
    }

    /// No more items, and gives back those that wait.
    pub fn stop(&self) -> Vec<T> {
        let mut state = self.lock();
        state.ending = true;
        state.waiting = 0;
        let clients = core::mem::take(&mut state.clients);
        self.changed.notify_all();
        clients
            .into_iter()
            .flat_map(|(_, items)| items)
            .map(|(item, _)| item)
            .collect()
    }

    pub fn load(&self) -> Load {
        let state = self.lock();
        Load {
            waiting: state.waiting,
            running: state.running,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queue: &FairQueue<&'static str>) -> Vec<&'static str> {
        queue.finish();
        core::iter::from_fn(|| queue.take().map(|(item, _)| item)).collect()
    }

    #[test]
    fn a_busy_client_does_not_starve_another() {
        let queue = FairQueue::new(9);
        for item in ["a1", "a2", "a3", "a4"] {
            queue.put("a", item).unwrap();
        }
        queue.put("b", "b1").unwrap();
        queue.put("b", "b2").unwrap();
        assert_eq!(drain(&queue), ["a1", "b1", "a2", "b2", "a3", "a4"]);
    }

    #[test]
    fn a_full_queue_refuses_and_takes_again_when_there_is_room() {
        let queue = FairQueue::new(2);
        queue.put("a", "1").unwrap();
        queue.put("b", "2").unwrap();
        assert_eq!(queue.put("c", "3"), Err(QueueError::Full { limit: 2 }));
        queue.take();
        assert_eq!(
            queue.load(),
            Load {
                waiting: 1,
                running: 1
            }
        );
        queue.put("c", "3").unwrap();
        assert_eq!(drain(&queue), ["2", "3"]);
    }

    #[test]
    fn stopping_gives_back_what_waits() {
        let queue = FairQueue::new(9);
        queue.put("a", "1").unwrap();
        queue.put("b", "2").unwrap();
        assert_eq!(queue.stop(), ["1", "2"]);
        assert!(queue.take().is_none());
        assert_eq!(queue.put("a", "3"), Err(QueueError::Stopping));
    }

    #[test]
    fn a_waiting_taker_is_woken() {
        let queue = FairQueue::new(9);
        std::thread::scope(|scope| {
            let taker = scope.spawn(|| queue.take().map(|(item, _)| item));
            queue.put("a", "1").unwrap();
            assert_eq!(taker.join().unwrap(), Some("1"));
            let taker = scope.spawn(|| queue.take().map(|(item, _)| item));
            queue.finish();
            assert_eq!(taker.join().unwrap(), None);
        });
    }
}
