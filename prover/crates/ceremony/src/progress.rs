//! How far long work is, on the standard error.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Work that takes less says nothing; work that takes more says something so often.
const INTERVAL: Duration = Duration::from_secs(2);

/// Work of a known amount.
pub struct Progress {
    name: &'static str,
    total: u64,
    state: Mutex<State>,
}

struct State {
    done: u64,
    started: Instant,
    shown: Instant,
}

impl Progress {
    /// `total` in whatever unit [`Progress::advance`] gets.
    pub fn new(name: &'static str, total: u64) -> Self {
        let started = Instant::now();
        Self {
            name,
            total,
            state: Mutex::new(State {
                done: 0,
                started,
                shown: started,
            }),
        }
    }

    /// Something more is done.
    pub fn advance(&self, amount: u64) {
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        state.done = (state.done + amount).min(self.total);
        if state.shown.elapsed() < INTERVAL || state.done == 0 || state.done == self.total {
            return;
        }
        state.shown = Instant::now();
        let line = line(self.name, state.done, self.total, state.started.elapsed());
        drop(state);
        let mut output = std::io::stderr().lock();
        let end = if output.is_terminal() { "\r" } else { "\n" };
        // Nobody to tell: the work goes on.
        let _ = write!(output, "{line}{end}");
    }
}

fn line(name: &str, done: u64, total: u64, elapsed: Duration) -> String {
    let share = done as f64 / total.max(1) as f64;
    let left = elapsed.as_secs_f64() * (1.0 / share - 1.0);
    format!(
        "{name}: {:.0} %, {:.0} s left  ",
        share * 100.0,
        left.ceil()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_follows_from_the_time_passed() {
        assert_eq!(
            line("keys", 25, 100, Duration::from_secs(10)),
            "keys: 25 %, 30 s left  "
        );
        assert_eq!(
            line("keys", 100, 100, Duration::from_secs(10)),
            "keys: 100 %, 0 s left  "
        );
    }
}
