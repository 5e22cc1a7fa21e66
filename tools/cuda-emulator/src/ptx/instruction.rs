//! Instructions as the machine runs them.
//!
//! Registers are rows: a row has a value for each of a warp's 32 threads. Rows of words, longs and
//! bits (predicates) are counted separately.

/// Where a 32-bit operand comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// a row of words
    Row(u32),
    /// the same in each thread
    Number(u32),
}

/// Where a 64-bit operand comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Long {
    /// a row of longs
    Row(u32),
    /// the same in each thread
    Number(u64),
}

/// Where a predicate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bit {
    /// a row of bits
    Row(u32),
    /// the same in each thread
    Number(bool),
}

/// What a thread can read about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// `%tid`, by axis
    Thread(usize),
    /// `%ntid`
    Threads(usize),
    /// `%ctaid`
    Block(usize),
    /// `%nctaid`
    Blocks(usize),
    /// `%laneid`
    Lane,
    /// `%envreg1` and `%envreg2`: where blocks of a cooperative launch meet, high and low word
    Meeting {
        /// which half of the address
        high: bool,
    },
}

/// Functions of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Binary {
    Add,
    Subtract,
    MultiplyLow,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
    ShiftRightSigned,
    Minimum,
    Maximum,
    MinimumSigned,
    MaximumSigned,
}

/// Comparisons of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What the carry flag has to do with an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carry {
    /// it is added
    pub reads: bool,
    /// it is set
    pub writes: bool,
}

/// Memory that an address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// everybody's
    Global,
    /// a block's
    Shared,
    /// the launch's parameters
    Parameter,
}

/// An address: base plus offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// in which memory
    pub space: Space,
    /// what is computed
    pub base: Base,
    /// what is written in the code
    pub offset: i64,
}

/// What an address is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// 32 bits, as shared memory has them
    Word(Word),
    /// 64 bits
    Long(Long),
}

/// A register that is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// a row of words, of which 16 bits are used
    Half(u32),
    /// a row of words
    Word(u32),
    /// a row of longs
    Long(u32),
}

/// A value that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// 32 bits or fewer
    Word(Word),
    /// 64 bits
    Long(Long),
}

/// Where a thread of a shuffle takes its value from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ShuffleMode {
    Up,
    Down,
    Butterfly,
    Index,
}

/// An instruction, the predicate that it depends on, and the PTX line it comes from.
#[derive(Debug, Clone)]
pub struct Instruction {
    /// a row of bits, and whether they must be unset
    pub guard: Option<(u32, bool)>,
    /// what is done
    pub operation: Operation,
    /// counted from 1
    pub line: u32,
}

/// What an instruction does. `to` is a row.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub enum Operation {
    MoveWord {
        to: u32,
        from: Word,
    },
    MoveLong {
        to: u32,
        from: Long,
    },
    MoveBit {
        to: u32,
        from: Bit,
    },
    Read {
        to: u32,
        from: Special,
    },
    Words {
        function: Binary,
        to: u32,
        a: Word,
        b: Word,
    },
    Longs {
        function: Binary,
        to: u32,
        a: Long,
        b: Long,
    },
    ShiftLong {
        function: Binary,
        to: u32,
        a: Long,
        by: Word,
    },
    Bits {
        function: Binary,
        to: u32,
        a: Bit,
        b: Bit,
    },
    Add {
        to: u32,
        a: Word,
        b: Word,
        carry: Carry,
    },
    Subtract {
        to: u32,
        a: Word,
        b: Word,
        borrow: Carry,
    },
    /// one half of a b, plus `plus`
    Multiply {
        to: u32,
        a: Word,
        b: Word,
        high: bool,
        plus: Word,
        carry: Carry,
    },
    MultiplyWide {
        to: u32,
        a: Word,
        b: Word,
        signed: bool,
    },
    LeadingZeros {
        to: u32,
        a: Word,
    },
    Reverse {
        to: u32,
        a: Word,
    },
    InsertWord {
        to: u32,
        from: Word,
        into: Word,
        at: Word,
        length: Word,
    },
    InsertLong {
        to: u32,
        from: Long,
        into: Long,
        at: Word,
        length: Word,
    },
    /// any function of three bits, by its table
    Logic {
        to: u32,
        a: Word,
        b: Word,
        c: Word,
        table: u8,
    },
    CompareWords {
        how: Comparison,
        signed: bool,
        to: u32,
        a: Word,
        b: Word,
    },
    CompareLongs {
        how: Comparison,
        signed: bool,
        to: u32,
        a: Long,
        b: Long,
    },
    SelectWord {
        to: u32,
        a: Word,
        b: Word,
        by: Bit,
    },
    SelectLong {
        to: u32,
        a: Long,
        b: Long,
        by: Bit,
    },
    /// the lowest `bits`, extended, then cut to the register's `width`
    ConvertWord {
        to: u32,
        from: Word,
        bits: u32,
        signed: bool,
        width: u32,
    },
    /// the same, to 64 bits
    Widen {
        to: u32,
        from: Word,
        bits: u32,
        signed: bool,
    },
    /// the same, from 64 bits
    Narrow {
        to: u32,
        from: Long,
        bits: u32,
        signed: bool,
        width: u32,
    },
    Load {
        to: Box<[Target]>,
        bits: u32,
        signed: bool,
        address: Address,
    },
    Store {
        from: Box<[Value]>,
        bits: u32,
        address: Address,
    },
    AtomicAdd {
        to: Option<u32>,
        address: Address,
        by: Word,
    },
    Shuffle {
        mode: ShuffleMode,
        to: u32,
        valid: Option<u32>,
        from: Word,
        by: Word,
        clamp: Word,
        members: Word,
    },
    Ballot {
        to: u32,
        of: Bit,
        members: Word,
    },
    ActiveMask {
        to: u32,
    },
    WarpBarrier {
        members: Word,
    },
    /// of the block; `aligned` if threads of a warp must come together
    Barrier {
        aligned: bool,
    },
    Branch {
        to: u32,
    },
    Exit,
    Trap,
}
