import { BaseError } from "@haca/protocol/baseError";
import { zKey } from "snarkjs";
import { runNativeProver } from "./nativeProver.ts";
import type { Progress } from "./progress.ts";
import { fileInMemory } from "./snarkjsResources.ts";

/** What a proving key says of how it was made. */
export type Transcript = {
  /** hash of the circuit, with which it begins; absent where snarkjs verified it, which tells nothing */
  circuitHash?: string;
  contributions?: {
    /** what its party saw */
    hash: string;
    /** public randomness in hex, where the contribution is a beacon's */
    beacon?: string;
    name?: string;
  }[];
};

const CONTRIBUTION = /^contribution ([0-9a-f]{128})(?: beacon ([0-9a-f]+) 2\^\d+)?(?: (.*))?$/;

/**
 * Verifies that a proving key follows from a circuit and powers of tau through every contribution.
 * Throws `setup.failed` with the reason.
 */
export async function verifyTranscript(parameters: {
  r1cs: string;
  ptau: string;
  zkey: string;
  /** path of the native prover; default: snarkjs */
  prover?: string;
  onProgress: Progress;
}): Promise<Transcript> {
  const { r1cs, ptau, zkey, prover, onProgress } = parameters;
  if (prover === undefined) {
    // a copy in memory: snarkjs leaves files open
    const files = [r1cs, ptau, zkey].map(fileInMemory) as [string, string, string];
    if (await zKey.verifyFromR1cs(...files)) return {};
    throw new BaseError({ code: "setup.failed", message: "snarkjs says that it is not valid" });
  }
  const output = await runNativeProver({
    ...{ program: prover, onProgress },
    parameters: ["verify-key", r1cs, ptau, zkey],
  });
  return readTranscript(output);
}

/** Reads what `haca-prover verify-key` says. */
export function readTranscript(output: string): Transcript {
  const lines = output.trimEnd().split("\n");
  const circuitHash = /^circuit ([0-9a-f]{128})$/.exec(lines[0] ?? "")?.[1];
  const contributions = lines.slice(1, -1).map((line) => {
    const [, hash, beacon, name] = CONTRIBUTION.exec(line) ?? [];
    if (hash === undefined) throw unreadable(line);
    return {
      hash,
      ...(beacon === undefined ? {} : { beacon }),
      ...(name === undefined ? {} : { name }),
    };
  });
  if (circuitHash === undefined || lines.at(-1) !== "valid") throw unreadable(output);
  return { circuitHash, contributions };
}

const unreadable = (text: string): BaseError =>
  new BaseError({
    code: "setup.failed",
    message: `the native prover says ${JSON.stringify(text)}, which is no transcript`,
  });
