import { request } from "node:http";
import { HTTPFacilitatorClient } from "@x402/core/server";
import type { PaymentPayload, PaymentRequirements } from "@x402/core/types";
import { Signature, Wallet } from "ethers";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { newDatabase } from "./support/newDatabase.ts";
import {
  getJob,
  jobResult,
  NETWORK,
  PaymentBed,
  PRICE,
  post,
  RECEIVER,
} from "./support/paymentBed.ts";
import { waitFor } from "./support/processes.ts";
import { untilTestEnds } from "./support/startWorker.ts";
import { sharedQueue, temporaryQueue } from "./support/temporaryFolder.ts";
import type { Settings, TestWorker } from "./support/worker.ts";

const ASYNC = { prefer: "respond-async" };
const IMPATIENT: Settings = { HACA_PAYMENT_WAIT_MS: "300", HACA_REORG_BLOCKS: "4" };
/** Nothing is sent at this price. */
const NO_GAS: Settings = { HACA_MAX_FEE_PER_GAS: "1" };
/** Above what the facilitator offers. */
const HIGH_FEES = { maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 12n };
const HASH = /^0x[0-9a-f]{64}$/;

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
  worker = bed.worker({ ...made.settings, ...IMPATIENT });
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
  await bed.send("evm_setAutomine", true);
  await bed.send("evm_mine");
});

const start = (settings: Settings): TestWorker => untilTestEnds(bed.worker(settings));
const holdMining = () => bed.send("evm_setAutomine", false);
async function letGo(): Promise<void> {
  await bed.send("evm_mine");
  await bed.send("evm_setAutomine", true);
}
/** Asks for the job of a payment. */
async function promised(at: string, paid: PaymentPayload) {
  const { body, status } = await post(at, "/settle", bed.bodyOf(paid), ASYNC);
  expect({ status, body }).toMatchObject({
    status: 202,
    body: { success: false, errorReason: "settlement_pending", paymentJob: { queue: "payment" } },
  });
  expect(body.paymentJob.jobId).toMatch(/^payment-[0-9a-f]{64}$/);
  return body.paymentJob.jobId as string;
}
/** Gives an account ether, and has it move its tokens away before anything else is mined. */
async function emptyFirst(payer: Wallet): Promise<void> {
  await bed.send("anvil_setBalance", payer.address, "0x56bc75e2d63100000");
  const data = bed.token.interface.encodeFunctionData("transfer", [account.address, PRICE]);
  const to = String(bed.token.target);
  await payer.sendTransaction({ to, data, gasLimit: 200_000n, ...HIGH_FEES });
}
/** Somebody else submits an authorization, ahead of whoever offers less. */
async function useFirst(paid: PaymentPayload): Promise<string> {
  const { authorization, signature } = paid.payload as {
    authorization: Record<string, string>;
    signature: string;
  };
  const { from, nonce, to, validAfter, validBefore, value } = authorization;
  const values = [from, to, value, validAfter, validBefore, nonce];
  const { r, s, v } = Signature.from(signature);
  const data = bed.token.interface.encodeFunctionData(
    "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)",
    [...values, v, r, s] as never,
  );
  const stranger = new Wallet(Wallet.createRandom().privateKey, bed.tee.chain.provider);
  await bed.send("anvil_setBalance", stranger.address, "0x56bc75e2d63100000");
  const to_ = String(bed.token.target);
  return (await stranger.sendTransaction({ to: to_, data, gasLimit: 200_000n, ...HIGH_FEES })).hash;
}

/** Posts over a connection of its own, with a length before it or without; returns the status. */
const sendRaw = (to: string, body: string, length?: number): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const headers = length === undefined ? {} : { "content-length": length };
    const outgoing = request(to, { method: "POST", agent: false, headers });
    let status: number | undefined;
    outgoing.on("response", (response) => {
      status = response.statusCode;
      response.resume();
      resolve(status);
    });
    // The server may hang up while the body still comes, after it has answered.
    outgoing.on("error", (error) => (status === undefined ? reject(error) : undefined));
    outgoing.end(body);
  });

