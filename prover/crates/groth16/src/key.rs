//! Proving keys in memory.

use std::sync::{Arc, Weak};

use ark_bn254::{G1Affine, G2Affine};
use haca_prover_curves::msm::{SignedScalar, msm};
use haca_prover_curves::point::{Curve, G1, G2, PackedPoint};
use haca_prover_formats::bn254::SCALAR_MODULUS;
use haca_prover_formats::zkey::{G1_BYTES, G2_BYTES, KeyFile};
use rayon::prelude::*;

use crate::error::ProverError;
use crate::points::{FilePoint, read_one};
use crate::quotient::Transform;
use crate::random;
use crate::sparse::{self, SparseMatrix, Values};
use crate::trust::KeyTrust;
use crate::verify::{VerifyingKey, VerifyingParts};

/// Rounds of the subgroup test. One round misses a bad point with probability 1/10069 at most (the
/// smallest prime factor of G2's cofactor).
const SUBGROUP_ROUNDS: usize = 3;

/// A checked proving key, independent of the file that it came from.
pub struct ProvingKey {
    /// shared with whoever keeps something for as long as the key is there
    life: Arc<()>,
    pub(crate) trust: KeyTrust,
    pub(crate) signal_count: usize,
    pub(crate) public_count: usize,
    pub(crate) a_rows: SparseMatrix,
    pub(crate) b_rows: SparseMatrix,
    pub(crate) values: Values,
    pub(crate) transform: Transform,
    pub(crate) a: PointList<G1>,
    pub(crate) b1: PointList<G1>,
    pub(crate) b2: PointList<G2>,
    pub(crate) c: PointList<G1>,
    pub(crate) h: PointList<G1>,
    pub(crate) alpha1: G1Affine,
    pub(crate) beta1: G1Affine,
    pub(crate) beta2: G2Affine,
    pub(crate) delta1: G1Affine,
    pub(crate) delta2: G2Affine,
    verifying: VerifyingKey,
    log_domain: u32,
}

/// Points of a section that are not at infinity, and the scalars that belong to them.
pub(crate) struct PointList<C: Curve> {
    pub points: Vec<PackedPoint<C>>,
    pub signals: Vec<u32>,
}

impl ProvingKey {
    /// Checks every point of the key and takes it into memory.
    ///
    /// # Errors
    /// [`ProverError::BadPoint`] for a point off its curve or group,
    /// [`ProverError::PointIsGenerator`] and [`ProverError::PointsRelated`] for a key that anyone could
    /// forge proofs with.
    pub fn from_file(file: &KeyFile) -> Result<Self, ProverError> {
        Self::from_file_trusting(file, KeyTrust::Unknown)
    }

    /// The same, with less to check where the key is known.
    ///
    /// # Errors
    /// As [`ProvingKey::from_file`].
    pub fn from_file_trusting(file: &KeyFile, trust: KeyTrust) -> Result<Self, ProverError> {
        let (alpha1, beta1, beta2, delta1, delta2, verifying) = read_verifying(file)?;
        let private_start = file.public_count + 1;
        let g1 = |what, bytes, first_signal| {
            read_list::<G1, G1Affine>(what, bytes, G1_BYTES, first_signal, trust)
        };
        let (((a, b1), (c, h)), (b2, ((a_rows, b_rows, values), transform))) = rayon::join(
            || {
                rayon::join(
                    || (g1("A", file.a, 0), g1("B in G1", file.b1, 0)),
                    || (g1("C", file.c, private_start), g1("H", file.h, 0)),
                )
            },
            || {
                rayon::join(
                    || {
                        let b2 = read_list::<G2, G2Affine>("B in G2", file.b2, G2_BYTES, 0, trust)?;
                        if trust == KeyTrust::Unknown {
                            check_subgroup(&b2)?;
                        }
                        Ok::<_, ProverError>(b2)
                    },
                    || (sparse::read(file), Transform::new(file.log_domain)),
                )
            },
        );
        let b2 = b2?;
        let transform = transform.ok_or_else(|| haca_prover_formats::FormatError::OutOfRange {
            what: "size of the domain",
            reason: format!("no transform of size 2^{}", file.log_domain),
        })?;
        Ok(Self {
            life: Arc::new(()),
            trust,
            signal_count: file.signal_count as usize,
            public_count: file.public_count as usize,
            a_rows,
            b_rows,
            values,
            transform,
            a: a?,
            b1: b1?,
            b2,
            c: c?,
            h: h?,
            alpha1,
            beta1,
            beta2,
            delta1,
            delta2,
            verifying,
            log_domain: file.log_domain,
        })
    }

