import { dataLength, keccak256, TypedDataEncoder } from "ethers";
import type { KeyPoints } from "../groth16Points.ts";
import { hashWords, type InferenceResult } from "../inferenceResult.ts";
import { placeInLedger } from "../requestId.ts";
import { decodeZkmlBatch, resultOfItem, ZKML_BATCH_TYPES, zkmlItemLength } from "../zkmlBatch.ts";
import {
  digestIn,
  nodeOf,
  refuseConsent,
  refuseDeprecated,
  refuseEnclave,
  refuseTaken,
  refuseTime,
} from "./checks.ts";
import { type Groth16Refusal, readKey, refuseProof } from "./refuseProof.ts";
import {
  ACCEPTED,
  type Consent,
  type Refusal,
  type SettlementState,
  type Verdict,
  type VersionState,
} from "./verdict.ts";

/** What `settleZkml` says of a result with a proof. */
export function judgeZkml(parameters: {
  result: InferenceResult;
  /** packed input words, then packed output words */
  words: readonly bigint[];
  /** `A (64) | B (128) | C (64)` */
  proof: string;
  consent: Consent;
  state: SettlementState;
}): Verdict {
  const { result, words, proof, consent, state } = parameters;
  const digest = digestIn(state, result);
  const node = nodeOf(result.requestId);
  return (
    refuseEnclave(result) ??
    refuseTime(result.timestamp, state) ??
    refuseConsent({ node, digest, consent }) ??
    refuseTaken(result.requestId, state.occupied) ??
    refuseEvidence({ result, words, proof, digest, state }) ??
    ACCEPTED
  );
}

/**
 * What `settleZkmlBatch` says, and which items, by their number, it would settle: of a request that is taken or comes
 * twice, the item is skipped.
 */
export function judgeZkmlBatch(parameters: {
  modelVersion: string;
  node: string;
  /** as `encodeZkmlBatch` writes them */
  items: string;
  consent: Consent;
  state: SettlementState;
}): { verdict: Verdict; settled: readonly number[] } {
  const { modelVersion, node, items, consent, state } = parameters;
  const refuse = (verdict: Refusal) => ({ verdict, settled: [] });
  const message = { modelVersion, node, itemsHash: keccak256(items) };
  const digest = TypedDataEncoder.hash(state.domain, ZKML_BATCH_TYPES, message);
  const withoutConsent = refuseConsent({ node, digest, consent });
  if (withoutConsent !== undefined) return refuse(withoutConsent);
  const found = provableVersion(modelVersion, state);
  if (typeof found === "string") return refuse(found);
  const { version, key } = found;
  const wordCount = version.inputWords + version.outputWords;
  const length = dataLength(items);
  if (length === 0 || length % zkmlItemLength(wordCount) !== 0) {
    return refuse("InferenceSettlement_ItemsLengthInvalid");
  }

  const fresh = new Map(state.occupied);
  const settled: number[] = [];
  const refusals = new Set<Groth16Refusal | undefined>();
  for (const [number, item] of decodeZkmlBatch({ items, wordCount }).entries()) {
    const result = resultOfItem({ modelVersion, node, inputWordCount: version.inputWords, item });
    const { page, bit } = placeInLedger(result.requestId);
    const taken = fresh.get(page) ?? 0n;
    if ((taken & bit) !== 0n) continue;
    fresh.set(page, taken | bit);
    const refusal = refuseTime(item.timestamp, state) ?? refuseDeprecated(item.timestamp, version);
    if (refusal !== undefined) return refuse(refusal);
    settled.push(number);
    const signals = [...item.words, BigInt(digestIn(state, result)) >> 8n];
    refusals.add(refuseProof({ key, proof: item.proof, signals }));
  }
  if (settled.length === 0) return refuse("InferenceSettlement_NothingToSettle");
  const worst = BATCH_ORDER.find((refusal) => refusals.has(refusal));
  return worst === undefined ? { verdict: ACCEPTED, settled } : refuse(worst);
}

/** All proofs are judged as one: what is malformed in whichever comes first, and signals before points. */
const BATCH_ORDER = [
  "Groth16_PublicSignalOutOfRange",
  "Groth16_ProofPointInvalid",
  "Groth16_ProofInvalid",
] as const satisfies Groth16Refusal[];

function provableVersion(
  modelVersion: string,
  { versions }: SettlementState,
): { version: VersionState; key: KeyPoints } | Refusal {
  const version = versions.get(modelVersion);
  if (version === undefined) return "InferenceSettlement_VersionUnknown";
  const { verifyingKey } = version;
  if (verifyingKey === undefined) return "InferenceSettlement_VersionWithoutKey";
  return { version, key: readKey(verifyingKey) };
}

function refuseEvidence(parameters: {
  result: InferenceResult;
  words: readonly bigint[];
  proof: string;
  digest: string;
  state: SettlementState;
}): Refusal | undefined {
  const { result, words, proof, digest, state } = parameters;
  const found = provableVersion(result.modelVersion, state);
  if (typeof found === "string") return found;
  const { version, key } = found;
  const { inputWords, outputWords } = version;
  const deprecated = refuseDeprecated(result.timestamp, version);
  if (deprecated !== undefined) return deprecated;
  if (words.length !== inputWords + outputWords) return "InferenceSettlement_WordCountInvalid";
  if (hashWords(words.slice(0, inputWords)) !== result.inputHash) {
    return "InferenceSettlement_InputHashMismatch";
  }
  if (hashWords(words.slice(inputWords)) !== result.outputHash) {
    return "InferenceSettlement_OutputHashMismatch";
  }
  return refuseProof({ key, proof, signals: [...words, BigInt(digest) >> 8n] });
}
