import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readAddressBook } from "@haca/protocol/addressBook";
import {
  BATCH_SETTLEMENT_ADDRESS,
  CHANNEL_DOMAIN,
  ERC3009_COLLECTOR_ADDRESS,
  VOUCHER_TYPES,
} from "@haca/protocol/channelGates";
import {
  batchSettlement,
  type Channel,
  channelIdOf,
  depositNonceOf,
} from "@haca/protocol/channels";
import type { ListedName } from "@haca/protocol/contracts";
import { channelAccount } from "@haca/protocol/pageOpening";
import { RECEIVE_TYPES } from "@haca/protocol/signedPayments";
import { AbiCoder, type JsonRpcProvider, parseEther, ZeroHash } from "ethers";
import { beforeAll, expect, it } from "vitest";
import { contractAt } from "../../scripts/lib/contracts.ts";
import { withOtherEnd } from "../contracts/utils/otherEnd.ts";
import {
  BOOK,
  LIQUIDITY,
  type LocalDeployment,
  later,
  type Result,
  refusalOn,
  success,
} from "./localDeployment.ts";
import { runHere } from "./runHere.ts";

const DAY = 86_400;
const [PAYER, PAYEE, STRANGER] = [13, 14, 16] as const;
const PRICE = parseEther("2");
const DEPOSIT = parseEther("20");
const DELAY = BigInt(6 * DAY);
const LEDGER_PAGE = 91n;
/** Nonces of results that are settled alone. */
const ALONE = [97n * 256n, 97n * 256n + 1n] as const;
const NO_CHANNEL = `0x${"11".repeat(32)}`;

/** A chain with an enclave, whose results are settled alone and in pages. */
export type ChannelWorld = {
  local: LocalDeployment;
  provider: JsonRpcProvider;
  blobsUrl: string;
  enclave: { teeId: string };
  propose: (page: {
    page: bigint;
    places: number[];
    price: bigint;
    requester: string;
  }) => Promise<string>;
  /** a result that is settled alone, of the node's enclave or of another node's */
  settle: (result: {
    nonce: bigint;
    requester: string;
    price: bigint;
    isOther?: boolean;
  }) => Promise<void>;
  /** leaves a deposit for the proposer again */
  deposit: () => Promise<unknown>;
};

