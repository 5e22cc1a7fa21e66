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
import { decodeLeaf, encodeLeaf } from "./leafText.ts";
import type { KnownLeaf } from "./readContent.ts";
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

const KEEP = `INSERT INTO shown_leaves (page_id, place, leaf) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING`;

/** Leaves of a page that answers have shown, by their places; each leads to the page's root. */
export async function listShown(parameters: {
  context: Pick<VerifierContext, "chain" | "database">;
  pageId: string;
}): Promise<KnownLeaf[]> {
  const { context, pageId } = parameters;
  const sql = "SELECT leaf FROM shown_leaves WHERE page_id = $1 ORDER BY place";
  const rows = await context.database.query(sql, [pageId]);
  return rows.map((row) => {
    const leaf = decodeLeaf<PageLeaf>(row.leaf as string);
    return { leaf, leafHash: hashOf(context, leaf) };
  });
}

const hashOf = (
  { chain }: Pick<VerifierContext, "chain">,
  { result, signature }: PageLeaf,
): string => resultLeaf({ digest: hashResult({ domain: chain.domain, result }), signature });

/**
 * Keeps leaves that answers have shown, which are nowhere else. Returns wrong ones among them, and leaves of optimistic pages, of which the contract cannot see whether
 * they are wrong; a page whose blob nobody can read is known by them alone.
 */
export async function judgeShown(parameters: {
  context: Pick<VerifierContext, "chain" | "database">;
  /** `LeafAnswered` */
  logs: readonly Log[];
}): Promise<Shown[]> {
  const { context, logs } = parameters;
  const { chain, database } = context;
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
  const shown: Shown[] = [];
  for (const [number, { answered, pageId }] of found.entries()) {
    const { header, leaf } = answered;
    const { index: place, siblings } = leaf;
    const leafHash = hashOf(context, leaf);
    const isThere = verifyResultPageProof({
      ...{ root: header.root, leaf: leafHash, index: place, proof: siblings },
    });
    if (isThere) await database.query(KEEP, [pageId, place, encodeLeaf(leaf)]);
    const reason = reasonIn(answers[number]);
    if (typeof reason === "object") continue;
    if (reason !== "None") {
      const bad = { leaf, reason, leafHash: isThere ? leafHash : EMPTY_LEAF };
      shown.push({ pageId, place, bad });
    } else if (header.kind === OPTIMISTIC) shown.push({ pageId, place });
  }
  return shown;
}
