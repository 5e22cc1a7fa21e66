import { copyFileSync } from "node:fs";
import { BaseError } from "@haca/protocol/baseError";
import { keyMaker } from "../setup/keyMaker.ts";
import { readKeyTranscript } from "../setup/keyTranscript.ts";
import { proverName } from "../setup/nativeProver.ts";
import { type Progress, step } from "../setup/progress.ts";
import { verifyTranscript } from "../setup/verifyTranscript.ts";
import {
  addKey,
  type CeremonyKey,
  nextKeyName,
  readCeremony,
  readCeremonyPtau,
  requireOpen,
  requireSuccessor,
} from "./ceremonyFolder.ts";

type Extension = {
  folder: string;
  /** path of the native prover; default: snarkjs */
  prover?: string;
  onProgress: Progress;
};

/**
 * Adds this party's secret to the latest key, and forgets it. Throws `ceremony.*` and `setup.failed`; then nothing has changed.
 */
export async function contribute(
  parameters: Extension & {
    /** who contributes; cut after 64 characters */
    name: string;
    /** mixed into the system's randomness */
    entropy?: Uint8Array;
  },
): Promise<CeremonyKey> {
  const { folder, name, entropy, prover, onProgress } = parameters;
  const ceremony = await readCeremony(folder);
  requireOpen(ceremony);
  const from = ceremony.latest;
  onProgress(`${nextKeyName(ceremony)} will be ${from.name} with a secret that nobody keeps`);
  return addKey({
    ceremony,
    make: (to) =>
      step({
        name: `contribute (${proverName(prover)})`,
        onProgress,
        run: () =>
          keyMaker(parameters).contribute({
            ...{ from: from.path, to, name },
            ...(entropy === undefined ? {} : { entropy }),
          }),
      }),
  });
}

/**
 * Takes a key that another party made of the latest one, with whatever program, after verifying it. One that is the latest key
 * already is left where it is.
 */
export async function accept(
  parameters: Extension & { file: string; ptau: string },
): Promise<{ key: CeremonyKey; isNew: boolean }> {
  const { folder, file, ptau, prover, onProgress } = parameters;
  const ceremony = await readCeremony(folder);
  const { latest } = ceremony;
  const transcript = readKeyTranscript(file);
  if (transcript.sha256 === latest.transcript.sha256) return { key: latest, isNew: false };
  requireOpen(ceremony);
  requireSuccessor({ path: file, transcript, before: latest });
  await readCeremonyPtau({ ptau, record: ceremony.record });
  onProgress(
    `${nextKeyName(ceremony)} will be a copy of ${file}, ${transcript.contributions.length} in all have contributed to it`,
  );
  const key = await addKey({
    ceremony,
    make: async (zkey) => {
      copyFileSync(file, zkey);
      await step({
        name: `verify (${proverName(prover)})`,
        onProgress,
        run: () => verifyTranscript({ ...parameters, r1cs: ceremony.r1cs, ptau, zkey }),
      });
    },
  });
  return { key, isNew: true };
}

/**
 * Ends a ceremony with randomness that nobody could know before its last contribution. A beacon of the same randomness that is
 * there already is left.
 *
 * Throws `ceremony.noContribution`, `ceremony.ended` for another beacon, and what `contribute` throws.
 */
export async function addBeacon(
  parameters: Extension & { beacon: string; iterations: number; name: string },
): Promise<{ key: CeremonyKey; isNew: boolean }> {
  const { folder, beacon, iterations, name, prover, onProgress } = parameters;
  const ceremony = await readCeremony(folder);
  const from = ceremony.latest;
  const last = from.transcript.contributions.at(-1);
  if (last?.beacon === beacon && last.iterations === iterations) {
    return { key: from, isNew: false };
  }
  requireOpen(ceremony);
  if (last === undefined) {
    throw new BaseError({
      code: "ceremony.noContribution",
      message: `nobody has contributed yet: with a beacon alone anyone knows the secret of ${nextKeyName(ceremony)}`,
    });
  }
  onProgress(
    `${nextKeyName(ceremony)} will be ${from.name} with the beacon, hashed 2^${iterations} times; nobody can contribute after it`,
  );
  const key = await addKey({
    ceremony,
    make: (to) =>
      step({
        name: `beacon (${proverName(prover)})`,
        onProgress,
        run: () =>
          keyMaker(parameters).addBeacon({ from: from.path, to, name, beacon, iterations }),
      }),
  });
  return { key, isNew: true };
}
