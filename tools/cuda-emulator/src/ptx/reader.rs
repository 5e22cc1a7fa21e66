//! A module's text, token by token.

use super::module::{Operand, PtxError};
use super::token::{Token, TokenKind, tokens};

/// A position in the text.
pub struct Reader<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
}

impl<'a> Reader<'a> {
    /// At the beginning.
    pub fn new(source: &'a str) -> Self {
        Self {
            tokens: tokens(source),
            next: 0,
        }
    }

    pub(super) fn operands(&mut self) -> Result<Vec<Operand>, PtxError> {
        let mut operands = Vec::new();
        while !self.peek_mark(';') {
            operands.push(self.operand()?);
            if !self.accept(',') {
                break;
            }
        }
        Ok(operands)
    }

    fn operand(&mut self) -> Result<Operand, PtxError> {
        if self.accept('[') {
            let base = self.simple_operand()?;
            let mut offset = 0_i64;
            while self.accept('+') {
                offset = offset.wrapping_add(self.number()?);
            }
            self.expect(']')?;
            return Ok(Operand::Address(Box::new(base), offset));
        }
        for (open, close) in [('{', '}'), ('(', ')')] {
            if self.accept(open) {
                let mut parts = Vec::new();
                while !self.accept(close) {
                    parts.push(self.simple_operand()?);
                    if !self.peek_mark(close) {
                        self.expect(',')?;
                    }
                }
                return Ok(if open == '{' {
                    Operand::Vector(parts)
                } else {
                    Operand::List(parts)
                });
            }
        }
        self.simple_operand()
    }

    /// One without others inside.
    fn simple_operand(&mut self) -> Result<Operand, PtxError> {
        if self.peek_mark('-') || self.peek_digit() {
            return Ok(Operand::Number(self.number()?));
        }
        let name = self.word()?.to_owned();
        if self.accept('|') {
            return Ok(Operand::Pair(name, self.word()?.to_owned()));
        }
        Ok(Operand::Name(name))
    }

    pub(super) fn number(&mut self) -> Result<i64, PtxError> {
        let negative = self.accept('-');
        let word = self.word()?;
        let text = word.strip_suffix('U').unwrap_or(word);
        let (digits, radix) = match text.as_bytes() {
            [b'0', b'x' | b'X', ..] => (&text[2..], 16),
            [b'0', b'b' | b'B', ..] => (&text[2..], 2),
            [b'0', _, ..] => (&text[1..], 8),
            _ => (text, 10),
        };
        let parsed = u64::from_str_radix(digits, radix).map(u64::cast_signed);
        let number = parsed.map_err(|_| self.error_before(format!("{word} is no number")))?;
        Ok(if negative {
            number.wrapping_neg()
        } else {
            number
        })
    }

    pub(super) fn number_up_to(&mut self, most: i64) -> Result<i64, PtxError> {
        let number = self.number()?;
        if (0..=most).contains(&number) {
            return Ok(number);
        }
        Err(self.error_before(format!("{number} is not within 0 and {most}")))
    }

    pub(super) fn take(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.get(self.next).copied();
        self.next += 1;
        token
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.next += count;
    }

    pub(super) fn word(&mut self) -> Result<&'a str, PtxError> {
        match self.take().map(|token| token.kind) {
            Some(TokenKind::Word(word)) => Ok(word),
            other => Err(self.error_before(format!("a word is missing before {other:?}"))),
        }
    }

    pub(super) fn peek_mark(&self, mark: char) -> bool {
        let token = self.tokens.get(self.next);
        token.is_some_and(|token| token.kind == TokenKind::Mark(mark))
    }

    fn peek_digit(&self) -> bool {
        let token = self.tokens.get(self.next);
        token.is_some_and(|token| {
            matches!(token.kind, TokenKind::Word(word) if word.starts_with(|c: char| c.is_ascii_digit()))
        })
    }

    pub(super) fn accept(&mut self, mark: char) -> bool {
        let found = self.peek_mark(mark);
        self.next += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, mark: char) -> Result<(), PtxError> {
        if self.accept(mark) {
            return Ok(());
        }
        let found = self.tokens.get(self.next).map(|token| token.kind);
        Err(self.error_before(format!("{mark:?} is missing before {found:?}")))
    }

    /// The next token's line, or the last one's.
    pub(super) fn line(&self) -> u32 {
        self.line_of(self.next)
    }

    fn line_of(&self, token: usize) -> u32 {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens
            .get(token.min(last))
            .map_or(1, |token| token.line)
    }

    /// What is wrong with the token that was taken last.
    pub(super) fn error_before(&self, reason: impl Into<String>) -> PtxError {
        PtxError {
            line: self.line_of(self.next.saturating_sub(1)),
            reason: reason.into(),
        }
    }

    /// What is wrong with the next token.
    pub(super) fn error(&self, reason: impl Into<String>) -> PtxError {
        PtxError {
            line: self.line(),
            reason: reason.into(),
        }
    }
}
