import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import { batchSettlement } from "@haca/protocol/channels";
import { Transaction as EthersTransaction, Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { signTransaction } from "../src/chain/transaction.ts";
import { showChannels, type WithdrawArguments, withdrawFrom } from "../src/cli/channelCommand.ts";
import { type Channel, channelIdOf } from "../src/pay/channel/channelTypes.ts";
import { endpoints, servedChains } from "./support/chains.ts";
import { type Contracts, serve } from "./support/fakeChain.ts";
import { NOW } from "./support/vectors.ts";

// Between two looks at a transaction nobody waits here.
vi.mock("../src/pause.ts", () => ({ pause: async () => undefined }));

const wallet = Wallet.createRandom();
const payer = wallet.address.toLowerCase();
const GATE = `0x${"66".repeat(20)}`;
const OPG = 10n ** 18n;
const DAY = 86_400;
const channel: Channel = {
  ...{ payer, payerAuthorizer: payer, receiver: GATE, receiverAuthorizer: GATE },
  ...{ token: `0x${"22".repeat(20)}`, withdrawDelay: 6 * DAY, salt: `0x${"00".repeat(32)}` },
};
const channelId = channelIdOf("31337", channel);
const note = {
  ...{ version: 1, channelId, channel, charged: String(3n * OPG), signed: String(4n * OPG) },
  ...{ balance: String(10n * OPG), deposit: null },
};

const start = servedChains();
let folder = "";
const folders: string[] = [];
beforeAll(() => {
  folder = journalWith({ [`31337-${payer}-channel-${channelId}`]: note });
});
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true });
});

function journalWith(notes: Readonly<Record<string, unknown>>): string {
  const made = mkdtempSync(join(tmpdir(), "haca-channels-"));
  folders.push(made);
  for (const [name, content] of Object.entries(notes)) {
    writeFileSync(join(made, `${name}.json`), JSON.stringify(content));
  }
  // Of a request, and of nothing: neither is a channel's.
  writeFileSync(join(made, `31337-${payer}-0x${"11".repeat(32)}.json`), "{}");
  writeFileSync(join(made, "notes.txt"), "");
  return made;
}

const withBadNote = (): string =>
  journalWith({
    [`31337-${payer}-channel-${channelId}`]: note,
    [`31337-${payer}-channel-0x${"12".repeat(32)}`]: "no note",
  });

/** A chain that has the channel so. */
const having = (changes: Contracts = {}, overrides: Record<string, unknown> = {}) =>
  start({
    contracts: {
      channels: () => [10n * OPG, 2n * OPG],
      pendingWithdrawals: () => [0, 0],
      provenOf: () => [3n * OPG],
      ...changes,
    },
    overrides: {
      ...{ eth_estimateGas: "0xc350", eth_getTransactionCount: "0x7" },
      ...{ eth_maxPriorityFeePerGas: "0x3b9aca00", ...overrides },
    },
  });

