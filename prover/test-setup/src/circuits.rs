//! Circuits of a wanted size.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use crate::circuit::{Circuit, Combination};
use crate::numbers::Numbers;

/// What a synthetic circuit's witness looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Every signal is a full-size field element: the hardest case.
    Dense,
    /// Quantised activations: mostly bits, the rest small numbers, as in circuits of models.
    Model,
}

/// A satisfied circuit with exactly `constraints` constraints.
pub fn synthetic(kind: Kind, constraints: usize, public_count: usize, seed: u64) -> Circuit {
    match kind {
        Kind::Dense => dense(constraints, public_count, seed),
        Kind::Model => model(constraints, public_count, seed),
    }
}

/// A circuit of a model, and one constraint more with so many terms, as a dense layer has.
pub fn with_long_row(constraints: usize, terms: u32, seed: u64) -> Circuit {
    let mut circuit = model(constraints, 1, seed);
    let signals = circuit.witness.len() as u32;
    let row = (0..terms).map(|term| (term % signals, integer(i64::from(term) - 300)));
    circuit.product(row.collect(), vec![(0, Fr::ONE)]);
    circuit
}

/// Each constraint multiplies two sums of a few earlier signals into a new one.
fn dense(constraints: usize, public_count: usize, seed: u64) -> Circuit {
    let mut numbers = Numbers::new(seed);
    let public: Vec<Fr> = (0..public_count).map(|_| numbers.scalar()).collect();
    let mut circuit = Circuit::new(&public);
    // Something that is not the constant to start from, even without public signals.
    circuit.signal(numbers.scalar());
    while circuit.constraints.len() < constraints {
        let mut sum = || -> Combination {
            let known = circuit.witness.len() as u64;
            (0..1 + numbers.below(3))
                .map(|_| {
                    (
                        numbers.below(known) as u32,
                        Fr::from(1 + numbers.below(1 << 16)),
                    )
                })
                .collect()
        };
        let (left, right) = (sum(), sum());
        circuit.product(left, right);
    }
    circuit
}

/// Bits of an accumulator, and of the activation cut out of it.
const ACCUMULATOR_BITS: u32 = 16;
const ACTIVATION_BITS: u32 = 8;
const INPUTS: usize = 8;

/// Quantised ReLU after a sum of weighted earlier activations: the sum is taken apart into 16 bits
/// (one constraint each, one for their sum), and the sign bit times the upper bits is the output.
fn model(constraints: usize, public_count: usize, seed: u64) -> Circuit {
    let mut numbers = Numbers::new(seed);
    let public: Vec<Fr> = (0..public_count)
        .map(|_| Fr::from(numbers.below(1 << ACTIVATION_BITS)))
        .collect();
    let mut circuit = Circuit::new(&public);
    let mut activations: Vec<(u32, i64)> = (0..INPUTS)
        .map(|_| {
            let value = numbers.below(1 << ACTIVATION_BITS);
            (circuit.signal(Fr::from(value)), value as i64)
        })
        .collect();
    let per_activation = ACCUMULATOR_BITS as usize + 2;
    while circuit.constraints.len() + per_activation <= constraints {
        let activation = relu(&mut circuit, &activations, &mut numbers);
        activations.push(activation);
    }
    while circuit.constraints.len() < constraints {
        let bit = Fr::from(numbers.below(2));
        boolean(&mut circuit, bit);
    }
    circuit
}

fn relu(circuit: &mut Circuit, activations: &[(u32, i64)], numbers: &mut Numbers) -> (u32, i64) {
    let offset = 1i64 << (ACCUMULATOR_BITS - 1);
    let mut sum = offset;
    let mut combination: Combination = vec![(0, integer(offset))];
    for _ in 0..INPUTS {
        let (signal, value) = activations[numbers.below(activations.len() as u64) as usize];
        let weight = numbers.below(16) as i64 - 8;
        sum += weight * value;
        combination.push((signal, integer(weight)));
    }
    let bits: Vec<u32> = (0..ACCUMULATOR_BITS)
        .map(|bit| boolean(circuit, Fr::from((sum >> bit & 1) as u64)))
        .collect();
    let recomposed = bits
        .iter()
        .zip(0..)
        .map(|(&bit, power)| (bit, integer(1 << power)))
        .collect();
    circuit.constrain(recomposed, vec![(0, Fr::ONE)], combination);

    let shift = (ACCUMULATOR_BITS - 1 - ACTIVATION_BITS) as usize;
    let sign = bits[bits.len() - 1];
    let upper: Combination = bits[shift..bits.len() - 1]
        .iter()
        .zip(0..)
        .map(|(&bit, power)| (bit, integer(1 << power)))
        .collect();
    let output = circuit.product(vec![(sign, Fr::ONE)], upper);
    let value = if sum >= offset {
        (sum - offset) >> shift
    } else {
        0
    };
    (output, value)
}

fn boolean(circuit: &mut Circuit, value: Fr) -> u32 {
    let bit = circuit.signal(value);
    circuit.constrain(
        vec![(bit, Fr::ONE)],
        vec![(bit, Fr::ONE), (0, -Fr::ONE)],
        Vec::new(),
    );
    bit
}

fn integer(value: i64) -> Fr {
    let magnitude = Fr::from(value.unsigned_abs());
    if value < 0 {
        Fr::ZERO - magnitude
    } else {
        magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synthetic_circuits_are_satisfied_and_of_the_wanted_size() {
        for kind in [Kind::Dense, Kind::Model] {
            for (constraints, public_count) in [(1, 0), (2, 1), (61, 2), (500, 3)] {
                let circuit = synthetic(kind, constraints, public_count, 5);
                assert!(circuit.is_satisfied());
                assert_eq!(circuit.constraints.len(), constraints);
                assert_eq!(circuit.public_count, public_count);
            }
        }
    }

    #[test]
    fn a_long_row_has_all_its_terms() {
        let circuit = with_long_row(100, 3_000, 5);
        assert!(circuit.is_satisfied());
        assert_eq!(circuit.constraints.len(), 101);
        assert_eq!(circuit.constraints[100][0].len(), 3_000);
    }

    #[test]
    fn a_changed_witness_does_not_satisfy() {
        let mut circuit = synthetic(Kind::Model, 100, 1, 6);
        let last = circuit.witness.len() - 1;
        circuit.witness[last] += Fr::from(2);
        assert!(!circuit.is_satisfied());
    }
}
