import { HTTPFacilitatorClient } from "@x402/core/server";
import type { PaymentPayload, PaymentRequirements } from "@x402/core/types";
import type { Wallet } from "ethers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { NETWORK, PaymentBed, PRICE, post, RECEIVER, STRANGER } from "./support/paymentBed.ts";
import { waitFor } from "./support/processes.ts";
import { sharedQueue } from "./support/temporaryFolder.ts";
import type { TestWorker } from "./support/worker.ts";

const folder = sharedQueue();
let bed: PaymentBed;
let wanted: PaymentRequirements;
let account: Wallet;
let worker: TestWorker;
let url: string;
let client: HTTPFacilitatorClient;

beforeAll(async () => {
  bed = await PaymentBed.start();
  const made = await bed.settings(folder.path);
  account = made.account;
  worker = bed.worker(made.settings);
  url = await worker.url();
  client = new HTTPFacilitatorClient({ url });
  wanted = bed.wanted;
});
afterAll(async () => {
  await worker?.child.end();
  await bed?.stop();
  folder.remove();
});
afterEach(async () => {
  bed.proxy.mode = "up";
  await bed.send("evm_setAutomine", true);
});

const sentCount = () => bed.sentCount(account);

/** Settles a payment whose transaction is mined when the test lets it go; `letGo` returns how many were sent. */
async function settleSlowly(paid: PaymentPayload) {
  const before = await sentCount();
  const sent = (count: number) => bed.sent(account, before + count);
  await bed.send("evm_setAutomine", false);
  const first = client.settle(paid, wanted);
  await sent(1);
  const letGo = async () => {
    await bed.send("evm_mine");
    await bed.send("evm_setAutomine", true);
    return (await sentCount()) - before;
  };
  return { first, sent, letGo };
}

