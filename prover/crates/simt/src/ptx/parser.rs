//! Reads modules. Directives that say nothing about what is computed are passed over.

use super::module::{
    Function, Module, Operand, PtxError, RegisterKind, Statement, StatementKind, Variable,
};
use super::token::{Token, TokenKind, tokens};

/// A position in a module's text.
pub struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
}

impl<'a> Parser<'a> {
    /// At the beginning.
    pub fn new(source: &'a str) -> Self {
        Self {
            tokens: tokens(source),
            next: 0,
        }
    }

    /// Reads everything.
    pub fn module(mut self) -> Result<Module, PtxError> {
        let mut module = Module::default();
        while let Some(token) = self.take() {
            let TokenKind::Word(word) = token.kind else {
                return Err(self.error(format!("{:?} outside of a function", token.kind)));
            };
            match word {
                ".version" | ".address_size" => self.skip(1),
                ".target" => {
                    self.skip(1);
                    while self.accept(',') {
                        self.skip(1);
                    }
                }
                ".visible" | ".weak" | ".extern" => {}
                ".global" | ".const" | ".shared" => {
                    let variable = self.variable()?;
                    self.expect(';')?;
                    match (word, variable.size) {
                        (".shared", None) => module.dynamic_shared.push(variable.name),
                        (".shared", Some(_)) => {
                            return Err(self.error("sized shared memory outside of a function"));
                        }
                        _ => module.globals.push(variable),
                    }
                }
                ".entry" | ".func" => {
                    if let Some(function) = self.function(word == ".entry")? {
                        module.functions.insert(function.name.clone(), function);
                    }
                }
                other => return Err(self.error(format!("unknown directive {other}"))),
            }
        }
        Ok(module)
    }

    /// A function with its body; none for a declaration alone.
    fn function(&mut self, is_kernel: bool) -> Result<Option<Function>, PtxError> {
        if self.peek_mark('(') {
            return Err(self.error("functions that return values are not known here"));
        }
        let name = self.word()?.to_owned();
        let parameters = self.parameters()?;
        let mut max_threads = None;
        loop {
            if self.accept(';') {
                return Ok(None);
            }
            if self.accept('{') {
                break;
            }
            match self.word()? {
                ".maxntid" => {
                    let mut threads = self.number()?;
                    while self.accept(',') {
                        threads *= self.number()?;
                    }
                    max_threads = Some(u32::try_from(threads).unwrap_or(u32::MAX));
                }
                ".minnctapersm" | ".maxnreg" | ".reqntid" => self.skip(1),
                ".noreturn" => {}
                other => return Err(self.error(format!("unknown directive {other}"))),
            }
        }
        let body = self.body()?;
        Ok(Some(Function {
            name,
            is_kernel,
            parameters,
            max_threads,
            body,
        }))
    }

    fn parameters(&mut self) -> Result<Vec<Variable>, PtxError> {
        let mut parameters = Vec::new();
        if !self.accept('(') {
            return Ok(parameters);
        }
        while !self.accept(')') {
            match self.word()? {
                ".param" => parameters.push(self.variable()?),
                other => return Err(self.error(format!("{other} among parameters"))),
            }
            self.accept(',');
        }
        Ok(parameters)
    }

    /// Up to the brace that closes the function.
    fn body(&mut self) -> Result<Vec<Statement>, PtxError> {
        let mut body = Vec::new();
        let mut depth = 0;
        loop {
            let line = self.line();
            if self.accept('{') {
                depth += 1;
                let kind = StatementKind::Open;
                body.push(Statement { line, kind });
            } else if self.accept('}') {
                if depth == 0 {
                    return Ok(body);
                }
                depth -= 1;
                let kind = StatementKind::Close;
                body.push(Statement { line, kind });
            } else if self.accept(';') {
                // nothing between two of them
            } else if let Some(kind) = self.statement()? {
                body.push(Statement { line, kind });
            }
        }
    }

    fn statement(&mut self) -> Result<Option<StatementKind>, PtxError> {
        let guard = if self.accept('@') {
            let negated = self.accept('!');
            Some((self.word()?.to_owned(), negated))
        } else {
            None
        };
        let word = self.word()?;
        let kind = match word {
            ".pragma" => {
                self.skip(1);
                None
            }
            ".reg" => Some(self.registers()?),
            ".shared" => Some(StatementKind::Shared(self.variable()?)),
            ".param" => Some(StatementKind::CallParameter(self.variable()?)),
            _ if self.accept(':') => return Ok(Some(StatementKind::Label(word.to_owned()))),
            _ if word.starts_with('.') => {
                return Err(self.error(format!("unknown directive {word}")));
            }
            _ => Some(StatementKind::Instruction {
                guard,
                opcode: word.to_owned(),
                operands: self.operands()?,
            }),
        };
        self.expect(';')?;
        Ok(kind)
    }

