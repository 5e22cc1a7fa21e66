//! Where variables lie in the memory of a block and among parameters.

use std::collections::{BTreeSet, HashMap};

use super::module::{Function, Module, Operand, StatementKind, Variable};

/// Dynamic shared memory begins at a multiple of this, or of more if its declaration says so.
const SHARED_ALIGN: usize = 16;

/// The shared variables of a kernel and of the functions that it calls. A function's are there once,
/// however often it is called.
#[derive(Debug)]
pub struct SharedLayout {
    /// by function, in the order of their declarations
    pub variables: HashMap<String, Vec<u32>>,
    /// of all of them; dynamic memory begins here
    pub bytes: usize,
}

impl SharedLayout {
    /// For a kernel.
    ///
    /// # Errors
    /// if it does not fit into an address
    pub fn new(module: &Module, kernel: &Function) -> Result<Self, String> {
        let mut variables = HashMap::new();
        let mut bytes = 0;
        for function in reached(module, kernel) {
            let mut places = Vec::new();
            for statement in &function.body {
                if let StatementKind::Shared(variable) = &statement.kind {
                    let (at, end) = placed(variable, bytes)?;
                    places.push(at);
                    bytes = end;
                }
            }
            variables.insert(function.name.clone(), places);
        }
        let dynamic = module.dynamic_shared.iter().map(|variable| variable.align);
        let align = dynamic.fold(SHARED_ALIGN, usize::max);
        let bytes = bytes.next_multiple_of(align);
        Ok(Self { variables, bytes })
    }
}

/// A kernel and everything that its calls lead to.
fn reached<'a>(module: &'a Module, kernel: &'a Function) -> Vec<&'a Function> {
    let mut found = vec![kernel];
    let mut names = BTreeSet::from([kernel.name.as_str()]);
    let mut next = 0;
    while let Some(function) = found.get(next).copied() {
        next += 1;
        for statement in &function.body {
            let StatementKind::Instruction {
                opcode, operands, ..
            } = &statement.kind
            else {
                continue;
            };
            if opcode.split('.').next() == Some("call")
                && let Some(Operand::Name(name)) = operands.first()
                && let Some(called) = module.functions.get(name)
                && names.insert(name)
            {
                found.push(called);
            }
        }
    }
    found
}

/// Where a variable lies behind others that end at `end`, and where it ends itself.
///
/// # Errors
/// if it does not fit into an address
pub fn placed(variable: &Variable, end: usize) -> Result<(u32, usize), String> {
    let at = end.next_multiple_of(variable.align);
    let end = at + variable.size.unwrap_or(0);
    match (u32::try_from(at), u32::try_from(end)) {
        (Ok(at), Ok(_)) => Ok((at, end)),
        _ => Err(format!("{}: no room", variable.name)),
    }
}
