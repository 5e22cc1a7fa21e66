import type { signingKeysAbi } from "@haca/protocol/abi";
import type { Functions } from "../../scripts/lib/contracts.ts";
import { enterProject } from "../../scripts/lib/enterProject.ts";
import { deployGroth16Harness } from "../../test/contracts/utils/groth16Harness.ts";
import type { ProofCase } from "./proofCases.ts";
import type { SignatureCase } from "./signatureCases.ts";

type Judged<T> = T & { contract: boolean };

/** The contracts' word on each, on Hardhat's in-process chain; whatever they revert for they do not take. */
export async function judgeByContracts(cases: {
  proofs: readonly ProofCase[];
  signatures: readonly SignatureCase[];
}): Promise<{ proofs: Judged<ProofCase>[]; signatures: Judged<SignatureCase>[] }> {
  enterProject();
  const { default: hre } = await import("hardhat");
  const { ethers } = await hre.network.create();
  const harness = await deployGroth16Harness(ethers);
  const keys = (await ethers.deployContract("SigningKeys")) as unknown as Functions<
    typeof signingKeysAbi
  >;
  const stores = new Map<string, string>();

  const proofs: Judged<ProofCase>[] = [];
  for (const one of cases.proofs) {
    const { verifyingKey, proof, signals } = one;
    const store = stores.get(verifyingKey) ?? (await harness.storeKey(verifyingKey));
    stores.set(verifyingKey, store);
    const contract = await isTaken(() =>
      harness.verify({ store, proof, signals: signals.map(BigInt) }).then(() => true),
    );
    proofs.push({ ...one, contract });
  }
  const signatures: Judged<SignatureCase>[] = [];
  for (const one of cases.signatures) {
    const contract = await isTaken(async () => {
      const kind = await keys.kindOf(one.key);
      return keys.isSigned(kind, one.key, one.message, one.signature);
    });
    signatures.push({ ...one, contract });
  }
  return { proofs, signatures };
}

async function isTaken(ask: () => Promise<boolean>): Promise<boolean> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && /revert/i.test(error.message)) return false;
    throw error;
  }
}
