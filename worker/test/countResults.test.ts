import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import { Wallet } from "ethers";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectChain } from "../src/chain/connectChain.ts";
import { claimIdentity } from "../src/jobs/acceptJob.ts";
import { acceptResults } from "../src/jobs/acceptResults.ts";
import { knownVoucher } from "../src/jobs/channels.ts";
import { listOpenTransactions } from "../src/jobs/openTransactions.ts";
import { createMetrics } from "../src/metrics/createMetrics.ts";
import { claimChannels } from "../src/roles/settle/channels/claimChannels.ts";
import { countResults } from "../src/roles/settle/channels/countResults.ts";
import type { SettleContext } from "../src/roles/settle/settleContext.ts";
import type { Database } from "../src/storage/database.ts";
import { openDatabase } from "../src/storage/openDatabase.ts";
import { databaseStore } from "../src/transactions/databaseStore.ts";
import { FeeGate } from "../src/transactions/fees.ts";
import { GasLimits } from "../src/transactions/gasLimits.ts";
import { readChainView } from "../src/transactions/readChainView.ts";
import { tendAccount } from "../src/transactions/tendAccount.ts";
import { developmentKey, LocalChain } from "./support/localChain.ts";
import { newResult } from "./support/newJob.ts";
import { sharedQueue } from "./support/temporaryFolder.ts";

const GATE = Wallet.createRandom().address;
const RESULTS = [0n, 1n, 2n, 3n, 4n].map((nonce) => newResult({ nonce }));
const [, , REFUSED] = RESULTS;
const wallet = new Wallet(developmentKey(1));
const folder = sharedQueue();
let chain: LocalChain;
let database: Database;
let context: SettleContext;
let close: () => void;
/** Of which requests errors were logged. */
const errors: string[] = [];

/** A gate that has counted nothing, and reverts where a word stands in a call, after the 36 bytes that its views take. */
const refusing = (word = ""): string =>
  `0x60245b368110156037578035${`7f${word.slice(2)}`}14603c576001016002565b60205ff35b5f5ffd`;

beforeAll(async () => {
  chain = await LocalChain.start();
  await chain.send("anvil_setCode", GATE, refusing(REFUSED?.requestId));
  const addressBook = chain.book;
  const connecting = { rpcUrl: chain.url, timeoutMs: 5_000, chainId: 31337, addressBook };
  const connected = await connectChain(connecting);
  database = await openDatabase({ folder: folder.path, url: undefined, onError: () => undefined });
  const { chainId, genesisHash, settlement } = connected;
  const identity = { chainId, genesisHash, settlement, node: wallet.address };
  await claimIdentity({ database, identity });
  const metrics = createMetrics({ database });
  const logger = pino(
    { level: "error" },
    { write: (line) => void errors.push(JSON.parse(line).requestId) },
  );
  const gate = new FeeGate({ ceiling: 10n ** 13n, metrics, logger });
  context = {
    ...{ database, store: databaseStore(database), chain: connected, wallet, metrics, logger },
    ...{ gate, urgentGate: gate, gasLimits: new GasLimits(), owner: "test", batch: { size: 1 } },
    ...{ confirmations: 1, reorgBlocks: 0, rebroadcastMs: 10, replaceMs: 3_600_000 },
    signal: new AbortController().signal,
  } as unknown as SettleContext;
  close = () => connected.provider.destroy();
});
afterAll(async () => {
  close?.();
  await database?.close();
  folder.remove();
  await chain?.stop();
});

const voucher = knownVoucher(
  {
    channel: {
      ...{ payer: GATE, payerAuthorizer: GATE, receiver: GATE, receiverAuthorizer: GATE },
      ...{ token: GATE, withdrawDelay: 900n, salt: `0x${"00".repeat(32)}` },
    },
    ...{ maxClaimableAmount: 5n, signature: "0x" },
  },
  31_337n,
);

const count = async () => {
  const channels = {
    lookSeconds: 0,
    sendingSeconds: 60,
    claimSeconds: 0,
    knownGates: new Set<string>(),
  };
  const view = await readChainView(context);
  // What was sent before is mined.
  await tendAccount({ context, view });
  await countResults({ context, channels, view });
};
const resting = async (): Promise<unknown[]> => {
  const where = "state = 'open' AND look_after > now() + interval '50 minutes'";
  const rows = await database.query(`SELECT request_id FROM channel_results WHERE ${where}`);
  return rows.map((row) => row.request_id);
};

it("counts results that were settled alone without the one that the gate refuses, which rests", async () => {
  const jobs = RESULTS.map((result) => ({ ...result, voucher }));
  await acceptResults({ database, jobs, check: () => undefined });
  await database.query("UPDATE jobs SET state = 'settled', settled_at = now()");
  await count();
  const sent = await listOpenTransactions({ database });
  expect(await resting()).toEqual([REFUSED?.requestId]);
  expect(sent.length).toBeGreaterThan(1);
});

it("gives a result up that the gate has refused for longer than the channel's delay and a day", async () => {
  const refused = async (seconds: number) => {
    const age = `refused_at = now() - make_interval(secs => ${seconds}), look_after = now()`;
    const where = "WHERE refused_at IS NOT NULL RETURNING request_id";
    expect(await database.query(`UPDATE channel_results SET ${age} ${where}`)).toHaveLength(1);
    await count();
    return await database.query("SELECT request_id FROM channel_results WHERE state = 'none'");
  };
  const day = 86_400;
  expect(await refused(day + 890)).toEqual([]);
  expect(await refused(day + 910)).toEqual([{ request_id: REFUSED?.requestId }]);
  expect(errors).toEqual([REFUSED?.requestId]);
});

it("collects what somebody else has claimed of a channel and left, before the claim ends", async () => {
  /** x402's contract, of which all views answer 7 and then so much. */
  const answering = (second: string) =>
    chain.send("anvil_setCode", BATCH_SETTLEMENT_ADDRESS, `0x60075f5260${second}60205260405ff3`);
  const claim = async () => {
    await database.query("UPDATE channels SET is_claimed = false, look_after = now()");
    const view = await readChainView(context);
    await tendAccount({ context, view });
    const ended = await claimChannels({
      ...{ context, view },
      channels: { lookSeconds: 0, sendingSeconds: 60, claimSeconds: 0, knownGates: new Set() },
    });
    const open = await listOpenTransactions({ database });
    return [ended, open.map(({ purpose }) => purpose.split(" ")[0])];
  };
  await answering("03");
  expect(await claim()).toEqual([0, ["collect"]]);
  await answering("07");
  expect(await claim()).toEqual([1, []]);
});

it("sends nothing to what only answers as a gate, where the deployment has ChannelGates", async () => {
  const { chain: ours } = context;
  context.chain = { ...ours, channelGates: chain.book.contracts.ModelRegistry.address };
  await database.query("UPDATE channel_results SET look_after = now()");
  await tendAccount({ context, view: await readChainView(context) });
  await count();
  expect(await listOpenTransactions({ database })).toEqual([]);
  expect(await resting()).toHaveLength(RESULTS.length - 1);
  context.chain = ours;
});
