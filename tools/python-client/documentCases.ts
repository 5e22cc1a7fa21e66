import { sign } from "node:crypto";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { checkAttestation } from "@haca/sdk/checks/ofEvidence";
import type { Line } from "@haca/sdk/line";
import type { ReceiptCore } from "@haca/sdk/receipt/receipt";
import { hexlify, keccak256, sha256 } from "ethers";
import {
  CERTIFICATE_MUTATIONS,
  DOCUMENT_MUTATIONS,
  makeMutatedChain,
} from "../../test/contracts/utils/evidenceMutations.ts";
import type { Random } from "../../test/contracts/utils/seededRandom.ts";

/** An attestation document, and the SDK's line on it. */
export type DocumentCase = { name: string; document: string; line: Line };

/** Sig_structure of RFC 9052 up to the payload. */
const SIGNATURE_CONTEXT = Buffer.from("846a5369676e61747572653144a101382240", "hex");
const HEADER_LENGTH = 7;
/** The signature with its CBOR header. */
const SIGNATURE_PART = 98;
const LEVELS = [1, 2, 3, 4];
const NONE = "none";

/**
 * Every change of documents and certificates that the contracts' verdicts are compared with; a certificate's at one level of the chain, in
 * the deep run at each.
 */
export async function documentCases(parameters: {
  random: Random;
  now: bigint;
  isDeep: boolean;
}): Promise<{ attestationRoot: string; now: string; key: string; cases: DocumentCase[] }> {
  const { random, now, isDeep } = parameters;
  const chain = makeSimulatedChain({ now });
  const root = chain.rootAuthority;
  const enclave = new SimulatedEnclave({
    ...{ chain, measurements: measurementsOf("image"), kind: "p256", now },
  });
  const attestationRoot = sha256(root.certificate);
  const key = hexlify(enclave.signingKey);
  const made: { name: string; document: string }[] = [];
  const make = (document: string, certificate: string, level: number): void => {
    const { payload, whole, ...options } = DOCUMENT_MUTATIONS(now)[document] ?? {};
    const { cabundle, leaf } = makeMutatedChain({
      ...{ root, time: now, level, random },
      mutation: CERTIFICATE_MUTATIONS[certificate] ?? {},
    });
    const sound = Buffer.from(
      enclave.attest({
        ...{ now, nonce: new Uint8Array(20), ...options },
        ...(payload && { changePayload: (bytes) => payload(bytes, random) }),
        overrides: { certificate: leaf.certificate, cabundle, ...options.overrides },
      }),
    );
    // The enclave's own leaf has signed, and this one's has to.
    const message = [SIGNATURE_CONTEXT, sound.subarray(HEADER_LENGTH, -SIGNATURE_PART)];
    const key = { key: leaf.privateKey, dsaEncoding: "ieee-p1363" } as const;
    const signature = sign("sha384", Buffer.concat(message), key);
    sound.set(signature, sound.length - signature.length);
    const bytes = whole?.(sound, random) ?? sound;
    made.push({ name: `${document} ${certificate} ${level}`, document: hexlify(bytes) });
  };
  for (const document of Object.keys(DOCUMENT_MUTATIONS(now))) make(document, NONE, 1);
  for (const [index, certificate] of Object.keys(CERTIFICATE_MUTATIONS).entries()) {
    for (const level of isDeep ? LEVELS : [LEVELS[index % LEVELS.length] ?? 1]) {
      make(NONE, certificate, level);
    }
  }
  const cases: DocumentCase[] = [];
  for (const one of made) {
    cases.push({ ...one, line: await judge({ ...one, key, attestationRoot, now }) });
  }
  return { attestationRoot, now: String(now), key, cases };
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
