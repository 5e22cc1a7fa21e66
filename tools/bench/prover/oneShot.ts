import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import type { Circuit, Contestant } from "./contestants.ts";
import { peakOfProgram, timeProgram } from "./runProgram.ts";

/** Instructions that are measured beside the best ones: what CPUs without AVX-512 IFMA get. */
export const OTHER_INSTRUCTIONS = ["plain", "adx"] as const;

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
  /** what stands behind them, for a key */
  optionsFor?: (zkey: string) => readonly string[];
  folder: string;
  verify: Verify;
}): Contestant {
  const { name, program, words, folder, verify } = parameters;
  const optionsFor = parameters.optionsFor ?? (() => []);
  const proof = join(folder, `${name}-proof.json`);
  const signals = join(folder, `${name}-public.json`);
  const peaks = new Map<string, number>();
  return {
    name,
    async prove({ zkey, witness }: Circuit) {
      const files = [zkey, witness, proof, signals];
      const call = { program, parameters: [...words, ...files, ...optionsFor(zkey)] };
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

/**
 * `haca-prover prove` as somebody runs it who knows their keys, with the CPU's best instructions and with others. A key
 * is checked in the first of its runs and remembered below `folder`.
 */
export function startNativeOneShots(parameters: {
  program: string;
  folder: string;
  verify: Verify;
}): Contestant[] {
  const { program, folder, verify } = parameters;
  const hashes = new Map<string, string>();
  const optionsFor = (zkey: string): string[] => {
    const known = hashes.get(zkey);
    const hash = known ?? createHash("sha256").update(readFileSync(zkey)).digest("hex");
    hashes.set(zkey, hash);
    return ["--key-sha256", hash];
  };
  const caches = `XDG_CACHE_HOME=${join(folder, "caches")}`;
  return ["", ...OTHER_INSTRUCTIONS].map((instructions) => {
    const forced = instructions === "" ? [] : [`HACA_PROVER_ISA=${instructions}`];
    const name = instructions === "" ? "oneShot" : `oneShot.${instructions}`;
    const words = [caches, ...forced, program, "prove"];
    return startOneShot({ name, program: "env", words, optionsFor, folder, verify });
  });
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
