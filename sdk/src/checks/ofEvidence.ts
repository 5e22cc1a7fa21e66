import { type DocumentResult, judgeDocument } from "@haca/attestation/nitro/judgeDocument";
import { parseDocument } from "@haca/attestation/nitro/parseDocument";
import type { P384Signed } from "@haca/attestation/nitro/verifyChain";
import { sha256 } from "@noble/hashes/sha2.js";
import { keccak, toBytes, toHex } from "../bytes.ts";
import { isProof } from "../groth16.ts";
import { type Line, lineOf, PINS } from "../line.ts";
import { pageIdOf, placeOf, signatureInPage } from "../page.ts";
import { isPinnedImage, modelOf, type Pins } from "../pins.ts";
import type { ProofClaim } from "../proofClaim.ts";
import type {
  AttestationEvidence,
  Evidence,
  PageEvidence,
  ProofEvidence,
  Receipt,
  ReceiptCore,
  Words,
} from "../receipt/receipt.ts";
import { isSigned } from "./knownSignatures.ts";
import { contextOf, isOfEnclave, MAXIMUM_CLOCK_SKEW } from "./ofMessage.ts";

/** What a receipt's evidence shows. Of several of one type each has to hold. Whatever is thrown here refutes. */

const SHA256_MULTIHASH = "1220";
const TEE = 2n;
const OPTIMISTIC = 3n;

export const evidenceOf = <T extends Evidence["type"]>(
  { evidence }: Receipt,
  type: T,
): readonly Extract<Evidence, { type: T }>[] =>
  evidence.filter((item): item is Extract<Evidence, { type: T }> => item.type === type);

export async function checkAttestation(
  {
    core,
    documents,
  }: {
    core: Pick<ReceiptCore, "attestation" | "key">;
    documents: readonly AttestationEvidence[];
  },
  { pins, now }: { pins: Pins; now: bigint },
): Promise<Line> {
  if (documents.length === 0) {
    const what = core.attestation === null ? "names no" : "does not have its";
    return lineOf("attestation", "unknown", `the receipt ${what} attestation document`);
  }
  const [found] = documents;
  if (
    found === undefined ||
    documents.some(({ document }) => keccak(document) !== core.attestation)
  ) {
    return lineOf("attestation", "refuted", "the document is not the one that the core names");
  }
  const { result, time, errors } = await judge(toBytes(found.document), pins);
  const asOf = { type: "time", time: String(time) } as const;
  const [error] = errors;
  if (error !== undefined) return lineOf("attestation", "refuted", error, { asOf });
  if (time > now + MAXIMUM_CLOCK_SKEW) {
    return lineOf("attestation", "refuted", "the document is from the future", { asOf });
  }
  if (!vouchesFor(result.document.userData, core.key ?? "0x")) {
    return lineOf("attestation", "refuted", "the document vouches for another key", { asOf });
  }
  const image = `image ${result.pcrHash}`;
  if (pins.images === undefined) {
    return lineOf("attestation", "unknown", `the key is in an enclave; its ${image} is not pinned`);
  }
  return isPinnedImage(pins, result.pcrHash)
    ? lineOf("attestation", "asserted", `the key is in an enclave of ${image}`, {
        ...{ source: PINS, asOf },
      })
    : lineOf("attestation", "refuted", `the enclave's ${image} is not pinned`, { asOf });
}

/** A document as of its own time: certificates end, and what they showed stays so. */
async function judge(
  bytes: Uint8Array,
  pins: Pins,
): Promise<{ result: DocumentResult; time: bigint; errors: readonly string[] }> {
  const time = parseDocument(bytes).timestamp / 1000n;
  const signed: P384Signed[] = [];
  const result = judgeDocument({
    ...{ bytes, now: time, rootFingerprint: pins.attestationRoot },
    // WebCrypto answers later: what there is to look at is gathered, and looked at below.
    isSignedBy: (parts) => signed.push(parts) > 0,
  });
  const errors = result.errors.map(({ message }) => message);
  const found = await Promise.all(signed.map(isSigned));
  for (const isRight of found) if (!isRight) errors.push("a signature of the document is wrong");
  return { result, time, errors };
}

/** User data of enclaves' gateways: multihashes of TLS certificate and signing key. */
const vouchesFor = (userData: Uint8Array | null, key: string): boolean =>
  userData?.length === 68 &&
  toHex(userData.subarray(34)).slice(2) === SHA256_MULTIHASH + toHex(sha256(toBytes(key))).slice(2);

export function checkProof(
  { core, proofs }: { core: ReceiptCore; proofs: readonly ProofEvidence[] },
  pins: Pins,
  /** as `isProof`, which may know it already */
  proves: (claim: ProofClaim) => boolean = isProof,
): Line {
  if (proofs.length === 0) return lineOf("proof", "unknown", "the receipt has no proof");
  const { input, output, message } = core;
  const pin = modelOf(pins, message.modelVersion)?.[1];
  if (pin?.verifyingKeyHash === undefined || pin.inputWords === undefined) {
    return lineOf("proof", "unknown", "the model's verifying key is not pinned");
  }
  if (input?.type !== "words" || output?.type !== "words") {
    return lineOf("proof", "unknown", "the words that are proved are not in the receipt");
  }
  if (input.words.length !== pin.inputWords) {
    return lineOf("proof", "refuted", "the input has another number of words than the model's");
  }
  const keyHash = pin.verifyingKeyHash.toLowerCase();
  if (proofs.some(({ verifyingKey }) => keccak(verifyingKey) !== keyHash)) {
    return lineOf("proof", "refuted", "the proof is for another verifying key than the pinned one");
  }
  const signals = [...signalsOf(input), ...signalsOf(output), contextOf(core)];
  return proofs.every(({ proof, verifyingKey }) => proves({ verifyingKey, proof, signals }))
    ? lineOf("proof", "asserted", "the output is the model's on this input", {
        source: pin.source ?? PINS,
      })
    : lineOf("proof", "refuted", "the proof does not hold");
}

const signalsOf = ({ words }: Words): bigint[] => words.map(BigInt);

/** Whether the result is in the page that the header is of; whether the page exists only a chain can tell. */
export function checkPage({
  core,
  pages,
}: {
  core: ReceiptCore;
  pages: readonly PageEvidence[];
}): Line {
  if (pages.length === 0) return lineOf("page", "unknown", "the receipt is in no page");
  for (const page of pages) {
    const reason = refusePage(core, page);
    if (reason !== undefined) return lineOf("page", "refuted", reason);
  }
  return lineOf("page", "asserted", "the result is under the root in the page's header");
}

function refusePage(core: ReceiptCore, page: PageEvidence): string | undefined {
  const { header } = page;
  const { ledgerPage, index } = placeOf(core.message.requestId);
  if (pageIdOf(core.chainId, page) !== page.pageId) return "the page's id is not its header's";
  if (BigInt(header.ledgerPage) !== ledgerPage) return "the page is of other requests";
  if (((BigInt(header.bitmap) >> BigInt(index)) & 1n) === 0n)
    return "the page left the request out";
  if (header.teeId !== core.message.teeId) return "the page is another enclave's";
  const kind = isOfEnclave(core) ? TEE : OPTIMISTIC;
  if (BigInt(header.kind) !== kind) return "the page is of another kind";
  return signatureInPage(core, page) === undefined
    ? "the result is not under the root in the page's header"
    : undefined;
}
