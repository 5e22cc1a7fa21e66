import { HTTPFacilitatorClient } from "@x402/core/server";
import type { PaymentPayload, PaymentRequirements } from "@x402/core/types";
import { PERMIT2_ADDRESS, toClientEvmSigner } from "@x402/evm";
import { UptoEvmScheme as UptoClient } from "@x402/evm/upto/client";
import { Contract, MaxUint256, type Wallet } from "ethers";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { uptoCodes } from "../../testing/uptoContracts.ts";
import { jobResult, NETWORK, PaymentBed, PRICE, post, RECEIVER } from "./support/paymentBed.ts";
import { sharedQueue } from "./support/temporaryFolder.ts";
import type { TestWorker } from "./support/worker.ts";

const ETHER = "0x56bc75e2d63100000";
const HALF = String(PRICE / 2n);

const folder = sharedQueue();
let bed: PaymentBed;
let account: Wallet;
let worker: TestWorker;
let url: string;
let client: HTTPFacilitatorClient;
/** most that a payer permits */
let most: PaymentRequirements;
/** what is taken in the end */
let taken: PaymentRequirements;

beforeAll(async () => {
  bed = await PaymentBed.start();
  for (const [address, code] of Object.entries(uptoCodes())) {
    await bed.send("anvil_setCode", address, code);
  }
  const made = await bed.settings(folder.path);
  account = made.account;
  worker = bed.worker(made.settings);
  url = await worker.url();
  client = new HTTPFacilitatorClient({ url });
  const extra = { ...bed.wanted.extra, facilitatorAddress: account.address };
  most = { ...bed.wanted, scheme: "upto", extra };
  taken = { ...most, amount: HALF };
});
afterAll(async () => {
  await worker?.child.end();
  await bed?.stop();
  folder.remove();
});
afterEach(async () => {
  await bed.send("evm_setAutomine", true);
});

/** A payer who lets Permit2 have their tokens, once and for all, for which they need ether. */
async function payerWith(payments: bigint): Promise<Wallet> {
  const payer = await bed.payerWith(payments);
  await bed.send("anvil_setBalance", payer.address, ETHER);
  await approve(payer, MaxUint256);
  return payer;
}
async function approve(payer: Wallet, amount: bigint, fees = {}) {
  const data = bed.token.interface.encodeFunctionData("approve", [PERMIT2_ADDRESS, amount]);
  const to = String(bed.token.target);
  return await payer.sendTransaction({ to, data, gasLimit: 100_000n, ...fees });
}
async function payment(payer: Wallet, accepted = most): Promise<PaymentPayload> {
  const signer = toClientEvmSigner(privateKeyToAccount(payer.privateKey as `0x${string}`));
  const made = await new UptoClient(signer).createPaymentPayload(2, accepted);
  return { x402Version: 2, accepted, payload: made.payload };
}

describe("payments of up to an amount, by Permit2", () => {
  it("are offered where Permit2 and its proxy are", async () => {
    expect((await client.getSupported()).kinds).toEqual([
      { x402Version: 2, scheme: "exact", network: NETWORK },
      {
        ...{ x402Version: 2, scheme: "upto", network: NETWORK },
        extra: { facilitatorAddress: account.address },
      },
    ]);
  });

  it("take what was used of it, once, and no more under the same signature", async () => {
    const payer = await payerWith(2n);
    const paid = await payment(payer);
    const before = await bed.balanceOf(RECEIVER);
    const sent = await bed.sentCount(account);
    expect(await client.verify(paid, most)).toMatchObject({
      isValid: true,
      payer: payer.address,
    });
    const settled = await client.settle(paid, taken);
    expect(settled).toMatchObject({ success: true, payer: payer.address, amount: HALF });
    const receipt = await bed.tee.chain.provider.getTransactionReceipt(settled.transaction);
    expect(receipt).toMatchObject({ status: 1, from: account.address });
    expect(await bed.balanceOf(RECEIVER)).toBe(before + PRICE / 2n);

    for (const again of [taken, most, { ...taken, amount: "1" }]) {
      expect(await client.settle(paid, again)).toMatchObject({
        ...{ success: false, errorReason: "duplicate_settlement" },
      });
    }
    expect(await client.verify(paid, most)).toMatchObject({ isValid: false });
    expect(await bed.sentCount(account)).toBe(sent + 1);
    expect(await bed.balanceOf(payer.address)).toBe(2n * PRICE - PRICE / 2n);
    const { nonce } = (paid.payload as { permit2Authorization: { nonce: string } })
      .permit2Authorization;
    const abi = ["function nonceBitmap(address, uint256) view returns (uint256)"];
    const permit2 = new Contract(PERMIT2_ADDRESS, abi, bed.tee.chain.provider);
    const bits: bigint = await permit2.nonceBitmap?.(payer.address, BigInt(nonce) >> 8n);
    expect((bits >> (BigInt(nonce) & 255n)) & 1n).toBe(1n);
  });

  it("of nothing succeed without a transaction", async () => {
    const paid = await payment(await payerWith(1n));
    const sent = await bed.sentCount(account);
    const free = await client.settle(paid, { ...most, amount: "0" });
    expect(free).toMatchObject({ success: true, transaction: "", amount: "0" });
    expect(await bed.sentCount(account)).toBe(sent);
  });

  it("are refused above what was permitted, for another facilitator, and without an approval", async () => {
    const payer = await payerWith(3n);
    const sent = await bed.sentCount(account);
    const more = { ...most, amount: String(PRICE + 1n) };
    expect(await client.settle(await payment(payer), more)).toMatchObject({ success: false });
    const extra = { ...most.extra, facilitatorAddress: RECEIVER };
    const elsewhere = await payment(payer, { ...most, extra });
    expect(await client.settle(elsewhere, taken)).toMatchObject({
      ...{ success: false, errorReason: "upto_facilitator_mismatch" },
    });
    await (await approve(payer, 0n)).wait();
    expect(await client.settle(await payment(payer), taken)).toMatchObject({ success: false });
    expect(await bed.sentCount(account)).toBe(sent);
    expect(await bed.balanceOf(payer.address)).toBe(3n * PRICE);
  });

  it("fail where the approval is taken back on the way, and are made when it is there again", async () => {
    const payer = await payerWith(1n);
    const paid = await payment(payer);
    const sent = await bed.sentCount(account);
    await bed.send("evm_setAutomine", false);
    const asked = { prefer: "respond-async" };
    const { body, status } = await post(url, "/settle", bed.bodyOf(paid, taken), asked);
    expect(status).toBe(202);
    await bed.sent(account, sent + 1);
    await approve(payer, 0n, { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 12n });
    await bed.send("evm_mine");
    await bed.send("evm_setAutomine", true);
    const { jobId } = body.paymentJob;
    const errorReason = "permit2_allowance_required";
    expect(await jobResult(url, jobId)).toMatchObject({ success: false, errorReason });
    await (await approve(payer, PRICE)).wait();
    const settled = await client.settle(paid, taken);
    expect(settled).toMatchObject({ success: true, amount: HALF });
    expect(await jobResult(url, jobId)).toMatchObject({ transaction: settled.transaction });
    expect(await bed.balanceOf(payer.address)).toBe(PRICE - PRICE / 2n);
  });
});
