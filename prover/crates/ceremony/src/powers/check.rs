//! Whether powers of tau are what they say: all points in their groups, each power the one before times
//! tau, Lagrange points those of the powers. Who contributed is not looked at: files of ceremonies are
//! known by their hash.

use ark_bn254::{Fr, G1Affine, G2Affine, g1, g2};
use ark_ec::short_weierstrass::Projective;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, BigInt};
use haca_prover_formats::FormatError;
use haca_prover_formats::ptau::PowersFile;

use crate::error::CeremonyError;
use crate::pairs::have_same_ratio;
use crate::points::{self, Group, Points};
use crate::progress::Progress;
use crate::sums::{self, PART};
use crate::transform::interpolate;

/// Section 12 has one size more, and the field no roots of unity beyond 2^28.
const MAX_POWER: u32 = 27;
/// What a point of the second group costs beside one of the first.
const G2_WORK: u64 = 3;

/// Checks a file that is to serve circuits of up to 2^`needed`.
///
/// # Errors
/// [`CeremonyError`] says what is wrong.
pub fn check(powers: &PowersFile, needed: Option<u32>) -> Result<(), CeremonyError> {
    let (found, needed) = (powers.power, needed.unwrap_or(0));
    if found < needed {
        return Err(CeremonyError::PowersTooFew { found, needed });
    }
    if found > MAX_POWER {
        return Err(CeremonyError::Format(FormatError::OutOfRange {
            what: "power",
            reason: format!("{found}, files up to {MAX_POWER} can be checked"),
        }));
    }
    let prepared = powers.prepared()?;
    let size = 1u64 << found;
    let progress = Progress::new("powers of tau", (4 + 8 + 3 * G2_WORK) * size);

    let tau1 = Points::<g1::Config>::check("powers of tau in G1", powers.tau1)?;
    let tau2 = Points::<g2::Config>::check("powers of tau in G2", powers.tau2)?;
    let alpha1 = Points::<g1::Config>::check("powers of tau with alpha", powers.alpha1)?;
    let beta1 = Points::<g1::Config>::check("powers of tau with beta", powers.beta1)?;
    let lagrange1 = Points::<g1::Config>::check("Lagrange points in G1", prepared.tau1)?;
    let lagrange2 = Points::<g2::Config>::check("Lagrange points in G2", prepared.tau2)?;
    let lagrange_alpha = Points::check("Lagrange points with alpha", prepared.alpha1)?;
    let lagrange_beta = Points::check("Lagrange points with beta", prepared.beta1)?;
    for (what, points) in [
        ("powers of tau in G2", tau2),
        ("Lagrange points in G2", lagrange2),
    ] {
        if !sums::are_in_subgroup(points)? {
            return Err(CeremonyError::BadPoint {
                what,
                index: first_outside(points),
                reason: "is not in the subgroup",
            });
        }
    }
    check_first(powers)?;
    check_ratios([tau1, alpha1, beta1], tau2, &progress)?;

    check_level(tau1, lagrange1, found + 1, &progress)?;
    check_level(tau2, lagrange2, found, &progress)?;
    check_level(alpha1, lagrange_alpha, found, &progress)?;
    check_level(beta1, lagrange_beta, found, &progress)
}

fn first_outside(points: Points<g2::Config>) -> usize {
    points
        .iter()
        .position(|point| !point.is_in_correct_subgroup_assuming_on_curve())
        .unwrap_or(0)
}

/// The points that everything else follows from.
fn check_first(powers: &PowersFile) -> Result<(), CeremonyError> {
    let [one1, tau1] = first::<g1::Config>("tau in G1", powers.tau1)?;
    let [one2, tau2] = first::<g2::Config>("tau in G2", powers.tau2)?;
    let alpha1: G1Affine = points::read_one("alpha in G1", &powers.alpha1[..64])?;
    let beta1: G1Affine = points::read_one("beta in G1", &powers.beta1[..64])?;
    let beta2: G2Affine = points::read_one("beta in G2", powers.beta2)?;
    let (generator1, generator2) = (G1Affine::generator(), G2Affine::generator());
    let wrong = |reason| Err(CeremonyError::PowersInconsistent(reason));
    if one1 != generator1 || one2 != generator2 {
        return wrong("the first powers are not the groups' generators");
    }
    if [tau1, alpha1, beta1]
        .iter()
        .any(|point| point.x == generator1.x)
    {
        return wrong("tau, alpha or beta is 1 or -1: nobody has contributed");
    }
    if !have_same_ratio([generator1, tau1], [generator2, tau2]) {
        return wrong("tau in G1 and in G2 are of different secrets");
    }
    if !have_same_ratio([generator1, beta1], [generator2, beta2]) {
        return wrong("beta in G1 and in G2 are of different secrets");
    }
    Ok(())
}

