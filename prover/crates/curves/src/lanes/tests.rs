//! Every implementation against arkworks, one lane at a time.

use ark_bn254::{Fq, Fq2, Fr};
use ark_ff::{AdditiveGroup, Field, PrimeField};
use proptest::prelude::*;

use super::quadratic::Quadratic;
use super::*;
use crate::room::{Room, in_every_room};

/// Elements near the edges as often as others.
fn prime_element<F: PrimeField>() -> impl Strategy<Value = F> {
    prop_oneof![
        Just(F::ZERO),
        Just(F::ONE),
        Just(-F::ONE),
        any::<u64>().prop_map(F::from),
        any::<u64>().prop_map(|value| -F::from(value)),
        any::<[u8; 40]>().prop_map(|bytes| F::from_le_bytes_mod_order(&bytes)),
    ]
}

fn fq2_element() -> impl Strategy<Value = Fq2> {
    (prime_element::<Fq>(), prime_element::<Fq>()).prop_map(|(c0, c1)| Fq2::new(c0, c1))
}

fn check<L: Lanes>(a: [L::Element; WIDTH], b: [L::Element; WIDTH], mask: Mask) {
    let zip = |operation: fn(L::Element, L::Element) -> L::Element| -> [L::Element; WIDTH] {
        core::array::from_fn(|lane| operation(a[lane], b[lane]))
    };
    let (left, right) = (L::from_elements(a), L::from_elements(b));
    assert_eq!(left.to_elements(), a, "round trip");
    assert_eq!(left.add(right).to_elements(), zip(|a, b| a + b), "sum");
    assert_eq!(
        left.sub(right).to_elements(),
        zip(|a, b| a - b),
        "difference"
    );
    assert_eq!(left.mul(right).to_elements(), zip(|a, b| a * b), "product");
    assert_eq!(
        left.square().to_elements(),
        zip(|a, _| a.square()),
        "square"
    );
    assert_eq!(left.neg().to_elements(), zip(|a, _| -a), "negative");
    let loose = left.sub_loose(right);
    assert_eq!(
        loose.mul(loose).to_elements(),
        zip(|a, b| (a - b).square()),
        "loose product"
    );
    assert_eq!(
        loose.square().to_elements(),
        zip(|a, b| (a - b).square()),
        "loose square"
    );

    // Tight values need not be canonical: repeat on results of long chains.
    let chained = left.add(right).sub(left).neg().sub(right.neg()).add(left);
    assert_eq!(chained.to_elements(), a, "chain");
    assert_eq!(
        chained.mul(right).to_elements(),
        zip(|a, b| a * b),
        "product of a chain"
    );

    let words: Vec<L::Words> = a.iter().map(|element| L::pack(*element)).collect();
    let loaded = L::load(core::array::from_fn(|lane| &words[lane]));
    assert_eq!(loaded.to_elements(), a, "load");
    let stored = chained.store();
    assert_eq!(stored.map(|words| L::unpack(&words)), a, "store");
    assert_eq!(
        stored.map(|words| L::unpack(&L::negate_words(&words))),
        zip(|a, _| -a)
    );
    assert_eq!(L::splat_words(&words[3]).to_elements(), [a[3]; WIDTH]);
    assert_eq!(
        L::pack(L::Element::ZERO),
        L::Words::default(),
        "zero is all zero words"
    );

    let chosen = L::select(mask, left, right).to_elements();
    for lane in 0..WIDTH {
        assert_eq!(
            chosen[lane],
            if mask >> lane & 1 == 1 {
                a[lane]
            } else {
                b[lane]
            }
        );
        let zero = |lanes: L| lanes.maybe_zero() >> lane & 1 == 1;
        assert!(zero(left) || a[lane] != L::Element::ZERO, "zero overlooked");
        assert!(zero(loose) || a[lane] != b[lane], "equal lanes overlooked");
        assert!(
            zero(chained.sub_loose(left)),
            "zero overlooked after a chain"
        );
    }
}

fn check_scalars<L: ScalarLanes<Element = Fr>>(a: [Fr; WIDTH]) {
    let lanes = L::from_elements(a);
    assert_eq!(
        lanes.to_integers(),
        a.map(|element| element.into_bigint().0)
    );
    assert_eq!(lanes.sub(lanes).to_integers(), [[0; 4]; WIDTH]);
    for distance in [1, 2, 4] {
        let expected = core::array::from_fn(|lane| a[lane ^ distance]);
        assert_eq!(lanes.exchange(distance).to_elements(), expected);
    }
}

// Eight pairs a case: more than ten thousand values of each field.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(1300))]

    #[test]
    fn base_field(
        a in proptest::array::uniform8(prime_element::<Fq>()),
        b in proptest::array::uniform8(prime_element::<Fq>()),
        mask: u8,
    ) {
        in_every_room!(R => check::<<R as Room>::Fq>(a, b, mask));
    }

    #[test]
    fn scalar_field(
        a in proptest::array::uniform8(prime_element::<Fr>()),
        b in proptest::array::uniform8(prime_element::<Fr>()),
        mask: u8,
    ) {
        in_every_room!(R => {
            check::<<R as Room>::Fr>(a, b, mask);
            check_scalars::<<R as Room>::Fr>(a);
        });
    }

    #[test]
    fn quadratic_extension(
        a in proptest::array::uniform8(fq2_element()),
        b in proptest::array::uniform8(fq2_element()),
        mask: u8,
    ) {
        in_every_room!(R => check::<Quadratic<<R as Room>::Fq>>(a, b, mask));
    }
}
