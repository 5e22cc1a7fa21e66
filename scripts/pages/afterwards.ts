import { EVIDENCE_WINDOW, endOfPage, OPTIMISTIC, PAGE_STATES } from "@haca/protocol/pageSettlement";
import { withChainSession } from "../lib/chainSession.ts";
import { sendCall } from "../lib/sendCall.ts";
import { isoTime } from "../lib/words.ts";
import {
  findPage,
  placeArgument,
  readContent,
  refuse,
  requirePageId,
  resultAt,
  stateInWords,
  withPage,
} from "./page.ts";

type Options = { network: string; account: string; yes?: boolean };

/** Frees bonds. Error: `pages.refused`, for the first page whose bond is not due. */
export function releaseBonds(options: Options & { pages: readonly string[] }): Promise<void> {
  for (const id of options.pages) requirePageId(id);
  return withChainSession(options.network, async (session) => {
    const pages = await session.contract("PageSettlement");
    const headers = [];
    const now = BigInt((await session.provider.getBlock("latest"))?.timestamp ?? 0);
    for (const id of options.pages) {
      const { header } = await findPage({ session, id });
      const { words } = await stateInWords({ pages }, id);
      const record = await pages.pageOf(id);
      if (PAGE_STATES[Number((await pages.stateOfPage(id)).state)] !== "Final") {
        throw refuse(`${id} is ${words}`);
      }
      if (Number(record.outcome) !== 0) throw refuse(`the bond of ${id} is free already`);
      const { stopped } = await pages.clockOf(id);
      const latest = endOfPage(record, stopped) + EVIDENCE_WINDOW;
      if (now <= latest) throw refuse(`the bond of ${id} is free from ${isoTime(latest + 1n)} on`);
      headers.push(header);
    }
    const signer = await session.signer(options.account);
    console.log(`change       the bonds of ${headers.length} page(s) are free`);
    const question = session.question("Free them?", options);
    await sendCall({ contract: pages, signer, name: "releaseBonds", values: [headers], question });
  });
}

/** Settles one result of a rejected page. Error: `pages.refused`. */
export function settleAgain(options: Options & { page: string; index: string }): Promise<void> {
  return withPage(options, async (context) => {
    const { session, pages, page } = context;
    const index = placeArgument(options.index, page);
    const { state, words } = await stateInWords(context, page.id);
    if (state !== "Rejected") throw refuse(`the page is ${words}`);
    if (page.header.kind === OPTIMISTIC) {
      throw refuse("a result of an optimistic page settles by its proof: npm run pages -- prove");
    }
    const leaf = resultAt(await readContent(context), index);
    const signer = await session.signer(options.account);
    console.log(
      `change       request ${leaf.result.requestId} is settled as TEE, alone and for good`,
    );
    const question = session.question("Settle it?", options);
    const values = [page.header, leaf] as const;
    await sendCall({ contract: pages, signer, name: "settleAgain", values, question });
  });
}
