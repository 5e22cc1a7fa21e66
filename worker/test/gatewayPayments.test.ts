import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { batchSettlement, type Channel } from "@haca/protocol/channels";
import { channelAccount } from "@haca/protocol/pageOpening";
import type { ClientChannelStorage } from "@x402/evm/batch-settlement/client";
import { decodePaymentResponseHeader } from "@x402/fetch";
import { formatEther, type Wallet, ZeroAddress } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sealRequest } from "../../gateway/test/support/ohttpClient.ts";
import { createHaca } from "../../sdk/src/client/createHaca.ts";
import { withDeployment } from "../../sdk/src/deployment.ts";
import { channelIdOf, withdrawalOf } from "../../sdk/src/pay/channel/channelTypes.ts";
import { createPayer, type PayerOptions } from "../../sdk/src/pay/createPayer.ts";
import { memoryJournal } from "../../sdk/src/pay/journal.ts";
import { keySigner } from "../../sdk/src/pay/keySigner.ts";
import { pinsOfDeployment } from "../../sdk/src/pay/paymentPins.ts";
import { readDeployment } from "../../sdk/src/readDeployment.ts";
import { verify } from "../../sdk/src/verify.ts";
import { withOtherEnd } from "../../test/contracts/utils/otherEnd.ts";
import { compiledLayout } from "../../tools/receipts/witnessVectors.ts";
import {
  channelClient,
  chargedIn,
  type DepositPayload,
  signedIn,
} from "./support/channelClient.ts";
import { callBatch, channelAt, DELAY, depositAsStranger, openGate } from "./support/channels.ts";
import { commerceCases } from "./support/commerceCases.ts";
import { dollarCases } from "./support/dollarCases.ts";
import { STATUS } from "./support/escrow.ts";
import { FEE, PaidBed, QUESTION } from "./support/paidBed.ts";
import { PRICE } from "./support/paidChain.ts";
import { post } from "./support/paymentBed.ts";
import { waitFor } from "./support/processes.ts";

const HACA = fileURLToPath(new URL("../../sdk/src/cli/cli.ts", import.meta.url));

/** Deposits of stock clients: so many times what a request costs. */
const MANY = 5n;
/** Of a gate that is not served here. */
const PAYEE = `0x${"77".repeat(20)}`;
const OTHER = `0x${"78".repeat(20)}`;

let bed: PaidBed;
beforeAll(async () => {
  bed = await PaidBed.start();
});
afterAll(() => bed?.stop());

type Answered = {
  choices: object[];
  haca: { message: { requester: string; price: string; requestId: string } };
};

/** What a response says of its payment. */
const paidBy = (response: Response) =>
  decodePaymentResponseHeader(response.headers.get("payment-response") ?? "");

describe("a stock client of x402", () => {
  it("has its money held for an answer, and captured when the result is settled", async () => {
    const payer = await bed.payer(PRICE);
    const before = await bed.balanceOf(bed.seller);
    const response = await bed.ask(bed.client(payer, "upto"));
    expect(response.status).toBe(200);
    const { haca } = (await response.json()) as Answered;
    expect(haca.message).toMatchObject({
      requester: payer.address.toLowerCase(),
      price: String(PRICE),
    });
    expect(paidBy(response)).toMatchObject({ success: true, payer: payer.address.toLowerCase() });
    const [jobId = ""] = await bed.jobsOf(payer.address);
    await bed.until(jobId, STATUS.captured);
    expect(await bed.balanceOf(bed.seller)).toBe(before + PRICE - FEE);
    expect(await bed.balanceOf(payer.address)).toBe(0n);
  });

  it("pays a stream, and at once where that is what it can", async () => {
    const payer = await bed.payer(PRICE);
    const before = await bed.balanceOf(bed.seller);
    const response = await bed.ask(bed.client(payer, "exact"), { ...QUESTION, stream: true });
    expect(response.status).toBe(200);
    expect(paidBy(response)).toMatchObject({ success: true });
    expect(await response.text()).toContain(`"price":"${PRICE}"`);
    expect(await bed.balanceOf(bed.seller)).toBe(before + PRICE);
    expect(await bed.jobsOf(payer.address)).toEqual([]);
  });

  it("is served, and captured from, though a stranger who saw the permit has opened the job", async () => {
    const payer = await bed.payer(PRICE);
    const asked = bed.gateway.asked;
    let opened = "";
    const client = bed.client(payer, "upto", async (input, init) => {
      const header = (input as Request).headers.get("payment-signature");
      if (header !== null) opened = await bed.openAsStranger(header);
      return await fetch(input, init);
    });
    const response = await bed.ask(client);
    expect([response.status, paidBy(response).transaction]).toEqual([200, opened]);
    expect(bed.gateway.asked).toBe(asked + 1);
    const [jobId = ""] = await bed.jobsOf(payer.address);
    await bed.until(jobId, STATUS.captured);
  });

  it("gets its money back when the upstream fails, and no answer that makes clients ask again", async () => {
    const payer = await bed.payer(PRICE);
    bed.gateway.upstreamStatus = 500;
    const response = await bed.ask(bed.client(payer, "upto"));
    bed.gateway.upstreamStatus = 200;
    expect([response.status, await response.json()]).toEqual([
      406,
      { error: expect.objectContaining({ message: expect.stringContaining("goes back") }) },
    ]);
    const [jobId = ""] = await bed.jobsOf(payer.address);
    await bed.until(jobId, STATUS.cancelled);
    expect(await bed.balanceOf(payer.address)).toBe(PRICE);
  });
});

