import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { checkAttestation } from "@haca/sdk/checks/ofEvidence";
import type { Line } from "@haca/sdk/line";
import type { ReceiptCore } from "@haca/sdk/receipt/receipt";
import { hexlify, keccak256, sha256 } from "ethers";
import { BYTE_MUTATIONS, flipBit } from "../../test/contracts/utils/byteMutations.ts";
import type { Random } from "../../test/contracts/utils/seededRandom.ts";

/** An attestation document, and the SDK's line on it; null where it is refuted by what it throws. */
export type DocumentCase = { document: string; key: string; line: Line };

/** Documents of which a bit is another one, or the end is missing; the first is sound. */
export async function documentCases(parameters: {
  count: number;
  random: Random;
  enclave: SimulatedEnclave;
  /** of the chain of certificates, DER */
  root: string;
  now: bigint;
}): Promise<{ attestationRoot: string; now: string; cases: DocumentCase[] }> {
  const { count, random, enclave, root, now } = parameters;
  const sound = hexlify(enclave.attest({ now, nonce: new Uint8Array(20) }));
  const key = hexlify(enclave.signingKey);
  const attestationRoot = sha256(root);
  const cases: DocumentCase[] = [];
  for (let index = 0; index < count; index += 1) {
    const change = index % 8 === 1 ? random.pick(Object.values(BYTE_MUTATIONS)) : flipBit;
    const document = index === 0 ? sound : change(sound, random);
    cases.push({ document, key, line: await judge({ document, key, attestationRoot, now }) });
  }
  return { attestationRoot, now: String(now), cases };
}

/** What the verifier says of a receipt that names the document; of the core nothing else is looked at. */
async function judge(parameters: {
  document: string;
  key: string;
  attestationRoot: string;
  now: bigint;
}): Promise<Line> {
  const { document, key, attestationRoot, now } = parameters;
  const core = { key, attestation: keccak256(document) } as ReceiptCore;
  try {
    return await checkAttestation(
      { core, documents: [{ type: "attestation", document }] },
      { pins: { attestationRoot }, now },
    );
  } catch (error) {
    const detail = error instanceof Error ? error.message : "";
    const line = { check: "attestation", status: "refuted", source: "own computation" } as const;
    return { ...line, asOf: { type: "always" }, detail };
  }
}
