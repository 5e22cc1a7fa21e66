//! With MUL, UMULH and ADCS.
//!
//! There is one carry flag, and multiplications leave it alone: a row's low halves are added by one
//! chain, its high halves by a second one, and products are made while a chain waits.
//!
//! Why no carry is lost, with the bounds of [`super`]: nothing is ever subtracted, so what stands after
//! any chain is at most the row's whole sum, which five limbs hold before it is reduced (`top` is the
//! fifth) and, when the lowest limb has gone, four limbs after. So no chain carries out of its last
//! addition.
//!
//! The lowest limb of t + m p is zero by the choice of m, so the low half of m p_0 is B - t_0, or 0 if
//! t_0 is 0: that addition carries exactly if t_0 is not 0, and comparing t_0 with 1 sets the flag
//! without that product.
#![allow(unsafe_code)]

use core::arch::asm;

use super::Modulus;

/// One product with a limb of `b`.
macro_rules! product {
    ($start:literal, $factor:literal) => {
        concat!($start, $factor, "\n")
    };
}

/// Adds `a` times a limb of `b` to the sum; the fifth limb is in `top`.
macro_rules! add_row {
    ($factor:literal) => {
        concat!(
            product!("mul {l0}, {a0}, ", $factor),
            product!("mul {l1}, {a1}, ", $factor),
            product!("mul {l2}, {a2}, ", $factor),
            product!("mul {l3}, {a3}, ", $factor),
            "adds {t0}, {t0}, {l0}\n",
            product!("umulh {l0}, {a0}, ", $factor),
            "adcs {t1}, {t1}, {l1}\n",
            product!("umulh {l1}, {a1}, ", $factor),
            "adcs {t2}, {t2}, {l2}\n",
            product!("umulh {l2}, {a2}, ", $factor),
            "adcs {t3}, {t3}, {l3}\n",
            product!("umulh {l3}, {a3}, ", $factor),
            "cset {top}, cs\n",
            "adds {t1}, {t1}, {l0}\n",
            "adcs {t2}, {t2}, {l1}\n",
            "adcs {t3}, {t3}, {l2}\n",
            "adc {top}, {top}, {l3}\n",
        )
    };
}

/// Adds the multiple of the modulus that clears the lowest limb, and moves one limb down.
macro_rules! reduce {
    () => {
        concat!(
            "mul {m}, {t0}, {inverse}\n",
            "mul {l1}, {m}, {p1}\n",
            "mul {l2}, {m}, {p2}\n",
            "mul {l3}, {m}, {p3}\n",
            "cmp {t0}, #1\n",
            "umulh {l0}, {m}, {p0}\n",
            "adcs {t0}, {t1}, {l1}\n",
            "umulh {l1}, {m}, {p1}\n",
            "adcs {t1}, {t2}, {l2}\n",
            "umulh {l2}, {m}, {p2}\n",
            "adcs {t2}, {t3}, {l3}\n",
            "umulh {l3}, {m}, {p3}\n",
            "adc {t3}, {top}, xzr\n",
            "adds {t0}, {t0}, {l0}\n",
            "adcs {t1}, {t1}, {l1}\n",
            "adcs {t2}, {t2}, {l2}\n",
            "adc {t3}, {t3}, {l3}\n",
        )
    };
}

/// `a b / 2^256` modulo p, below `a b / 2^256 + p`; `a` is below 4p.
#[inline(always)]
pub fn montgomery(a: &[u64; 4], b: &[u64; 4], modulus: &Modulus) -> [u64; 4] {
    let (t0, t1, t2, t3): (u64, u64, u64, u64);
    // SAFETY: reads and writes the registers that are named below and no memory; every CPU of this
    // architecture has the instructions.
    unsafe {
        asm!(
            // The first row has no sum to add to, so one chain is enough.
            "mul {t0}, {a0}, {b0}",
            "mul {l1}, {a1}, {b0}",
            "umulh {t1}, {a0}, {b0}",
            "mul {l2}, {a2}, {b0}",
            "umulh {t2}, {a1}, {b0}",
            "mul {l3}, {a3}, {b0}",
            "umulh {t3}, {a2}, {b0}",
            "umulh {top}, {a3}, {b0}",
            "adds {t1}, {t1}, {l1}",
            "adcs {t2}, {t2}, {l2}",
            "adcs {t3}, {t3}, {l3}",
            "adc {top}, {top}, xzr",
            reduce!(),
            add_row!("{b1}"),
            reduce!(),
            add_row!("{b2}"),
            reduce!(),
            add_row!("{b3}"),
            reduce!(),
            a0 = in(reg) a[0],
            a1 = in(reg) a[1],
            a2 = in(reg) a[2],
            a3 = in(reg) a[3],
            b0 = in(reg) b[0],
            b1 = in(reg) b[1],
            b2 = in(reg) b[2],
            b3 = in(reg) b[3],
            p0 = in(reg) modulus.limbs[0],
            p1 = in(reg) modulus.limbs[1],
            p2 = in(reg) modulus.limbs[2],
            p3 = in(reg) modulus.limbs[3],
            inverse = in(reg) modulus.negative_inverse,
            t0 = out(reg) t0,
            t1 = out(reg) t1,
            t2 = out(reg) t2,
            t3 = out(reg) t3,
            top = out(reg) _,
            m = out(reg) _,
            l0 = out(reg) _,
            l1 = out(reg) _,
            l2 = out(reg) _,
            l3 = out(reg) _,
            options(pure, nomem, nostack),
        );
    }
    [t0, t1, t2, t3]
}