describe("a payment that takes too long", () => {
  it("is answered 202 with its job; the stock client asks again, and is told of its success once", async () => {
    const paid = await bed.payment(await bed.payerWith(2n));
    const before = await bed.sentCount(account);
    await holdMining();
    const jobId = await promised(url, paid);
    await bed.sent(account, before + 1);
    const waited = await post(url, "/settle", bed.bodyOf(paid));
    expect(waited).toMatchObject({
      status: 202,
      body: { paymentJob: { jobId, status: "processing", txHash: expect.stringMatching(HASH) } },
    });
    const { txHash } = waited.body.paymentJob;
    const pending = await client.settle(paid, wanted);
    expect(pending).toMatchObject({
      ...{ success: false, errorReason: "settlement_pending", transaction: txHash },
    });
    expect((await getJob(url, jobId)).body).toMatchObject({ jobId, status: "processing", txHash });
    await letGo();
    const settled = { success: true, network: NETWORK, transaction: txHash };
    expect(await jobResult(url, jobId)).toMatchObject(settled);
    expect(await client.settle(paid, wanted)).toMatchObject(settled);
    expect(await client.settle(paid, wanted)).toMatchObject({
      ...{ success: false, errorReason: "duplicate_settlement", transaction: txHash },
    });
    // Whoever has the id may ask as often as they like.
    expect((await getJob(url, jobId)).body).toMatchObject({ status: "succeeded", result: settled });
    expect(await bed.sentCount(account)).toBe(before + 1);
  });

  it("is not waited for where the client prefers not to", async () => {
    const paid = await bed.payment(await bed.payerWith(1n));
    const jobId = await promised(url, paid);
    expect(await jobResult(url, jobId)).toMatchObject({ success: true });
    const answers = [1, 2].map(() => post(url, "/settle", bed.bodyOf(paid), ASYNC));
    const told = (await Promise.all(answers)).map(({ status, body }) => [status, body.success]);
    expect(told.sort()).toEqual([
      [200, false],
      [200, true],
    ]);
  });

  it("is not told to a client that has gone, and so to the one that comes back", async () => {
    const { account: own, settings } = await bed.settings(temporaryQueue());
    const at = await start(settings).url();
    const paid = await bed.payment(await bed.payerWith(1n));
    await holdMining();
    const gone = new AbortController();
    const asked = fetch(`${at}/settle`, {
      ...{ method: "POST", body: JSON.stringify(bed.bodyOf(paid)), signal: gone.signal },
    }).catch(() => "gone");
    await bed.sent(own, 1);
    gone.abort();
    expect(await asked).toBe("gone");
    // As soon as the server has heard of that, nobody waits for the payment any more.
    await waitFor(async () => {
      const { status } = await post(at, "/settle", bed.bodyOf(paid), ASYNC);
      return status === 202 ? true : undefined;
    });
    await letGo();
    const answer = await post(at, "/settle", bed.bodyOf(paid));
    expect(answer).toMatchObject({ status: 200, body: { success: true } });
  });

  it("is answered at once by a facilitator that stops, and goes on in the next one", async () => {
    const { account: own, settings } = await bed.settings(temporaryQueue());
    const stopping = start(settings);
    const at = await stopping.url();
    const paid = await bed.payment(await bed.payerWith(1n));
    await holdMining();
    const answer = post(at, "/settle", bed.bodyOf(paid));
    await bed.sent(own, 1);
    await stopping.child.stop("SIGTERM");
    const { body, status } = await answer;
    expect(status).toBe(202);
    await letGo();
    const next = await start(settings).url();
    expect(await jobResult(next, body.paymentJob.jobId)).toMatchObject({ success: true });
    expect(await bed.sentCount(own)).toBe(1);
  });

  it("is given up, with 503, where nothing could be sent for it: nobody is charged for it later", async () => {
    const { account: own, settings } = await bed.settings(temporaryQueue());
    const poor = start({ ...settings, ...IMPATIENT, ...NO_GAS });
    const at = await poor.url();
    const payer = await bed.payerWith(1n);
    const paid = await bed.payment(payer);
    const given = await post(at, "/settle", bed.bodyOf(paid));
    expect(given.status).toBe(503);
    const health = await (await fetch(`${at}/health`)).json();
    expect(health).toMatchObject({ payments: { accepted: 0 } });
    await poor.child.stop();
    const rich = await start(settings).url();
    expect(await bed.sentCount(own)).toBe(0);
    expect(await post(rich, "/settle", bed.bodyOf(paid))).toMatchObject({
      body: { success: true },
    });
    expect(await bed.sentCount(own)).toBe(1);
  });
});

