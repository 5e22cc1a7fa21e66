import { channelIdOf } from "@haca/protocol/channels";
import { channelAccount } from "@haca/protocol/pageOpening";
import { nodeOfEnclave } from "@haca/protocol/requestId";
import { decodePaymentSignatureHeader } from "@x402/core/http";
import { toClientEvmSigner } from "@x402/evm";
import {
  BatchSettlementEvmScheme,
  InMemoryClientChannelStorage,
} from "@x402/evm/batch-settlement/client";
import { decodePaymentResponseHeader, wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import type { Contract, Wallet } from "ethers";
import { createPublicClient, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ContractOf } from "../../scripts/lib/contracts.ts";
import { batchAt, DELAY, openGate } from "./support/channels.ts";
import { GatewayProcess } from "./support/gatewayProcess.ts";
import { FEE, QUESTION } from "./support/paidBed.ts";
import { PaidChain, PRICE } from "./support/paidChain.ts";
import { waitFor } from "./support/processes.ts";

const NETWORK = "eip155:31337";
/** Deposits that stock clients make: so many times what a request costs. */
const MANY = 5n;

let chain: PaidChain;
let gateway: GatewayProcess;
let batch: Contract;
let gate: ContractOf<"ChannelGate">;

beforeAll(async () => {
  chain = await PaidChain.open();
  const { closers, escrow, folder, tee } = chain;
  const url = await chain.worker(["collect", "settle"], {
    ...{ ...chain.sellerSettings, HACA_CLAIM_SECONDS: "0" },
  });
  const enclave = tee.enclave("secp256k1");
  await tee.admit(enclave);
  const versionId = await tee.chain.publishManifest("chat");
  const gates = tee.chain.book.contracts.ChannelGates?.address ?? "";
  const node = nodeOfEnclave(enclave.teeId);
  gate = await openGate({ tee, escrow, gates, node, payee: chain.seller });
  batch = batchAt(tee);
  gateway = await GatewayProcess.start({
    ...{ enclave, session: await tee.certifySession(enclave, true), url, versionId, folder },
    settings: {
      ...chain.gatewaySettings,
      ...{ HACA_GATEWAY_GATE: String(gate.target), HACA_GATEWAY_WITHDRAW_DELAY: String(DELAY) },
    },
  });
  closers.unshift(() => gateway.stop());
});
afterAll(() => chain?.stop());

/** The stock client of x402, which pays by channel, and the payments that it has made. */
function clientOf(payer: Wallet, storage = new InMemoryClientChannelStorage()) {
  const account = privateKeyToAccount(payer.privateKey as `0x${string}`);
  const reader = createPublicClient({ transport: http(chain.tee.chain.url) });
  const client = new BatchSettlementEvmScheme(toClientEvmSigner(account, reader), { storage });
  const payments: string[] = [];
  const seeing: typeof fetch = (input, init) => {
    const header = (input as Request).headers.get("payment-signature");
    if (header !== null) payments.push(header);
    return fetch(input, init);
  };
  const paying = wrapFetchWithPaymentFromConfig(seeing, {
    schemes: [{ network: NETWORK, client }],
    spendControls: false,
  });
  return { paying, payments };
}

const post = (paying: typeof fetch, body: object = QUESTION, headers = {}) =>
  paying(`${gateway.url}/v1/channel/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

/** What a response says of its payment. */
const paidBy = (response: Response) =>
  decodePaymentResponseHeader(response.headers.get("payment-response") ?? "") as {
    transaction: string;
    extra: { chargedAmount: string; channelState: { chargedCumulativeAmount: string } };
  };

/** What was signed in a payment's header. */
const signedIn = (header = "") =>
  decodePaymentSignatureHeader(header).payload as {
    type: string;
    channelConfig: Parameters<typeof channelIdOf>[0]["channel"];
    voucher: { maxClaimableAmount: string };
  };
const channelIn = (header = ""): string =>
  channelIdOf({ chainId: 31_337n, channel: signedIn(header).channelConfig });

/** Waits until so much was claimed of a channel; makes blocks, for those who wait for them. */
const claimed = (channelId: string, amount: bigint): Promise<true> =>
  waitFor(async () => {
    await chain.tee.chain.send("evm_mine");
    const [, total] = (await batch.getFunction("channels")(channelId)) as [bigint, bigint];
    return total === amount ? true : undefined;
  });

describe("a stock client that pays by channel", () => {
  it("deposits once, signs vouchers from then on, and what was settled is claimed and paid out", async () => {
    const payer = await chain.payer(MANY * PRICE);
    const before = await chain.balanceOf(chain.seller);
    const { paying, payments } = clientOf(payer);
    const first = await post(paying);
    expect(first.status).toBe(200);
    const channelId = channelIn(payments[0]);
    const { haca } = (await first.json()) as { haca: { message: { requester: string } } };
    expect(haca.message.requester).toBe(channelAccount(channelId));
    expect(paidBy(first)).toMatchObject({
      transaction: expect.stringMatching(/^0x/),
      extra: {
        chargedAmount: String(PRICE),
        channelState: { channelId, chargedCumulativeAmount: String(PRICE) },
      },
    });
    const second = await post(paying, { ...QUESTION, stream: true });
    expect(await second.text()).toContain(`"price":"${PRICE}"`);
    expect(paidBy(second)).toMatchObject({
      ...{ transaction: "", extra: { chargedAmount: String(PRICE) } },
    });
    expect(payments.map((header) => signedIn(header).type)).toEqual(["deposit", "voucher"]);
    await claimed(channelId, 2n * PRICE);
    expect(await chain.balanceOf(chain.seller)).toBe(before + 2n * (PRICE - FEE));
    const [balance] = (await batch.getFunction("channels")(channelId)) as [bigint];
    expect(balance).toBe(MANY * PRICE);
    expect(await gate.provenOf(channelId)).toBe(2n * PRICE);
  });

  it("that has forgotten the channel hears its own last voucher, and goes on from there", async () => {
    const payer = await chain.payer(MANY * PRICE);
    const { paying } = clientOf(payer);
    expect((await post(paying)).status).toBe(200);
    // Another process of the client: what the chain tells it is behind.
    const { paying: again, payments } = clientOf(payer);
    const response = await post(again, { ...QUESTION, n: 1 });
    expect([response.status, paidBy(response).extra.chargedAmount]).toEqual([200, String(PRICE)]);
    expect(signedIn(payments.at(-1)).voucher.maxClaimableAmount).toBe(String(2n * PRICE));
  });

  it("that asks to withdraw is refused from then on, and what was settled before is claimed", async () => {
    const payer = await chain.payer(MANY * PRICE);
    const { paying, payments } = clientOf(payer);
    expect((await post(paying)).status).toBe(200);
    const channel = signedIn(payments[0]).channelConfig;
    const data = batch.interface.encodeFunctionData("initiateWithdraw", [channel, MANY * PRICE]);
    await (await payer.sendTransaction({ to: String(batch.target), data })).wait();
    // With another deposit, so that the gateway asks the chain at once.
    await (await chain.pages.token.transfer(payer.address, MANY * PRICE)).wait();
    const asked = gateway.asked;
    const known = { get: async () => ({ chargedCumulativeAmount: String(PRICE) }) };
    const fresh = clientOf(payer, known as unknown as InMemoryClientChannelStorage);
    const refused = await post(fresh.paying, { ...QUESTION, n: 2 });
    const { error } = (await refused.json()) as { error: { code: string } };
    expect([refused.status, error.code]).toEqual([402, "channel.withdrawing"]);
    expect(gateway.asked).toBe(asked);
    expect(await chain.balanceOf(payer.address)).toBe(MANY * PRICE);
    await claimed(channelIn(payments[0]), PRICE);
  });
});
