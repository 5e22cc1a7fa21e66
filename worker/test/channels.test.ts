import { Wallet } from "ethers";
import { expect, inject, it, onTestFinished } from "vitest";
import { claimIdentity } from "../src/jobs/acceptJob.ts";
import { acceptResults } from "../src/jobs/acceptResults.ts";
import {
  endClaim,
  endResults,
  type KnownVoucher,
  knownVoucher,
  leaseChannels,
  leaseResults,
} from "../src/jobs/channels.ts";
import { countPending } from "../src/jobs/readJobs.ts";
import { openDatabase } from "../src/storage/openDatabase.ts";
import { newDatabase } from "./support/newDatabase.ts";
import { newResult } from "./support/newJob.ts";
import { waitFor } from "./support/processes.ts";
import { describeStores, IDENTITY } from "./support/stores.ts";

const gate = Wallet.createRandom().address;
const limits = { restSeconds: 0, limit: 10 };

/** A voucher of a channel for so much; nobody has signed it. */
function voucher(amount: bigint, payer = Wallet.createRandom().address): KnownVoucher {
  const channel = {
    ...{ payer, payerAuthorizer: payer, receiver: gate, receiverAuthorizer: gate },
    ...{ token: gate, withdrawDelay: 900n, salt: `0x${"00".repeat(32)}` },
  };
  const signed = { channel, maxClaimableAmount: amount, signature: `signature of ${amount}` };
  return knownVoucher(signed, 31_337n);
}

describeStores("channels in the queue", (store) => {
  const accept = (jobs: readonly { nonce: bigint; voucher: KnownVoucher }[]) =>
    acceptResults({
      database: store.database,
      jobs: jobs.map(({ nonce, voucher: by }) => ({ ...newResult({ nonce }), voucher: by })),
      check: () => undefined,
    });
  const settle = (state: string) =>
    store.database.query(
      "UPDATE jobs SET state = $1, failure_code = $2, failure_message = $2, settled_at = now()",
      [state, state === "failed" ? "x" : null],
    );

  it("have the highest voucher, and are claimed of once something is counted for them", async () => {
    const { database } = store;
    const payer = Wallet.createRandom().address;
    const [low, high] = [voucher(5n, payer), voucher(9n, payer)];
    await accept([{ nonce: 0n, voucher: high }]);
    await accept([{ nonce: 1n, voucher: low }]);
    expect(await leaseResults({ database, ...limits })).toEqual([]);
    await settle("settled");
    const due = await leaseResults({ database, ...limits });
    expect(due).toMatchObject([{ gate, settled: "alone" }, { channelId: low.channelId }]);
    expect(await leaseChannels({ database, ...limits })).toEqual([]);
    const requestIds = due.map(({ requestId }) => requestId);
    await endResults({ database, requestIds, end: "counted", claimSeconds: 0 });
    expect(await leaseChannels({ database, ...limits })).toEqual([{ ...high, counts: 1 }]);
    expect(await countPending({ database })).toMatchObject({ channels: 1 });
  });

  it("stay to be claimed of where something was counted after they were looked at", async () => {
    const { database } = store;
    const by = voucher(5n);
    await accept([0n, 1n].map((nonce) => ({ nonce, voucher: by })));
    await settle("settled");
    const [first, second] = await leaseResults({ database, ...limits });
    const count = (requestId = "") =>
      endResults({ database, requestIds: [requestId], end: "counted", claimSeconds: 0 });
    await count(first?.requestId);
    const [seen] = await leaseChannels({ database, ...limits });
    await count(second?.requestId);
    if (seen !== undefined) await endClaim({ database, channel: seen });
    const [again] = await leaseChannels({ database, ...limits });
    expect(again).toMatchObject({ counts: 2 });
    if (again !== undefined) await endClaim({ database, channel: again });
    expect(await countPending({ database })).toMatchObject({ channels: 0 });
  });

  it("are not paid for a result that will never be settled", async () => {
    const { database } = store;
    await accept([{ nonce: 0n, voucher: voucher(5n) }]);
    await settle("failed");
    const due = await leaseResults({ database, ...limits });
    expect(due).toMatchObject([{ settled: "none" }]);
    const requestIds = due.map(({ requestId }) => requestId);
    await endResults({ database, requestIds, end: "none", claimSeconds: 0 });
    expect(await leaseChannels({ database, ...limits })).toEqual([]);
    expect(await countPending({ database })).toMatchObject({ channels: 0 });
  });

  it("are looked at for results from when these are settled, or where they came later than that", async () => {
    const { database } = store;
    const by = voucher(5n);
    const job = { ...newResult({ nonce: 1n }), settleAlone: false };
    await acceptResults({ database, jobs: [job], check: () => undefined });
    await accept([{ nonce: 0n, voucher: by }]);
    expect(await countPending({ database })).toMatchObject({ pending: 2, channels: 0 });
    await settle("settled");
    expect(await leaseResults({ database, ...limits })).toHaveLength(1);
    await accept([{ nonce: 1n, voucher: by }]);
    expect(await leaseResults({ database, ...limits })).toHaveLength(2);
    expect(await countPending({ database })).toMatchObject({ channels: 2 });
  });
});

const isMissing = inject("postgresUrl") === undefined;
it.skipIf(isMissing)(
  "ends results of several channels in the order of these, whatever order they came in",
  async () => {
    const url = await newDatabase();
    const database = await openDatabase({ folder: "", url, onError: () => undefined });
    onTestFinished(() => database.close());
    await claimIdentity({ database, identity: IDENTITY });
    const vouchers = [voucher(5n), voucher(5n)];
    vouchers.sort((a, b) => (a.channelId < b.channelId ? 1 : -1));
    const [last, first] = vouchers.map(({ channelId }) => channelId);
    const requestIds: string[] = [];
    for (const [index, by] of vouchers.entries()) {
      const job = { ...newResult({ nonce: BigInt(index) }), voucher: by };
      await acceptResults({ database, jobs: [job], check: () => undefined });
      requestIds.push(job.requestId);
    }
    await database.query("UPDATE jobs SET state = 'settled', settled_at = now()");
    const lock = "SELECT 1 FROM channels WHERE channel_id = $1 FOR UPDATE";
    const waiting =
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    const ending = await database.transaction(async (tx) => {
      await tx.query(lock, [first]);
      const ended = endResults({ database, requestIds, end: "counted", claimSeconds: 0 });
      await waitFor(async () => ((await database.query(waiting)).length > 0 ? true : undefined));
      // It waits for the first, and has not locked the last.
      expect(await tx.query(`${lock} NOWAIT`, [last])).toHaveLength(1);
      return { ended };
    });
    await ending.ended;
    expect(await leaseChannels({ database, ...limits })).toHaveLength(2);
  },
);
