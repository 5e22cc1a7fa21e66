//! The first key of a circuit: all that follows from the circuit and the powers of tau, with gamma and
//! delta still the generator. Byte for byte what snarkjs 0.7 makes (`zkey new`), its hash of the
//! circuit included.

use ark_bn254::{Fr, FrConfig, G1Affine, G2Affine, g1, g2};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Affine;
use ark_ff::{BigInt, MontConfig};
use blake2::{Blake2b512, Digest};
use haca_prover_formats::bn254::{BASE_MODULUS, SCALAR_MODULUS};
use haca_prover_formats::ptau::{PowersFile, Prepared};
use haca_prover_formats::r1cs::{CircuitFile, Side};
use haca_prover_formats::zkey::{G1_BYTES, G2_BYTES};
use rayon::prelude::*;

use crate::addition::Adder;
use crate::columns::Columns;
use crate::combine::{Source, by_wire};
use crate::error::CeremonyError;
use crate::parties::Hash;
use crate::points::{self, Group, Points};
use crate::progress::Progress;
use crate::unreduced;

/// Wires whose points are in memory at once.
const WIRES: usize = 1 << 15;
/// Points of H that snarkjs hashes at once.
const HASHED_POINTS: usize = 1 << 14;
const COEFFICIENT_BYTES: u64 = 44;
const GROTH16: u32 = 1;
/// The transform of a proof needs a root of unity of twice the order.
const MAX_LOG_DOMAIN: u32 = 27;
/// What a point of the second group costs beside one of the first.
const G2_WORK: u64 = 3;

/// Numbers of sections.
pub const PROTOCOL: u32 = 1;
/// Header and verifying key.
pub const HEADER: u32 = 2;
/// Points of the public signals.
pub const IC: u32 = 3;
/// Coefficients of A and B.
pub const COEFFICIENTS: u32 = 4;
/// Points of A.
pub const A: u32 = 5;
/// Points of B in the first group.
pub const B1: u32 = 6;
/// Points of B in the second group.
pub const B2: u32 = 7;
/// Points of the private signals, over delta.
pub const C: u32 = 8;
/// Powers of tau times the vanishing polynomial, over delta.
pub const H: u32 = 9;
/// Hash of the circuit and contributions.
pub const CONTRIBUTIONS: u32 = 10;
/// How many there are.
pub const SECTIONS: u32 = 10;

/// Takes the key piece by piece.
pub trait Receiver {
    /// The next section and its length.
    ///
    /// # Errors
    /// Ends the work.
    fn section(&mut self, number: u32, length: u64) -> Result<(), CeremonyError>;
    /// Bytes of the current section.
    ///
    /// # Errors
    /// Ends the work.
    fn add(&mut self, bytes: &[u8]) -> Result<(), CeremonyError>;
}

/// A circuit with powers of tau that are large enough.
pub struct InitialKey<'a> {
    circuit: &'a CircuitFile<'a>,
    powers: &'a PowersFile<'a>,
    prepared: Prepared<'a>,
    log_domain: u32,
    columns: [Columns; 3],
    lagrange1: Points<'a, g1::Config>,
    lagrange2: Points<'a, g2::Config>,
    lagrange_alpha: Points<'a, g1::Config>,
    lagrange_beta: Points<'a, g1::Config>,
    tau: Points<'a, g1::Config>,
    alpha1: G1Affine,
    beta1: G1Affine,
    beta2: G2Affine,
}

impl<'a> InitialKey<'a> {
    /// Looks whether the powers suffice, and checks the points that are needed.
    ///
    /// # Errors
    /// [`CeremonyError::PowersTooFew`], [`CeremonyError::BadPoint`] and refusals of the format.
    pub fn new(
        circuit: &'a CircuitFile<'a>,
        powers: &'a PowersFile<'a>,
    ) -> Result<Self, CeremonyError> {
        let log_domain = circuit.log_domain();
        if log_domain > powers.power.min(MAX_LOG_DOMAIN) {
            return Err(CeremonyError::PowersTooFew {
                found: powers.power.min(MAX_LOG_DOMAIN),
                needed: log_domain,
            });
        }
        let prepared = powers.prepared()?;
        let needed = ((2usize << log_domain) * G1_BYTES).min(powers.tau1.len());
        Ok(Self {
            circuit,
            powers,
            prepared,
            log_domain,
            columns: Columns::of(circuit),
            lagrange1: level("Lagrange points in G1", prepared.tau1, log_domain)?,
            lagrange2: level("Lagrange points in G2", prepared.tau2, log_domain)?,
            lagrange_alpha: level("Lagrange points with alpha", prepared.alpha1, log_domain)?,
            lagrange_beta: level("Lagrange points with beta", prepared.beta1, log_domain)?,
            tau: Points::check("powers of tau in G1", &powers.tau1[..needed])?,
            alpha1: points::read_one("alpha in G1", &powers.alpha1[..G1_BYTES])?,
            beta1: points::read_one("beta in G1", &powers.beta1[..G1_BYTES])?,
            beta2: points::read_one("beta in G2", powers.beta2)?,
        })
    }