describe("a payment that meets somebody else on its way", () => {
  it("succeeds by the transaction of whoever used its authorization first", async () => {
    const paid = await bed.payment(await bed.payerWith(1n));
    const before = await bed.balanceOf(RECEIVER);
    const sent = await bed.sentCount(account);
    await holdMining();
    const jobId = await promised(url, paid);
    await bed.sent(account, sent + 1);
    const hash = await useFirst(paid);
    await letGo();
    expect(await jobResult(url, jobId)).toMatchObject({ success: true, transaction: hash });
    expect(await bed.balanceOf(RECEIVER)).toBe(before + PRICE);
    expect(await client.settle(paid, wanted)).toMatchObject({ success: true, transaction: hash });
  });

  it("fails where the payer has nothing left, and can be brought again when they have", async () => {
    const payer = await bed.payerWith(1n);
    const paid = await bed.payment(payer);
    const sent = await bed.sentCount(account);
    await holdMining();
    const jobId = await promised(url, paid);
    await bed.sent(account, sent + 1);
    await emptyFirst(payer);
    await letGo();
    const errorReason = "invalid_exact_evm_insufficient_balance";
    const failure = { success: false, errorReason, transaction: expect.stringMatching(HASH) };
    expect(await jobResult(url, jobId)).toMatchObject(failure);
    expect((await getJob(url, jobId)).body.status).toBe("succeeded");
    // Nothing is sent in vain for it.
    expect(await client.settle(paid, wanted)).toMatchObject({ success: false, transaction: "" });
    expect(await bed.sentCount(account)).toBe(sent + 1);

    await (await bed.token.transfer.send(payer.address, PRICE)).wait();
    expect(await promised(url, paid)).toBe(jobId);
    expect(await jobResult(url, jobId)).toMatchObject({ success: true });
    expect(await bed.balanceOf(payer.address)).toBe(0n);
  });

  it("is settled again where a reorganisation deeper than its confirmations removes it", async () => {
    const payer = await bed.payerWith(1n);
    const paid = await bed.payment(payer);
    const before = await bed.send("evm_snapshot");
    const jobId = await promised(url, paid);
    const { transaction } = await jobResult(url, jobId);
    expect(await client.settle(paid, wanted)).toMatchObject({ success: true, transaction });
    await bed.send("evm_mine");
    await bed.send("evm_revert", before);
    await bed.send("evm_mine");
    await waitFor(async () => ((await bed.balanceOf(payer.address)) === 0n ? true : undefined));
    const receipt = await bed.tee.chain.provider.getTransactionReceipt(String(transaction));
    expect(receipt).toMatchObject({ status: 1, from: account.address });
    expect(await jobResult(url, jobId)).toMatchObject({ success: true, transaction });
    // It was told before.
    expect(await client.settle(paid, wanted)).toMatchObject({
      errorReason: "duplicate_settlement",
    });
  });
});