/** `npm run escrow` over the life of a channel whose gateway and worker are gone: what is left is the gateway's journal. */
export function channelCases(world: () => ChannelWorld): void {
  const environment = () => ({
    ...{ HACA_RPC_URL: world().local.url, HACA_BLOB_AGGREGATOR: world().blobsUrl },
  });
  const escrow = (...options: string[]): Promise<Result> =>
    runHere({ path: "scripts/escrow/cli.ts", options, environment: environment() });
  const started = (...options: string[]): Promise<Result> =>
    world().local.run(["scripts/escrow/cli.ts", ...options], environment());
  const refusal = (...options: string[]) => refusalOn(world().provider, escrow(...options));
  const accountOf = async (number: number) => (await world().provider.getSigner(number)).address;
  const as = (number: number): string[] => ["--account", String(number)];
  const journal = () => join(world().local.folder, "channels.journal");
  let payee = "";
  let gate = "";
  let channel: Channel;
  let channelId = "";

  beforeAll(async () => {
    const { enclave, provider } = world();
    payee = await accountOf(PAYEE);
    const opening = ["open-gate", "--node", enclave.teeId, "--payee", payee];
    const output = await success(escrow(...opening));
    gate = /HACA_GATEWAY_GATE=(0x[0-9a-fA-F]{40})/.exec(output)?.[1] ?? "";
    const payer = await accountOf(PAYER);
    channel = {
      ...{ payer, payerAuthorizer: payer, receiver: gate, receiverAuthorizer: gate },
      ...{ token: addressOf("OPG"), withdrawDelay: DELAY, salt: ZeroHash },
    };
    channelId = channelIdOf({ chainId: (await provider.getNetwork()).chainId, channel });
  });

  /** Has the payer call x402's contract of channels. */
  const callBatch = async (name: string, values: unknown[]): Promise<void> => {
    const data = batchSettlement.encodeFunctionData(name, values);
    const signer = await world().provider.getSigner(PAYER);
    await (await signer.sendTransaction({ to: BATCH_SETTLEMENT_ADDRESS, data })).wait();
  };

  /** Puts OPG into the channel, by the payer's signature. */
  const fund = async (into: Channel, salt: bigint): Promise<void> => {
    const { provider } = world();
    const { chainId } = await provider.getNetwork();
    const signer = await provider.getSigner(PAYER);
    const { timestamp = 0 } = (await provider.getBlock("latest")) ?? {};
    const validBefore = BigInt(timestamp + DAY);
    const signature = await signer.signTypedData(
      { name: "OPG", version: "1", chainId, verifyingContract: into.token },
      RECEIVE_TYPES,
      {
        ...{ from: into.payer, to: ERC3009_COLLECTOR_ADDRESS, value: DEPOSIT, validAfter: 0n },
        validBefore,
        nonce: depositNonceOf({ channelId: channelIdOf({ chainId, channel: into }), salt }),
      },
    );
    const data = AbiCoder.defaultAbiCoder().encode(
      ["uint256", "uint256", "uint256", "bytes"],
      [0n, validBefore, salt, signature],
    );
    const values = [into, DEPOSIT, ERC3009_COLLECTOR_ADDRESS, data];
    await callBatch("deposit", values);
  };
  /** A line of the gateway's journal. */
  const line = async (most: bigint, change = (signature: string) => signature) => {
    const { provider } = world();
    const { chainId } = await provider.getNetwork();
    const domain = { ...CHANNEL_DOMAIN, chainId, verifyingContract: BATCH_SETTLEMENT_ADDRESS };
    const signed = { channelId, maxClaimableAmount: most };
    const signature = await (await provider.getSigner(PAYER)).signTypedData(
      ...([domain, VOUCHER_TYPES, signed] as const),
    );
    const voucher = { amount: String(most), signature: change(signature) };
    const rest = { payer: channel.payer.toLowerCase(), charged: "0", used: [], hours: [] };
    return `${JSON.stringify({ id: channelId, ...rest, voucher })}\n`;
  };

  it("lists a gate's channels as the chain has them, and no other's", async () => {
    const { provider } = world();
    expect(await success(escrow("channels", gate))).toContain(`0 channels of gate ${gate}`);
    const opg = contractAt({
      ...{ name: "OPG", address: addressOf("OPG"), runner: await provider.getSigner(LIQUIDITY) },
    });
    await (await opg.transfer(channel.payer, 3n * DEPOSIT)).wait();
    await fund(channel, 1n);
    await fund({ ...channel, receiver: payee }, 2n);
    await fund({ ...channel, receiverAuthorizer: payee }, 3n);
    const shown = await success(started("channels", gate));
    expect(shown).toContain(`1 channel of gate ${gate}\n\nchannel ${channelId}\n`);
    expect(shown).toContain(`balance    20.0 OPG (${DEPOSIT})`);
    expect(shown).toContain("counted    0.0 OPG (0)");
    expect(shown).toContain("withdrawal none; one takes 6 days");
    const json = JSON.parse(await success(escrow("channels", gate, "--json")));
    expect(json).toMatchObject({
      gate,
      channels: [{ channelId, balance: String(DEPOSIT), counted: "0", withdrawal: null }],
    });
    for (const [options, words] of [
      [["channels", payee], `${payee} is no gate of this deployment`],
      [["channels", "0x12"], "gate 0x12 is no address"],
      [["channels", gate, "--account", "1"], "unknown option '--account'"],
      [["count", gate], "no result of a channel of"],
      [["claim", gate], "required option '--journal <file>'"],
      [["claim", gate, "--journal", journal()], "channels.journal: cannot be read"],
      [["collect", gate], "nothing of OPG was claimed at"],
      [["refund-channel", "0x12"], "channel must be 0x and 64 hex digits"],
      [["refund-channel", NO_CHANNEL], `no channel ${NO_CHANNEL} was opened`],
      [["refund-channel", channelId, ...as(STRANGER)], "is neither the node"],
    ] as const) {
      expect(await refusal(...options), options.join(" ")).toContain(words);
    }
  });

  it("counts what was settled alone, once, of the gate's channels only", async () => {
    const { settle } = world();
    const account = channelAccount(channelId);
    const result = { nonce: ALONE[0], requester: account, price: PRICE };
    await settle(result);
    await settle({ ...result, nonce: ALONE[1], requester: payee });
    // Whoever has an enclave can name the channel's account: the gate refuses all of a transaction that has such a result.
    await settle({ ...result, isOther: true });
    const counted = await success(started("count", gate, ...as(STRANGER)));
    expect(counted).toContain(`channel ${channelId}: counted 0.0 OPG -> 2.0 OPG, by 1 result\n`);
    expect(counted.indexOf("change  ")).toBeLessThan(counted.indexOf("transaction  "));
    expect(await refusal("count", gate)).toContain("no result of a channel of");
    expect(await success(escrow("channels", gate))).toContain(
      `claimed    0.0 OPG (0), 2.0 OPG (${PRICE}) more by a voucher that allows it`,
    );
  });

  it("counts the channel's results of a final page, of the gate's node", async () => {
    const { enclave, propose } = world();
    await world().deposit();
    const places = [3, 7];
    const page = { page: LEDGER_PAGE, places, price: PRICE };
    const id = await propose({ ...page, requester: channelAccount(channelId) });
    const others = await propose({ ...page, page: LEDGER_PAGE + 1n, requester: payee });
    expect(await refusal("count-page", gate, id)).toContain(`page ${id} is pending until`);
    await later(world().provider, 3 * DAY + 60);
    for (const [kinds, node, words] of [
      ["tee", enclave.teeId, "the gate counts TEE, and the page is TEE in a page"],
      ["tee-page", payee, `the gate is of node ${payee}`],
    ] as const) {
      const opening = ["open-gate", "--node", node, "--payee", payee, "--kinds", kinds];
      const output = await success(escrow(...opening));
      const other = /HACA_GATEWAY_GATE=(0x[0-9a-fA-F]{40})/.exec(output)?.[1] ?? "";
      expect(await refusal("count-page", other, id)).toContain(words);
    }
    expect(await refusal("count-page", gate, NO_CHANNEL)).toContain("was proposed");
    expect(await refusal("count-page", gate, others)).toContain("has no result of a channel");
    const counted = await success(started("count-page", gate, id, ...as(STRANGER)));
    expect(counted).toContain("counted 2.0 OPG -> 6.0 OPG, by 2 results");
    expect(await refusal("count-page", gate, id)).toContain("has no result of a channel");
  });

  it("claims by the highest voucher that the channel's key signed, as far as it goes, and leaves the journal alone", async () => {
    writeFileSync(journal(), await line(3n * PRICE, withOtherEnd));
    const claiming = ["claim", gate, "--journal", journal(), ...as(STRANGER)];
    expect(await refusal(...claiming)).toContain("not signed by their channels' keys");
    writeFileSync(journal(), "{}\n{}\n");
    expect(await refusal(...claiming)).toContain("line 1 is no line of channels.journal");
    writeFileSync(journal(), '{"forget":"0x12"}\n');
    expect(await refusal(...claiming)).toContain("the journal has no voucher of a channel of");

    // A process that died while it wrote leaves half a line.
    writeFileSync(journal(), `${await line(PRICE)}${await line(DEPOSIT, withOtherEnd)}{"id":"0x`);
    const text = readFileSync(journal(), "utf8");
    const opg = opgOf(world().provider);
    const before = await opg.balanceOf(payee);
    const claimed = await success(started(...claiming));
    expect(claimed).toContain(`claimed 0.0 OPG -> 2.0 OPG, by a voucher of 2.0 OPG`);
    expect(claimed).toContain(`2.0 OPG to ${payee}, 0.0 OPG of fee`);
    expect(readFileSync(journal(), "utf8")).toBe(text);
    expect((await opg.balanceOf(payee)) - before).toBe(PRICE);
    expect(await refusal(...claiming)).toContain("the journal's vouchers are used up");

    writeFileSync(journal(), await line(DEPOSIT));
    appendFileSync(journal(), await line(PRICE));
    expect(await success(escrow(...claiming))).toContain(
      "claimed 2.0 OPG -> 6.0 OPG, by a voucher of 20.0 OPG",
    );
    expect((await opg.balanceOf(payee)) - before).toBe(3n * PRICE);
    expect(await refusal(...claiming)).toContain("nothing was counted since the last claim");
  });

  it("has paid out what somebody has claimed and left", async () => {
    const { provider, settle } = world();
    const requester = channelAccount(channelId);
    await settle({ nonce: ALONE[1] + 1n, requester, price: PRICE });
    await success(escrow("count", gate));
    const runner = await provider.getSigner(STRANGER);
    const contract = contractAt({ name: "ChannelGate", address: gate, runner });
    const { voucher } = JSON.parse(await line(DEPOSIT));
    const signed = { channel, maxClaimableAmount: DEPOSIT, signature: voucher.signature };
    await (await contract.claim([signed])).wait();
    const collected = await success(started("collect", gate, ...as(STRANGER)));
    expect(collected).toContain(`2.0 OPG to ${payee}, 0.0 OPG of fee`);
    expect(await refusal("collect", gate)).toContain("nothing of OPG was claimed at");
  });

  it("gives the payer back what was not counted, by the payee, and says what a higher amount costs", async () => {
    const { provider, settle } = world();
    const requester = channelAccount(channelId);
    await settle({ nonce: ALONE[1] + 2n, requester, price: PRICE });
    await success(escrow("count", gate));
    await callBatch("initiateWithdraw", [channel, DEPOSIT - 4n * PRICE]);
    expect(await success(escrow("channels", gate))).toMatch(
      /withdrawal 12\.0 OPG \(12000000000000000000\), asked for at 20\d\d-\S+, can be had from 20\d\d-\S+, in [56] days/,
    );
    const opg = opgOf(provider);
    const before = await opg.balanceOf(channel.payer);
    const refunding = ["refund-channel", channelId, ...as(PAYEE)];
    expect(await refusal(...refunding, "--amount", "13")).toContain(
      "has 12.0 OPG that were not claimed, and 13.0 OPG were to go back",
    );
    const given = await success(started(...refunding));
    expect(given).toContain(`10.0 OPG back to ${channel.payer}, 10.0 OPG stay`);
    expect(await refusal(...refunding)).toContain("2.0 OPG that are left were counted: claim them");
    const all = await success(escrow(...refunding, "--amount", "2"));
    expect(all).toContain("2.0 OPG of it were counted, and cannot be claimed afterwards");
    expect(await refusal(...refunding)).toContain("has 0.0 OPG that were not claimed");
    expect((await opg.balanceOf(channel.payer)) - before).toBe(DEPOSIT - 4n * PRICE);
  });
}

const opgOf = (runner: ChannelWorld["provider"]) =>
  contractAt({ name: "OPG", address: addressOf("OPG"), runner });

const addressOf = (name: ListedName): string =>
  readAddressBook(BOOK).contracts[name]?.address ?? "";
