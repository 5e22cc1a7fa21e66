import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import type { Circuit, Contestant } from "./contestants.ts";
import { peakOfProgram, timeProgram } from "./runProgram.ts";

/** Fails when a proof is wrong. */
export type Verify = (files: { zkey: string; proof: string; signals: string }) => Promise<void>;

/**
 * A program that is started anew for every proof, `<program> [words] <zkey> <witness> <proof> <public>`: its time
 * includes starting and reading the key. Its proofs are verified, outside that time.
 */
export function startOneShot(parameters: {
  name: string;
  program: string;
  /** what stands before the files */
  words: readonly string[];
  folder: string;
  verify: Verify;
}): Contestant {
  const { name, program, words, folder, verify } = parameters;
  const proof = join(folder, `${name}-proof.json`);
  const signals = join(folder, `${name}-public.json`);
  const peaks = new Map<string, number>();
  return {
    name,
    async prove({ zkey, witness }: Circuit) {
      const call = { program, parameters: [...words, zkey, witness, proof, signals] };
      // A file that an earlier proof left would pass for this one.
      for (const path of [proof, signals]) rmSync(path, { force: true });
      const proveMs = await timeProgram(call);
      nameCurve({ name, proof });
      await verify({ zkey, proof, signals }).catch((cause: Error) => {
        const message = `${name} made a proof that does not verify: ${cause.message}`;
        throw new BaseError({ code: "bench.wrongProof", message });
      });
      const peakBytes = peaks.get(zkey) ?? (await peakOfProgram(call));
      peaks.set(zkey, peakBytes);
      return { proveMs, peakBytes };
    },
    close: async () => undefined,
  };
}

/** Verifies with the native prover. */
export function verifyNatively(program: string): Verify {
  return async ({ zkey, proof, signals }) => {
    await timeProgram({ program, parameters: ["verify", zkey, signals, proof] });
  };
}

/** rapidsnark leaves out which curve a proof is on; there is only one that it knows. */
function nameCurve(parameters: { name: string; proof: string }): void {
  const { name, proof } = parameters;
  let written: object;
  try {
    written = JSON.parse(readFileSync(proof, "utf8"));
  } catch (cause) {
    const message = `${name} ended with success and wrote no proof: ${cause}`;
    throw new BaseError({ code: "bench.noProof", message });
  }
  writeFileSync(proof, JSON.stringify({ curve: "bn128", ...written }));
}
