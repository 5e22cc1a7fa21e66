//! Which instructions the arithmetic uses: chosen once, when the program runs.

use std::fmt;
use std::sync::OnceLock;

/// The environment variable that forces a choice.
pub const VARIABLE: &str = "HACA_PROVER_ISA";

/// A set of instructions that there is arithmetic for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// what every CPU has
    Plain,
    /// MUL, UMULH and ADCS: 64-bit products between chains of carries
    #[cfg(target_arch = "aarch64")]
    A64,
    /// MULX, ADCX and ADOX: 64-bit products with two carries at once
    #[cfg(target_arch = "x86_64")]
    Adx,
    /// 52-bit products in eight lanes of vector registers
    #[cfg(target_arch = "x86_64")]
    Ifma,
}

/// Why a forced choice is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum IsaError {
    /// There is no such set.
    Unknown(String),
    /// This CPU lacks it.
    Missing(Isa),
}

impl fmt::Display for IsaError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                let names = Isa::ALL.map(Isa::name).join(", ");
                write!(
                    formatter,
                    "{VARIABLE} is {name:?}: it can be one of {names}"
                )
            }
            Self::Missing(isa) => write!(
                formatter,
                "{VARIABLE} is {isa}, which this CPU lacks: it needs {}",
                isa.needs()
            ),
        }
    }
}

impl std::error::Error for IsaError {}

impl fmt::Display for Isa {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Isa {
    /// All of them, the fastest last.
    #[cfg(target_arch = "x86_64")]
    pub const ALL: [Self; 3] = [Self::Plain, Self::Adx, Self::Ifma];
    /// All of them, the fastest last.
    #[cfg(target_arch = "aarch64")]
    pub const ALL: [Self; 2] = [Self::Plain, Self::A64];
    /// All of them.
    #[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
    pub const ALL: [Self; 1] = [Self::Plain];

    /// As [`VARIABLE`] names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            #[cfg(target_arch = "aarch64")]
            Self::A64 => "a64",
            #[cfg(target_arch = "x86_64")]
            Self::Adx => "adx",
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => "ifma",
        }
    }

    fn needs(self) -> &'static str {
        match self {
            Self::Plain => "nothing",
            #[cfg(target_arch = "aarch64")]
            Self::A64 => "nothing",
            #[cfg(target_arch = "x86_64")]
            Self::Adx => "BMI2 and ADX",
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => "AVX-512 with F, DQ, VL and IFMA, BMI1 and BMI2",
        }
    }

    /// Whether this CPU (and its operating system, for vector registers) can run it.
    pub fn is_supported(self) -> bool {
        match self {
            Self::Plain => true,
            #[cfg(target_arch = "aarch64")]
            Self::A64 => true,
            #[cfg(target_arch = "x86_64")]
            Self::Adx => is_x86_feature_detected!("bmi2") && is_x86_feature_detected!("adx"),
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512ifma")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("bmi2")
            }
        }
    }

    /// The fastest that this CPU can run.
    pub fn best() -> Self {
        Self::ALL
            .into_iter()
            .rfind(|isa| isa.is_supported())
            .unwrap_or(Self::Plain)
    }

    /// What a value of [`VARIABLE`] asks for.
    ///
    /// # Errors
    /// [`IsaError`] for a name that is unknown, or of something that this CPU lacks.
    pub fn forced(name: &str) -> Result<Self, IsaError> {
        let isa = Self::ALL
            .into_iter()
            .find(|isa| isa.name() == name)
            .ok_or_else(|| IsaError::Unknown(name.to_owned()))?;
        if isa.is_supported() {
            Ok(isa)
        } else {
            Err(IsaError::Missing(isa))
        }
    }

    /// What [`VARIABLE`] asks for, or the fastest where it is not set.
    ///
    /// # Errors
    /// As [`Isa::forced`].
    pub fn from_environment() -> Result<Self, IsaError> {
        match std::env::var_os(VARIABLE) {
            None => Ok(Self::best()),
            Some(name) => Self::forced(&name.to_string_lossy()),
        }
    }
}

/// What this process computes with, from its first point or transform to its end: points in memory
/// have a form that belongs to it. A program looks at [`Isa::from_environment`] before, and ends if
/// that is an error; where nobody looked, a value that cannot be had counts as none.
pub fn chosen() -> Isa {
    static CHOSEN: OnceLock<Isa> = OnceLock::new();
    *CHOSEN.get_or_init(|| Isa::from_environment().unwrap_or_else(|_| Isa::best()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_forced_by_name() {
        assert_eq!(Isa::forced("plain"), Ok(Isa::Plain));
        for isa in Isa::ALL {
            let expected = if isa.is_supported() {
                Ok(isa)
            } else {
                Err(IsaError::Missing(isa))
            };
            assert_eq!(Isa::forced(isa.name()), expected);
        }
        assert!(Isa::best().is_supported());
    }

    #[test]
    fn a_name_that_is_none_is_refused_in_one_line() {
        for name in ["", "PLAIN", "avx", "plain "] {
            let message = Isa::forced(name).unwrap_err().to_string();
            assert!(message.starts_with(VARIABLE), "{message}");
            assert!(
                message.contains("plain") && !message.contains('\n'),
                "{message}"
            );
        }
    }
}