describe("payments by x402", () => {
  it("offers what it settles", async () => {
    const { address } = account;
    const kinds = [{ x402Version: 2, scheme: "exact", network: NETWORK }];
    const signers = { "eip155:*": [address] };
    expect(await client.getSupported()).toEqual({ kinds, extensions: [], signers });
    const health = await (await fetch(`${url}/health`)).json();
    expect(health).toMatchObject({ status: "ok", supportedKinds: kinds, signers });
  });

  it("verifies and settles for the stock client; the payer needs no ether", async () => {
    const payer = await bed.payerWith(1n);
    const paid = await bed.payment(payer);
    const before = await bed.balanceOf(RECEIVER);
    expect(await client.verify(paid, wanted)).toMatchObject({
      isValid: true,
      payer: payer.address,
    });
    expect(await bed.balanceOf(RECEIVER)).toBe(before);

    const settled = await client.settle(paid, wanted);
    expect(settled).toMatchObject({ success: true, network: NETWORK, payer: payer.address });
    expect(await bed.balanceOf(RECEIVER)).toBe(before + PRICE);
    const receipt = await bed.tee.chain.provider.getTransactionReceipt(settled.transaction);
    expect(receipt).toMatchObject({ status: 1, from: account.address, to: bed.token.target });
  });

  it("settles a payment once", async () => {
    const paid = await bed.payment(await bed.payerWith(3n));
    expect(await client.settle(paid, wanted)).toMatchObject({ success: true });
    const before = await bed.balanceOf(RECEIVER);
    const sent = await sentCount();
    expect(await client.verify(paid, wanted)).toMatchObject({ isValid: false });
    const again = await client.settle(paid, wanted);
    expect(again.success).toBe(false);
    expect(again.errorReason).toBe("duplicate_settlement");
    expect(await bed.balanceOf(RECEIVER)).toBe(before);
    expect(await sentCount()).toBe(sent);
  });

  it("sends one transaction for a payment that many bring at the same moment", async () => {
    const paid = await bed.payment(await bed.payerWith(3n));
    const { first, letGo } = await settleSlowly(paid);
    const others = await Promise.all([client.settle(paid, wanted), client.settle(paid, wanted)]);
    for (const other of others) {
      expect(other).toMatchObject({ success: false, errorReason: "duplicate_settlement" });
    }
    expect(await letGo()).toBe(1);
    expect(await first).toMatchObject({ success: true });
  });

  it("settles no more at a time than a payer has", async () => {
    const payer = await bed.payerWith(2n);
    const { first, sent, letGo } = await settleSlowly(await bed.payment(payer));
    const second = client.settle(await bed.payment(payer), wanted);
    await sent(2);
    const third = await client.settle(await bed.payment(payer), wanted);
    expect(third).toMatchObject({ success: false, errorReason: "insufficient_funds" });
    // What reverts would have cost this account gas.
    expect(await letGo()).toBe(2);
    expect([(await first).success, (await second).success]).toEqual([true, true]);
    expect(await bed.balanceOf(payer.address)).toBe(0n);
  });

  // Why a simulation fails the library finds out by Multicall3, which a local chain lacks.
  const refusals: [string, Partial<PaymentRequirements>, string | RegExp][] = [
    ["to somebody else", { payTo: STRANGER }, "invalid_payment_requirements"],
    ["in another token", { asset: STRANGER }, "invalid_payment_requirements"],
    ["on another chain", { network: "eip155:8453" }, "invalid_network"],
    ["by another scheme", { scheme: "upto" }, "unsupported_scheme"],
    ["with another name of the token", { extra: { name: "X", version: "1" } }, /name|simulation/],
    ["that has expired", { maxTimeoutSeconds: 1 }, /valid_before/],
    [
      "of more than the payer has",
      { amount: String(3n * PRICE) },
      /balance|insufficient|simulation/,
    ],
  ];
  it.each(refusals)("refuses a payment %s", async (_, change, reason) => {
    const payer = await bed.payerWith(2n);
    const requirements = { ...wanted, ...change };
    const signedFor = { ...requirements, scheme: "exact", network: NETWORK as never };
    const paid = { ...(await bed.payment(payer, signedFor)), accepted: requirements };
    const sent = await sentCount();
    const verdict = await client.verify(paid, requirements);
    expect(verdict).toMatchObject({ isValid: false });
    expect(verdict.invalidReason).toMatch(reason);
    const settled = await client.settle(paid, requirements);
    expect(settled).toMatchObject({ success: false, transaction: "" });
    expect(settled.errorReason).toMatch(reason);
    expect(await sentCount()).toBe(sent);
    expect(await bed.balanceOf(payer.address)).toBe(2n * PRICE);
  });

  it("refuses a payment that somebody else signed, or for another amount", async () => {
    const payer = await bed.payerWith(1n);
    const paid = await bed.payment(payer);
    const { signature } = (await bed.payment(await bed.payerWith(1n))).payload;
    const forged = { ...paid, payload: { ...paid.payload, signature } };
    expect(await client.verify(forged, wanted)).toMatchObject({ isValid: false });
    expect(await client.settle(forged, wanted)).toMatchObject({ success: false });
    const cheaper = { ...wanted, amount: String(PRICE - 1n) };
    expect(await client.verify(paid, cheaper)).toMatchObject({ isValid: false });
    expect(await client.settle(paid, cheaper)).toMatchObject({ success: false });
    expect(await bed.balanceOf(payer.address)).toBe(PRICE);
  });

  it.each(["/verify", "/settle"])("%s refuses what is no payment, with 400", async (path) => {
    const paid = await bed.payment(await bed.payerWith(1n));
    const { authorization } = paid.payload as { authorization: object };
    const broken = (change: object) => ({
      ...paid,
      payload: { ...paid.payload, authorization: { ...authorization, ...change } },
    });
    const cases: [unknown, string][] = [
      ["{", "body"],
      [{}, "paymentPayload"],
      [{ paymentRequirements: wanted }, "paymentPayload"],
      [{ paymentPayload: paid }, "paymentRequirements"],
      [null, "body"],
      [[], "body"],
      [bed.bodyOf("x"), "paymentPayload"],
      [bed.bodyOf({ ...paid, payload: {} }), "paymentPayload.payload"],
      [
        bed.bodyOf({ ...paid, payload: { ...paid.payload, deposit: {} } }),
        "paymentPayload.payload",
      ],
      [bed.bodyOf(broken({ value: "-1" })), "paymentPayload.payload"],
      [bed.bodyOf(broken({ value: "9".repeat(10_000) })), "paymentPayload.payload"],
      [bed.bodyOf(broken({ from: "0x1" })), "paymentPayload.payload.authorization.from"],
      [bed.bodyOf(paid, { ...wanted, amount: "1e3" }), "paymentRequirements.amount"],
      [bed.bodyOf(paid, { ...wanted, payTo: 7 }), "paymentRequirements.payTo"],
    ];
    const sent = await sentCount();
    for (const [body, field] of cases) {
      const answer = await post(url, path, body);
      expect({ field, status: answer.status }).toEqual({ field, status: 400 });
      expect(answer.body.error.split(": ")[0]).toBe(field);
    }
    expect(await sentCount()).toBe(sent);
  });

  it("answers another version of the protocol as one that it does not speak", async () => {
    const paid = { ...(await bed.payment(await bed.payerWith(1n))), x402Version: 1 };
    const { status, body } = await post(url, "/verify", bed.bodyOf(paid));
    expect(status).toBe(200);
    expect(body).toMatchObject({ isValid: false, invalidReason: "invalid_x402_version" });
  });

  it("calls no payment bad because the endpoint is away", async () => {
    const paid = await bed.payment(await bed.payerWith(1n));
    bed.proxy.mode = "down";
    for (const path of ["/verify", "/settle"]) {
      expect((await post(url, path, bed.bodyOf(paid))).status).toBe(503);
    }
    bed.proxy.mode = "up";
    expect(await client.verify(paid, wanted)).toMatchObject({ isValid: true });
    const settled = await waitFor(async () => {
      const answer = await post(url, "/settle", bed.bodyOf(paid));
      return answer.status === 200 ? answer.body : undefined;
    });
    expect(settled).toMatchObject({ success: true });
  });
});