/** What a client remembers of every channel, whatever becomes of it: without a balance it makes a deposit. */
const knowing = (context: { chargedCumulativeAmount?: string }): ClientChannelStorage => ({
  get: async () => context,
  set: async () => undefined,
  delete: async () => undefined,
});

/** A client of a payer that pays by channel. */
const payingByChannel = (payer: Wallet, storage?: ClientChannelStorage) =>
  channelClient({ payer, rpcUrl: bed.tee.chain.url, ...(storage && { storage }) });

it("a relay pays for what is sealed, at once and by channel, and what it owes is claimed", async () => {
  const relay = await bed.payer((1n + MANY) * PRICE);
  const before = await bed.balanceOf(bed.seller);
  const { url } = await bed.sealing();
  const shown = await (await fetch(`${url}/v1/ohttp/config`)).json();
  const { key_id: keyId, public_key: publicKey } = shown as { key_id: number; public_key: string };
  const key = { keyId, publicKey };
  const ask = async (paying: typeof fetch, path: string) => {
    const { bytes, open } = sealRequest(key, JSON.stringify(QUESTION));
    const headers = { "content-type": "message/ohttp-req" };
    const body = Uint8Array.from(bytes);
    const response = await paying(`${url}${path}`, { method: "POST", headers, body });
    const answer = JSON.parse(open(new Uint8Array(await response.arrayBuffer())));
    return { response, message: (answer as Answered).haca.message };
  };
  const atOnce = await ask(bed.client(relay, "exact"), "/v1/ohttp");
  expect(paidBy(atOnce.response)).toMatchObject({ success: true, amount: String(PRICE) });
  expect(atOnce.message).toMatchObject({ requester: ZeroAddress, price: "0" });
  expect(await bed.balanceOf(bed.seller)).toBe(before + PRICE);
  const { paying, payments } = payingByChannel(relay);
  const byChannel = await ask(paying, "/v1/channel/ohttp");
  const { channelId } = signedIn(payments[0]);
  expect(byChannel.message).toMatchObject({
    ...{ requester: channelAccount(channelId), price: String(PRICE) },
  });
  await bed.claimed(channelId, PRICE);
});

commerceCases(() => bed);
dollarCases(() => bed);

