//! With MULX, ADCX and ADOX.
//!
//! Why no carry is lost, with the bounds of [`super`]:
//! - the fifth limb of t + a b_i, the high half of a_3 b_i and both chains' carries, is below B: neither
//!   addition to it carries out.
//! - m p + t + a b_i is B t' < B R: when its lowest limb has gone, four limbs hold the rest, so
//!   neither of the two additions to the topmost carries out. The first of them adds a carry to the
//!   high half of m p_3, which is at most B - 2.
#![allow(unsafe_code)]

use core::arch::asm;

use super::Modulus;

/// Adds `a` times limb `$i` of `b` to the sum; the fifth limb is in `top`.
macro_rules! add_row {
    ($offset:literal) => {
        concat!(
            "mov rdx, qword ptr [{b} + ",
            $offset,
            "]\n",
            "xor eax, eax\n",
            "mulx {top}, rax, qword ptr [{a}]\n",
            "adox {t0}, rax\n",
            "adcx {t1}, {top}\n",
            "mulx {top}, rax, qword ptr [{a} + 8]\n",
            "adox {t1}, rax\n",
            "adcx {t2}, {top}\n",
            "mulx {top}, rax, qword ptr [{a} + 16]\n",
            "adox {t2}, rax\n",
            "adcx {t3}, {top}\n",
            "mulx {top}, rax, qword ptr [{a} + 24]\n",
            "adox {t3}, rax\n",
            "mov eax, 0\n",
            "adcx {top}, rax\n",
            "adox {top}, rax\n",
        )
    };
}

/// Adds the multiple of the modulus that clears the lowest limb, and moves one limb down.
macro_rules! reduce {
    () => {
        concat!(
            "mov rdx, {t0}\n",
            "imul rdx, qword ptr [{p} + 32]\n",
            "xor eax, eax\n",
            "mulx {high}, rax, qword ptr [{p}]\n",
            "adcx rax, {t0}\n",
            "mov {t0}, {high}\n",
            "adcx {t0}, {t1}\n",
            "mulx {t1}, rax, qword ptr [{p} + 8]\n",
            "adox {t0}, rax\n",
            "adcx {t1}, {t2}\n",
            "mulx {t2}, rax, qword ptr [{p} + 16]\n",
            "adox {t1}, rax\n",
            "adcx {t2}, {t3}\n",
            "mulx {t3}, rax, qword ptr [{p} + 24]\n",
            "adox {t2}, rax\n",
            "mov eax, 0\n",
            "adcx {t3}, rax\n",
            "adox {t3}, {top}\n",
        )
    };
}

/// `a b / 2^256` modulo p, below `a b / 2^256 + p`; `a` is below 4p. Only for CPUs with BMI2 and ADX.
#[inline(always)]
pub fn montgomery(a: &[u64; 4], b: &[u64; 4], modulus: &Modulus) -> [u64; 4] {
    let (t0, t1, t2, t3): (u64, u64, u64, u64);
    // SAFETY: reads the 32 bytes behind `a` and `b` and the 40 behind `modulus`, writes registers
    // that are named below and no memory; a caller's CPU has the instructions (see `Room`).
    unsafe {
        asm!(
            // The first row has no sum to add to, so one chain is enough.
            "mov rdx, qword ptr [{b}]",
            "xor eax, eax",
            "mulx {t1}, {t0}, qword ptr [{a}]",
            "mulx {t2}, rax, qword ptr [{a} + 8]",
            "adcx {t1}, rax",
            "mulx {t3}, rax, qword ptr [{a} + 16]",
            "adcx {t2}, rax",
            "mulx {top}, rax, qword ptr [{a} + 24]",
            "adcx {t3}, rax",
            "mov eax, 0",
            "adcx {top}, rax",
            reduce!(),
            add_row!("8"),
            reduce!(),
            add_row!("16"),
            reduce!(),
            add_row!("24"),
            reduce!(),
            a = in(reg) a,
            b = in(reg) b,
            p = in(reg) modulus,
            t0 = out(reg) t0,
            t1 = out(reg) t1,
            t2 = out(reg) t2,
            t3 = out(reg) t3,
            top = out(reg) _,
            high = out(reg) _,
            out("rax") _,
            out("rdx") _,
            options(pure, readonly, nostack),
        );
    }
    [t0, t1, t2, t3]
}
