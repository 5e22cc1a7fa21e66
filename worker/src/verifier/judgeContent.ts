import type { CheckedPage } from "@haca/protocol/blobs/pageBlob";
import type { InferenceResult } from "@haca/protocol/inferenceResult";
import {
  OPTIMISTIC,
  PAGE_REASONS,
  type PageHeader,
  type PageLeaf,
  placesOf,
} from "@haca/protocol/pageSettlement";
import { judgeLeaf } from "@haca/protocol/verdicts/judgeLeaf";
import { ACCEPTED } from "@haca/protocol/verdicts/verdict";
import { callMany } from "../chain/callMany.ts";
import { pageInterface } from "../chain/chain.ts";
import type { Revert } from "../chain/rpcErrors.ts";
import type { PageView } from "./pageViews.ts";
import { type KnownLeaf, leafInPlace } from "./readContent.ts";
import type { VerifierContext } from "./verifierContext.ts";

export type PageReason = (typeof PAGE_REASONS)[number];
/** A leaf that the contract finds wrong. */
export type BadLeaf = KnownLeaf & { reason: PageReason; other?: OtherResult };
/** What was signed for a leaf's request besides it, and what it would be as a leaf. */
export type OtherResult = { result: InferenceResult; signature: string; leafHash: string };

/** What contract and filter say of a page's leaves. */
export type Judgement = {
  /** those that the contract finds wrong, by their places */
  bad: BadLeaf[];
  /** places that the endpoint did not judge, and its words */
  unjudged: { place: number; words: string }[];
  /** places that the contract finds good, and this program not: nobody vouches for them */
  doubted: { place: number; words: string }[];
};

/** For reasons up to this one, which follow from page and keys alone, whoever vouched for a page answers with stake. */
const LAST_PURE_REASON = PAGE_REASONS.indexOf("InvalidSignature");

/**
 * Has every leaf of a page judged: by the contract, whose word is the only one that counts against a page, and by this
 * program, for what follows from leaf and keys alone. Whoever signs needs both: an endpoint that says yes to everything would
 * cost them their stake otherwise. @throws RetryableError where the endpoint does not answer
 */
export async function judgeContent(parameters: {
  context: Pick<VerifierContext, "chain" | "keys" | "metrics" | "logger">;
  pageId: string;
  header: PageHeader;
  page: CheckedPage;
  view: PageView;
}): Promise<Judgement> {
  const { context, header, page, pageId } = parameters;
  const { chain, logger, metrics } = context;
  const found = placesOf(header).map((index) => leafInPlace(page, index));
  const answers = await callMany({
    provider: chain.provider,
    calls: found.map(({ leaf }) => ({
      to: chain.pageSettlement,
      data: pageInterface.encodeFunctionData("judgeLeaf", [header, leaf]),
    })),
  });
  const filtered = await filterLeaves({ ...parameters, leaves: found.map(({ leaf }) => leaf) });
  const judgement: Judgement = { bad: [], unjudged: [], doubted: [] };
  for (const [number, { leaf, leafHash }] of found.entries()) {
    const place = leaf.index;
    const reason = reasonIn(answers[number]);
    const filter = filtered[number] ?? ACCEPTED;
    if (typeof reason === "object") {
      judgement.unjudged.push({ place, words: reason.words });
      continue;
    }
    if (reason !== "None") judgement.bad.push({ leaf, leafHash, reason });
    else if (filter !== ACCEPTED) judgement.doubted.push({ place, words: filter });
    if (isDifferent(reason, filter)) {
      metrics.differences.inc();
      const fields = { page: pageId, place, contract: reason, filter };
      logger.error(
        fields,
        "contract and worker judge a leaf differently: the contract's word counts",
      );
    }
  }
  return judgement;
}

function isDifferent(reason: PageReason, filter: string): boolean {
  if (reason === "None") return filter !== ACCEPTED;
  const isPure = PAGE_REASONS.indexOf(reason) <= LAST_PURE_REASON;
  return isPure ? filter !== reason : false;
}

/** What the contract says of a leaf, or the words of an endpoint that does not say it. */
export function reasonIn(answer: string | Revert | undefined): PageReason | { words: string } {
  if (answer === undefined || answer === "0x") return { words: "nothing" };
  if (typeof answer === "object") return { words: answer.message };
  const [number] = pageInterface.decodeFunctionResult("judgeLeaf", answer);
  return PAGE_REASONS[Number(number)] ?? { words: `reason ${number}` };
}

/** What this program says of leaves; enclaves are taken to have been in service, and versions to be good. */
async function filterLeaves(parameters: {
  context: Pick<VerifierContext, "chain" | "keys">;
  header: PageHeader;
  view: PageView;
  leaves: readonly PageLeaf[];
}): Promise<string[]> {
  const { context, header, leaves, view } = parameters;
  const { chain, keys } = context;
  const { kind, teeId } = header;
  // In an optimistic page the node's own signature counts.
  const enclave = kind === OPTIMISTIC ? undefined : await keys.enclaveOf({ teeId, leaves });
  const version = { inputWords: 0, outputWords: 0, admittedAt: 0n };
  const state = {
    domain: chain.domain,
    versions: new Map(leaves.map(({ result }) => [result.modelVersion, version])),
    enclaves: new Map(enclave === undefined ? [] : [[teeId, enclave]]),
  };
  const { proposedAt, resultWindow } = view;
  const terms = { proposedAt, isProposed: true, resultWindow };
  return await Promise.all(leaves.map((leaf) => judgeLeaf({ header, leaf, terms, state })));
}
