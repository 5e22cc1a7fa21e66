//! From a module's functions to kernels: calls are replaced by what they call, names by rows and
//! addresses.

use std::collections::HashMap;

use super::instruction::{Instruction, Operation};
use super::layout::{SharedLayout, placed};
use super::module::{
    Function, Module, Operand, PtxError, RegisterKind, Statement, StatementKind, Variable,
};
use super::names::{Binding, Names};
use super::operands::Written;
use super::share::share;

/// Deepest nesting of calls; PTX of ours has one.
const MAX_DEPTH: u32 = 8;

/// A kernel that the machine can run.
#[derive(Debug)]
pub struct Kernel {
    /// its mangled name
    pub name: String,
    /// in order; the last one ends the thread
    pub code: Vec<Instruction>,
    /// rows that a warp needs
    pub rows: Rows,
    /// offsets and sizes of the parameters
    pub parameters: Vec<(usize, usize)>,
    /// bytes of all parameters
    pub parameter_bytes: usize,
    /// bytes of shared memory, without what a launch adds
    pub shared_bytes: usize,
    /// most threads of a block
    pub max_threads: u32,
}

/// How many rows of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Rows {
    pub words: u32,
    pub longs: u32,
    pub bits: u32,
}

/// Most threads of a block; the code may say fewer.
const MAX_THREADS: u32 = 1024;
/// Most instructions of a kernel with all that it calls.
const MAX_INSTRUCTIONS: usize = 1 << 24;

struct Translator<'a> {
    module: &'a Module,
    names: Names,
    code: Vec<Instruction>,
    shared: SharedLayout,
}

impl Kernel {
    /// Translates a kernel. `globals` are the addresses of the module's variables.
    ///
    /// # Errors
    /// [`PtxError`] for what is not known here.
    pub fn translate(
        module: &Module,
        function: &Function,
        globals: &HashMap<String, u64>,
    ) -> Result<Self, PtxError> {
        let mut kernel = Self::translate_unshared(module, function, globals)?;
        let code = &mut kernel.code;
        let rows = kernel.rows;
        kernel.rows = Rows {
            words: share(code, RegisterKind::Word, rows.words),
            longs: share(code, RegisterKind::Long, rows.longs),
            bits: share(code, RegisterKind::Predicate, rows.bits),
        };
        Ok(kernel)
    }

    /// The same with a row for each register.
    pub(super) fn translate_unshared(
        module: &Module,
        function: &Function,
        globals: &HashMap<String, u64>,
    ) -> Result<Self, PtxError> {
        let mut names: HashMap<String, Binding> = globals
            .iter()
            .map(|(name, address)| (name.clone(), Binding::Global(*address)))
            .collect();
        let mut parameters = Vec::new();
        let mut parameter_bytes = 0;
        let fail = |reason| PtxError {
            line: function.line,
            reason,
        };
        for parameter in &function.parameters {
            let (at, end) = placed(parameter, parameter_bytes).map_err(fail)?;
            names.insert(parameter.name.clone(), Binding::Parameter(at));
            parameters.push((at as usize, end - at as usize));
            parameter_bytes = end;
        }
        let shared = SharedLayout::new(module, function).map_err(fail)?;
        let shared_bytes = shared.bytes;
        let dynamic = u32::try_from(shared_bytes).map_err(|_| fail("shared memory".to_owned()))?;
        for variable in &module.dynamic_shared {
            names.insert(variable.name.clone(), Binding::Shared(dynamic));
        }
        let mut translator = Translator {
            module,
            names: Names::new(names),
            code: Vec::new(),
            shared,
        };
        translator.inline(function, 0)?;
        translator.code.push(Instruction {
            guard: None,
            operation: Operation::Exit,
            line: 0,
        });
        let Translator { names, code, .. } = translator;
        let rows = Rows {
            words: names.words,
            longs: names.longs,
            bits: names.bits,
        };
        Ok(Self {
            name: function.name.clone(),
            code,
            rows,
            parameters,
            parameter_bytes,
            shared_bytes,
            max_threads: function
                .max_threads
                .map_or(MAX_THREADS, |most| most.min(MAX_THREADS)),
        })
    }
}

