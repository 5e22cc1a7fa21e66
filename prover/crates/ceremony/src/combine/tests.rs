use ark_bn254::{Fr, g1, g2};
use ark_ec::CurveGroup;
use ark_ff::{AdditiveGroup, BigInt, PrimeField};
use haca_prover_test_setup::numbers::Numbers;
use haca_prover_test_setup::{Circuit, write_r1cs};

use super::*;
use crate::points;

/// Sums one by one, by arkworks.
fn slowly<P: Group>(
    circuit: &CircuitFile,
    sources: &[Source<P>],
    wires: core::ops::Range<usize>,
) -> Vec<Affine<P>> {
    wires
        .map(|wire| {
            let mut sum = ark_ec::short_weierstrass::Projective::<P>::ZERO;
            for source in sources {
                for term in source.columns.wire(wire) {
                    let value = Fr::from_bigint(BigInt(term.value(circuit))).unwrap();
                    sum += source.points.get(term.row as usize) * value;
                }
            }
            sum.into_affine()
        })
        .collect()
}

/// Rows with coefficients of all kinds: none, small ones of both signs, powers of two, full ones; wires
/// in one row, in many and in none; the same wire twice in a row.
fn circuit(rows: usize, seed: u64) -> Circuit {
    let mut numbers = Numbers::new(seed);
    let mut circuit = Circuit::new(&[Fr::from(3), Fr::from(4)]);
    for _ in 0..50 {
        circuit.signal(Fr::ZERO);
    }
    for _ in 0..rows {
        let mut side = || {
            (0..numbers.below(5))
                .map(|_| {
                    let wire = [0, 1, numbers.below(45)][numbers.below(3) as usize] as u32;
                    let value = match numbers.below(5) {
                        0 => Fr::ZERO,
                        1 => Fr::from(1u64 << numbers.below(60)),
                        2 => numbers.scalar(),
                        3 => -Fr::from(numbers.below(256)),
                        _ => Fr::from(numbers.below(3)),
                    };
                    (wire, value)
                })
                .collect()
        };
        let (left, right, product) = (side(), side(), side());
        circuit.constrain(left, right, product);
    }
    circuit
}

fn check<P: Group>(rows: usize, seed: u64) {
    let circuit = circuit(rows, seed);
    let mut numbers = Numbers::new(seed);
    // Among the points: infinity, and equal and opposite ones.
    let list: Vec<Affine<P>> = (0..rows + 3)
        .map(|_| (Affine::<P>::generator() * Fr::from(numbers.below(7) as i64 - 3)).into_affine())
        .collect();
    let mut bytes = Vec::new();
    points::write(&list, &mut bytes);
    let list = Points::<P>::check("points", &bytes).unwrap();
    let file = write_r1cs(&circuit);
    let file = CircuitFile::read(&file).unwrap();
    let [a, b, c] = Columns::of(&file);
    let sources = [&a, &b, &c].map(|columns| Source {
        columns,
        points: list,
    });
    let wires = file.wire_count as usize;
    for range in [0..wires, 3..wires, 7..7] {
        assert_eq!(
            by_wire(&file, &sources, range.clone()),
            slowly(&file, &sources, range)
        );
    }
}

#[test]
fn sums_are_those_of_arkworks() {
    for seed in 0..8 {
        check::<g1::Config>(40, seed);
    }
    check::<g1::Config>(3000, 9);
    check::<g2::Config>(60, 10);
}
