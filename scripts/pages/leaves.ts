import { placesOf } from "@haca/protocol/pageSettlement";
import { ZeroAddress } from "ethers";
import { sendCall } from "../lib/sendCall.ts";
import { isoTime, opg } from "../lib/words.ts";
import {
  chainTime,
  type PageContext,
  placeArgument,
  readContent,
  refuse,
  resultAt,
  stateInWords,
  withPage,
} from "./page.ts";

type Options = { network: string; account: string; page: string; yes?: boolean };

/** How often the deposit doubles with requests that are open. */
const MAXIMUM_DOUBLINGS = 7n;
/** Most answers that one transaction takes. */
const MAXIMUM_ANSWERS = 32;

/** Asks for a result. Error: `pages.refused`. */
export function requestLeaf(options: Options & { index: string }): Promise<void> {
  return withPage(options, async (context) => {
    const { session, pages, page } = context;
    const index = placeArgument(options.index, page);
    const { state, words } = await stateInWords(context, page.id);
    if (state !== "Pending") throw refuse(`the page is ${words}`);
    const { requester } = await pages.leafRequestOf(page.id, index);
    if (requester !== ZeroAddress)
      throw refuse(`${requester} has asked for place ${index} already`);
    const signer = await session.signer(options.account);
    const { openRequests } = await pages.pageOf(page.id);
    const doublings = openRequests < MAXIMUM_DOUBLINGS ? openRequests : MAXIMUM_DOUBLINGS;
    const deposit = (await pages.LEAF_DEPOSIT()) * 2n ** BigInt(doublings);
    const { amount } = await pages.accountOf(signer.address);
    if (amount < deposit) {
      throw refuse(
        `that takes ${opg(deposit)} and the account of ${signer.address} has ${opg(amount)}: npm run pages -- deposit`,
      );
    }
    console.log(
      `change       ${opg(deposit)} of ${signer.address} go to whoever shows the result at place ${index} within a day; if nobody does, they come back and the page can be rejected`,
    );
    const question = session.question(`Ask for place ${index}?`, options);
    const values = [page.header, index] as const;
    await sendCall({ contract: pages, signer, name: "requestLeaf", values, question });
  });
}

/** Shows what was asked for, as far as one transaction takes it. Error: `pages.refused`. */
export function answerLeaves(options: Options): Promise<void> {
  return withPage(options, async (context) => {
    const { session, pages, page } = context;
    const asked = await openPlaces(context);
    if (asked.length === 0) throw refuse("nobody waits for a result of the page");
    const content = await readContent(context);
    const answers = asked
      .slice(0, MAXIMUM_ANSWERS)
      .map(({ index }) => ({ header: page.header, leaf: resultAt(content, index) }));
    const reward = asked.reduce((sum, { deposit }) => sum + deposit, 0n);
    const signer = await session.signer(options.account);
    console.log(
      `change       ${answers.length} result(s) are shown; ${opg(reward)} go to the account of ${signer.address}`,
    );
    const question = session.question("Show them?", options);
    await sendCall({ contract: pages, signer, name: "answerLeaves", values: [answers], question });
  });
}

/** Rejects a page of which a result, or a proof, was not shown in time. Error: `pages.refused`. */
export function rejectUnanswered(options: Options & { index: string }): Promise<void> {
  return withPage(options, async (context) => {
    const { session, pages, page } = context;
    const index = placeArgument(options.index, page);
    const { state, words } = await stateInWords(context, page.id);
    if (state !== "Pending") throw refuse(`the page is ${words}`);
    const asked = await waitingAt(context, index);
    const [first] = asked.sort((a, b) => (a.deadline < b.deadline ? -1 : 1));
    if (first === undefined) throw refuse(`nobody waits for place ${index}`);
    const { deadline, reject, requester, what } = first;
    if ((await chainTime(session)) <= deadline) {
      throw refuse(`${what} of place ${index} can be shown until ${isoTime(deadline)}`);
    }
    const signer = await session.signer(options.account);
    const { amount } = await pages.accountOf(page.header.proposer);
    console.log(
      `change       the page is rejected; its proposer ${page.header.proposer} loses ${opg(amount)}, of which ${opg(amount / 2n)} go to ${requester}, who asked`,
    );
    const question = session.question("Reject it?", options);
    const values = [page.header, index] as const;
    await sendCall({ contract: pages, signer, name: reject, values, question });
  });
}

/** Gives deposits back. Error: `pages.refused`. */
export function returnDeposits(options: Options & { index: string }): Promise<void> {
  return withPage(options, async (context) => {
    const { session, pages, page } = context;
    const index = placeArgument(options.index, page);
    const { state, words } = await stateInWords(context, page.id);
    if (state !== "Rejected") throw refuse(`the page is ${words}`);
    const waiting = await waitingAt(context, index);
    if (waiting.length === 0) throw refuse(`nobody waits for place ${index}`);
    const signer = await session.signer(options.account);
    const unit = await pages.LEAF_DEPOSIT();
    for (const { deposit, requester, giveBack } of waiting) {
      console.log(`change       ${opg(deposit * unit)} go back to the account of ${requester}`);
      const question = session.question("Give them back?", options);
      const values = [page.header, index] as const;
      const sent = await sendCall({ contract: pages, signer, name: giveBack, values, question });
      if (sent === undefined) return;
    }
  });
}

/** What somebody waits for at a place: the result, its proof, or both. */
async function waitingAt({ pages, page }: PageContext, index: number) {
  const { requester, deadline, deposit } = await pages.leafRequestOf(page.id, index);
  const demand = await pages.demandOf(page.id, index);
  const result = {
    ...{ requester, deadline, deposit, what: "the result" },
    ...({ reject: "rejectWithheld", giveBack: "returnRequest" } as const),
  };
  const proof = {
    ...{ requester: demand.requester, deadline: demand.deadline, deposit: demand.deposit },
    ...({ what: "the proof", reject: "rejectUnproved", giveBack: "returnDemand" } as const),
  };
  return [result, proof].filter((one) => one.requester !== ZeroAddress);
}

/** Places that somebody waits for, with what they pay. */
async function openPlaces({ pages, page }: PageContext) {
  const unit = await pages.LEAF_DEPOSIT();
  const open: { index: number; deposit: bigint }[] = [];
  for (const index of placesOf(page.header)) {
    const { requester, deposit } = await pages.leafRequestOf(page.id, index);
    if (requester !== ZeroAddress) open.push({ index, deposit: BigInt(deposit) * unit });
  }
  return open;
}
