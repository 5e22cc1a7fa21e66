import { openChain } from "../chain/openChain.ts";
import { checkProof, evidenceOf } from "../checks/ofEvidence.ts";
import { isLegacy, type Source } from "../legacy/legacyReceipt.ts";
import { type Line, lineOf } from "../line.ts";
import type { ProofClaim } from "../proofClaim.ts";
import { toReceipt } from "../receipt/parseReceipt.ts";
import type { Receipt } from "../receipt/receipt.ts";
import { type VerifyOptions, verifyBy } from "../verify.ts";
import { makeBreather } from "./breather.ts";
import { judgeProofs } from "./judgeProofs.ts";

/** What is verified: receipts, or their bytes or texts. */
export type Sources = readonly Source[];

/** `verifyMany` on this thread, which it leaves every few milliseconds. */
export async function verifyInParts(
  sources: Sources,
  options: VerifyOptions,
): Promise<readonly (readonly Line[])[]> {
  const breathe = makeBreather();
  const now = options.now ?? BigInt(Math.floor(Date.now() / 1000));
  const read: ReadOne[] = [];
  for (const source of sources) {
    read.push(readOne(source, options));
    await breathe();
  }
  const verdicts = await judgeProofs(
    read.flatMap(({ claims }) => claims),
    breathe,
  );
  // All are looked at as of one block of a chain.
  const chains = new Map<string, ReturnType<typeof openChain>>();
  const open: typeof openChain = (parameters) => {
    const chain = chains.get(parameters.chainId) ?? openChain(parameters);
    chains.set(parameters.chainId, chain);
    return chain;
  };
  const results: (readonly Line[])[] = [];
  let next = 0;
  for (const { claims, receipt } of read) {
    const own = verdicts.slice(next, next + claims.length).values();
    next += claims.length;
    const proves = (): boolean => {
      const { value: verdict = false } = own.next();
      if (verdict instanceof Error) throw verdict;
      return verdict;
    };
    results.push(
      Array.isArray(receipt)
        ? receipt
        : await verifyBy(receipt, { ...options, now }, { open, proves }),
    );
    await breathe();
  }
  return results;
}

/** A receipt, or the lines of what is none. */
type ReadOne = { receipt: Source | Line[]; claims: readonly ProofClaim[] };

function readOne(source: Source, { pins = {} }: VerifyOptions): ReadOne {
  if (isLegacy(source)) return { receipt: source, claims: [] };
  let receipt: Receipt;
  try {
    receipt = toReceipt(source);
  } catch (error) {
    const words = error instanceof Error ? error.message : "cannot be read";
    return { receipt: [lineOf("form", "refuted", words)], claims: [] };
  }
  const claims: ProofClaim[] = [];
  try {
    const parts = { core: receipt.core, proofs: evidenceOf(receipt, "proof") };
    // Whether they hold is asked of all together, below.
    checkProof(parts, pins, (claim) => claims.push(claim) > 0);
  } catch {
    // Says so again where it is verified.
  }
  return { receipt, claims };
}
