import { BaseError } from "@haca/protocol/baseError";
import { blobIdFromWord } from "@haca/protocol/blobs/blobId";
import { OPTIMISTIC, placesOf } from "@haca/protocol/pageSettlement";
import { decodeRequestId, requestIdAt } from "@haca/protocol/requestId";
import { withChainSession } from "../lib/chainSession.ts";
import { formatTable } from "../lib/table.ts";
import { isoTime, opg } from "../lib/words.ts";
import { readProposals, stateInWords, withPage } from "./page.ts";

/** Lists every page. Error: `pages.badBlock`. */
export function listPages(options: { network: string; fromBlock: string }): Promise<void> {
  if (!/^\d{1,15}$/.test(options.fromBlock)) {
    throw new BaseError({
      code: "pages.badBlock",
      message: `--from-block must be a block's number, got ${options.fromBlock}`,
    });
  }
  return withChainSession(options.network, async (session) => {
    const pages = await session.contract("PageSettlement");
    const fromBlock = Number(options.fromBlock);
    const proposals = await readProposals({ session, fromBlock });
    if (proposals.length === 0) {
      console.log("no page was proposed");
      return;
    }
    const rows = [];
    for (const { id, header } of proposals) {
      const { words } = await stateInWords({ pages }, id);
      rows.push([id, String(placesOf(header).length), words]);
    }
    console.log(formatTable({ columns: ["page", "results", "state"], rows }));
  });
}

/** Says what there is to know of a page without its results. */
export function showPage(options: { network: string; page: string }): Promise<void> {
  return withPage(options, async ({ session, pages, page }) => {
    const { id, header } = page;
    const { words } = await stateInWords({ pages }, id);
    const { proposedAt, openRequests } = await pages.pageOf(id);
    const { amount, openPages } = await pages.accountOf(header.proposer);
    const { node, nonce } = decodeRequestId(
      requestIdAt({ ledgerPage: header.ledgerPage, index: 0 }),
    );
    const taken = placesOf(header);
    const holders = await session.contract("InferenceSettlement");
    const held = await holders.heldBy(await pages.getAddress(), header.ledgerPage);
    console.log(`page         ${id}
state        ${words}
kind         ${header.kind === OPTIMISTIC ? "optimistic: nobody has checked its answers" : `TEE, enclave ${header.teeId}`}
results      ${taken.length}, at nonces ${nonce + BigInt(taken[0] ?? 0)} to ${nonce + BigInt(taken.at(-1) ?? 0)} of node ${node}
held         ${(held & header.bitmap) === header.bitmap ? "all of them" : "not any more"}
root         ${header.root}
blob         ${blobIdFromWord(header.blobId)}
proposed     ${isoTime(proposedAt)}, block ${page.block}
proposer     ${header.proposer}: ${opg(amount)} answer for ${openPages} open page(s)
requests     ${openRequests} wait for a result of it`);
    if (header.kind !== OPTIMISTIC) return;
    const { open } = await pages.clockOf(id);
    const proved = placesOf({ bitmap: await pages.provedIn(id) });
    console.log(
      `demands      ${open} wait for a proof of a result; proved: ${proved.join(", ") || "none"}`,
    );
  });
}