impl Translator<'_> {
    /// Appends a function's instructions; its returns go behind them.
    fn inline(&mut self, function: &Function, depth: u32) -> Result<(), PtxError> {
        let mut labels = HashMap::new();
        let mut branches = Vec::new();
        let mut returns = Vec::new();
        let shared = self.shared.variables.get(&function.name).cloned();
        let mut shared = shared.unwrap_or_default().into_iter();
        self.names.open();
        for Statement { line, kind } in &function.body {
            let fail = |reason| PtxError {
                line: *line,
                reason,
            };
            match kind {
                StatementKind::Open => self.names.open(),
                StatementKind::Close => self.names.close(),
                StatementKind::Registers { kind, name, count } => {
                    let declared = self.names.declare(*kind, name.clone(), *count);
                    declared.map_err(fail)?;
                }
                StatementKind::Shared(variable) => {
                    // The layout has a place for each declaration.
                    let binding = Binding::Shared(shared.next().unwrap_or(u32::MAX));
                    self.names.bind(variable.name.clone(), binding);
                }
                StatementKind::CallParameter(variable) => {
                    let binding = self.passed(variable).map_err(fail)?;
                    self.names.bind(variable.name.clone(), binding);
                }
                StatementKind::Label(name) => {
                    let before = labels.insert(name.clone(), self.position());
                    if before.is_some() {
                        return Err(fail(format!("two labels {name}")));
                    }
                }
                StatementKind::Instruction { .. } if self.code.len() >= MAX_INSTRUCTIONS => {
                    return Err(fail(format!("more than {MAX_INSTRUCTIONS} instructions")));
                }
                StatementKind::Instruction {
                    guard,
                    opcode,
                    operands,
                } => {
                    let guard = match guard {
                        None => None,
                        Some((name, negated)) => match self.names.find(name) {
                            Some(Binding::Bit(row)) => Some((row, *negated)),
                            _ => return Err(fail(format!("{name} is no predicate"))),
                        },
                    };
                    let add = |code: &mut Vec<Instruction>, operation| {
                        code.push(Instruction {
                            guard,
                            operation,
                            line: *line,
                        });
                    };
                    match (opcode.split('.').next(), operands.as_slice()) {
                        (Some("bra"), [Operand::Name(label)]) => {
                            branches.push((self.code.len(), label.clone(), *line));
                            add(&mut self.code, Operation::Branch { to: 0 });
                        }
                        (Some("ret"), []) => {
                            returns.push(self.code.len());
                            add(&mut self.code, Operation::Branch { to: 0 });
                        }
                        (Some("call"), _) if guard.is_none() => {
                            self.call(operands, depth).map_err(|error| match error {
                                CallError::Here(reason) => fail(reason),
                                CallError::There(error) => error,
                            })?;
                        }
                        _ => {
                            let written = Written::new(opcode, operands, &self.names);
                            add(&mut self.code, written.decode().map_err(fail)?);
                        }
                    }
                }
            }
        }
        self.names.close();
        for (at, label, line) in branches {
            let Some(to) = labels.get(&label) else {
                let reason = format!("no label {label}");
                return Err(PtxError { line, reason });
            };
            self.code[at].operation = Operation::Branch { to: *to };
        }
        let end = self.position();
        for at in returns {
            self.code[at].operation = Operation::Branch { to: end };
        }
        Ok(())
    }

    /// The next instruction's number.
    fn position(&self) -> u32 {
        u32::try_from(self.code.len()).unwrap_or(u32::MAX)
    }

    fn call(&mut self, operands: &[Operand], depth: u32) -> Result<(), CallError> {
        let [Operand::Name(name), rest @ ..] = operands else {
            return Err(CallError::Here("a call that returns something".to_owned()));
        };
        let passed: &[Operand] = match rest {
            [] => &[],
            [Operand::List(passed)] => passed,
            _ => return Err(CallError::Here(format!("call of {name}: two lists"))),
        };
        let module = self.module;
        let Some(function) = module.functions.get(name) else {
            return Err(CallError::Here(format!("no function {name}")));
        };
        if depth == MAX_DEPTH || passed.len() != function.parameters.len() {
            return Err(CallError::Here(format!(
                "call of {name}: too deep, or other parameters"
            )));
        }
        let mut bindings = Vec::new();
        for (operand, parameter) in passed.iter().zip(&function.parameters) {
            let binding = match operand {
                Operand::Name(name) => self.names.find(name),
                _ => None,
            };
            let Some(binding @ (Binding::PassedWord(_) | Binding::PassedLong(_))) = binding else {
                return Err(CallError::Here(format!("call of {name}: {operand:?}")));
            };
            bindings.push((parameter.name.clone(), binding));
        }
        let hidden = self.names.hide();
        self.names.open();
        for (name, binding) in bindings {
            self.names.bind(name, binding);
        }
        let outcome = self.inline(function, depth + 1);
        self.names.restore(hidden);
        outcome.map_err(CallError::There)
    }

    /// A register for what a call passes.
    fn passed(&mut self, variable: &Variable) -> Result<Binding, String> {
        match variable.size {
            Some(8) => Ok(Binding::PassedLong(self.names.rows(RegisterKind::Long, 1)?)),
            Some(1 | 2 | 4) => Ok(Binding::PassedWord(self.names.rows(RegisterKind::Word, 1)?)),
            size => Err(format!("{}: a call passes {size:?} bytes", variable.name)),
        }
    }
}

enum CallError {
    Here(String),
    There(PtxError),
}
