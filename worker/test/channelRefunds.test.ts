import { Wallet } from "ethers";
import { expect, it } from "vitest";
import { acceptResults } from "../src/jobs/acceptResults.ts";
import { addRefund, leaseRefunds, moveRefund, pricesOf } from "../src/jobs/channelRefunds.ts";
import { knownVoucher } from "../src/jobs/channels.ts";
import { countPending } from "../src/jobs/readJobs.ts";
import { newResult } from "./support/newJob.ts";
import { describeStores } from "./support/stores.ts";

const gate = Wallet.createRandom().address;
const limits = { restSeconds: 0, limit: 10 };

function order(number: bigint, kept = 5n) {
  const payer = gate;
  const channel = {
    ...{ payer, payerAuthorizer: payer, receiver: gate, receiverAuthorizer: gate },
    ...{ token: gate, withdrawDelay: 900n, salt: `0x${"00".repeat(32)}` },
  };
  const voucher = { channel, maxClaimableAmount: 9n, signature: "0x" };
  const { channelId } = knownVoucher(voucher, 31_337n);
  return { channel, channelId, number, kept, most: null };
}

describeStores("refunds of channels in the queue", (store) => {
  const add = (of: ReturnType<typeof order>) => addRefund({ database: store.database, order: of });

  it("are taken in once, and none while another is under way, nor one that comes late", async () => {
    const { database } = store;
    const none = { transaction: null, error: null };
    expect(await add(order(7n))).toEqual({ ...none, state: "open" });
    const [due, ...rest] = await leaseRefunds({ database, ...limits });
    expect([due, rest]).toMatchObject([{ ...order(7n), state: "open", minedBlock: null }, []]);
    expect(await countPending({ database })).toMatchObject({ channels: 1 });
    if (due === undefined) throw new Error("nothing is due");
    const moved = (from: "open" | "sent" | "mined", to: "sent" | "mined" | "done") =>
      moveRefund({ database, due, from, to, transaction: "0x12", minedBlock: 3 });
    expect([await moved("open", "sent"), await moved("open", "sent")]).toEqual([true, false]);
    expect(await add(order(7n, 0n))).toEqual({ ...none, state: "sent", transaction: "0x12" });
    await moved("sent", "mined");
    for (const other of [order(8n), order(6n)]) {
      expect(await add(other)).toMatchObject({ state: "refused", error: expect.any(String) });
    }
    expect(await leaseRefunds({ database, ...limits })).toMatchObject([
      { ...order(7n), state: "mined", minedBlock: 3 },
    ]);
    await moved("mined", "done");
    expect(await countPending({ database })).toMatchObject({ channels: 0 });
    expect(await add(order(6n))).toMatchObject({ state: "refused" });
    expect(await add(order(7n))).toMatchObject({ state: "done", transaction: "0x12" });
    expect(await add(order(8n, 6n))).toEqual({ ...none, state: "open" });
    expect(await leaseRefunds({ database, ...limits })).toMatchObject([
      { ...order(8n, 6n), state: "open", minedBlock: null },
    ]);
  });

  it("leave what all results of the channel cost that count, or may", async () => {
    const { database } = store;
    const { channel, channelId } = order(1n);
    const voucher = knownVoucher({ channel, maxClaimableAmount: 9n, signature: "0x" }, 31_337n);
    const jobs = [0n, 1n, 2n].map((nonce) => ({
      ...{ ...newResult({ nonce }), voucher, price: 10n ** nonce },
    }));
    await acceptResults({ database, jobs, check: () => undefined });
    const lost = "UPDATE channel_results SET state = 'none' WHERE request_id = $1";
    await database.query(lost, [jobs[1]?.requestId]);
    expect(await pricesOf({ database, channelId })).toBe(101n);
    expect(await pricesOf({ database, channelId: "0x" })).toBe(0n);
  });
});
