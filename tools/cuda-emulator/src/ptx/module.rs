//! Variables, functions and statements of a PTX module.

use std::collections::HashMap;

/// Why PTX cannot be run.
#[derive(Debug, Clone, thiserror::Error)]
#[error("PTX line {line}: {reason}")]
pub struct PtxError {
    /// counted from 1
    pub line: u32,
    /// what is wrong, or not known here
    pub reason: String,
}

/// A compiled source file.
#[derive(Debug, Default)]
pub struct Module {
    /// variables in global and constant memory
    pub globals: Vec<Variable>,
    /// shared memory that takes the size a launch gives
    pub dynamic_shared: Vec<Variable>,
    /// kernels and functions by name
    pub functions: HashMap<String, Function>,
}

/// A variable, or a parameter.
#[derive(Debug, Clone)]
pub struct Variable {
    /// its mangled name
    pub name: String,
    /// where its address must lie
    pub align: usize,
    /// its size, if it has one
    pub size: Option<usize>,
    /// first bytes of its content; the rest are zero
    pub content: Vec<u8>,
}

/// A kernel, or a function that kernels call.
#[derive(Debug)]
pub struct Function {
    /// its mangled name
    pub name: String,
    /// where it begins
    pub line: u32,
    /// whether the host can launch it
    pub is_kernel: bool,
    /// in order
    pub parameters: Vec<Variable>,
    /// most threads of a block, by `.maxntid`
    pub max_threads: Option<u32>,
    /// in order
    pub body: Vec<Statement>,
}

/// A statement with the line it stands on.
#[derive(Debug)]
pub struct Statement {
    /// counted from 1
    pub line: u32,
    /// what it says
    pub kind: StatementKind,
}

/// What a statement says.
#[derive(Debug)]
pub enum StatementKind {
    /// `{`
    Open,
    /// `}`
    Close,
    /// `.reg`: one register, or as many as `count` with numbers behind their name
    Registers {
        /// of what kind they are
        kind: RegisterKind,
        /// their name
        name: String,
        /// how many, if numbered
        count: Option<u32>,
    },
    /// `.shared` inside a function
    Shared(Variable),
    /// `.param` inside a function: what a call passes
    CallParameter(Variable),
    /// `name:`
    Label(String),
    /// Anything that is executed.
    Instruction {
        /// the predicate it depends on, and whether it must be false
        guard: Option<(String, bool)>,
        /// with everything behind its dots
        opcode: String,
        /// as written
        operands: Vec<Operand>,
    },
}

/// What a register holds in each thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterKind {
    /// a bit
    Predicate,
    /// 16 bits: a word whose upper half is zero
    Half,
    /// 32 bits
    Word,
    /// 64 bits
    Long,
}

/// An operand as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// a register, variable, label or function
    Name(String),
    /// a number
    Number(i64),
    /// `[base + offset]`
    Address(Box<Operand>, i64),
    /// `{a, b}`
    Vector(Vec<Operand>),
    /// `a|b`
    Pair(String, String),
    /// `(a, b)`
    List(Vec<Operand>),
}
