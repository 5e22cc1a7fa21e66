import { hashResult } from "@haca/protocol/inferenceResult";
import {
  OPTIMISTIC,
  type PageHeader,
  type PageLeaf,
  pageIdOf,
} from "@haca/protocol/pageSettlement";
import { EMPTY_LEAF, resultLeaf, verifyResultPageProof } from "@haca/protocol/resultPage";
import type { Log } from "ethers";
import { callMany } from "../chain/callMany.ts";
import { pageInterface } from "../chain/chain.ts";
import { answerOf } from "../chain/rpcErrors.ts";
import { type BadLeaf, reasonIn } from "./judgeContent.ts";
import type { VerifierContext } from "./verifierContext.ts";

type Answered = { header: PageHeader; leaf: PageLeaf };

/**
 * Leaves that a transaction has shown, by its calldata. Of one that called another contract, which called this one, nothing is
 * known: whoever shows leaves in such a way that nobody can read them will be asked for others.
 */
export function shownIn(data: string): Answered[] {
  const call = (() => {
    try {
      return pageInterface.parseTransaction({ data });
    } catch {
      return null;
    }
  })();
  if (call?.name !== "answerLeaves") return [];
  const answers = call.args[0] as { header: PageHeader; leaf: PageLeaf }[];
  return answers.map(({ header, leaf }) => ({
    header: plain(header) as PageHeader,
    leaf: { ...(plain(leaf) as PageLeaf), index: Number(leaf.index) },
  }));
}

/** What ethers decodes is frozen, and knows its fields twice. */
function plain(value: unknown): unknown {
  const result = value as { toObject?: (deep: boolean) => unknown };
  return typeof result.toObject === "function" ? result.toObject(true) : value;
}

/** What is to be said of a leaf that was shown: what is wrong with it, or that its proof can be demanded. */
type Shown = { pageId: string; place: number; bad?: BadLeaf };

/**
 * Wrong leaves among those that answers have shown, and leaves of optimistic pages, of which the contract cannot see whether
 * they are wrong; a page whose blob nobody can read is known by them alone.
 */
export async function judgeShown(parameters: {
  context: Pick<VerifierContext, "chain">;
  /** `LeafAnswered` */
  logs: readonly Log[];
}): Promise<Shown[]> {
  const { context, logs } = parameters;
  const { chain } = context;
  const pageIds = new Set(logs.map(({ topics: [, pageId] }) => pageId));
  const found: { pageId: string; answered: Answered }[] = [];
  for (const hash of new Set(logs.map(({ transactionHash }) => transactionHash))) {
    const transaction = await answerOf(chain.provider.getTransaction(hash));
    for (const answered of shownIn(transaction?.data ?? "0x")) {
      const { chainId, pageSettlement } = chain;
      const pageId = pageIdOf({ chainId, pageSettlement, header: answered.header });
      if (pageIds.has(pageId)) found.push({ pageId, answered });
    }
  }
  const answers = await callMany({
    provider: chain.provider,
    calls: found.map(({ answered: { header, leaf } }) => ({
      to: chain.pageSettlement,
      data: pageInterface.encodeFunctionData("judgeLeaf", [header, leaf]),
    })),
  });
  return found.flatMap(({ answered: { header, leaf }, pageId }, number): Shown[] => {
    const reason = reasonIn(answers[number]);
    const place = leaf.index;
    if (typeof reason === "object") return [];
    if (reason === "None") return header.kind === OPTIMISTIC ? [{ pageId, place }] : [];
    const { result, signature } = leaf;
    const digest = hashResult({ domain: chain.domain, result });
    const hash = resultLeaf({ digest, signature });
    const isThere = verifyResultPageProof({
      ...{ root: header.root, leaf: hash, index: leaf.index, proof: leaf.siblings },
    });
    return [{ pageId, place, bad: { leaf, reason, leafHash: isThere ? hash : EMPTY_LEAF } }];
  });
}