    fn registers(&mut self) -> Result<StatementKind, PtxError> {
        let kind = match self.word()? {
            ".pred" => RegisterKind::Predicate,
            ".b16" | ".u16" | ".s16" | ".b32" | ".u32" | ".s32" => RegisterKind::Word,
            ".b64" | ".u64" | ".s64" => RegisterKind::Long,
            other => return Err(self.error(format!("unknown register type {other}"))),
        };
        let name = self.word()?.to_owned();
        let mut count = None;
        if self.accept('<') {
            count = Some(u32::try_from(self.number()?).unwrap_or(0));
            self.expect('>')?;
        }
        Ok(StatementKind::Registers { kind, name, count })
    }

    /// What follows `.global` and its like: `.align 4 .b8 name[32] = {…}`.
    fn variable(&mut self) -> Result<Variable, PtxError> {
        let mut align = None;
        let width = loop {
            match self.word()? {
                ".align" => align = usize::try_from(self.number()?).ok(),
                ".b8" | ".u8" | ".s8" => break 1,
                ".b16" | ".u16" | ".s16" => break 2,
                ".b32" | ".u32" | ".s32" => break 4,
                ".b64" | ".u64" | ".s64" => break 8,
                other => return Err(self.error(format!("unknown type {other}"))),
            }
        };
        let name = self.word()?.to_owned();
        let mut size = Some(width);
        if self.accept('[') {
            if self.accept(']') {
                size = None;
            } else {
                let count = usize::try_from(self.number()?).unwrap_or(0);
                size = Some(width * count);
                self.expect(']')?;
            }
        }
        let mut content = Vec::new();
        if self.accept('=') {
            let braces = self.accept('{');
            loop {
                let number = self.number()?;
                content.extend_from_slice(&number.to_le_bytes()[..width]);
                if !self.accept(',') {
                    break;
                }
            }
            if braces {
                self.expect('}')?;
            }
        }
        let align = align.unwrap_or(width);
        Ok(Variable {
            name,
            align,
            size,
            content,
        })
    }

    fn operands(&mut self) -> Result<Vec<Operand>, PtxError> {
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
            let base = self.operand()?;
            let mut offset = 0;
            while self.accept('+') {
                offset += self.number()?;
            }
            self.expect(']')?;
            return Ok(Operand::Address(Box::new(base), offset));
        }
        for (open, close) in [('{', '}'), ('(', ')')] {
            if self.accept(open) {
                let mut parts = Vec::new();
                while !self.accept(close) {
                    parts.push(self.operand()?);
                    self.accept(',');
                }
                return Ok(if open == '{' {
                    Operand::Vector(parts)
                } else {
                    Operand::List(parts)
                });
            }
        }
        if self.peek_mark('-') || self.peek_digit() {
            return Ok(Operand::Number(self.number()?));
        }
        let name = self.word()?.to_owned();
        if self.accept('|') {
            return Ok(Operand::Pair(name, self.word()?.to_owned()));
        }
        Ok(Operand::Name(name))
    }

    fn number(&mut self) -> Result<i64, PtxError> {
        let negative = self.accept('-');
        let word = self.word()?;
        let digits = word.strip_suffix('U').unwrap_or(word);
        let parsed = match digits.strip_prefix("0x") {
            Some(hexadecimal) => u64::from_str_radix(hexadecimal, 16).map(u64::cast_signed),
            None => digits.parse::<u64>().map(u64::cast_signed),
        };
        let number = parsed.map_err(|_| self.error(format!("{word} is no number")))?;
        Ok(if negative {
            number.wrapping_neg()
        } else {
            number
        })
    }

    fn take(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.get(self.next).copied();
        self.next += 1;
        token
    }

    fn skip(&mut self, count: usize) {
        self.next += count;
    }

    fn word(&mut self) -> Result<&'a str, PtxError> {
        match self.take().map(|token| token.kind) {
            Some(TokenKind::Word(word)) => Ok(word),
            other => Err(self.error(format!("a word is missing before {other:?}"))),
        }
    }

    fn peek_mark(&self, mark: char) -> bool {
        let token = self.tokens.get(self.next);
        token.is_some_and(|token| token.kind == TokenKind::Mark(mark))
    }

    fn peek_digit(&self) -> bool {
        let token = self.tokens.get(self.next);
        token.is_some_and(|token| {
            matches!(token.kind, TokenKind::Word(word) if word.starts_with(|c: char| c.is_ascii_digit()))
        })
    }

    fn accept(&mut self, mark: char) -> bool {
        let found = self.peek_mark(mark);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, mark: char) -> Result<(), PtxError> {
        if self.accept(mark) {
            return Ok(());
        }
        let found = self.tokens.get(self.next).map(|token| token.kind);
        Err(self.error(format!("{mark:?} is missing before {found:?}")))
    }

    fn line(&self) -> u32 {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens
            .get(self.next.min(last))
            .map_or(0, |token| token.line)
    }

    fn error(&self, reason: impl Into<String>) -> PtxError {
        PtxError {
            line: self.line(),
            reason: reason.into(),
        }
    }
}