describe("a stock client of x402 that pays by channel", () => {
  it("and asks for what is left has it at once; what was charged is claimed later, and it pays on", async () => {
    const payer = await bed.payer(2n * MANY * PRICE);
    const { paying, payments, scheme } = payingByChannel(payer);
    expect((await bed.askByChannel(paying)).status).toBe(200);
    const { channelId } = signedIn(payments[0]);
    expect(await bed.balanceOf(payer.address)).toBe(MANY * PRICE);
    // Nothing is claimed by now: no block but for these comes.
    const settled = await scheme.refund(`${bed.gateway.url}/v1/channel/chat/completions`);
    expect(settled).toMatchObject({
      ...{ success: true, transaction: expect.stringMatching(/^0x[0-9a-f]{64}$/) },
    });
    expect(await bed.balanceOf(payer.address)).toBe((2n * MANY - 1n) * PRICE);
    const next = await bed.askByChannel(paying, { ...QUESTION, n: 1 });
    expect([next.status, chargedIn(next).inAll]).toEqual([200, String(2n * PRICE)]);
    expect(signedIn(payments.at(-1)).type).toBe("deposit");
    expect(await bed.claimed(channelId, 2n * PRICE)).toBe((1n + MANY) * PRICE);
  });

  it("deposits once, signs vouchers from then on, and what was settled is claimed and paid out", async () => {
    const payer = await bed.payer(MANY * PRICE);
    const before = await bed.balanceOf(bed.seller);
    const { paying, payments } = payingByChannel(payer);
    const first = await bed.askByChannel(paying);
    expect(first.status).toBe(200);
    const { channelId } = signedIn(payments[0]);
    const { haca } = (await first.json()) as { haca: { message: { requester: string } } };
    expect(haca.message.requester).toBe(channelAccount(channelId));
    expect(chargedIn(first)).toEqual({
      ...{ charged: String(PRICE), inAll: String(PRICE) },
      transaction: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    });
    const second = await bed.askByChannel(paying, { ...QUESTION, stream: true });
    expect(await second.text()).toContain(`"price":"${PRICE}"`);
    expect(chargedIn(second)).toEqual({
      ...{ charged: String(PRICE), inAll: String(2n * PRICE), transaction: "" },
    });
    expect(payments.map((header) => signedIn(header).type)).toEqual(["deposit", "voucher"]);
    expect(await bed.claimed(channelId, 2n * PRICE)).toBe(MANY * PRICE);
    expect(await bed.balanceOf(bed.seller)).toBe(before + 2n * (PRICE - FEE));
    expect(await bed.gate.provenOf(channelId)).toBe(2n * PRICE);
  });

  it("that has forgotten the channel hears its own last voucher, and goes on from there", async () => {
    const payer = await bed.payer(MANY * PRICE);
    expect((await bed.askByChannel(payingByChannel(payer).paying)).status).toBe(200);
    // Another process of the client: what the chain tells it may be behind.
    const again = payingByChannel(payer);
    const response = await bed.askByChannel(again.paying, { ...QUESTION, n: 1 });
    expect([response.status, chargedIn(response).charged]).toEqual([200, String(PRICE)]);
    expect(signedIn(again.payments.at(-1)).sum).toBe(String(2n * PRICE));
  });

  it("that asks to withdraw is refused from then on, and what was settled before is claimed", async () => {
    const payer = await bed.payer(2n * MANY * PRICE);
    const { paying, payments } = payingByChannel(payer);
    expect((await bed.askByChannel(paying)).status).toBe(200);
    const { channel, channelId } = signedIn(payments[0]);
    const values = [channel, MANY * PRICE];
    await callBatch(payer, batchSettlement.encodeFunctionData("initiateWithdraw", values));
    const asked = bed.gateway.asked;
    // With another deposit, so that the gateway asks the chain at once.
    const known = knowing({ chargedCumulativeAmount: String(PRICE) });
    const fresh = payingByChannel(payer, known);
    const refused = await bed.askByChannel(fresh.paying, { ...QUESTION, n: 2 });
    const { error } = (await refused.json()) as { error: { code: string } };
    expect([signedIn(fresh.payments[0]).type, refused.status, error.code]).toEqual([
      ...["deposit", 402, "channel.withdrawing"],
    ]);
    expect([bed.gateway.asked, await bed.balanceOf(payer.address)]).toEqual([asked, MANY * PRICE]);
    await bed.claimed(channelId, PRICE);
  });
});

describe("a stock client of x402 that deposits by Permit2", () => {
  it("is answered, and its deposit is in the channel that it was signed for", async () => {
    const payer = await bed.payer(MANY * PRICE);
    const { paying, payments } = channelClient({
      ...{ payer, rpcUrl: bed.tee.chain.url, method: "permit2" },
    });
    const first = await bed.askByChannel(paying);
    expect([first.status, chargedIn(first)]).toEqual([
      200,
      {
        ...{ charged: String(PRICE), inAll: String(PRICE) },
        transaction: expect.stringMatching(/^0x[0-9a-f]{64}$/),
      },
    ]);
    const { channelId } = signedIn(payments[0]);
    expect((await channelAt(bed.tee, channelId)).balance).toBe(MANY * PRICE);
    expect((await bed.askByChannel(paying, { ...QUESTION, n: 1 })).status).toBe(200);
    expect(payments).toHaveLength(2);
    expect(await bed.claimed(channelId, 2n * PRICE)).toBe(MANY * PRICE);
  });
});

