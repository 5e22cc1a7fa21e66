import type { Context } from "ponder:registry";
import { leafRequest, page, pageChallenge, pageDeposit, pageParameter } from "ponder:schema";
import { readAddressBook } from "@haca/protocol/addressBook";
import { settlementDomain } from "@haca/protocol/inferenceResult";
import { PAGE_REASONS } from "@haca/protocol/pageSettlement";
import { and, asc, eq, gt, ne, or } from "ponder";
import { getAddress, type Hex, toHex } from "viem";
import { readSettings } from "../launch/readSettings.ts";
import type { PageParameterName } from "../schema/pages.ts";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";
import { writeAttestation } from "./pages/attestations.ts";
import { standingTime } from "./pages/pageState.ts";
import { createResultReader } from "./pages/readResults.ts";
import { type At, setAccount } from "./pages/setAccount.ts";
import { removeResults, writeReading } from "./pages/writeResults.ts";
import { verificationName } from "./verificationName.ts";

const PAGE_NUMBER_BITS = 88n;
/** Seconds that a request for a leaf leaves behind its answer's deadline, as the contract has them. */
const TIME_AFTER_ANSWER = 86_400n;
const REJECTED = 3;
/** Pages whose blobs are looked for again in one block. */
const RETRIES = 4;

const settings = readSettings(process.env);
const { contracts } = readAddressBook(settings.addressBook);
const readResults = createResultReader({
  aggregator: settings.blobAggregator,
  domain: settlementDomain({
    chainId: BigInt(settings.chainId),
    settlement: getAddress(contracts.InferenceSettlement.address),
  }),
});

if (isIndexed("PageSettlement")) {
  indexPages();
  indexLeafRequests();
  indexAccounts();
  indexParameters();
  retryBlobs();
}

function indexPages(): void {
  on("PageSettlement:PageProposed", async ({ event, context }) => {
    const { block, log, transaction, transactionReceipt } = event;
    const { pageId: id, bitmap, end, kind, ledgerPage, ...rest } = event.args;
    const verification = verificationName(kind);
    if (verification !== "tee" && verification !== "optimistic") {
      throw new RangeError(`page ${id} is of kind ${verification}`);
    }
    const inserted = await context.db.insert(page).values({
      ...{ id, bitmap, end, ledgerPage, kind: verification, ...rest },
      nodeAddress: toHex(ledgerPage >> PAGE_NUMBER_BITS, { size: 20 }),
      number: ledgerPage & ((1n << PAGE_NUMBER_BITS) - 1n),
      resultCount: bitmap.toString(2).replaceAll("0", "").length,
      proposedAt: block.timestamp,
      ...{ attestedAt: null, openRequests: 0, extendedUntil: null, outcome: "open" },
      ...{ openDemands: 0, stoppedAt: null, proved: 0n },
      ...{ reason: null, endedAt: null, challenger: null, reward: null, releasedAt: null },
      ...{ blob: "unread", blobError: null },
      sender: transaction.from,
      transactionHash: transaction.hash,
      gasUsed: transactionReceipt.gasUsed,
      blockNumber: block.number,
      blockHash: block.hash,
      logIndex: log.logIndex,
    });
    await setAccount({ context, event, address: event.args.proposer });
    const reading = await readResults(inserted);
    await writeReading({ context, page: inserted, reading });
  });

  on("PageSettlement:PageAttested", async ({ event, context }) => {
    const { pageId: id, end, signers } = event.args;
    await context.db.update(page, { id }).set({ attestedAt: event.block.timestamp, end });
    // The attester alone calls this, and its account gets the fee.
    const attester = await writeAttestation({ context, event, pageId: id, signers });
    await setAccount({ context, event, address: attester });
  });

  on("PageSettlement:PageRefuted", async ({ event, context }) => {
    const { pageId: id, challenger, reason, reward, state } = event.args;
    const row = await context.db.find(page, { id });
    if (row === null) throw new RangeError(`page ${id} was refuted and never proposed`);
    const isRejected = state === REJECTED;
    if (isRejected) await removeResults({ context, page: row });
    const ended = {
      outcome: isRejected ? ("rejected" as const) : ("disproved" as const),
      reason: PAGE_REASONS[reason] ?? String(reason),
      endedAt: event.block.timestamp,
      ...{ challenger, reward },
    };
    await context.db.update(page, { id }).set(ended);
    const { from: sender, hash: transactionHash } = event.transaction;
    await context.db
      .insert(pageChallenge)
      .values({ pageId: id, ...ended, sender, transactionHash });
    await setAccount({ context, event, address: row.proposer });
    await setAccount({ context, event, address: challenger });
  });

  on("PageSettlement:PageReleased", async ({ event, context }) => {
    const { pageId: id } = event.args;
    const { proposer } = await context.db
      .update(page, { id })
      .set({ outcome: "released", releasedAt: event.block.timestamp });
    await setAccount({ context, event, address: proposer });
  });
}

