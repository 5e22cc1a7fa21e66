import { Wallet } from "ethers";
import { expect, it } from "vitest";
import { acceptResults } from "../src/jobs/acceptResults.ts";
import { addRefund, moveRefund } from "../src/jobs/channelRefunds.ts";
import {
  endClaim,
  endResults,
  knownVoucher,
  leaseChannels,
  leaseResults,
  refuseResults,
  restChannels,
} from "../src/jobs/channels.ts";
import { createMetrics } from "../src/metrics/createMetrics.ts";
import type { Database } from "../src/storage/database.ts";
import { newResult } from "./support/newJob.ts";
import { describeStores } from "./support/stores.ts";

const gate = Wallet.createRandom().address;
const limits = { restSeconds: 0, limit: 10 };
const NO_RESULTS = { waiting: 0, open: 0, refused: 0, counted: 0, none: 0 };
const NO_CHANNELS = { claimed: 0, counted: 0, refused: 0 };
const NO_REFUNDS = { open: 0, sent: 0, mined: 0, done: 0, refused: 0 };

const channelOf = (payer: string) => ({
  ...{ payer, payerAuthorizer: payer, receiver: gate, receiverAuthorizer: gate },
  ...{ token: gate, withdrawDelay: 900n, salt: `0x${"00".repeat(32)}` },
});

/** Takes in results, each of a channel of its own. */
async function accept(database: Database, count: number): Promise<string[]> {
  const jobs = Array.from({ length: count }, (_, index) => {
    const channel = channelOf(Wallet.createRandom().address);
    const signed = { channel, maxClaimableAmount: 5n, signature: "0x" };
    return { ...newResult({ nonce: BigInt(index) }), voucher: knownVoucher(signed, 31_337n) };
  });
  await acceptResults({ database, jobs, check: () => undefined });
  return jobs.map(({ requestId }) => requestId);
}

const settle = (database: Database, requestIds: string[], ago: string) =>
  database.query(
    "UPDATE jobs SET state = 'settled', settled_at = now() - $2::interval WHERE request_id = ANY ($1::text[])",
    [requestIds, ago],
  );

/** What a scrape says of channels. */
async function scrape(database: Database) {
  const text = await createMetrics({ database }).registry.metrics();
  const states = (name: string) => {
    const found = [...text.matchAll(new RegExp(`^${name}\\{state="(\\w+)"\\} (\\d+)$`, "gm"))];
    return Object.fromEntries(found.map(([, state, count]) => [state, Number(count)]));
  };
  const value = (name: string) =>
    Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
  return {
    results: states("haca_channel_results"),
    channels: states("haca_channels"),
    refunds: states("haca_channel_refunds"),
    uncounted: value("haca_channel_result_oldest_seconds"),
    unclaimed: value("haca_channel_oldest_unclaimed_seconds"),
  };
}

describeStores("metrics of channels", (store) => {
  it("tell of results that are not counted, for how long, and why", async () => {
    const { database } = store;
    expect(await scrape(database)).toEqual({
      ...{ results: NO_RESULTS, channels: NO_CHANNELS, refunds: NO_REFUNDS },
      ...{ uncounted: 0, unclaimed: 0 },
    });
    const [refused = "", open = "", counted = "", lost = "", waiting = ""] = await accept(
      database,
      5,
    );
    expect((await scrape(database)).results).toEqual({ ...NO_RESULTS, waiting: 5 });
    await settle(database, [counted, lost], "9 days");
    await settle(database, [open], "3 hours");
    await settle(database, [refused], "1 hour");
    await leaseResults({ database, ...limits });
    await refuseResults({ database, requestIds: [refused], restSeconds: 60, marginSeconds: 60 });
    const end = (requestId: string, as: "counted" | "none") =>
      endResults({ database, requestIds: [requestId], end: as, claimSeconds: 0 });
    await end(counted, "counted");
    await end(lost, "none");
    const found = await scrape(database);
    expect(found.results).toEqual({ waiting: 1, open: 1, refused: 1, counted: 1, none: 1 });
    // Of those that are over, and of one that nothing has become of, nothing waits.
    expect(found.uncounted).toBeGreaterThanOrEqual(3 * 3_600);
    expect(found.uncounted).toBeLessThan(86_400);
    await settle(database, [waiting], "0");
    await end(open, "counted");
    expect((await scrape(database)).uncounted).toBeLessThan(2 * 3_600);
    expect((await scrape(database)).uncounted).toBeGreaterThanOrEqual(3_600);
  });

  it("tell of channels that are not claimed of, and for how long", async () => {
    const { database } = store;
    const ids = await accept(database, 3);
    await settle(database, ids, "0");
    expect((await scrape(database)).channels).toEqual({ ...NO_CHANNELS, claimed: 3 });
    const older = "UPDATE channels SET unclaimed_since = unclaimed_since - interval '1 hour'";
    const [first, ...others] = ids;
    const count = (requestIds: string[]) =>
      endResults({ database, requestIds, end: "counted", claimSeconds: 0 });
    await count([first ?? ""]);
    await database.query(older);
    await count(others);
    // What is counted on top of it does not make it younger.
    await database.query("UPDATE channel_results SET state = 'open' WHERE request_id = $1", [
      first,
    ]);
    await count([first ?? ""]);
    const due = await leaseChannels({ database, ...limits });
    const oldest = due.find(({ counts }) => counts === 2);
    const second = due.find(({ counts }) => counts === 1);
    if (oldest === undefined || second === undefined) expect.fail();
    const resting = { error: "it would revert", seconds: 60 };
    await restChannels({ database, channelIds: [second.channelId], ...resting });
    const found = await scrape(database);
    expect(found.channels).toEqual({ claimed: 0, counted: 2, refused: 1 });
    expect(found.unclaimed).toBeGreaterThanOrEqual(3_600);
    await endClaim({ database, channel: oldest });
    const left = await scrape(database);
    expect(left.channels).toEqual({ claimed: 1, counted: 1, refused: 1 });
    expect(left.unclaimed).toBeLessThan(3_600);
    expect(left.unclaimed).toBeGreaterThan(0);
  });

  it("begin anew where something is counted after a claim", async () => {
    const { database } = store;
    const requestIds = await accept(database, 1);
    await settle(database, requestIds, "0");
    const count = () => endResults({ database, requestIds, end: "counted", claimSeconds: 0 });
    await count();
    await database.query("UPDATE channels SET unclaimed_since = now() - interval '1 day'");
    const [channel] = await leaseChannels({ database, ...limits });
    if (channel !== undefined) await endClaim({ database, channel });
    expect((await scrape(database)).unclaimed).toBe(0);
    await database.query("UPDATE channel_results SET state = 'open'");
    await count();
    const { unclaimed } = await scrape(database);
    expect(unclaimed).toBeGreaterThan(0);
    expect(unclaimed).toBeLessThan(3_600);
  });

  it("tell of what is ordered to be given back", async () => {
    const { database } = store;
    const order = { channel: channelOf(gate), number: 1n, kept: 5n, most: null };
    for (const channelId of ["0x01", "0x02", "0x03"]) {
      await addRefund({ database, order: { ...order, channelId } });
    }
    const due = { channelId: "0x01", number: 1n };
    await moveRefund({ database, due, from: "open", to: "refused", error: "no" });
    expect((await scrape(database)).refunds).toEqual({ ...NO_REFUNDS, open: 2, refused: 1 });
  });
});
