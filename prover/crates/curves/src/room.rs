//! Where arithmetic happens: a room for each instruction set.
//!
//! A loop that is worth it is a [`Work`]: everything below its `run` is inlined into one function
//! that the compiler translates with the room's instructions. So the choice is made once for
//! thousands of operations, and the operations themselves are single instructions.

use ark_bn254::{Fq, Fr};

use crate::lanes::{Lanes, ScalarLanes, plain::Plain as PlainLanes};

/// A loop to be translated for each room.
pub trait Work {
    /// What comes out.
    type Output;
    /// Does the work; must be `#[inline(always)]`, with all that touches lanes.
    fn run(self) -> Self::Output;
}

/// The arithmetic of one instruction set.
///
/// Lanes of a room are for CPUs that have its instructions: [`in_chosen_room`] alone picks a room
/// for the program, tests ask [`crate::isa::Isa::is_supported`].
pub trait Room: Send + Sync + 'static {
    /// Lanes of the base field.
    type Fq: Lanes<Element = Fq, Words = [u64; 4]>;
    /// Lanes of the scalar field.
    type Fr: ScalarLanes<Element = Fr>;

    /// Does work with the room's instructions.
    fn run<W: Work>(work: W) -> W::Output;
}

/// For every CPU.
#[derive(Debug)]
pub struct Plain;

impl Room for Plain {
    type Fq = PlainLanes<Fq>;
    type Fr = PlainLanes<Fr>;

    fn run<W: Work>(work: W) -> W::Output {
        work.run()
    }
}

#[cfg(target_arch = "aarch64")]
pub use arm::A64;
#[cfg(target_arch = "x86_64")]
pub use x86::{Adx, Ifma};

#[cfg(target_arch = "aarch64")]
mod arm {
    use ark_bn254::{FqConfig, FrConfig};

    use super::{Room, Work};
    use crate::lanes::limbs::LimbLanes;

    /// For every CPU of this architecture.
    #[derive(Debug)]
    pub struct A64;

    impl Room for A64 {
        type Fq = LimbLanes<FqConfig>;
        type Fr = LimbLanes<FrConfig>;

        fn run<W: Work>(work: W) -> W::Output {
            work.run()
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![allow(unsafe_code)]

    use ark_bn254::{FqConfig, FrConfig};

    use super::{Room, Work};
    use crate::lanes::{ifma, limbs::LimbLanes};

    /// For CPUs with BMI2 and ADX.
    #[derive(Debug)]
    pub struct Adx;
    /// For CPUs with AVX-512 IFMA.
    #[derive(Debug)]
    pub struct Ifma;

    impl Room for Adx {
        type Fq = LimbLanes<FqConfig>;
        type Fr = LimbLanes<FrConfig>;

        fn run<W: Work>(work: W) -> W::Output {
            #[target_feature(enable = "bmi2,adx")]
            fn with_instructions<W: Work>(work: W) -> W::Output {
                work.run()
            }
            // SAFETY: only on a CPU with these instructions does a caller come here (see `Room`).
            unsafe { with_instructions(work) }
        }
    }

    impl Room for Ifma {
        type Fq = ifma::Ifma<FqConfig>;
        type Fr = ifma::Ifma<FrConfig>;

        fn run<W: Work>(work: W) -> W::Output {
            #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512ifma,bmi1,bmi2")]
            fn with_instructions<W: Work>(work: W) -> W::Output {
                work.run()
            }
            // SAFETY: as above.
            unsafe { with_instructions(work) }
        }
    }
}

/// Evaluates an expression in the room that [`crate::isa::chosen`] names.
macro_rules! in_chosen_room {
    ($room:ident => $body:expr) => {
        match $crate::isa::chosen() {
            $crate::isa::Isa::Plain => {
                type $room = $crate::room::Plain;
                $body
            }
            #[cfg(target_arch = "aarch64")]
            $crate::isa::Isa::A64 => {
                type $room = $crate::room::A64;
                $body
            }
            #[cfg(target_arch = "x86_64")]
            $crate::isa::Isa::Adx => {
                type $room = $crate::room::Adx;
                $body
            }
            #[cfg(target_arch = "x86_64")]
            $crate::isa::Isa::Ifma => {
                type $room = $crate::room::Ifma;
                $body
            }
        }
    };
}
pub(crate) use in_chosen_room;

/// Evaluates an expression in every room that this CPU can run.
#[cfg(test)]
macro_rules! in_every_room {
    ($room:ident => $body:expr) => {{
        {
            type $room = $crate::room::Plain;
            $body;
        }
        #[cfg(target_arch = "aarch64")]
        {
            type $room = $crate::room::A64;
            $body;
        }
        #[cfg(target_arch = "x86_64")]
        if $crate::isa::Isa::Adx.is_supported() {
            type $room = $crate::room::Adx;
            $body;
        }
        #[cfg(target_arch = "x86_64")]
        if $crate::isa::Isa::Ifma.is_supported() {
            type $room = $crate::room::Ifma;
            $body;
        }
    }};
}
#[cfg(test)]
pub(crate) use in_every_room;