describe("haca channel status", () => {
  it("tells what is in a channel, what may be claimed, and what comes back", async () => {
    const rpc = [await having()];
    const { isFound, text } = await showChannels({ payments: folder, rpc });
    expect(isFound).toBe(true);
    expect(text.split("\n")).toEqual([
      `channel ${channelId}`,
      `  gate         ${GATE}`,
      `  payer        ${payer}`,
      `  token        ${channel.token}`,
      "  in it        10 OPG, of which 2 OPG are claimed and 8 OPG are left",
      "  vouchers     for 4 OPG in all; the node says that 3 OPG were charged",
      "  claimable    1 OPG now, of 3 OPG that it has counted",
      "  withdrawal   none begun; it takes 6 days (518400 s)",
      "as of trusts 1 RPC, block 100",
      "",
    ]);
  });

  it("bounds what may be claimed by the voucher where the receiver is no gate, and tells of a deposit that may come", async () => {
    const deposit = { amount: String(OPG), validBefore: "1", salt: "0x", signature: "0x" };
    const payments = journalWith({ [`31337-${payer}-channel-${channelId}`]: { ...note, deposit } });
    const rpc = [
      await start({
        contracts: {
          channels: () => [10n * OPG, 2n * OPG],
          pendingWithdrawals: () => [5n * OPG, NOW],
        },
      }),
    ];
    const { text } = await showChannels({ payments, rpc });
    expect(text).toContain(`gate         ${GATE}, which does not answer as one`);
    expect(text).toContain("claimable    2 OPG now\n");
    expect(text).toContain("deposit      1 OPG was signed, and may come");
    expect(text).toContain("withdrawal   5 OPG begun, to be finished from 2030-");
    const { channels } = JSON.parse((await showChannels({ payments, rpc, json: true })).text);
    expect(channels).toMatchObject([
      {
        ...{ channelId, chainId: "31337", proven: null, claimable: String(2n * OPG) },
        withdrawal: { amount: String(5n * OPG), endsAt: String(NOW + BigInt(6 * DAY)) },
      },
    ]);
  });

  it("trusts no RPC where another one says something else, and no journal whose note is another channel's", async () => {
    const rpc = [await having(), await having({ channels: () => [11n * OPG, 0] })];
    await expect(showChannels({ payments: folder, rpc })).rejects.toMatchObject({
      code: "chain.disagreement",
    });
    const other = { ...note, channel: { ...channel, payer: GATE } };
    const payments = journalWith({ [`31337-${payer}-channel-${channelId}`]: other });
    const only = await showChannels({ payments, rpc });
    expect(only.isFound).toBe(false);
    expect(only.text).toMatch(
      /^no channels are noted there\nunreadable {3}.* is not the note of that channel\n$/,
    );
  });

  it("lists notes that cannot be read, and goes on with the others", async () => {
    const rpc = [await having()];
    const { text } = await showChannels({ payments: withBadNote(), rpc });
    expect(text).toContain(`channel ${channelId}`);
    expect(text).toMatch(/\nunreadable {3}.*0x1212.* is not the note of that channel\n/);
    const { channels, unreadable } = JSON.parse(
      (await showChannels({ payments: withBadNote(), rpc, json: true })).text,
    );
    expect([channels.length, unreadable.length]).toEqual([1, 1]);
  });

  it("refuses what it cannot ask for, in one line", async () => {
    const rpc = [await having()];
    expect(await showChannels({ payments: journalWith({}), rpc })).toEqual({
      ...{ isFound: false, text: "no channels are noted there\n" },
    });
    const elsewhere = channelIdOf("1", channel);
    const both = journalWith({
      [`31337-${payer}-channel-${channelId}`]: note,
      [`1-${payer}-channel-${elsewhere}`]: { ...note, channelId: elsewhere },
    });
    for (const [options, words] of [
      [{ payments: folder }, /^--rpc: a chain has to be asked/],
      [{ payments: folder, rpc: ["x"] }, /^--rpc: must be an address/],
      [{ payments: join(folder, "none"), rpc }, /^--payments: .* is no folder that can be read$/],
      [{ payments: both, rpc }, /^--chain: say which/],
      [{ payments: both, rpc, chain: "1" }, /an RPC is of chain 31337, not 1$/],
    ] as const) {
      await expect(showChannels(options)).rejects.toThrow(words);
    }
  });
});

type Call = { method: string; params: unknown[] };
/** The same endpoint, but for what this answers; null: breaks off. */
async function answering(
  honest: string,
  say: (call: Call) => object | null | undefined,
): Promise<string> {
  const endpoint = await serve([], async (request, response) => {
    const body = await text(request);
    const said = say(JSON.parse(body));
    if (said === null) return void response.destroy();
    response.setHeader("content-type", "application/json");
    if (said !== undefined) return void response.end(JSON.stringify(said));
    const answer = await fetch(honest, { method: "POST", body });
    response.end(await answer.text());
  });
  endpoints.push(endpoint);
  return endpoint.url;
}

const env = { HACA_PAYER_KEY: wallet.privateKey };
const ANSWERED = { baseFeePerGas: "0x3b9aca00", hash: `0x${"ab".repeat(32)}`, timestamp: "0x1" };
const block = { eth_getBlockByNumber: { ...ANSWERED, number: "0x64" } };