describe("a worker that gives back of channels", () => {
  /** A channel with an answer of `PRICE`, and the rest of a deposit. */
  const funded = async () => {
    const payer = await bed.payer(2n * MANY * PRICE);
    const { paying, payments } = payingByChannel(payer);
    expect((await bed.askByChannel(paying)).status).toBe(200);
    return { payer, ...signedIn(payments[0]) };
  };
  type Order = { channel: Channel; number: number; kept?: string; most?: string };
  const order = async ({ channel, kept = "0", most, number }: Order) => {
    const of = { ...channel, withdrawDelay: DELAY };
    const { body, status } = await post(
      ...([bed.workerUrl, "/v1/channels/refunds"] as const),
      { channel: of, number, kept, most: most ?? null },
      { "content-type": "application/json" },
    );
    expect([status, body]).toEqual([200, expect.objectContaining({ state: expect.any(String) })]);
    return body as { state: string; transaction: string | null; error: string | null };
  };
  const ended = (asked: Order) =>
    waitFor(async () => {
      const outcome = await order(asked);
      return ["open", "sent"].includes(outcome.state) ? undefined : outcome;
    });

  it("leaves what it knows to be charged, whatever its gateway has lost count of, and sends an order once", async () => {
    const { payer, channel, channelId } = await funded();
    const first = await ended({ channel, number: 2 });
    expect(first).toMatchObject({ state: "mined", error: null });
    const left = 2n * MANY * PRICE - PRICE;
    expect([
      (await channelAt(bed.tee, channelId)).balance,
      await bed.balanceOf(payer.address),
    ]).toEqual([PRICE, left]);
    // A deposit comes in between: the order is over, and so are older ones.
    const fresh = payingByChannel(payer).paying;
    expect((await bed.askByChannel(fresh, { ...QUESTION, n: 1 })).status).toBe(200);
    for (const number of [1, 2]) await order({ channel, number });
    await bed.tee.chain.send("anvil_mine", "0x4");
    await waitFor(async () =>
      (await order({ channel, number: 2 })).state === "done" ? true : undefined,
    );
    expect(await order({ channel, number: 1 })).toMatchObject({ state: "refused" });
    expect(await bed.balanceOf(payer.address)).toBe(left - MANY * PRICE);
    const most = String(PRICE);
    expect(await ended({ channel, number: 3, most })).toMatchObject({ state: "mined" });
    expect(await bed.balanceOf(payer.address)).toBe(left - MANY * PRICE + PRICE);
    expect(await bed.claimed(channelId, 2n * PRICE)).toBe(MANY * PRICE);
  });

  it("gives nothing of a channel of which a withdrawal is asked for, nor of what is no gate of its own", async () => {
    const { payer, channel, channelId } = await funded();
    const strange = { ...channel, receiver: PAYEE, receiverAuthorizer: PAYEE };
    expect(await ended({ channel: strange, number: 1 })).toMatchObject({
      ...{ state: "refused", error: "no gate of channels is at the receiver's address" },
    });
    const gates = bed.tee.chain.book.contracts.ChannelGates?.address ?? "";
    const others = await openGate({
      ...{ tee: bed.tee, escrow: bed.escrow, gates, node: OTHER, payee: OTHER },
    });
    const end = String(others.target);
    const foreign = { ...channel, receiver: end, receiverAuthorizer: end };
    expect((await ended({ channel: foreign, number: 1 })).error).toContain("is neither the gate's");
    const values = [channel, PRICE];
    await callBatch(payer, batchSettlement.encodeFunctionData("initiateWithdraw", values));
    expect(await ended({ channel, number: 1 })).toMatchObject({
      ...{ state: "refused", error: "a withdrawal of the channel is asked for" },
    });
    expect((await channelAt(bed.tee, channelId)).balance).toBe(MANY * PRICE);
  });
});

type PermitPayload = {
  voucher: { channelId: string };
  deposit: {
    amount: string;
    authorization: {
      permit2Authorization: Record<"nonce" | "deadline" | "signature", string> & {
        permitted: { token: string; amount: string };
      };
    };
  };
};

