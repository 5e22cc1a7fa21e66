import { BaseError } from "@haca/protocol/baseError";

/** The C interface, `prover/cuda/haca_cuda.h`. */
const INTERFACE = [
  "haca_cuda_abi_version",
  "haca_cuda_device",
  "haca_cuda_key_bytes",
  "haca_cuda_load",
  "haca_cuda_prove",
  "haca_cuda_unload",
];

/**
 * Checks that a library shows its interface and nothing else, from what `nm --dynamic --defined-only` prints.
 * @throws BaseError `cuda.symbols`
 */
export function checkSymbols(listing: string): void {
  const shown = listing
    .split("\n")
    .map((line) => line.trim().split(/\s+/).at(-1) ?? "")
    .filter((name) => name !== "");
  const missing = INTERFACE.filter((name) => !shown.includes(name));
  const unexpected = shown.filter((name) => !INTERFACE.includes(name));
  if (missing.length === 0 && unexpected.length === 0) return;
  throw new BaseError({
    code: "cuda.symbols",
    message: `the library lacks [${missing.join(", ")}] and shows [${unexpected.join(", ")}], which it should not`,
  });
}

/** Symbols of sppark's kernels that other objects see, by their mangled names. */
const KERNEL =
  / [TW] (_Z\S*?(?:4sort|10accumulate|14batch_addition|9breakdown|9integrate)(?![a-z_])\S*)$/gm;

/**
 * Checks that no two stream sets define the same kernel, from what `nm` prints of their objects: the linker would keep one,
 * and sums that overlap would share its counters.
 * @throws BaseError `cuda.kernels`
 */
export function checkKernels(listings: readonly string[]): void {
  const seen = new Set<string>();
  for (const listing of listings) {
    const kernels = [...listing.matchAll(KERNEL)].map(([, name]) => name);
    if (kernels.length === 0) throw kernelFailure("a stream set defines no kernels");
    for (const kernel of kernels) {
      if (seen.has(kernel ?? "")) throw kernelFailure(`two stream sets define ${kernel}`);
      seen.add(kernel ?? "");
    }
  }
}

function kernelFailure(message: string): BaseError {
  return new BaseError({ code: "cuda.kernels", message });
}
