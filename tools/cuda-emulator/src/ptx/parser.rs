//! Reads modules. Directives that say nothing about what is computed are passed over.

use super::module::{Function, Module, PtxError, RegisterKind, Statement, StatementKind, Variable};
use super::reader::Reader;
use super::token::TokenKind;

/// Largest variable, and largest alignment: more than any of ours, and sums of them fit.
const MAX_VARIABLE: i64 = 1 << 30;
const MAX_ALIGN: i64 = 1 << 12;
/// Most registers of one declaration.
const MAX_REGISTERS: i64 = 1 << 16;

impl Reader<'_> {
    /// Reads everything.
    pub fn module(mut self) -> Result<Module, PtxError> {
        let mut module = Module::default();
        while let Some(token) = self.take() {
            let TokenKind::Word(word) = token.kind else {
                return Err(self.error_before(format!("{:?} outside of a function", token.kind)));
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
                        (".shared", None) => module.dynamic_shared.push(variable),
                        (".shared", Some(_)) => {
                            return Err(
                                self.error_before("sized shared memory outside of a function")
                            );
                        }
                        (_, None) => {
                            return Err(self.error_before("a variable without a size"));
                        }
                        _ => module.globals.push(variable),
                    }
                }
                ".entry" | ".func" => {
                    if let Some(function) = self.function(word == ".entry")? {
                        let name = function.name.clone();
                        if module.functions.insert(name, function).is_some() {
                            return Err(self.error_before("a function that there is already"));
                        }
                    }
                }
                other => return Err(self.error_before(format!("unknown directive {other}"))),
            }
        }
        Ok(module)
    }

    /// A function with its body; none for a declaration alone.
    fn function(&mut self, is_kernel: bool) -> Result<Option<Function>, PtxError> {
        if self.peek_mark('(') {
            return Err(self.error("functions that return values are not known here"));
        }
        let line = self.line();
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
                        threads = threads.saturating_mul(self.number()?);
                    }
                    max_threads = Some(u32::try_from(threads).unwrap_or(u32::MAX));
                }
                ".minnctapersm" | ".maxnreg" => self.skip(1),
                ".noreturn" => {}
                other => return Err(self.error_before(format!("unknown directive {other}"))),
            }
        }
        let body = self.body()?;
        Ok(Some(Function {
            name,
            line,
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
                other => return Err(self.error_before(format!("{other} among parameters"))),
            }
            if !self.peek_mark(')') {
                self.expect(',')?;
            }
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
                return Err(self.error_before(format!("unknown directive {word}")));
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
            ".b16" | ".u16" | ".s16" => RegisterKind::Half,
            ".b32" | ".u32" | ".s32" => RegisterKind::Word,
            ".b64" | ".u64" | ".s64" => RegisterKind::Long,
            other => return Err(self.error_before(format!("unknown register type {other}"))),
        };
        let name = self.word()?.to_owned();
        let mut count = None;
        if self.accept('<') {
            count = Some(self.number_up_to(MAX_REGISTERS)? as u32);
            self.expect('>')?;
        }
        Ok(StatementKind::Registers { kind, name, count })
    }

    /// What follows `.global` and its like: `.align 4 .b8 name[32] = {…}`.
    fn variable(&mut self) -> Result<Variable, PtxError> {
        let mut align = None;
        let width = loop {
            match self.word()? {
                ".align" => {
                    let bytes = self.number_up_to(MAX_ALIGN)? as usize;
                    if !bytes.is_power_of_two() {
                        return Err(self.error_before(format!("alignment {bytes}")));
                    }
                    align = Some(bytes);
                }
                ".b8" | ".u8" | ".s8" => break 1,
                ".b16" | ".u16" | ".s16" => break 2,
                ".b32" | ".u32" | ".s32" => break 4,
                ".b64" | ".u64" | ".s64" => break 8,
                other => return Err(self.error_before(format!("unknown type {other}"))),
            }
        };
        let name = self.word()?.to_owned();
        let mut size = Some(width);
        if self.accept('[') {
            if self.accept(']') {
                size = None;
            } else {
                let count = self.number_up_to(MAX_VARIABLE / 8)? as usize;
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
        if size.is_some_and(|size| content.len() > size) {
            return Err(self.error_before(format!("{name} has more content than room")));
        }
        let align = align.unwrap_or(width);
        Ok(Variable {
            name,
            align,
            size,
            content,
        })
    }
}
impl Module {
    /// Reads a module.
    ///
    /// # Errors
    /// [`PtxError`] for what is malformed or not known here.
    pub fn parse(source: &str) -> Result<Self, PtxError> {
        Reader::new(source).module()
    }
}
