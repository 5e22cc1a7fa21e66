import { expect, it } from "vitest";
import { acceptResults } from "../src/jobs/acceptResults.ts";
import { decidePage, type PageDecision, recordPending } from "../src/jobs/pages.ts";
import { recordBroadcast } from "../src/jobs/settlements.ts";
import { recordTransaction } from "../src/jobs/transactions.ts";
import { createMetrics } from "../src/metrics/createMetrics.ts";
import type { Database } from "../src/storage/database.ts";
import { newResult } from "./support/newJob.ts";
import { PROPOSED } from "./support/operations.ts";
import { describeStores } from "./support/stores.ts";

const NONE = { forming: 0, proposed: 0, pending: 0, final: 0, rejected: 0, disproved: 0 };
const place = { blockNumber: 1, blockHash: "block", gasUsed: 1n };

/** Takes in results of a ledger page's first places. */
async function accept(database: Database, page: bigint, count: number): Promise<string[]> {
  const jobs = Array.from({ length: count }, (_, i) =>
    newResult({ nonce: page * 256n + BigInt(i) }),
  );
  await acceptResults({ database, jobs, check: () => undefined });
  return jobs.map(({ requestId }) => requestId);
}
async function record(database: Database, requestIds: string[], kind: string): Promise<string> {
  const sign = async (nonce: number) => ({ hash: `hash of ${nonce}`, raw: "raw" });
  const recorded = await recordTransaction({ database, requestIds, kind, chainNonce: 0, sign });
  return recorded?.hash ?? "";
}
async function propose(database: Database, requestIds: string[]): Promise<string> {
  const hash = await record(database, requestIds, "page");
  await recordBroadcast({ database, transactionHash: hash });
  const page = { ...PROPOSED.page, pageId: `page ${hash}` };
  await recordPending({
    ...{ database, requestIds, page, mined: { hash, ...place }, renewSeconds: 60 },
  });
  return page.pageId;
}

/** What a scrape says of pages: states and the oldest one's age. */
async function scrape(database: Database) {
  const { registry } = createMetrics({ database });
  const text = await registry.metrics();
  const states = [...text.matchAll(/^haca_pages\{state="(\w+)"\} (\d+)$/gm)];
  const [, oldest] = /^haca_page_oldest_pending_seconds (\S+)$/m.exec(text) ?? [];
  return {
    states: Object.fromEntries(states.map(([, state, count]) => [state, Number(count)])),
    oldest: Number(oldest),
  };
}

describeStores("metrics of pages", (store) => {
  it("count those that form, by ledger page, and those that wait to be mined", async () => {
    const { database } = store;
    expect(await scrape(database)).toEqual({ states: { ...NONE, released: 0 }, oldest: 0 });
    await accept(database, 0n, 3);
    const ids = await accept(database, 1n, 2);
    await accept(database, 2n, 1);
    // Not in a page, but each by itself.
    await database.query("UPDATE jobs SET settle_alone = true WHERE nonce = 512");
    expect((await scrape(database)).states).toMatchObject({ ...NONE, forming: 2 });
    const hash = await record(database, ids, "page");
    expect((await scrape(database)).states).toMatchObject({ ...NONE, forming: 1, proposed: 1 });
    await recordBroadcast({ database, transactionHash: hash });
    expect((await scrape(database)).states).toMatchObject({ ...NONE, forming: 1, proposed: 1 });
  });

  it("count none for a result that is settled without one", async () => {
    const { database } = store;
    await record(database, await accept(database, 0n, 1), "tee");
    expect((await scrape(database)).states).toEqual({ ...NONE, released: 0 });
  });

  it("have the age of the oldest that is pending, and what became of the others", async () => {
    const { database } = store;
    const decisions: PageDecision[] = ["final", "rejected", "disproved"];
    for (const [index, decision] of decisions.entries()) {
      const pageId = await propose(database, await accept(database, BigInt(index), 1));
      await decidePage({ database, pageId, decision });
    }
    await database.query("UPDATE pages SET proposed_at = now() - interval '9 days'");
    const older = await propose(database, await accept(database, 5n, 2));
    await propose(database, await accept(database, 6n, 1));
    await database.query(
      "UPDATE pages SET proposed_at = now() - interval '2 hours' WHERE page_id = $1",
      [older],
    );
    const { oldest, states } = await scrape(database);
    // A result whose page was rejected waits for no other.
    expect(states).toEqual({
      ...{ ...NONE, pending: 2, final: 1, rejected: 1, disproved: 1, released: 0 },
    });
    expect(oldest).toBeGreaterThanOrEqual(7_200);
    expect(oldest).toBeLessThan(9 * 86_400);
  });
});
