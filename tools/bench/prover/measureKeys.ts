import { rmSync } from "node:fs";
import { join } from "node:path";
import { curves, zKey } from "snarkjs";
import { round } from "./figures.ts";
import { timeProgram } from "./runProgram.ts";

/** Powers of tau are timed at this size, and for keys made as large as they need be. */
const PTAU_POWER = 17;
/** Contributions are timed from this size on: smaller ones are noise. */
const CONTRIBUTE_FROM = 16;

/**
 * Milliseconds of the native prover's commands around keys, each run once as a program of its own, on circuits of
 * models; and of snarkjs' `zkey new` on the same files, in this process.
 */
export async function measureKeys(parameters: {
  /** haca-prover */
  program: string;
  /** haca-test-setup */
  testSetup: string;
  sizes: readonly number[];
  folder: string;
}): Promise<Record<string, number>> {
  const { program, testSetup, sizes, folder } = parameters;
  const figures: Record<string, number> = {};
  const path = (name: string) => join(folder, name);
  const time = (...words: string[]) => timeProgram({ program, parameters: words });
  const ptauMs = await time("ptau", "new", String(PTAU_POWER), path("keys.ptau"));
  figures[`ptau.2^${PTAU_POWER}`] = round(ptauMs);
  try {
    for (const size of sizes) {
      const ptau = path(size <= PTAU_POWER ? "keys.ptau" : `keys-${size}.ptau`);
      if (size > PTAU_POWER) await time("ptau", "new", String(size), ptau);
      const circuit = path(`keys-${size}`);
      await timeProgram({ program: testSetup, parameters: ["model", String(size), "1", circuit] });
      const r1cs = `${circuit}.r1cs`;
      const oursMs = await time("setup", r1cs, ptau, path("ours.zkey"));
      const start = performance.now();
      await zKey.newZKey(r1cs, ptau, path("theirs.zkey"));
      const theirsMs = performance.now() - start;
      figures[`setup.2^${size}`] = round(oursMs);
      figures[`setup.2^${size}.snarkjs`] = round(theirsMs);
      figures[`setup.2^${size}.ratio`] = round(theirsMs / oursMs);
      if (size >= CONTRIBUTE_FROM) {
        const contributeMs = await time("contribute", path("ours.zkey"), path("next.zkey"));
        figures[`contribute.2^${size}`] = round(contributeMs);
      }
      for (const extension of ["r1cs", "zkey", "wtns"]) rmSync(`${circuit}.${extension}`);
    }
  } finally {
    // Its threads would keep this process.
    await (await curves.getCurveFromName("bn128")).terminate();
  }
  return figures;
}
