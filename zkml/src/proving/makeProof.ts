import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { computeWitness, type WitnessSignals } from "@haca/model-runtime/witness/computeWitness";
import { decodeWitnessPlan } from "@haca/model-runtime/witness/witnessPlan";
import { wtnsFile } from "@haca/model-runtime/witness/wtnsFile";
import { type Groth16Proof, groth16 } from "snarkjs";
import { runNativeProver } from "../setup/nativeProver.ts";
import type { Progress } from "../setup/progress.ts";

/** A proof and its public signals, as snarkjs writes both. */
export type ProvedSignals = { proof: Groth16Proof; publicSignals: string[] };

/** The native prover and a folder for its files. */
export type NativeProver = { program: string; workFolder: string; onProgress: Progress };

/** A witness as a `.wtns` file, from a plan's file. Throws `witnessPlan.malformed` and `witness.*`. */
export function makeWitness(parameters: { plan: string; signals: WitnessSignals }): Uint8Array {
  const { plan, signals } = parameters;
  return wtnsFile(computeWitness({ plan: decodeWitnessPlan(readFileSync(plan)), signals }));
}

/** Proves a witness by the native prover where one is given, which verifies what it made, and else by snarkjs. */
export async function makeProof(parameters: {
  /** path of the proving key */
  zkey: string;
  wtns: Uint8Array;
  native: NativeProver | undefined;
}): Promise<ProvedSignals> {
  const { native, wtns, zkey } = parameters;
  if (native === undefined) return await groth16.prove(zkey, { type: "mem", data: wtns });
  const { onProgress, program, workFolder } = native;
  const file = (name: string) => join(workFolder, name);
  const [witness, proof, signals] = [file("sample.wtns"), file("proof.json"), file("public.json")];
  writeFileSync(witness, wtns);
  await runNativeProver({
    ...{ program, onProgress },
    parameters: ["prove", zkey, witness, proof, signals],
  });
  const read = (path: string) => JSON.parse(readFileSync(path, "utf8"));
  return { proof: read(proof), publicSignals: read(signals) };
}
