import { requireSoundVerifyingKey } from "@haca/protocol/verifyingKey";
import { type VerificationKey, zKey } from "snarkjs";
import { proverName } from "../setup/nativeProver.ts";
import { type Progress, step } from "../setup/progress.ts";
import type { PtauRecord } from "../setup/ptauRecord.ts";
import { fileInMemory } from "../setup/snarkjsResources.ts";
import { verifyTranscript } from "../setup/verifyTranscript.ts";
import { type Ceremony, readCeremony, readCeremonyPtau } from "./ceremonyFolder.ts";

/**
 * Verifies that a ceremony's latest key follows from circuit and powers of tau through every contribution of every key before,
 * and that it is none with which anybody can forge.
 *
 * Throws `ceremony.*`, `ptau.*`, `setup.failed`, `verifyingKey.*`.
 */
export async function verifyCeremony(parameters: {
  folder: string;
  /** the powers of tau it was started with */
  ptau: string;
  /** path of the native prover; default: snarkjs */
  prover?: string;
  onProgress: Progress;
}): Promise<{ ceremony: Ceremony; ptau: PtauRecord; verificationKey: VerificationKey }> {
  const { ptau, prover, onProgress } = parameters;
  const ceremony = await readCeremony(parameters.folder);
  const record = await readCeremonyPtau({ ptau, record: ceremony.record });
  const { name, path } = ceremony.latest;
  await step({
    name: `verify ${name} (${proverName(prover)})`,
    onProgress,
    run: () => verifyTranscript({ ...parameters, r1cs: ceremony.r1cs, zkey: path }),
  });
  const verificationKey = await zKey.exportVerificationKey(fileInMemory(path));
  requireSoundVerifyingKey(verificationKey);
  return { ceremony, ptau: record, verificationKey };
}