    /// Checks proofs made with this key.
    pub fn verifying(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// The key's identity, dead once the key is dropped.
    pub fn life(&self) -> Weak<()> {
        Arc::downgrade(&self.life)
    }

    /// Number of signals, the constant 1 included.
    pub fn signal_count(&self) -> usize {
        self.signal_count
    }

    /// Number of public signals.
    pub fn public_count(&self) -> usize {
        self.public_count
    }

    /// Size of the domain: the number of constraints rounded up to a power of two.
    pub fn domain_size(&self) -> usize {
        1 << self.log_domain
    }

    /// Bytes of memory held.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.a_rows.bytes()
            + self.b_rows.bytes()
            + self.values.bytes()
            + self.transform.bytes()
            + self.a.bytes()
            + self.b1.bytes()
            + self.b2.bytes()
            + self.c.bytes()
            + self.h.bytes()
            + self.verifying.bytes()
    }
}

impl<C: Curve> PointList<C> {
    fn bytes(&self) -> usize {
        size_of_val(&self.points[..]) + size_of_val(&self.signals[..])
    }
}

/// The verifying key alone, without reading the rest of the file's points.
///
/// # Errors
/// As [`ProvingKey::from_file`].
pub fn verifying_key(file: &KeyFile) -> Result<VerifyingKey, ProverError> {
    read_verifying(file).map(|(.., verifying)| verifying)
}

type HeaderPoints = (
    G1Affine,
    G1Affine,
    G2Affine,
    G1Affine,
    G2Affine,
    VerifyingKey,
);

fn read_verifying(file: &KeyFile) -> Result<HeaderPoints, ProverError> {
    let header = &file.verifying;
    let alpha1: G1Affine = read_one("alpha in G1", header.alpha1)?;
    let beta1 = read_one("beta in G1", header.beta1)?;
    let beta2: G2Affine = read_one("beta in G2", header.beta2)?;
    let gamma2 = read_one("gamma in G2", header.gamma2)?;
    let delta1 = read_one("delta in G1", header.delta1)?;
    let delta2: G2Affine = read_one("delta in G2", header.delta2)?;
    let ic = file
        .ic
        .chunks_exact(G1_BYTES)
        .enumerate()
        .map(|(index, bytes)| {
            let bad = |reason| ProverError::BadPoint {
                what: "IC",
                index,
                reason,
            };
            G1Affine::read(bytes).map_err(bad)
        })
        .collect::<Result<_, _>>()?;
    let parts = VerifyingParts {
        alpha: alpha1,
        beta: beta2,
        gamma: gamma2,
        delta: delta2,
        ic,
    };
    Ok((
        alpha1,
        beta1,
        beta2,
        delta1,
        delta2,
        VerifyingKey::new(parts)?,
    ))
}

fn read_list<C, P>(
    what: &'static str,
    bytes: &[u8],
    size: usize,
    first_signal: u32,
    trust: KeyTrust,
) -> Result<PointList<C>, ProverError>
where
    C: Curve,
    P: FilePoint + Into<ark_ec::short_weierstrass::Affine<C::Config>>,
{
    let points: Vec<(u32, PackedPoint<C>)> = bytes
        .par_chunks_exact(size)
        .with_min_len(1 << 10)
        .enumerate()
        .filter_map(|(index, bytes)| match P::read_trusting(bytes, trust) {
            Ok(point) if point.is_zero() => None,
            Ok(point) => Some(Ok((
                first_signal + index as u32,
                PackedPoint::pack(&point.into()),
            ))),
            Err(reason) => Some(Err(ProverError::BadPoint {
                what,
                index,
                reason,
            })),
        })
        .collect::<Result<_, _>>()?;
    let (signals, points) = points.into_iter().unzip();
    Ok(PointList { points, signals })
}

/// A random sum of the points lies in the subgroup if all of them do, and hardly ever otherwise.
fn check_subgroup(list: &PointList<G2>) -> Result<(), ProverError> {
    const BYTES: usize = 2;
    let positions: Vec<u32> = (0..list.points.len() as u32).collect();
    let mut bytes = vec![0; BYTES * positions.len()];
    for _ in 0..SUBGROUP_ROUNDS {
        random::fill(&mut bytes)?;
        let scalars: Vec<SignedScalar> = bytes
            .chunks_exact(BYTES)
            .map(|pair| u64::from(pair[0]) << 8 | u64::from(pair[1]))
            .map(|small| SignedScalar::new([small, 0, 0, 0], &SCALAR_MODULUS))
            .collect();
        let sum: G2Affine = msm(&list.points, &positions, &scalars).into();
        if !sum.is_in_correct_subgroup_assuming_on_curve() {
            let index = list
                .points
                .iter()
                .position(|point| !point.unpack().is_in_correct_subgroup_assuming_on_curve());
            let signal = index.map_or(0, |index| list.signals[index] as usize);
            let reason = "is not in the subgroup";
            return Err(ProverError::BadPoint {
                what: "B in G2",
                index: signal,
                reason,
            });
        }
    }
    Ok(())
}