describe("haca channel withdraw", () => {
  async function withdraw(
    rpc: string,
    changes: Partial<WithdrawArguments> = {},
    of: { id?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<string> {
    const said: string[] = [];
    const rest = await withdrawFrom(
      of.id ?? channelId,
      { payments: folder, rpc: [rpc], maxCost: "0.01", ...changes },
      { env: of.env ?? env, say: (line) => said.push(line) },
    );
    return [...said, rest].join("\n");
  }

  it("says what would change, what may be claimed in the meantime and what it costs, and sends nothing", async () => {
    const text = await withdraw(await having({}, block), {}, { env: {} });
    expect(text).toMatch(/^change {7}withdrawal of 8 OPG begun, which --finish ends from \d{4}-/);
    expect(text).toContain("until then   2 OPG at most may be claimed of it, by vouchers");
    // 50,000 gas and a fifth, at twice a gwei and one more.
    expect(text).toContain(
      `gas          60000 at most, which costs 0.00018 ether at most, of ${payer}`,
    );
    expect(text).toMatch(/\nnothing sent: --yes sends it\n$/);
  });

  const begun = { pendingWithdrawals: () => [5n * OPG, 1] };
  it.each<[string, Contracts, Partial<WithdrawArguments>, RegExp]>([
    ["a second one", begun, {}, /^a withdrawal of 5 OPG was begun, which --finish ends from 1970-/],
    ["of nothing", { channels: () => [2n * OPG, 2n * OPG] }, {}, /^nothing is in the channel/],
    ["of zero", {}, { amount: "0" }, /^--amount is 0; nothing sent$/],
    ["of more", {}, { amount: "8.1" }, /^8 OPG are in the channel and not claimed; nothing sent$/],
    ["the end of none", {}, { finish: true }, /^no withdrawal of this channel was begun/],
    [
      "an early end",
      { pendingWithdrawals: () => [5n * OPG, 4_000_000_000] },
      { finish: true },
      /^the withdrawal can be finished from 2096-/,
    ],
    [
      "an end that brings nothing",
      { ...begun, channels: () => [2n * OPG, 2n * OPG] },
      { finish: true },
      /^all of the channel was claimed or has gone back/,
    ],
    [
      "what costs too much",
      {},
      { maxCost: "0.00017" },
      /^that is above --max-cost 0\.00017; nothing/,
    ],
    ["an amount at the end", begun, { finish: true, amount: "1" }, /^--amount: was said when/],
    ["what is no amount", {}, { amount: "all" }, /^--amount: must be an amount of OPG/],
    ["what is no cost", {}, { maxCost: "1e9" }, /^--max-cost: must be an amount of ether/],
  ])("refuses %s", async (_, contracts, changes, words) => {
    const rpc = await having(contracts, block);
    await expect(withdraw(rpc, { ...changes, yes: true })).rejects.toThrow(words);
  });

  it("refuses other keys, and channels that the journal has not", async () => {
    const rpc = await having({}, block);
    const stranger = { env: { HACA_PAYER_KEY: Wallet.createRandom().privateKey } };
    await expect(withdraw(rpc, { yes: true }, stranger)).rejects.toThrow(
      /^HACA_PAYER_KEY is of 0x.*; nothing sent$/,
    );
    await expect(withdraw(rpc, { yes: true }, { env: {} })).rejects.toThrow(/^HACA_PAYER_KEY: set/);
    await expect(withdraw(rpc, {}, { id: "0x12" })).rejects.toThrow(/^channel: must be 0x and 64/);
    const unknown = { id: `0x${"12".repeat(32)}` };
    await expect(withdraw(rpc, {}, unknown)).rejects.toThrow(/^channel: --payments has no note/);
  });

  it("needs no other channel's note, and its own", async () => {
    const rpc = await having({}, block);
    const payments = withBadNote();
    expect(await withdraw(rpc, { payments })).toMatch(/nothing sent: --yes sends it/);
    await expect(withdraw(rpc, { payments }, { id: `0x${"12".repeat(32)}` })).rejects.toThrow(
      /^--payments: .* is not the note of that channel$/,
    );
  });

  it("counts a deposit that may still come in what may be claimed", async () => {
    const deposit = { amount: String(OPG), validBefore: "1", salt: "0x", signature: "0x" };
    const more = { ...note, signed: String(12n * OPG), deposit };
    const payments = journalWith({ [`31337-${payer}-channel-${channelId}`]: more });
    const text = await withdraw(await having({}, block), { payments });
    expect(text).toContain("until then   9 OPG at most may be claimed of it");
    expect(text).toContain("\ndeposit      1 OPG was signed, and may still come");
  });

  it("begins nothing while another transaction of the account is on its way", async () => {
    const rpc = await answering(await having({}, block), ({ method, params }) =>
      method === "eth_getTransactionCount" && params[1] === "pending"
        ? { result: "0x8" }
        : undefined,
    );
    await expect(withdraw(rpc, { yes: true })).rejects.toMatchObject({ code: "chain.pending" });
  });

  it("names the transaction before it leaves, and says that it may have been sent where nobody answers", async () => {
    let isSaid = false;
    const said: string[] = [];
    const rpc = await answering(await having({}, block), ({ method }) => {
      if (method !== "eth_sendRawTransaction") return undefined;
      isSaid = said.some((line) => /^transaction {2}0x/.test(line));
      return null;
    });
    const asked = withdrawFrom(
      channelId,
      { payments: folder, rpc: [rpc], maxCost: "0.01", yes: true },
      { env, say: (line) => said.push(line) },
    );
    await expect(asked).rejects.toMatchObject({
      ...{
        code: "chain.uncertain",
        message: expect.stringMatching(/^0x\w{64} may have been sent/),
      },
    });
    expect(isSaid).toBe(true);
  });

  it("goes on waiting where an endpoint is away or refuses for a while, and believes no nonsense", async () => {
    const receipts = [null, { error: { message: "later" } }];
    const found = { result: { blockNumber: "0x65", status: "0x1" } };
    const sending = { eth_sendRawTransaction: "0x", ...block };
    const rpc = await answering(await having({}, sending), ({ method }) =>
      method === "eth_getTransactionReceipt"
        ? receipts.length > 0
          ? receipts.shift()
          : found
        : undefined,
    );
    expect(await withdraw(rpc, { yes: true })).toMatch(/\ndone {9}in block 101\n$/);
    const lying = await having({}, { ...sending, eth_getTransactionReceipt: { status: "x" } });
    await expect(withdraw(lying, { yes: true })).rejects.toMatchObject({ code: "chain.uncertain" });
  });

  it("believes no endpoint that names an absurd amount of gas", async () => {
    const rpc = await having({}, { ...block, eth_estimateGas: "0xffffffff" });
    await expect(withdraw(rpc, { yes: true })).rejects.toMatchObject({ code: "chain.badAnswer" });
  });

  it("sends what it has said, once, as the payer, and tells of what was refused in a block", async () => {
    for (const [status, ending] of [
      ["0x1", /\ndone {9}in block 101\n$/],
      ["0x0", /is in block 101, and was refused/],
    ] as const) {
      const receipt = { blockNumber: "0x65", status };
      const honest = await having({}, { ...block, eth_getTransactionReceipt: receipt });
      const sent: string[] = [];
      const seeing = await serve([], async (request, response) => {
        let body = "";
        for await (const chunk of request) body += chunk;
        const { method, params } = JSON.parse(body);
        response.setHeader("content-type", "application/json");
        if (method === "eth_sendRawTransaction") {
          sent.push(params[0]);
          return response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, result: "0x" }));
        }
        const answer = await fetch(honest, { method: "POST", body });
        return response.end(await answer.text());
      });
      const text = await withdraw(seeing.url, { yes: true, amount: "1.5" }).catch(String);
      seeing.close();
      expect(text).toMatch(ending);
      expect(sent).toHaveLength(1);
      const read = EthersTransaction.from(sent[0] ?? "");
      expect(read).toMatchObject({
        ...{ from: wallet.address, to: BATCH_SETTLEMENT_ADDRESS, chainId: 31_337n, nonce: 7 },
        ...{ type: 2, value: 0n, gasLimit: 60_000n, accessList: [] },
        ...{ maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n },
        data: batchSettlement.encodeFunctionData("initiateWithdraw", [channel, (3n * OPG) / 2n]),
      });
      expect(text).toContain(status === "0x1" ? `transaction  ${read.hash}` : String(read.hash));
    }
  });
});

it("transactions are what ethers makes of them, whatever zeros are in them", async () => {
  for (let nonce = 0n; nonce < 64n; nonce += 1n) {
    const made = {
      ...{ chainId: "8453", nonce, maxFee: 5n, tip: 0n, gas: 300n, to: GATE },
      data: `0x${"ab".repeat(Number(nonce * 5n))}`,
    };
    const { bytes, hash } = signTransaction(made, wallet.privateKey);
    const theirs = await wallet.signTransaction({
      ...{ type: 2, chainId: 8453n, nonce: Number(nonce), maxFeePerGas: 5n, gasLimit: 300n },
      ...{ maxPriorityFeePerGas: 0n, to: GATE, data: made.data, value: 0n },
    });
    expect([bytes, hash]).toEqual([theirs, EthersTransaction.from(theirs).hash]);
  }
});