function indexLeafRequests(): void {
  on("PageSettlement:LeafRequested", async ({ event, context }) => {
    const { pageId, index, requester, deadline, deposit } = event.args;
    const request = {
      ...{ requester, deadline, deposit, state: "open" as const, answerer: null, closedAt: null },
      requestedAt: event.block.timestamp,
      transactionHash: event.transaction.hash,
    };
    await context.db
      .insert(leafRequest)
      .values({ pageId, index, ...request })
      .onConflictDoUpdate(request);
    await context.db.update(page, { id: pageId }).set((row) => {
      const extendedUntil = deadline + TIME_AFTER_ANSWER;
      // Times of the page are by its clock, which stands while a proof is demanded; `end` is that of its last second.
      const last = extendedUntil - standingTime({ page: row, at: event.block.timestamp });
      const moved = last > row.end ? { end: last } : {};
      return { openRequests: row.openRequests + 1, extendedUntil, ...moved };
    });
    await setAccount({ context, event, address: requester });
  });

  on("PageSettlement:LeafAnswered", async ({ event, context }) => {
    const { pageId, index, answerer } = event.args;
    await context.db
      .update(leafRequest, { pageId, index })
      .set({ state: "answered", answerer, closedAt: event.block.timestamp });
    await context.db
      .update(page, { id: pageId })
      .set((row) => ({ openRequests: row.openRequests - 1 }));
    await setAccount({ context, event, address: answerer });
  });

  on("PageSettlement:LeafRequestReturned", async ({ event, context }) => {
    const { pageId, index } = event.args;
    const { requester } = await context.db
      .update(leafRequest, { pageId, index })
      .set({ state: "returned", closedAt: event.block.timestamp });
    await setAccount({ context, event, address: requester });
  });
}

function indexAccounts(): void {
  on("PageSettlement:Deposited", async ({ event, context }) => {
    const { account, amount } = event.args;
    await context.db.insert(pageDeposit).values({
      ...{ kind: "deposited", account, receiver: null, amount },
      ...placeOf(event),
    });
    await setAccount({ context, event, address: account });
  });

  on("PageSettlement:Withdrawn", async ({ event, context }) => {
    const { account, receiver, amount } = event.args;
    await context.db.insert(pageDeposit).values({
      ...{ kind: "withdrawn", account, receiver, amount },
      ...placeOf(event),
    });
    await setAccount({ context, event, address: account });
  });
}

function indexParameters(): void {
  on("PageSettlement:ParametersChanged", async ({ event, context }) => {
    for (const [name, value] of Object.entries(event.args.parameters)) {
      await setParameter({ context, event, name: name as PageParameterName, value });
    }
  });

  on("PageSettlement:ProposalsPaused", async ({ event, context }) => {
    await setParameter({ context, event, name: "proposalsPausedUntil", value: event.args.until });
  });
}

/** The page that was looked at last, by block and place in it: each gets its turn, whatever the others' blobs are. */
let turn = { block: 0n, place: -1 };

/** Looks again for blobs that were missing: a publisher may be late, and a store may have been away. */
function retryBlobs(): void {
  on("PageBlobs:block", async ({ context }) => {
    if (settings.blobAggregator === undefined) return;
    const rows = await context.db.sql
      .select()
      .from(page)
      .where(
        and(
          ne(page.blob, "read"),
          ne(page.outcome, "rejected"),
          or(
            gt(page.blockNumber, turn.block),
            and(eq(page.blockNumber, turn.block), gt(page.logIndex, turn.place)),
          ),
        ),
      )
      .orderBy(asc(page.blockNumber), asc(page.logIndex))
      .limit(RETRIES);
    for (const row of rows)
      await writeReading({ context, page: row, reading: await readResults(row) });
    const last = rows.length < RETRIES ? undefined : rows.at(-1);
    turn = { block: last?.blockNumber ?? 0n, place: last?.logIndex ?? -1 };
  });
}

const placeOf = (event: {
  block: { number: bigint; timestamp: bigint };
  log: { logIndex: number };
  transaction: { hash: Hex };
}) => ({
  blockNumber: event.block.number,
  logIndex: event.log.logIndex,
  timestamp: event.block.timestamp,
  transactionHash: event.transaction.hash,
});

async function setParameter(parameters: {
  context: Context;
  event: At;
  name: PageParameterName;
  value: bigint | number;
}): Promise<void> {
  const { context, event, name, value } = parameters;
  const parameter = { value: BigInt(value), changedAt: event.block.timestamp };
  await context.db
    .insert(pageParameter)
    .values({ name, ...parameter })
    .onConflictDoUpdate(parameter);
}
