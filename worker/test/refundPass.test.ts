import { channelGateAbi } from "@haca/protocol/abi";
import { batchSettlement, channelIdOf } from "@haca/protocol/channels";
import { Interface, Wallet, ZeroHash } from "ethers";
import { pino } from "pino";
import { expect, it } from "vitest";
import { addRefund } from "../src/jobs/channelRefunds.ts";
import { createMetrics } from "../src/metrics/createMetrics.ts";
import { refundChannels } from "../src/roles/settle/channels/refundChannels.ts";
import type { SettleContext } from "../src/roles/settle/settleContext.ts";
import type { Database } from "../src/storage/database.ts";
import { databaseStore } from "../src/transactions/databaseStore.ts";
import type { ChainView } from "../src/transactions/readChainView.ts";
import { describeStores } from "./support/stores.ts";

const wallet = new Wallet(`0x${"11".repeat(32)}`);
const { address: gate } = Wallet.createRandom();
const gateInterface = new Interface(channelGateAbi);
const channel = {
  ...{ payer: gate, payerAuthorizer: gate, receiver: gate, receiverAuthorizer: gate },
  ...{ token: gate, withdrawDelay: 900n, salt: ZeroHash },
};
const channelId = channelIdOf({ chainId: 31_337n, channel });
const fees = { maxFeePerGas: 20n, maxPriorityFeePerGas: 2n };
const view = { head: 10, confirmedNonce: 0, nextNonce: 0, market: { baseFee: 1n, tip: 1n } };
const terms = {
  node: wallet.address,
  payee: wallet.address,
  feeReceiver: gate,
  feeBps: 0,
  kinds: 1,
};

/** What the chain says of the channel: 9 in it, nothing claimed or counted. */
function answerOf(data: string): string {
  const asked = gateInterface.parseTransaction({ data })?.name;
  if (asked === "terms") return gateInterface.encodeFunctionResult("terms", [terms]);
  if (asked === "provenOf") return gateInterface.encodeFunctionResult("provenOf", [0n]);
  const name = batchSettlement.parseTransaction({ data })?.name ?? "";
  return batchSettlement.encodeFunctionResult(name, name === "channels" ? [9n, 0n] : [0n, 0n]);
}

type Payload = { id: number; params: [{ data: string }] };

/** One process of a queue, beside an endpoint that has receipts of `mined` and takes or refuses what it is sent. */
function processOf(parameters: {
  database: Database;
  mined?: string[];
  estimate?: () => Promise<bigint>;
  isAboveCeiling?: boolean;
  send?: () => Promise<string>;
}) {
  const { database, estimate, isAboveCeiling, mined = [], send } = parameters;
  const provider = {
    getBlockNumber: async () => view.head,
    getTransactionCount: async () => 0,
    getTransaction: async () => null,
    getTransactionReceipt: async (hash: string) =>
      mined.includes(hash) ? { hash, status: 1 } : null,
    send: async (method: string, [call]: [{ data: string }]) =>
      method === "eth_call" ? answerOf(call.data) : await (send ?? (async () => ""))(),
    _send: async (payloads: Payload[]) =>
      payloads.map(({ id, params: [{ data }] }) => ({ id, result: answerOf(data) })),
  };
  const context = {
    ...{ database, store: databaseStore(database), wallet, logger: pino({ level: "silent" }) },
    ...{ chain: { provider, chainId: 31_337n }, metrics: createMetrics({ database }) },
    gate: { choose: () => (isAboveCeiling === true ? undefined : fees) },
    gasLimits: { limitOf: estimate ?? (async () => 50_000n) },
    reorgBlocks: 5,
  } as unknown as SettleContext;
  const channels = {
    ...{ lookSeconds: 0, sendingSeconds: 60, claimSeconds: 0, knownGates: new Set([gate]) },
  };
  return () => refundChannels({ context, channels, view: view as unknown as ChainView });
}

describeStores("giving back of a channel", (store) => {
  const ask = (number = 7n) => {
    const order = { channel, channelId, number, kept: 5n, most: null };
    return addRefund({ database: store.database, order });
  };

  it("is known of by whichever of its attempts was mined", async () => {
    const { database } = store;
    await ask();
    await processOf({ database })();
    const { state, transaction } = await ask();
    if (transaction === null) expect.fail();
    expect(state).toBe("sent");
    const replacement = { hash: "0x02", raw: "0x" };
    const transactions = databaseStore(database);
    await transactions.recordReplacement({ replaced: transaction, replacement });
    await transactions.recordMined({
      ...{ hash: "0x02", blockNumber: 10, blockHash: "0x", gasUsed: 1n },
    });
    // Nobody has looked between the two.
    await processOf({ database, mined: ["0x02"] })();
    expect(await ask()).toMatchObject({ state: "mined", error: null });
  });

  it("is not known where none was", async () => {
    const { database } = store;
    await ask();
    await processOf({ database })();
    const { transaction } = await ask();
    await databaseStore(database).drop(transaction ?? "");
    await processOf({ database, mined: ["0x02"] })();
    expect(await ask()).toMatchObject({ state: "mined", error: expect.any(String) });
  });

  it("ends as refused where nothing can be sent for ten minutes, also where nobody sends", async () => {
    const { database } = store;
    const later = (minutes: number) =>
      database.query(
        "UPDATE channel_refunds SET ordered_at = ordered_at - make_interval(mins => $1)",
        [minutes],
      );
    const refused = { state: "refused", transaction: null, error: "it could not be sent in time" };
    await ask();
    const pass = processOf({ database, isAboveCeiling: true });
    await pass();
    await later(9);
    expect([await pass(), (await ask()).state]).toEqual([0, "open"]);
    await later(1);
    expect(await ask()).toEqual(refused);
    // The same is not taken in again, and the next has its own ten minutes.
    expect([await pass(), await ask()]).toEqual([0, refused]);
    expect((await ask(8n)).state).toBe("open");
    await later(10);
    expect([await pass(), await ask(8n)]).toEqual([1, refused]);
    // What is sent is not over by that.
    await ask(9n);
    await processOf({ database })();
    await later(99);
    await pass();
    expect((await ask(9n)).state).toBe("sent");
  });

  it("is left to the process that is sending it", async () => {
    const { database } = store;
    await ask();
    const other = processOf({ database });
    const states: string[] = [];
    const estimate = async () => {
      states.push((await ask()).state);
      await other();
      states.push((await ask()).state);
      return 50_000n;
    };
    await processOf({ database, estimate })();
    const { state, transaction } = await ask();
    expect([...states, state]).toEqual(["sent", "sent", "sent"]);
    await processOf({ database, mined: [transaction ?? ""] })();
    // It is open until it is tended to.
    expect((await ask()).state).toBe("sent");
  });

  it("is not sent again where the endpoint fails with what it has taken, and that is mined at once", async () => {
    const { database } = store;
    await ask();
    const hashes: string[] = [];
    const send = async () => {
      const [open] = await databaseStore(database).listOpen();
      const hash = open?.transaction.hash ?? "";
      hashes.push(hash);
      await databaseStore(database).recordMined({
        ...{ hash, blockNumber: 10, blockHash: "0x", gasUsed: 1n },
      });
      throw new Error("timeout");
    };
    await expect(processOf({ database, send })()).rejects.toThrow("timeout");
    expect(await ask()).toMatchObject({ state: "sent", transaction: hashes[0] });
    await processOf({ database, mined: hashes, send })();
    expect(await ask()).toMatchObject({ state: "mined", error: null });
    expect(hashes).toHaveLength(1);
  });
});
