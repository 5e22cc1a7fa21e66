//! Rank-1 constraint systems with a witness.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

/// A linear combination: signal and coefficient.
pub type Combination = Vec<(u32, Fr)>;

/// Product of the first two combinations equals the third.
pub type Constraint = [Combination; 3];

/// A circuit and a witness of it.
#[derive(Debug, Clone)]
pub struct Circuit {
    /// number of public signals, which come right after the constant
    pub public_count: usize,
    /// the constraints
    pub constraints: Vec<Constraint>,
    /// values of all signals, the constant 1 first
    pub witness: Vec<Fr>,
}

impl Circuit {
    /// A circuit without constraints on these public signals.
    pub fn new(public: &[Fr]) -> Self {
        let witness = core::iter::once(Fr::ONE)
            .chain(public.iter().copied())
            .collect();
        Self {
            public_count: public.len(),
            constraints: Vec::new(),
            witness,
        }
    }

    /// A further signal.
    pub fn signal(&mut self, value: Fr) -> u32 {
        self.witness.push(value);
        self.witness.len() as u32 - 1
    }

    /// A further constraint.
    pub fn constrain(&mut self, left: Combination, right: Combination, product: Combination) {
        self.constraints.push([left, right, product]);
    }

    /// A further signal that is the product of two combinations.
    pub fn product(&mut self, left: Combination, right: Combination) -> u32 {
        let signal = self.signal(self.value(&left) * self.value(&right));
        self.constrain(left, right, vec![(signal, Fr::ONE)]);
        signal
    }

    /// Value of a combination.
    pub fn value(&self, combination: &[(u32, Fr)]) -> Fr {
        combination.iter().fold(Fr::ZERO, |sum, (signal, factor)| {
            sum + self.witness[*signal as usize] * factor
        })
    }

    /// Whether the witness satisfies every constraint.
    pub fn is_satisfied(&self) -> bool {
        self.constraints.iter().all(|[left, right, product]| {
            self.value(left) * self.value(right) == self.value(product)
        })
    }

    /// Logarithm of the domain that snarkjs uses: room for the constraints and one more for each
    /// public signal and the constant.
    pub fn log_domain(&self) -> u32 {
        let rows = self.constraints.len() + self.public_count + 1;
        usize::BITS - (rows - 1).leading_zeros()
    }
}
