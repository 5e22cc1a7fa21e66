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
    /// an event happens, by its number and which of its records this is
    Record(usize, usize),
    /// a record of an event is awaited
    Wait(usize, usize),
}

/// Each time that an event was recorded: in which stream, and whether it has happened. Who waits for
/// one of them does not care about others.
#[derive(Debug, Default)]
struct Event {
    records: Vec<(usize, bool)>,
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

    /// Whether there is such a stream.
    pub fn is_open(&self, stream: usize) -> bool {
        self.queues.get(stream).is_some_and(Option::is_some)
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
        found.records.push((stream, false));
        let number = found.records.len() - 1;
        let is_given = self.give(stream, Work::Record(event, number));
        if !is_given {
            self.events[event].records.pop();
        }
        is_given
    }

    /// Lets a stream wait until the event, as last recorded, has happened; there is nothing to wait
    /// for if it never was.
    pub fn wait(&mut self, stream: usize, event: usize) -> bool {
        let Some(found) = self.events.get(event) else {
            return false;
        };
        match found.records.len().checked_sub(1) {
            Some(last) => self.give(stream, Work::Wait(event, last)),
            None => self.is_open(stream),
        }
    }

    /// Takes the next piece of work that brings a stream forward, from it or from a stream that it
    /// waits for; none if it has nothing to do.
    pub fn next(&mut self, stream: usize) -> Option<Work<L>> {
        let mut ahead = stream;
        loop {
            let queue = self.queues.get_mut(ahead)?.as_mut()?;
            match *queue.front()? {
                Work::Wait(event, number) => match self.events[event].records[number] {
                    (_, true) => drop(queue.pop_front()),
                    (recorded_in, false) => ahead = recorded_in,
                },
                Work::Record(event, number) => {
                    queue.pop_front();
                    self.events[event].records[number].1 = true;
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