fn first<P: Group>(
    what: &'static str,
    bytes: &[u8],
) -> Result<[ark_ec::short_weierstrass::Affine<P>; 2], CeremonyError> {
    let (zeroth, rest) = bytes.split_at(P::BYTES);
    Ok([
        points::read_one(what, zeroth)?,
        points::read_one(what, &rest[..P::BYTES])?,
    ])
}

/// Each point is the one before it times tau.
fn check_ratios(
    lists: [Points<g1::Config>; 3],
    list2: Points<g2::Config>,
    progress: &Progress,
) -> Result<(), CeremonyError> {
    let (tau1, tau2) = (lists[0].get(1), list2.get(1));
    let mut sums1 = [Projective::<g1::Config>::ZERO; 2];
    for list in lists {
        for (sum, other) in sums1.iter_mut().zip(neighbours(list, progress)?) {
            *sum += other;
        }
    }
    let sums2 = neighbours(list2, progress)?;
    if have_same_ratio(
        sums1.map(CurveGroup::into_affine),
        [G2Affine::generator(), tau2],
    ) && have_same_ratio(
        [G1Affine::generator(), tau1],
        sums2.map(CurveGroup::into_affine),
    ) {
        Ok(())
    } else {
        Err(CeremonyError::PowersInconsistent(
            "the powers of tau are not each the one before times tau",
        ))
    }
}

/// The same random sum over all points but the last, and over all but the first.
fn neighbours<P: Group>(
    points: Points<P>,
    progress: &Progress,
) -> Result<[Projective<P>; 2], CeremonyError> {
    let mut sums = [Projective::<P>::ZERO; 2];
    let pairs = points.len() - 1;
    for start in (0..pairs).step_by(PART) {
        let end = (start + PART).min(pairs);
        let factors = sums::random_factors(end - start)?;
        for (shift, sum) in sums.iter_mut().enumerate() {
            *sum += sums::random_sum(points.range(start + shift..end + shift), &factors);
        }
        progress.advance((end - start) as u64 * work::<P>());
    }
    Ok(sums)
}

/// Lagrange points of all sizes up to 2^`largest`: a random sum of them is a sum of powers with the
/// coefficients of the same sum of Lagrange polynomials. Of the largest size in section 12 the highest
/// power is not there, and counts as zero.
fn check_level<P: Group>(
    powers: Points<P>,
    lagrange: Points<P>,
    largest: u32,
    progress: &Progress,
) -> Result<(), CeremonyError> {
    let mut coefficients = vec![Fr::ZERO; 1 << largest];
    let mut sum = Projective::<P>::ZERO;
    for log in 0..=largest {
        let size = 1usize << log;
        let factors = sums::random_factors(size)?;
        for start in (0..size).step_by(PART) {
            let end = (start + PART).min(size);
            let points = lagrange.range(size - 1 + start..size - 1 + end);
            sum += sums::random_sum(points, &factors[start..end]);
            progress.advance((end - start) as u64 * work::<P>() / 2);
        }
        let mut values: Vec<Fr> = factors
            .iter()
            .map(|[low, high]| Fr::new(BigInt([*low, *high, 0, 0])))
            .collect();
        interpolate(&mut values);
        for (total, value) in coefficients.iter_mut().zip(values) {
            *total += value;
        }
    }
    coefficients.truncate(powers.len());
    if sums::full_sum(powers, &coefficients) == sum {
        Ok(())
    } else {
        Err(CeremonyError::PowersInconsistent(
            "the points prepared for phase 2 are not those of the powers of tau",
        ))
    }
}

fn work<P: Group>() -> u64 {
    if P::BYTES == g2::Config::BYTES {
        G2_WORK
    } else {
        1
    }
}