describe("an attacker", () => {
  it("who guesses ids finds nothing, and learns from one what the chain shows", async () => {
    const payer = await bed.payerWith(1n);
    const paid = await bed.payment(payer);
    const jobId = await promised(url, paid);
    await jobResult(url, jobId);
    const { body } = await getJob(url, jobId);
    expect(Object.keys(body).sort()).toEqual(
      ["createdAt", "jobId", "queue", "result", "status", "txHash", "updatedAt"].sort(),
    );
    expect(Object.keys(body.result).sort()).toEqual(
      ["network", "payer", "success", "transaction"].sort(),
    );
    const last = jobId.endsWith("0") ? "1" : "0";
    const guesses = [
      ...[jobId.slice(0, -1) + last, jobId.toUpperCase(), jobId.slice(8), "payment-1"],
      ...["payment-%00", `${jobId}%00`, "%27%20OR%201=1", "x".repeat(10_000)],
    ];
    for (const guess of guesses) expect((await getJob(url, guess)).status).toBe(404);
  });

  it("who brings the number of somebody's authorization under another signature gets no success", async () => {
    const payer = await bed.payerWith(2n);
    const paid = await bed.payment(payer);
    await holdMining();
    const jobId = await promised(url, paid);
    const { signature } = (await bed.payment(payer)).payload;
    const forged = { ...paid, payload: { ...paid.payload, signature } };
    const duplicate = { success: false, errorReason: "duplicate_settlement", transaction: "" };
    expect(await post(url, "/settle", bed.bodyOf(forged), ASYNC)).toMatchObject({
      ...{ status: 200, body: duplicate },
    });
    await letGo();
    await jobResult(url, jobId);
    expect(await client.settle(forged, wanted)).toMatchObject(duplicate);
    expect(await client.settle(paid, wanted)).toMatchObject({ success: true });
  });

  it("who sends bodies without end is cut off", async () => {
    const paid = await bed.payment(await bed.payerWith(1n));
    const body = JSON.stringify({ ...bed.bodyOf(paid), filler: "x".repeat(2_000_000) });
    for (const path of ["/settle", "/verify"]) {
      expect(await sendRaw(`${url}${path}`, body, Buffer.byteLength(body))).toBe(413);
      expect(await sendRaw(`${url}${path}`, body)).toBe(413);
    }
    const health = await (await fetch(`${url}/health`)).json();
    expect(health).toMatchObject({ status: "ok", payments: { accepted: 0, sent: 0 } });
  });

  it.skipIf(inject("postgresUrl") === undefined)(
    "who brings a payment to two facilitators on one PostgreSQL at once gets one success",
    async () => {
      const { account: own, settings } = await bed.settings(temporaryQueue());
      const shared = { ...settings, HACA_WORKER_DATABASE_URL: await newDatabase() };
      const processes = [1, 2].map(() => untilTestEnds(bed.process(shared)));
      const urls = await Promise.all(processes.map((each) => each.url()));
      const payer = await bed.payerWith(4n);
      const before = await bed.balanceOf(RECEIVER);
      const payments = await Promise.all([1, 2, 3].map(() => bed.payment(payer)));
      const answers = await Promise.all(
        payments.map((paid) =>
          Promise.all([...urls, ...urls].map((at) => post(at, "/settle", bed.bodyOf(paid)))),
        ),
      );
      for (const of of answers) {
        expect(of.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
        expect(of.filter(({ body }) => body.success)).toHaveLength(1);
      }
      expect(await bed.balanceOf(RECEIVER)).toBe(before + 3n * PRICE);
      expect(await bed.sentCount(own)).toBe(3);

      // What one had accepted when it was killed is the other's.
      const paid = await bed.payment(payer);
      await holdMining();
      const jobId = await promised(urls[0] ?? "", paid);
      await processes[0]?.child.stop("SIGKILL");
      await bed.sent(own, 4);
      await letGo();
      expect(await jobResult(urls[1] ?? "", jobId)).toMatchObject({ success: true });
      expect(await bed.sentCount(own)).toBe(4);
    },
  );
});

// Last: it moves the chain's clock on.
it("a payment that expires on its way fails, whether or not it was sent", async () => {
  const { account: own, settings } = await bed.settings(temporaryQueue());
  const poor = await start({ ...settings, ...NO_GAS }).url();
  const brief = { ...wanted, maxTimeoutSeconds: 12 };
  const payer = await bed.payerWith(2n);
  const [waiting, sent] = [await bed.payment(payer, brief), await bed.payment(payer, brief)];
  const unsent = await promised(poor, waiting);
  const before = await bed.sentCount(account);
  await holdMining();
  const underWay = await promised(url, sent);
  await bed.sent(account, before + 1);
  await bed.send("evm_increaseTime", 3_600);
  await letGo();
  const errorReason = "invalid_exact_evm_payload_authorization_valid_before";
  const failure = { success: false, errorReason };
  expect(await jobResult(url, underWay)).toMatchObject({
    ...{ ...failure, transaction: expect.stringMatching(HASH) },
  });
  expect(await jobResult(poor, unsent)).toMatchObject({ ...failure, transaction: "" });
  expect(await bed.sentCount(own)).toBe(0);
  expect(await bed.balanceOf(payer.address)).toBe(2n * PRICE);
});
