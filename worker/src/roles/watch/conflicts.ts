import { randomBytes } from "node:crypto";
import { hashResult } from "@haca/protocol/inferenceResult";
import type { PageHeader } from "@haca/protocol/pageSettlement";
import { requestIdAt } from "@haca/protocol/requestId";
import { resultLeaf } from "@haca/protocol/resultPage";
import { hexlify, ZeroAddress } from "ethers";
import { callMany } from "../../chain/callMany.ts";
import { pageInterface } from "../../chain/chain.ts";
import { RetryableError } from "../../errors.ts";
import type { BadLeaf } from "../../verifier/judgeContent.ts";
import type { KnownLeaf } from "../../verifier/readContent.ts";
import type { VerifierContext } from "../../verifier/verifierContext.ts";
import type { HeldReceipt, ReceiptFolder } from "./receiptFolder.ts";

/** The contract looks for the commitment last: where it misses one, everything else about the challenge is as it must be. */
const SHOWN = "PageSettlement_CommitmentInvalid";
const NO_CONFLICT = "PageSettlement_NoConflict";

type Candidate = KnownLeaf & { receipt: HeldReceipt };

/**
 * A leaf for whose request its enclave, or its node, has signed another result, which this watcher holds. Only the contract's
 * word counts: it is asked what it would say of the challenge. @throws RetryableError where the endpoint does not answer
 */
export async function findConflict(parameters: {
  context: Pick<VerifierContext, "chain" | "logger">;
  receipts: ReceiptFolder;
  pageId: string;
  header: PageHeader;
  leaves: readonly KnownLeaf[];
}): Promise<BadLeaf | undefined> {
  const { context, header, leaves, pageId, receipts } = parameters;
  const { chain, logger } = context;
  const { ledgerPage } = header;
  const candidates = leaves.flatMap((known): Candidate[] => {
    const { index, result } = known.leaf;
    const held = receipts.of(requestIdAt({ ledgerPage, index }));
    if (held.length === 0) return [];
    const digest = hashResult({ domain: chain.domain, result });
    return held
      .filter((receipt) => receipt.digest !== digest && !receipt.vainFor.has(pageId))
      .map((receipt) => ({ ...known, receipt }));
  });
  const answers = await callMany({
    provider: chain.provider,
    calls: candidates.map(({ leaf, receipt: { result, signature } }) => {
      // A salt that nobody has committed to.
      const values = [header, leaf, result, signature, ZeroAddress, hexlify(randomBytes(32))];
      const data = pageInterface.encodeFunctionData("challengeConflict", values);
      return { to: chain.pageSettlement, data };
    }),
  });
  for (const [number, { leaf, leafHash, receipt }] of candidates.entries()) {
    const answer = answers[number];
    const { digest, name, result, signature, vainFor } = receipt;
    const fields = { page: pageId, place: leaf.index, file: name };
    if (typeof answer !== "object") {
      throw new RetryableError({
        code: "rpc.emptyAnswer",
        message: `HACA_RPC_URL: asked about a second receipt, the endpoint answers ${answer ?? "nothing"}`,
      });
    }
    if (answer.name === SHOWN) {
      const other = { result, signature, leafHash: resultLeaf({ digest, signature }) };
      return { leaf, leafHash, reason: "ConflictingReceipt", other };
    }
    if (answer.name === NO_CONFLICT) vainFor.add(pageId);
    logger.warn(
      { ...fields, error: answer.message },
      "receipt differs from the page and shows nothing",
    );
  }
  return undefined;
}
