//! Lines of bounded length.

use std::io::{self, BufRead};

/// Longest request in bytes.
pub(super) const MAX_LINE: usize = 1 << 20;

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// a line without its end
    Whole(&'a [u8]),
    /// a line over the limit; it has been skipped up to its end or the end of input
    TooLong,
    /// the input ended inside a line
    Cut,
    /// the input ended after a line
    End,
}

/// Reads lines, holding at most one of at most `limit` bytes.
pub(super) struct Lines<R> {
    input: R,
    limit: usize,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub fn new(input: R, limit: usize) -> Self {
        Self {
            input,
            limit,
            buffer: Vec::new(),
        }
    }

    pub fn next(&mut self) -> io::Result<Line<'_>> {
        self.buffer.clear();
        let mut too_long = false;
        loop {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                return Ok(match (too_long, self.buffer.is_empty()) {
                    (true, _) => Line::TooLong,
                    (false, true) => Line::End,
                    (false, false) => Line::Cut,
                });
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let content = &available[..end.unwrap_or(available.len())];
            too_long |= self.buffer.len() + content.len() > self.limit;
            if too_long {
                self.buffer = Vec::new();
            } else {
                self.buffer.extend_from_slice(content);
            }
            let used = content.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                return Ok(if too_long {
                    Line::TooLong
                } else {
                    Line::Whole(&self.buffer)
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Read};

    fn all(input: impl Read, limit: usize) -> Vec<String> {
        // A tiny buffer, so that lines come in pieces.
        let mut lines = Lines::new(BufReader::with_capacity(3, input), limit);
        let mut seen = Vec::new();
        loop {
            let line = lines.next().unwrap();
            let text = match line {
                Line::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                ref other => format!("{other:?}"),
            };
            let ended = matches!(line, Line::Cut | Line::End);
            seen.push(text);
            if ended {
                return seen;
            }
        }
    }

    #[test]
    fn lines_come_one_by_one() {
        assert_eq!(all(&b"one\n\ntwo\n"[..], 9), ["one", "", "two", "End"]);
        assert_eq!(all(&b""[..], 9), ["End"]);
    }

    #[test]
    fn an_unfinished_line_is_told_from_the_end() {
        assert_eq!(all(&b"one\ntw"[..], 9), ["one", "Cut"]);
    }

    #[test]
    fn a_long_line_is_skipped_and_the_next_one_read() {
        assert_eq!(
            all(&b"1234567\n12345\n123456"[..], 5),
            ["TooLong", "12345", "TooLong", "End"]
        );
    }

    #[test]
    fn a_gigabyte_without_an_end_needs_no_memory() {
        let mut lines = Lines::new(BufReader::new(io::repeat(b'x').take(1 << 30)), 1 << 20);
        assert_eq!(lines.next().unwrap(), Line::TooLong);
        assert_eq!(lines.buffer.capacity(), 0);
        assert_eq!(lines.next().unwrap(), Line::End);
    }
}