    /// Sends all sections in their order.
    ///
    /// # Returns
    /// The hash of the circuit.
    ///
    /// # Errors
    /// Those of the receiver, and [`CeremonyError::NothingBehindPowers`].
    pub fn send(&self, receiver: &mut dyn Receiver) -> Result<Hash, CeremonyError> {
        let wires = self.circuit.wire_count as usize;
        let public = self.circuit.public_count as usize + 1;
        let domain = 1usize << self.log_domain;
        let progress = Progress::new("key", self.work());
        let mut hasher = Blake2b512::new();

        receiver.section(PROTOCOL, 4)?;
        receiver.add(&GROTH16.to_le_bytes())?;
        self.send_header(receiver, &mut hasher)?;
        self.send_coefficients(receiver)?;

        let [a, b, c] = &self.columns;
        let linear = [
            source(a, self.lagrange_beta),
            source(b, self.lagrange_alpha),
            source(c, self.lagrange1),
        ];
        let mut wires_of = |section, sources: &[_], wires| {
            self.send_wires(section, sources, wires, receiver, &mut hasher, &progress)
        };
        wires_of(IC, &linear, 0..public)?;
        receiver.section(H, (domain * G1_BYTES) as u64)?;
        self.send_h(receiver)?;
        self.hash_h(&mut hasher)?;
        progress.advance(domain as u64);
        let mut wires_of = |section, sources: &[_], wires| {
            self.send_wires(section, sources, wires, receiver, &mut hasher, &progress)
        };
        wires_of(C, &linear, public..wires)?;
        wires_of(A, &[source(a, self.lagrange1)], 0..wires)?;
        wires_of(B1, &[source(b, self.lagrange1)], 0..wires)?;
        let b2 = [source(b, self.lagrange2)];
        self.send_wires(B2, &b2, 0..wires, receiver, &mut hasher, &progress)?;

        let hash: Hash = hasher.finalize().into();
        receiver.section(CONTRIBUTIONS, hash.len() as u64 + 4)?;
        receiver.add(&hash)?;
        receiver.add(&0u32.to_le_bytes())?;
        Ok(hash)
    }

    /// All points that are sent, and all terms, by their costs.
    fn work(&self) -> u64 {
        let [a, b, c] = self.columns.each_ref().map(|columns| columns.len() as u64);
        let wires = u64::from(self.circuit.wire_count);
        2 * a + (2 + G2_WORK) * b + c + (3 + G2_WORK) * wires + (1 << self.log_domain)
    }

    fn send_header(
        &self,
        receiver: &mut dyn Receiver,
        hasher: &mut Blake2b512,
    ) -> Result<(), CeremonyError> {
        let (one1, one2) = (G1Affine::generator(), G2Affine::generator());
        let mut header = Vec::new();
        for modulus in [BASE_MODULUS, SCALAR_MODULUS] {
            header.extend(32u32.to_le_bytes());
            header.extend(modulus.iter().flat_map(|word| word.to_le_bytes()));
        }
        for number in [
            self.circuit.wire_count,
            self.circuit.public_count,
            1 << self.log_domain,
        ] {
            header.extend(number.to_le_bytes());
        }
        points::write(&[self.alpha1, self.beta1], &mut header);
        points::write(&[self.beta2, one2], &mut header);
        points::write(&[one1], &mut header);
        points::write(&[one2], &mut header);
        hasher.update(points::to_hashed(&[self.alpha1, self.beta1]));
        hasher.update(points::to_hashed(&[self.beta2, one2]));
        hasher.update(points::to_hashed(&[one1]));
        hasher.update(points::to_hashed(&[one2]));
        receiver.section(HEADER, header.len() as u64)?;
        receiver.add(&header)
    }

