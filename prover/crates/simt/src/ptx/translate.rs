//! From a module's functions to kernels: calls are replaced by what they call, names by rows and
//! addresses.

use std::collections::HashMap;

use super::instruction::{Instruction, Operation};
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

/// Threads of a block where the code does not say.
const DEFAULT_MAX_THREADS: u32 = 1024;
/// Dynamic shared memory begins at a multiple of this.
const SHARED_ALIGN: usize = 16;

struct Translator<'a> {
    module: &'a Module,
    names: Names,
    code: Vec<Instruction>,
    shared_bytes: usize,
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
        let mut names: HashMap<String, Binding> = globals
            .iter()
            .map(|(name, address)| (name.clone(), Binding::Global(*address)))
            .collect();
        let mut parameters = Vec::new();
        let mut parameter_bytes = 0;
        for parameter in &function.parameters {
            let (at, end) = placed(parameter, parameter_bytes);
            names.insert(parameter.name.clone(), Binding::Parameter(offset(at)));
            parameters.push((at, end - at));
            parameter_bytes = end;
        }
        let shared_bytes = static_shared(module, function);
        for name in &module.dynamic_shared {
            names.insert(name.clone(), Binding::Shared(offset(shared_bytes)));
        }
        let mut translator = Translator {
            module,
            names: Names::new(names),
            code: Vec::new(),
            shared_bytes: 0,
        };
        translator.inline(function, 0)?;
        translator.code.push(Instruction {
            guard: None,
            operation: Operation::Exit,
            line: 0,
        });
        let Translator {
            names, mut code, ..
        } = translator;
        let rows = Rows {
            words: share(&mut code, RegisterKind::Word, names.words),
            longs: share(&mut code, RegisterKind::Long, names.longs),
            bits: share(&mut code, RegisterKind::Predicate, names.bits),
        };
        Ok(Self {
            name: function.name.clone(),
            code,
            rows,
            parameters,
            parameter_bytes,
            shared_bytes,
            max_threads: function.max_threads.unwrap_or(DEFAULT_MAX_THREADS),
        })
    }
}

impl Translator<'_> {
    /// Appends a function's instructions; its returns go behind them.
    fn inline(&mut self, function: &Function, depth: u32) -> Result<(), PtxError> {
        let mut labels = HashMap::new();
        let mut branches = Vec::new();
        let mut returns = Vec::new();
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
                    self.names.declare(*kind, name.clone(), *count);
                }
                StatementKind::Shared(variable) => {
                    let (at, end) = placed(variable, self.shared_bytes);
                    let binding = Binding::Shared(offset(at));
                    self.names.bind(variable.name.clone(), binding);
                    self.shared_bytes = end;
                }
                StatementKind::CallParameter(variable) => {
                    let binding = self.passed(variable).map_err(fail)?;
                    self.names.bind(variable.name.clone(), binding);
                }
                StatementKind::Label(name) => {
                    labels.insert(name.clone(), self.code.len());
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
            self.code[at].operation = Operation::Branch { to: offset(*to) };
        }
        let end = offset(self.code.len());
        for at in returns {
            self.code[at].operation = Operation::Branch { to: end };
        }
        Ok(())
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
            Some(8) => Ok(Binding::PassedLong(self.names.rows(RegisterKind::Long, 1))),
            Some(1..=4) => Ok(Binding::PassedWord(self.names.rows(RegisterKind::Word, 1))),
            size => Err(format!("{}: a call passes {size:?} bytes", variable.name)),
        }
    }
}

enum CallError {
    Here(String),
    There(PtxError),
}

/// Bytes of the shared variables of a function and of all that the module's calls could add.
fn static_shared(module: &Module, function: &Function) -> usize {
    let of = |function: &Function| {
        let shared = function
            .body
            .iter()
            .filter_map(|statement| match &statement.kind {
                StatementKind::Shared(variable) => Some(variable),
                _ => None,
            });
        shared.fold(0, |end, variable| placed(variable, end).1)
    };
    let called: usize = module
        .functions
        .values()
        .filter(|function| !function.is_kernel)
        .map(of)
        .sum();
    (of(function) + called).next_multiple_of(SHARED_ALIGN)
}

/// Where a variable lies behind others that end at `end`, and where it ends itself.
fn placed(variable: &Variable, end: usize) -> (usize, usize) {
    let at = end.next_multiple_of(variable.align.max(1));
    (at, at + variable.size.unwrap_or(0))
}

#[allow(clippy::expect_used)]
fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("PTX is shorter than 4 GiB")
}
