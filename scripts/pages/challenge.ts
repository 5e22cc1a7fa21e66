/** Reading a page as a watcher does, and showing that a result of it is wrong. */
import { randomBytes } from "node:crypto";
import { BaseError } from "@haca/protocol/baseError";
import type { CheckedPage } from "@haca/protocol/blobs/pageBlob";
import {
  challengeCommitment,
  leafAt,
  OPTIMISTIC,
  PAGE_REASONS,
  type PageLeaf,
  placesOf,
} from "@haca/protocol/pageSettlement";
import { EMPTY_LEAF, resultPageProof } from "@haca/protocol/resultPage";
import { hexlify } from "ethers";
import { sendCall } from "../lib/sendCall.ts";
import { opg } from "../lib/words.ts";
import { wordsInWords } from "./demands.ts";
import { type PageContext, readContent, refuse, resultAt, stateInWords, withPage } from "./page.ts";

type Options = { network: string; account: string; page: string; yes?: boolean };
type Bad = { leaf: PageLeaf; leafHash: string; reason: string };

/** Asks the contract about every result. Error `pages.wrong` where one is, so that the exit status says it. */
export function checkPage(options: { network: string; page: string }): Promise<void> {
  return withPage(options, async (context) => {
    const { words } = await stateInWords(context, context.page.id);
    console.log(`state        ${words}`);
    const bad = await findBad(context, { first: false });
    const count = placesOf(context.page.header).length;
    if (bad.length === 0) {
      const isOptimistic = context.page.header.kind === OPTIMISTIC;
      const what = isOptimistic ? "nothing wrong with their form" : "all of them good";
      console.log(`results      ${count}, ${what}`);
      if (isOptimistic) console.log(`words        ${await wordsInWords(context)}`);
      return;
    }
    for (const { leaf, reason } of bad) console.log(`wrong        place ${leaf.index}: ${reason}`);
    throw new BaseError({
      code: "pages.wrong",
      message: `${bad.length} of ${count} results are wrong: npm run pages -- challenge ${context.page.id}`,
    });
  });
}

/** Commits to the first wrong result, waits for a block, and challenges. Error: `pages.refused`. */
export function challengePage(options: Options): Promise<void> {
  return withPage(options, async (context) => {
    const { session, pages, page } = context;
    const { state, words } = await stateInWords(context, page.id);
    if (state !== "Pending" && state !== "Final") throw refuse(`the page is ${words}`);
    const [bad] = await findBad(context, { first: true });
    if (bad === undefined) throw refuse("every result of the page is good");
    const signer = await session.signer(options.account);
    const challenger = signer.address;
    const { amount } = await pages.accountOf(page.header.proposer);
    const becomes = state === "Pending" ? "rejected" : "disproved";
    console.log(`wrong        place ${bad.leaf.index}: ${bad.reason}
change       the page is ${becomes}; its proposer ${page.header.proposer} loses ${opg(amount)}, of which ${opg(amount / 2n)} go to the account of ${challenger}`);
    const salt = hexlify(randomBytes(32));
    const commitment = challengeCommitment({
      ...{ pageId: page.id, index: bad.leaf.index, leafHash: bad.leafHash, challenger, salt },
    });
    const question = session.question("Challenge it, in two transactions?", options);
    const committed = await sendCall({
      ...{
        contract: pages,
        signer,
        name: "commitChallenge",
        values: [commitment] as const,
        question,
      },
    });
    if (committed === undefined) return;
    console.log(`salt         ${salt}`);
    await nextBlock(context, committed.blockNumber);
    await sendCall({
      ...{ contract: pages, signer, name: "challenge" },
      values: [page.header, bad.leaf, challenger, salt] as const,
    });
  });
}

/** What is wrong with a page: results, and places that it took without one. */
async function findBad(context: PageContext, { first }: { first: boolean }): Promise<Bad[]> {
  const { pages, page } = context;
  const content = await readContent(context);
  const leafHashes = content.tree.levels[0] ?? [];
  const found: Bad[] = [];
  for (const index of placesOf(page.header)) {
    const leaf = leafAt(content, index) ?? emptyLeafAt(content, index);
    const reason = PAGE_REASONS[Number(await pages.judgeLeaf(page.header, leaf))];
    if (reason === "None" || reason === undefined) continue;
    found.push({ leaf, reason, leafHash: leafHashes[index] ?? EMPTY_LEAF });
    if (first) break;
  }
  return found;
}

/** What shows that a place has no result: its way to the root. The result with it is any. */
function emptyLeafAt(content: CheckedPage, index: number): PageLeaf {
  const [any] = content.results;
  const siblings = resultPageProof({ tree: content.tree, index });
  return { ...resultAt(content, any?.index ?? 0), index, siblings };
}

/** A challenge that were simulated in its commitment's block would be refused. */
async function nextBlock({ session }: PageContext, number: number): Promise<void> {
  const { provider, isDevelopment } = session;
  if (isDevelopment) {
    await provider.send("evm_mine", []);
    return;
  }
  const isLater = async () => (await provider.getBlockNumber()) > number;
  while (!(await isLater())) await new Promise((resolve) => setTimeout(resolve, 1_000));
}
