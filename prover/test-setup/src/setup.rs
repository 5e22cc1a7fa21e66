//! The setup, with known secrets.

use ark_bn254::{Fr, g1, g2};
use ark_ff::{AdditiveGroup, FftField, Field, PrimeField};

use crate::circuit::{Circuit, Combination};
use crate::fixed_base::Multiples;
use crate::numbers::Numbers;
use crate::write::{Binary, bytes_of_g1, bytes_of_g2};

const GROTH16: u32 = 1;

/// What a ceremony would have destroyed.
struct ToxicWaste {
    tau: Fr,
    alpha: Fr,
    beta: Fr,
    gamma: Fr,
    delta: Fr,
}

/// Values at tau of each signal's polynomials.
struct Evaluations {
    a: Vec<Fr>,
    b: Vec<Fr>,
    c: Vec<Fr>,
}

/// A `.zkey` for the circuit. Anyone who knows `seed` can forge proofs for it.
pub fn write_zkey(circuit: &Circuit, seed: u64) -> Vec<u8> {
    let mut numbers = Numbers::new(seed);
    let mut secret = || numbers.scalar();
    let waste = ToxicWaste {
        tau: secret(),
        alpha: secret(),
        beta: secret(),
        gamma: secret(),
        delta: secret(),
    };
    let log_domain = circuit.log_domain();
    let evaluations = evaluate(circuit, &lagrange(log_domain, waste.tau));
    let linear: Vec<Fr> = (0..circuit.witness.len())
        .map(|signal| {
            waste.beta * evaluations.a[signal]
                + waste.alpha * evaluations.b[signal]
                + evaluations.c[signal]
        })
        .collect();
    let (public, private) = linear.split_at(circuit.public_count + 1);
    let over = |values: &[Fr], divisor: Fr| -> Vec<Fr> {
        let inverse = divisor.inverse().unwrap_or(Fr::ZERO);
        values.iter().map(|value| *value * inverse).collect()
    };

    let multiples1 = Multiples::<g1::Config>::of_generator();
    let multiples2 = Multiples::<g2::Config>::of_generator();
    let g1 = |scalars: &[Fr]| bytes_of_g1(&multiples1.all(scalars));
    let g2 = |scalars: &[Fr]| bytes_of_g2(&multiples2.all(scalars));

    let mut header = Vec::new();
    for modulus in [ark_bn254::Fq::MODULUS, Fr::MODULUS] {
        header.extend(32u32.to_le_bytes());
        header.extend(modulus.0.iter().flat_map(|word| word.to_le_bytes()));
    }
    for number in [circuit.witness.len(), circuit.public_count, 1 << log_domain] {
        header.extend((number as u32).to_le_bytes());
    }
    header.extend(g1(&[waste.alpha, waste.beta]));
    header.extend(g2(&[waste.beta, waste.gamma]));
    header.extend(g1(&[waste.delta]));
    header.extend(g2(&[waste.delta]));

    let mut file = Binary::new("zkey", 1);
    file.section(1, GROTH16.to_le_bytes().to_vec());
    file.section(2, header);
    file.section(3, g1(&over(public, waste.gamma)));
    file.section(4, coefficients(circuit));
    file.section(5, g1(&evaluations.a));
    file.section(6, g1(&evaluations.b));
    file.section(7, g2(&evaluations.b));
    file.section(8, g1(&over(private, waste.delta)));
    file.section(
        9,
        g1(&over(&odd_lagrange(log_domain, waste.tau), waste.delta)),
    );
    // No contributions: hash of the circuit (zeros), then their number.
    file.section(10, [[0; 64].as_slice(), &0u32.to_le_bytes()].concat());
    file.finish()
}

/// A `.wtns` with the circuit's witness.
pub fn write_witness(circuit: &Circuit) -> Vec<u8> {
    let mut header = 32u32.to_le_bytes().to_vec();
    header.extend(Fr::MODULUS.0.iter().flat_map(|word| word.to_le_bytes()));
    header.extend((circuit.witness.len() as u32).to_le_bytes());
    let values = circuit
        .witness
        .iter()
        .flat_map(|value| value.into_bigint().0)
        .flat_map(u64::to_le_bytes)
        .collect();
    let mut file = Binary::new("wtns", 2);
    file.section(1, header);
    file.section(2, values);
    file.finish()
}

/// All rows of a matrix, with those that snarkjs adds to A for the constant and public signals.
fn rows(circuit: &Circuit, matrix: usize) -> impl Iterator<Item = (usize, Combination)> + '_ {
    let own = circuit
        .constraints
        .iter()
        .map(move |constraint| constraint[matrix].clone());
    let extra = (0..=circuit.public_count as u32).map(|signal| vec![(signal, Fr::ONE)]);
    own.chain(extra.take(if matrix == 0 { usize::MAX } else { 0 }))
        .enumerate()
}

fn evaluate(circuit: &Circuit, lagrange: &[Fr]) -> Evaluations {
    let polynomials = |matrix| {
        let mut values = vec![Fr::ZERO; circuit.witness.len()];
        for (row, combination) in rows(circuit, matrix) {
            for (signal, factor) in combination {
                values[signal as usize] += lagrange[row] * factor;
            }
        }
        values
    };
    Evaluations {
        a: polynomials(0),
        b: polynomials(1),
        c: polynomials(2),
    }
}

fn coefficients(circuit: &Circuit) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    let mut count = 0u32;
    for matrix in 0..2u32 {
        for (row, combination) in rows(circuit, matrix as usize) {
            for (signal, factor) in combination {
                for number in [matrix, row as u32, signal] {
                    bytes.extend(number.to_le_bytes());
                }
                // arkworks keeps v 2^256; the file wants v 2^512.
                let scaled = factor * Fr::new_unchecked(Fr::R2);
                bytes.extend(scaled.0.0.iter().flat_map(|word| word.to_le_bytes()));
                count += 1;
            }
        }
    }
    bytes[..4].copy_from_slice(&count.to_le_bytes());
    bytes
}

/// Lagrange polynomials of the N-th roots of unity at tau.
fn lagrange(log_size: u32, tau: Fr) -> Vec<Fr> {
    let root = Fr::get_root_of_unity(1 << log_size).unwrap_or(Fr::ONE);
    lagrange_at(tau, Fr::ONE, root, 1 << log_size, 1 << log_size)
}

/// Lagrange polynomials of the 2N-th roots of unity at tau, the odd ones.
fn odd_lagrange(log_size: u32, tau: Fr) -> Vec<Fr> {
    let root = Fr::get_root_of_unity(2 << log_size).unwrap_or(Fr::ONE);
    lagrange_at(tau, root, root.square(), 1 << log_size, 2 << log_size)
}

/// (tau^order - 1) / order * w / (tau - w) for `count` roots w of that order.
fn lagrange_at(tau: Fr, first: Fr, step: Fr, count: usize, order: u64) -> Vec<Fr> {
    let scale = (tau.pow([order]) - Fr::ONE) / Fr::from(order);
    let roots: Vec<Fr> = core::iter::successors(Some(first), |root| Some(*root * step))
        .take(count)
        .collect();
    let mut inverses: Vec<Fr> = roots.iter().map(|root| tau - root).collect();
    ark_ff::batch_inversion(&mut inverses);
    roots
        .iter()
        .zip(&inverses)
        .map(|(root, inverse)| scale * root * inverse)
        .collect()
}