describe("a facilitator of channels", () => {
  /** A deposit with its voucher, as the stock client signs them for a gate. */
  async function depositFor(payer: Wallet, gate: string, method = "eip3009") {
    const accepted = {
      ...{ scheme: "batch-settlement", network: "eip155:31337" as const, payTo: gate },
      ...{ asset: String(bed.pages.token.target), amount: String(PRICE), maxTimeoutSeconds: 300 },
      extra: {
        ...{ name: "OPG", version: "1", receiverAuthorizer: gate, withdrawDelay: DELAY },
        assetTransferMethod: method,
      },
    };
    const { scheme } = payingByChannel(payer, knowing({}));
    const { payload } = await scheme.createPaymentPayload(2, accepted);
    const paymentPayload = { x402Version: 2, accepted, payload };
    return { x402Version: 2, paymentPayload, paymentRequirements: accepted };
  }
  const settle = (body: object) => post(bed.facilitatorUrl, "/settle", body);

  it("brings a deposit once, also one that a stranger has brought, and says how the channel stands", async () => {
    const payer = await bed.payer(2n * MANY * PRICE);
    const gate = String(bed.gate.target);
    const first = await depositFor(payer, gate);
    expect((await settle(first)).body).toMatchObject({ success: true, payer: payer.address });
    expect((await settle(first)).body).toMatchObject({
      ...{ success: false, errorReason: "duplicate_settlement" },
    });
    const second = await depositFor(payer, gate);
    await depositAsStranger(bed.tee, second.paymentPayload.payload as DepositPayload);
    expect((await settle(second)).body).toMatchObject({ success: true });
    expect(await bed.balanceOf(payer.address)).toBe(0n);
    const { channelId } = (second.paymentPayload.payload as DepositPayload).voucher;
    const state = await fetch(`${bed.facilitatorUrl}/channels/${channelId}`);
    expect(await state.json()).toEqual({
      ...{ balance: String(2n * MANY * PRICE), totalClaimed: "0", withdrawRequestedAt: 0 },
    });
  });

  it("brings a permit once, and none that is not for this deposit by x402's collector", async () => {
    const payer = await bed.payer(2n * MANY * PRICE);
    const gate = String(bed.gate.target);
    const good = await depositFor(payer, gate, "permit2");
    const payload = good.paymentPayload.payload as PermitPayload;
    const permit = payload.deposit.authorization.permit2Authorization;
    const reasons = "invalid_batch_settlement_evm_";
    const witness = { channelId: `0x${"11".repeat(32)}` };
    const now = (await bed.tee.chain.provider.getBlock("latest"))?.timestamp ?? 0;
    const deposited = (change: object, amount = payload.deposit.amount) => ({
      ...payload,
      deposit: { amount, authorization: { permit2Authorization: { ...permit, ...change } } },
    });
    for (const [changed, reason] of [
      [deposited({ spender: PAYEE }), "permit2_invalid_spender"],
      [deposited({ from: PAYEE }), "permit2_invalid_signature"],
      [deposited({ witness }), "permit2_invalid_signature"],
      [
        deposited({ permitted: { ...permit.permitted, token: PAYEE } }),
        "permit2_invalid_signature",
      ],
      [deposited({}, String(PRICE)), "permit2_amount_mismatch"],
      // What was signed is another sum, number, end or nothing: the contract says so.
      [
        deposited({ permitted: { ...permit.permitted, amount: String(PRICE) } }, String(PRICE)),
        "deposit_simulation_failed",
      ],
      [deposited({ nonce: String(BigInt(permit.nonce) ^ 1n) }), "deposit_simulation_failed"],
      [deposited({ deadline: String(now - 1) }), "deposit_simulation_failed"],
      [deposited({ signature: withOtherEnd(permit.signature) }), "deposit_simulation_failed"],
    ] as const) {
      const paymentPayload = { ...good.paymentPayload, payload: changed };
      expect((await settle({ ...good, paymentPayload })).body).toMatchObject({
        ...{ success: false, errorReason: `${reasons}${reason}` },
      });
    }
    const both = deposited({});
    const erc3009Authorization = { validAfter: "0", validBefore: "1", salt: "0", signature: "0x" };
    Object.assign(both.deposit.authorization, { erc3009Authorization });
    const twofold = { ...good, paymentPayload: { ...good.paymentPayload, payload: both } };
    expect((await settle(twofold)).status).toBe(400);
    expect((await settle(good)).body).toMatchObject({ success: true, payer: payer.address });
    expect((await settle(good)).body).toMatchObject({ errorReason: "duplicate_settlement" });
    expect(await bed.balanceOf(payer.address)).toBe(MANY * PRICE);
    expect((await channelAt(bed.tee, payload.voucher.channelId)).balance).toBe(MANY * PRICE);
  });

  it("brings none to gates of others, to what is no gate, or to a channel that was not signed for", async () => {
    const payer = await bed.payer(MANY * PRICE);
    const gates = bed.tee.chain.book.contracts.ChannelGates?.address ?? "";
    const { escrow, tee } = bed;
    const others = await openGate({ tee, escrow, gates, node: PAYEE, payee: PAYEE });
    for (const gate of [String(others.target), bed.seller]) {
      expect((await settle(await depositFor(payer, gate))).body).toMatchObject({
        ...{ success: false, errorReason: "invalid_payment_requirements" },
      });
    }
    const good = await depositFor(payer, String(bed.gate.target));
    const payload = good.paymentPayload.payload as DepositPayload;
    const wrong = {
      ...payload,
      voucher: { ...payload.voucher, channelId: `0x${"11".repeat(32)}` },
    };
    const depositing = (amount: bigint) => ({
      ...payload,
      deposit: { ...payload.deposit, amount: String(amount) },
    });
    for (const [changed, errorReason] of [
      [wrong, "invalid_batch_settlement_evm_channel_id_mismatch"],
      [depositing(PRICE), "invalid_batch_settlement_evm_deposit_simulation_failed"],
      [depositing(PRICE - 1n), "invalid_batch_settlement_evm_deposit_below_min_deposit"],
    ] as const) {
      const paymentPayload = { ...good.paymentPayload, payload: changed };
      expect((await settle({ ...good, paymentPayload })).body).toMatchObject({
        ...{ success: false, errorReason },
      });
    }
    expect(await bed.balanceOf(payer.address)).toBe(MANY * PRICE);
    expect(await bed.check({ HACA_GATEWAY_GATE: String(others.target) })).toContain(
      `problem     HACA_GATEWAY_GATE: ${others.target}: is the gate of the node `,
    );
    for (const [path, status, error] of [
      ["gates/0x12", 400, "gate: must be an address"],
      [`gates/${PAYEE}`, 404, "no gate is at this address"],
      ["channels/0x12", 400, "channelId: must be 0x and 64 hex digits"],
    ] as const) {
      const response = await fetch(`${bed.facilitatorUrl}/${path}`);
      expect([response.status, await response.json()]).toEqual([status, { error }]);
    }
  });
});