    /// A and B in the order of the circuit's file, zeros and repetitions included, then A's rows for
    /// the constant and the public signals. Values are times 2^512.
    fn send_coefficients(&self, receiver: &mut dyn Receiver) -> Result<(), CeremonyError> {
        const CHUNK: usize = 1 << 20;
        let [a, b, _] = &self.columns;
        let count = a.len() + b.len();
        receiver.section(COEFFICIENTS, 4 + count as u64 * COEFFICIENT_BYTES)?;
        receiver.add(&(count as u32).to_le_bytes())?;
        let mut bytes = Vec::with_capacity(CHUNK);
        let mut push = |matrix: u32, row: u32, wire: u32, value: Fr| {
            for number in [matrix, row, wire] {
                bytes.extend(number.to_le_bytes());
            }
            let words = value.0.0;
            bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
            if bytes.len() + COEFFICIENT_BYTES as usize > CHUNK {
                receiver.add(&bytes)?;
                bytes.clear();
            }
            Ok::<_, CeremonyError>(())
        };
        // The Montgomery form of the Montgomery form.
        let twice = |value| Fr::new(BigInt(value)) * Fr::new_unchecked(FrConfig::R2);
        let one = twice([1, 0, 0, 0]);
        for term in self.circuit.terms() {
            let matrix = match term.side {
                Side::A => 0,
                Side::B => 1,
                Side::C => continue,
            };
            let value = match self.circuit.value(term.place) {
                [1, 0, 0, 0] => one,
                value => twice(value),
            };
            push(matrix, term.constraint, term.wire, value)?;
        }
        for wire in 0..=self.circuit.public_count {
            push(0, self.circuit.constraint_count + wire, wire, one)?;
        }
        receiver.add(&bytes)
    }

    /// The odd points of the next size.
    fn send_h(&self, receiver: &mut dyn Receiver) -> Result<(), CeremonyError> {
        const CHUNK: usize = 1 << 13;
        let next = Prepared::level(self.prepared.tau1, self.log_domain + 1, G1_BYTES);
        // Checked piece by piece: these points are copied, not computed with.
        Points::<g1::Config>::check("Lagrange points in G1", next)?;
        for pairs in next.chunks(2 * G1_BYTES * CHUNK) {
            let odd: Vec<u8> = pairs
                .chunks_exact(2 * G1_BYTES)
                .flat_map(|pair| &pair[G1_BYTES..])
                .copied()
                .collect();
            receiver.add(&odd)?;
        }
        Ok(())
    }

    /// Adds tau^i (tau^N - 1), as snarkjs does: from 2^15 on it takes one more than there are.
    fn hash_h(&self, hasher: &mut Blake2b512) -> Result<(), CeremonyError> {
        let domain = 1usize << self.log_domain;
        hasher.update((domain as u32 - 1).to_be_bytes());
        let count = if domain - 1 <= HASHED_POINTS {
            domain - 1
        } else {
            domain
        };
        // Index of the point that is too much, where the file has it.
        let within = count.min(self.tau.len() - domain);
        for start in (0..within).step_by(WIRES) {
            let end = (start + WIRES).min(within);
            let pieces: Vec<Vec<G1Affine>> = (start..end)
                .into_par_iter()
                .step_by(1 << 10)
                .map(|from| {
                    let to = (from + (1 << 10)).min(end);
                    let mut left: Vec<_> =
                        self.tau.range(from + domain..to + domain).iter().collect();
                    let right: Vec<_> = self
                        .tau
                        .range(from..to)
                        .iter()
                        .map(|point| -point)
                        .collect();
                    Adder::new().add(&mut left, &right);
                    left
                })
                .collect();
            hasher.update(points::to_hashed(&pieces.concat()));
        }
        if within < count {
            let behind = self
                .powers
                .behind_tau1
                .ok_or(CeremonyError::NothingBehindPowers {
                    power: self.log_domain,
                })?;
            let difference = unreduced::subtract_point(behind, &self.tau.get(within));
            hasher.update(points::to_hashed(&[difference]));
        }
        Ok(())
    }

    fn send_wires<P: Group>(
        &self,
        section: u32,
        sources: &[Source<P>],
        wires: core::ops::Range<usize>,
        receiver: &mut dyn Receiver,
        hasher: &mut Blake2b512,
        progress: &Progress,
    ) -> Result<(), CeremonyError> {
        receiver.section(section, (wires.len() * P::BYTES) as u64)?;
        hasher.update((wires.len() as u32).to_be_bytes());
        let work = if P::BYTES == G2_BYTES { G2_WORK } else { 1 };
        let mut bytes = Vec::new();
        for start in wires.clone().step_by(WIRES) {
            let part = start..(start + WIRES).min(wires.end);
            let sums: Vec<Affine<P>> = by_wire(self.circuit, sources, part.clone());
            bytes.clear();
            points::write(&sums, &mut bytes);
            receiver.add(&bytes)?;
            hasher.update(points::to_hashed(&sums));
            let terms: usize = part
                .flat_map(|wire| sources.iter().map(move |source| (source, wire)))
                .map(|(source, wire)| source.columns.wire(wire).len())
                .sum();
            progress.advance(work * (terms + sums.len()) as u64);
        }
        Ok(())
    }
}

fn source<'a, P>(columns: &'a Columns, points: Points<'a, P>) -> Source<'a, P> {
    Source { columns, points }
}

fn level<'a, P: Group>(
    what: &'static str,
    list: &'a [u8],
    log: u32,
) -> Result<Points<'a, P>, CeremonyError> {
    Points::check(what, Prepared::level(list, log, P::BYTES))
}
