//! Whether this machine's CPU can run this build.

/// Refuses to go on where the program was compiled for instructions that the CPU lacks: better one
/// line than an illegal instruction in the middle of a proof.
///
/// # Errors
/// A message that names the missing instructions.
pub fn check() -> Result<(), String> {
    #[cfg(target_arch = "x86_64")]
    {
        macro_rules! missing {
            ($($feature:tt),*) => {
                [$((
                    $feature,
                    cfg!(target_feature = $feature) && !std::arch::is_x86_feature_detected!($feature),
                )),*]
            };
        }
        let missing: Vec<&str> = missing!(
            "avx2",
            "bmi2",
            "adx",
            "avx512f",
            "avx512dq",
            "avx512vl",
            "avx512bw",
            "avx512ifma"
        )
        .into_iter()
        .filter_map(|(feature, is_missing)| is_missing.then_some(feature))
        .collect();
        if !missing.is_empty() {
            return Err(format!(
                "this haca-prover was built for another CPU (this one lacks {}): build it again here \
                 with `npm run build:prover`",
                missing.join(", ")
            ));
        }
    }
    Ok(())
}