describe("the SDK", () => {
  /** A client that knows what the deployment's file says, and takes the registry's word for enclaves. */
  const clientOf = (payer: Wallet, options: Partial<PayerOptions> = {}) => {
    const { book, url } = bed.tee.chain;
    const settlement = book.contracts.InferenceSettlement.address;
    const pins = pinsOfDeployment(readFileSync(join(bed.folder, "book.json"), "utf8"));
    return createHaca({
      ...{ chainId: 31_337, rpcs: [url], nodes: [bed.gateway.url] },
      pins: {
        settlements: [{ chainId: "31337", settlement }],
        models: { chat: { version: bed.versionId } },
      },
      policy: { attestation: "registry" },
      payer: createPayer({
        signer: keySigner(payer.privateKey),
        pins: { ...pins, escrow: String(bed.escrow.target), payees: [bed.seller] },
        ...{ maxPerCall: PRICE, maxPerSession: PRICE, ...options },
      }),
    });
  };

  it("pays by the escrow once, though it asks again, and the money is captured", async () => {
    const payer = await bed.payer(2n * PRICE);
    const asked = bed.gateway.asked;
    const journal = memoryJournal();
    const question = { ...QUESTION, idempotencyKey: "one-request-one-payment" };
    const reply = await clientOf(payer, { journal }).chat(question);
    expect([reply.verification, reply.payment]).toMatchObject([
      "verified",
      { route: "escrow", most: String(PRICE), payee: bed.seller.toLowerCase() },
    ]);
    const [jobId = "", ...others] = await bed.jobsOf(payer.address);
    await bed.until(jobId, STATUS.captured);
    // Another process of the client, which finds the payment noted.
    const again = await clientOf(payer, { journal }).chat(question);
    expect(again.answer).toEqual(reply.answer);
    expect([others, bed.gateway.asked]).toEqual([[], asked + 1]);
    expect(await bed.balanceOf(payer.address)).toBe(PRICE);
    const opened = await bed.tee.chain.provider.getTransactionReceipt(
      reply.payment?.transaction ?? "",
    );
    expect(opened?.logs.some(({ topics }) => topics[1] === jobId)).toBe(true);
  });

  it("pays by channel: one deposit, vouchers that are claimed once results are settled, and a way out", async () => {
    const payer = await bed.payer(MANY * PRICE);
    const before = await bed.balanceOf(bed.seller);
    const gate = String(bed.gate.target).toLowerCase();
    const pins = pinsOfDeployment(readFileSync(join(bed.folder, "book.json"), "utf8"));
    const journal = memoryJournal();
    const options = {
      ...{ journal, pins: { ...pins, gates: [gate] }, routes: ["channel" as const] },
      ...{ channelDeposit: MANY * PRICE, maxPerSession: MANY * PRICE },
    };
    const address = payer.address.toLowerCase();
    const channel = {
      ...{ payer: address, payerAuthorizer: address, receiver: gate, receiverAuthorizer: gate },
      ...{ token: String(bed.pages.token.target).toLowerCase(), withdrawDelay: Number(DELAY) },
      salt: `0x${"00".repeat(32)}`,
    };
    const channelId = channelIdOf("31337", channel);
    const first = await clientOf(payer, options).chat(QUESTION);
    expect([first.verification, first.payment?.deposit]).toEqual([
      "verified",
      String(MANY * PRICE),
    ]);
    expect(first.receipt?.core.message.requester).toBe(channelAccount(channelId).toLowerCase());
    // Another process, with the journal.
    const second = await clientOf(payer, options).chat({ ...QUESTION, parameters: { n: 1 } });
    expect([second.verification, second.payment?.deposit]).toEqual(["verified", undefined]);
    expect(await bed.claimed(channelId, 2n * PRICE)).toBe(MANY * PRICE);
    expect(await bed.balanceOf(bed.seller)).toBe(before + 2n * (PRICE - FEE));
    await callBatch(payer, withdrawalOf(channel, PRICE).begin.data);
    const state = await fetch(`${bed.facilitatorUrl}/channels/${channelId}`);
    const { withdrawRequestedAt } = (await state.json()) as { withdrawRequestedAt: number };
    expect(withdrawRequestedAt).toBeGreaterThan(0);
  });

  /** `haca` with the payer's key, as a process that ends well. */
  async function haca(payer: Wallet, ...args: readonly string[]): Promise<[string, string]> {
    const child = spawn(process.execPath, [HACA, ...args], {
      env: { ...process.env, HACA_PAYER_KEY: payer.privateKey },
    });
    const status = new Promise((resolve) => child.on("close", resolve));
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(await status, err).toBe(0);
    return [out, err];
  }

  /** The deployment's file, with where its contracts keep what witnesses show. */
  const deploymentFile = (): string => join(bed.folder, "deployment.json");
  beforeAll(async () => {
    const book = JSON.parse(readFileSync(join(bed.folder, "book.json"), "utf8"));
    const { settlement, teeRegistry } = await compiledLayout();
    book.contracts.InferenceSettlement.storage = settlement;
    book.contracts.TEERegistry.storage = teeRegistry;
    writeFileSync(deploymentFile(), JSON.stringify(book));
  });

  /** Arguments of an answer by the registry's word, that is paid for. */
  function chatting(...paying: readonly string[]): readonly string[] {
    const settlement = bed.tee.chain.book.contracts.InferenceSettlement.address;
    const pins = join(bed.folder, "pins.json");
    const models = { chat: { version: bed.versionId } };
    const settlements = [{ chainId: "31337", settlement }];
    writeFileSync(pins, JSON.stringify({ settlements, models }));
    return [
      ...["chat", "hello", "--model", "chat", "--node", bed.gateway.url, "--pins", pins],
      ...["--rpc", bed.tee.chain.url, "--registry", "--deployment", deploymentFile()],
      ...["--pay", formatEther(PRICE), ...paying],
    ];
  }

  it("pays by a transfer, from the command line, says so before and after, and keeps what the chain shows of the enclave", async () => {
    const payer = await bed.payer(PRICE);
    const before = await bed.balanceOf(bed.seller);
    const file = join(bed.folder, "witnessed.json");
    const paying = ["--budget", "5", "--route", "exact", "--payee", bed.seller];
    const keeping = ["--witness", "--receipt", file];
    const [out, err] = await haca(payer, ...chatting(...paying, ...keeping));
    const [, block = ""] =
      /paying 2 OPG at most for an answer of 127\.0\.0\.1:\d+, to 0x[0-9a-f]{40} at once\n(?:.*\n)*verified: .*\nwitness: of block \d+, (0x[0-9a-f]{64})\npaid: 2 OPG at most, by exact\n$/.exec(
        err,
      ) ?? [];
    expect(block, err).not.toBe("");
    expect(out).toBe("Hello\n");
    // From then on nobody needs the chain to see that the enclave was admitted.
    const pins = withDeployment({}, readDeployment(readFileSync(deploymentFile(), "utf8")));
    const lines = await verify(readFileSync(file, "utf8"), { pins, blockHashes: [block] });
    for (const check of ["witness", "admitted"] as const) {
      expect(lines.find((line) => line.check === check)?.status, check).toBe("asserted");
    }
    expect(await bed.balanceOf(bed.seller)).toBe(before + PRICE);
    expect(await bed.jobsOf(payer.address)).toEqual([]);
  });

  // Its time is ahead of this machine's from here on: it is the last one.
  it("pays by channel from the command line, process by process, and brings the rest back to the payer", async () => {
    const payer = await bed.payer(MANY * PRICE);
    const payments = join(bed.folder, "channels");
    const place = ["--payments", payments, "--rpc", bed.tee.chain.url];
    const paying = [
      ...["--budget", "10", "--route", "channel", "--gate", String(bed.gate.target)],
      ...["--deposit", formatEther(MANY * PRICE), "--payments", payments],
    ];
    const [first, said] = await haca(payer, ...chatting(...paying));
    expect([first, said]).toEqual([
      "Hello\n",
      expect.stringMatching(
        /by a voucher for the gate 0x[0-9a-f]{40}, with a deposit of 10 OPG\n(?:.*\n)*paid: 2 OPG at most, by channel\n$/,
      ),
    ]);
    const [second, again] = await haca(payer, ...chatting(...paying, "--parameter", "n=1"));
    expect([second, again]).toEqual(["Hello\n", expect.not.stringContaining("with a deposit")]);

    const status = async () => {
      const [out] = await haca(payer, "channel", "status", ...place, "--json");
      return JSON.parse(out).channels[0];
    };
    const { channelId } = await status();
    await bed.claimed(channelId, 2n * PRICE);
    const sums = { charged: 2n * PRICE, signed: 2n * PRICE, balance: MANY * PRICE };
    expect(await status()).toMatchObject({
      ...Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, String(sum)])),
      ...{ claimed: String(2n * PRICE), proven: String(2n * PRICE), claimable: "0" },
      ...{ left: String(3n * PRICE), withdrawal: null, uncertainDeposit: null },
    });

    const withdrawing = ["channel", "withdraw", channelId, ...place];
    const [dry] = await haca(payer, ...withdrawing);
    expect(dry).toMatch(
      /^change {7}withdrawal of 6 OPG begun(?:.*\n)*nothing sent: --yes sends it\n$/,
    );
    expect((await status()).withdrawal).toBeNull();
    const [begun] = await haca(payer, ...withdrawing, "--yes");
    expect(begun).toMatch(/^transaction {2}0x[0-9a-f]{64}\ndone {9}in block \d+\n$/m);
    expect((await status()).withdrawal).toMatchObject({ amount: String(3n * PRICE) });
    await bed.tee.chain.send("evm_increaseTime", DELAY);
    await bed.tee.chain.send("evm_mine");
    const [finished] = await haca(payer, ...withdrawing, "--finish", "--yes");
    expect(finished).toContain("change       6 OPG of the channel -> ");
    expect(await bed.balanceOf(payer.address)).toBe(3n * PRICE);
    expect(await status()).toMatchObject({ left: "0", withdrawal: null });
  });
});
