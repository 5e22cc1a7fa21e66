//! What names mean where they stand.

use std::collections::HashMap;

use super::module::RegisterKind;

/// Threads of a warp.
const WARP_SIZE: u32 = 32;
/// Most registers of a kind in a kernel with all that it calls.
const MAX_ROWS: u32 = 1 << 18;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// a row of words, of which 16 bits are used
    Half(u32),
    /// a row of words
    Word(u32),
    /// a row of longs
    Long(u32),
    /// a row of bits
    Bit(u32),
    /// an offset in the block's memory
    Shared(u32),
    /// an offset among the launch's parameters
    Parameter(u32),
    /// an address
    Global(u64),
    /// a constant of the language
    Number(u32),
    /// a word that a call passes
    PassedWord(u32),
    /// a long that a call passes
    PassedLong(u32),
}

/// Registers with numbers behind their name.
#[derive(Debug)]
struct Numbered {
    kind: RegisterKind,
    first: u32,
    count: u32,
}

#[derive(Debug, Default)]
struct Scope {
    single: HashMap<String, Binding>,
    numbered: HashMap<String, Numbered>,
}

/// Names by scope, and how many rows of each kind were given out.
#[derive(Debug)]
pub struct Names {
    scopes: Vec<Scope>,
    /// rows of words
    pub words: u32,
    /// rows of longs
    pub longs: u32,
    /// rows of bits
    pub bits: u32,
}

impl Names {
    /// With what everybody sees.
    pub fn new(mut outer: HashMap<String, Binding>) -> Self {
        outer.insert("WARP_SZ".to_owned(), Binding::Number(WARP_SIZE));
        let outermost = Scope {
            single: outer,
            numbered: HashMap::new(),
        };
        Self {
            scopes: vec![outermost],
            words: 0,
            longs: 0,
            bits: 0,
        }
    }

    /// Begins a scope.
    pub fn open(&mut self) {
        self.scopes.push(Scope::default());
    }

    /// Ends the innermost scope.
    pub fn close(&mut self) {
        self.scopes.pop();
    }

    /// Hides all scopes but the outermost; [`Self::restore`] brings them back.
    pub fn hide(&mut self) -> Hidden {
        Hidden(self.scopes.split_off(1))
    }

    /// Ends what was opened since [`Self::hide`].
    pub fn restore(&mut self, hidden: Hidden) {
        self.scopes.truncate(1);
        self.scopes.extend(hidden.0);
    }

    /// Gives a name a meaning in the innermost scope.
    pub fn bind(&mut self, name: String, binding: Binding) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.single.insert(name, binding);
        }
    }

    /// Declares a register, or `count` of them.
    ///
    /// # Errors
    /// if there are too many
    pub fn declare(
        &mut self,
        kind: RegisterKind,
        name: String,
        count: Option<u32>,
    ) -> Result<(), String> {
        let first = self.rows(kind, count.unwrap_or(1))?;
        let Some(scope) = self.scopes.last_mut() else {
            return Ok(());
        };
        match count {
            None => {
                scope.single.insert(name, bound(kind, first));
            }
            Some(count) => {
                let numbered = Numbered { kind, first, count };
                scope.numbered.insert(name, numbered);
            }
        }
        Ok(())
    }

    /// New rows of a kind; the first one's number.
    ///
    /// # Errors
    /// if there are too many
    pub fn rows(&mut self, kind: RegisterKind, count: u32) -> Result<u32, String> {
        let counter = match kind {
            RegisterKind::Half | RegisterKind::Word => &mut self.words,
            RegisterKind::Long => &mut self.longs,
            RegisterKind::Predicate => &mut self.bits,
        };
        let first = *counter;
        let end = first.saturating_add(count);
        if end > MAX_ROWS {
            return Err(format!("more than {MAX_ROWS} registers"));
        }
        *counter = end;
        Ok(first)
    }

    /// What a name stands for, innermost scope first.
    pub fn find(&self, name: &str) -> Option<Binding> {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let number: Option<u32> = name[stem.len()..].parse().ok();
        self.scopes.iter().rev().find_map(|scope| {
            if let Some(binding) = scope.single.get(name) {
                return Some(*binding);
            }
            let numbered = scope.numbered.get(stem)?;
            let number = number.filter(|number| *number < numbered.count)?;
            Some(bound(numbered.kind, numbered.first + number))
        })
    }
}

/// Scopes that are out of sight.
#[derive(Debug)]
pub struct Hidden(Vec<Scope>);

fn bound(kind: RegisterKind, row: u32) -> Binding {
    match kind {
        RegisterKind::Half => Binding::Half(row),
        RegisterKind::Word => Binding::Word(row),
        RegisterKind::Long => Binding::Long(row),
        RegisterKind::Predicate => Binding::Bit(row),
    }
}
