import { type Chain, openChain } from "./chain/openChain.ts";
import { asked, guarded, opened, wordsOf } from "./checks/judged.ts";
import {
  askInGoodStanding,
  askSession,
  askSettled,
  askValidWhenAnswered,
} from "./checks/ofChain.ts";
import { checkAttestation, checkPage, checkProof, evidenceOf } from "./checks/ofEvidence.ts";
import {
  checkContract,
  checkInput,
  checkKey,
  checkModel,
  checkOutput,
  checkRequest,
  checkSignature,
  checkTime,
  isOfEnclave,
} from "./checks/ofMessage.ts";
import { isProof } from "./groth16.ts";
import { isLegacy, type Source } from "./legacy/legacyReceipt.ts";
import { type Check, type Line, lineOf } from "./line.ts";
import { isPinnedSettlement, type Pins, settlementIn } from "./pins.ts";
import type { ProofClaim } from "./proofClaim.ts";
import { toReceipt } from "./receipt/parseReceipt.ts";
import type { Receipt } from "./receipt/receipt.ts";
import type { WitnessLines } from "./witness/judgeWitnesses.ts";

/** What a receipt is verified with. */
export type VerifyOptions = {
  /** none: whatever rests on pins is unknown */
  pins?: Pins;
  /** name of the pinned model that has to have answered; any of the pinned ones if left out */
  model?: string;
  /** addresses of JSON-RPC endpoints; all have to agree. None: no chain is asked */
  rpcs?: readonly string[];
  /** hashes of blocks that you know to be the chain's: what a witness shows counts as of these alone */
  blockHashes?: readonly string[];
  /** unix seconds; this machine's clock if left out */
  now?: bigint;
};

/**
 * The one verifier: what was checked of a receipt, by what, as of when. It fails closed: what throws in a check refutes it, what
 * could not be asked is unknown, and `isVerified` takes neither.
 */
export const verify = (source: Source, options: VerifyOptions = {}): Promise<readonly Line[]> =>
  verifyBy(source, options, { proves: isProof, open: openChain });

/** What many verifications have in common. */
export type Means = {
  proves: (claim: ProofClaim) => boolean;
  open: typeof openChain;
};

/** The same, by other means. */
export async function verifyBy(
  source: Source,
  options: VerifyOptions,
  means: Means,
): Promise<readonly Line[]> {
  const { pins = {}, rpcs = [], now = BigInt(Math.floor(Date.now() / 1000)) } = options;
  if (isLegacy(source)) {
    const { verifyLegacy } = await import("./legacy/verifyLegacy.ts");
    return await verifyLegacy(source, { ...options, now }, means.open);
  }
  const read = tryRead(source);
  if (typeof read === "string") return [lineOf("form", "refuted", read)];
  const { core } = read;
  const lines = [lineOf("form", "asserted", "a receipt of the form haca-receipt/1")];
  const judge = async (check: Check, look: () => Line | Promise<Line>): Promise<void> =>
    void lines.push(await guarded(check, look));

  await judge("contract", () => checkContract(core, pins));
  await judge("time", () => checkTime(core, now));
  await judge("request", () => checkRequest(core));
  await judge("model", () => checkModel(core, pins, options.model));
  await judge("input", () => checkInput(core));
  await judge("output", () => checkOutput(core));
  if (isOfEnclave(core)) await judge("key", () => checkKey(core));
  await judge("signature", () => checkSignature(core));
  const pages = evidenceOf(read, "page");
  const proofs = evidenceOf(read, "proof");
  const documents = evidenceOf(read, "attestation");
  const chain = await openPinned(read, { pins, rpcs, open: means.open });
  const ask = async (check: Check, look: (chain: Chain) => Promise<Line>): Promise<void> =>
    void lines.push(await asked(check, chain, look));

  if (core.session !== null) await ask("session", (at) => askSession(at, core));
  if (isOfEnclave(core) || documents.length > 0) {
    await judge("attestation", () => checkAttestation({ core, documents }, { pins, now }));
  }
  if (!isOfEnclave(core) || proofs.length > 0) {
    await judge("proof", () => checkProof({ core, proofs }, pins, means.proves));
  }
  await judge("page", () => checkPage({ core, pages }));
  const witness = await lookAtWitnesses(read, options);
  lines.push(...(witness?.lines ?? []));
  await ask("validWhenAnswered", (at) => askValidWhenAnswered(at, core));
  await ask("inGoodStanding", (at) => askInGoodStanding(at, core));
  if (typeof chain === "string" && witness !== undefined) lines.push(witness.settled);
  else await ask("settled", (at) => askSettled(at, { core, pages }));
  return lines;
}

/** Loaded where there is one to look at: most receipts have none. */
async function lookAtWitnesses(
  receipt: Receipt,
  { blockHashes = [], pins = {} }: VerifyOptions,
): Promise<WitnessLines | undefined> {
  const { core } = receipt;
  const witnesses = evidenceOf(receipt, "witness");
  if (witnesses.length === 0) return undefined;
  const { judgeWitnesses } = await import("./witness/judgeWitnesses.ts");
  const layout = settlementIn(pins, core)?.storage;
  return await judgeWitnesses({ core, witnesses }, { layout, blockHashes });
}

function tryRead(source: Source): Receipt | string {
  try {
    return toReceipt(source);
  } catch (error) {
    return wordsOf(error);
  }
}

/** A chain, or why there is none to ask. */
async function openPinned(
  { core }: Receipt,
  { open, pins, rpcs }: { pins: Pins; rpcs: readonly string[]; open: Means["open"] },
): Promise<Chain | string> {
  if (rpcs.length === 0) return "no RPC was given";
  if (!isPinnedSettlement(pins, core)) return "a settlement that is not pinned is not asked";
  return await opened(open, { rpcs, chainId: core.chainId });
}
