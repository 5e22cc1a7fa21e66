import { type PageHeader, placesOf } from "@haca/protocol/pageSettlement";
import { callMany } from "../chain/callMany.ts";
import { pageInterface } from "../chain/chain.ts";
import { type BadLeaf, reasonIn } from "./judgeContent.ts";
import { KnownTree } from "./knownTree.ts";
import type { KnownLeaf } from "./readContent.ts";
import type { VerifierContext } from "./verifierContext.ts";
import type { WatchedPage } from "./watchedPages.ts";

/** Finds a leaf for whose request another result was signed. */
export type FindConflict = (parameters: {
  pageId: string;
  header: PageHeader;
  leaves: readonly KnownLeaf[];
}) => Promise<BadLeaf | undefined>;

/**
 * What is wrong with a page of which only some leaves are known: with one that was shown, as of now; with a place that it took
 * and that an answer for another one shows to be empty; or with what was signed besides one. @throws RetryableError
 */
export async function badAmongShown(
  context: Pick<VerifierContext, "chain"> & { findConflict?: FindConflict },
  { header, pageId }: WatchedPage,
  shown: readonly KnownLeaf[],
): Promise<BadLeaf | undefined> {
  const { chain, findConflict } = context;
  const tree = new KnownTree(shown);
  const empty = placesOf(header).flatMap((place) => tree.emptyLeafAt(place) ?? []);
  const leaves = [...shown, ...empty];
  const answers = await callMany({
    provider: chain.provider,
    calls: leaves.map(({ leaf }) => ({
      to: chain.pageSettlement,
      data: pageInterface.encodeFunctionData("judgeLeaf", [header, leaf]),
    })),
  });
  for (const [number, known] of leaves.entries()) {
    const reason = reasonIn(answers[number]);
    if (typeof reason === "string" && reason !== "None") return { ...known, reason };
  }
  return await findConflict?.({ pageId, header, leaves: shown });
}
