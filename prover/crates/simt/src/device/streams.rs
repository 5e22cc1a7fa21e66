//! Streams and events: work is done when somebody must have it, or when chance has it, never in the
//! order in which it was given. What lacks an order that it needs fails.

use std::collections::VecDeque;

/// Something that a stream does in its turn.
#[derive(Debug)]
pub enum Work<L> {
    /// memory begins to exist
    Begin(u64),
    /// memory ends to exist
    End(u64),
    /// bytes are written, each part to its address
    Write(Vec<(u64, Vec<u8>)>),
    /// bytes are copied: to, from, how many
    Copy(u64, u64, usize),
    /// a kernel runs
    Launch(L),
    /// an event happens, by its number and how often it was recorded
    Record(usize, u64),
    /// an event is awaited
    Wait(usize, u64),
}

#[derive(Debug, Default)]
struct Event {
    /// streams in which it was recorded, in order
    recorded_in: Vec<usize>,
    /// how many of these have happened
    happened: u64,
}

/// All streams. Number 0 is the one that always exists.
#[derive(Debug)]
pub struct Streams<L> {
    queues: Vec<Option<VecDeque<Work<L>>>>,
    events: Vec<Event>,
}

impl<L> Streams<L> {
    /// With stream 0.
    pub fn new() -> Self {
        Self {
            queues: vec![Some(VecDeque::new())],
            events: Vec::new(),
        }
    }

    /// A new stream's number.
    pub fn open(&mut self) -> usize {
        self.queues.push(Some(VecDeque::new()));
        self.queues.len() - 1
    }

    /// Forgets a stream, which must have nothing to do.
    pub fn close(&mut self, stream: usize) {
        if let Some(queue) = self.queues.get_mut(stream) {
            *queue = None;
        }
    }

    /// Gives a stream something to do; says whether there is such a stream.
    pub fn give(&mut self, stream: usize, work: Work<L>) -> bool {
        let queue = self.queues.get_mut(stream).and_then(Option::as_mut);
        queue.is_some_and(|queue| {
            queue.push_back(work);
            true
        })
    }

    /// A new event's number.
    pub fn new_event(&mut self) -> usize {
        self.events.push(Event::default());
        self.events.len() - 1
    }

    /// Records an event behind everything that the stream has to do.
    pub fn record(&mut self, event: usize, stream: usize) -> bool {
        let Some(found) = self.events.get_mut(event) else {
            return false;
        };
        found.recorded_in.push(stream);
        let count = found.recorded_in.len() as u64;
        self.give(stream, Work::Record(event, count))
    }

    /// Lets a stream wait until the event, as last recorded, has happened.
    pub fn wait(&mut self, stream: usize, event: usize) -> bool {
        let Some(found) = self.events.get(event) else {
            return false;
        };
        let count = found.recorded_in.len() as u64;
        self.give(stream, Work::Wait(event, count))
    }

    /// Takes the next piece of work that brings a stream forward, from it or from a stream that it
    /// waits for; none if it has nothing to do.
    pub fn next(&mut self, stream: usize) -> Option<Work<L>> {
        let mut ahead = stream;
        loop {
            let queue = self.queues.get_mut(ahead)?.as_mut()?;
            match *queue.front()? {
                Work::Wait(event, count) if self.events[event].happened < count => {
                    let record = usize::try_from(self.events[event].happened).ok()?;
                    ahead = self.events[event].recorded_in[record];
                }
                Work::Wait(..) => {
                    queue.pop_front();
                }
                Work::Record(event, count) => {
                    queue.pop_front();
                    self.events[event].happened = self.events[event].happened.max(count);
                    ahead = stream;
                }
                _ => return queue.pop_front(),
            }
        }
    }

    /// Numbers of the streams that there are.
    pub fn open_streams(&self) -> Vec<usize> {
        let open = self.queues.iter().enumerate();
        open.filter(|(_, queue)| queue.is_some())
            .map(|(number, _)| number)
            .collect()
    }
}
