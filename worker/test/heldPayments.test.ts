import { ERC3009_COLLECTOR_ADDRESS } from "@haca/protocol/channelGates";
import { batchSettlement, channelIdOf, depositNonceOf } from "@haca/protocol/channels";
import { commerceJobText } from "@haca/protocol/commerceJobText";
import { ESCROW_KINDS, escrowJobId } from "@haca/protocol/inferenceEscrow";
import { channelAccount } from "@haca/protocol/pageOpening";
import { decodeRequestId } from "@haca/protocol/requestId";
import { RECEIVE_TYPES } from "@haca/protocol/signedPayments";
import { PERMIT2_ADDRESS } from "@x402/evm";
import { AbiCoder, type Contract, id, MaxUint256, parseEther, toBeHex, Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { ContractOf } from "../../scripts/lib/contracts.ts";
import { withOtherEnd } from "../../test/contracts/utils/otherEnd.ts";
import { callBatch, DELAY, deployGates, openGate, signVoucher } from "./support/channels.ts";
import {
  copyOf,
  createOperator,
  deployOperators,
  OPERATOR_STATUS,
  offerOf,
  paidBy,
  signOffer,
} from "./support/commerce.ts";
import { EndpointProxy } from "./support/endpointProxy.ts";
import { deployEscrow, FEE_BPS, openingOf, STATUS } from "./support/escrow.ts";
import { developmentKey } from "./support/localChain.ts";
import { waitFor } from "./support/processes.ts";
import { ResultBed } from "./support/resultBed.ts";
import { type Entry, postResults } from "./support/signedResults.ts";
import { temporaryQueue } from "./support/temporaryFolder.ts";

const OPERATOR = 5;
const PRICE = parseEther("2");
const MOST = parseEther("3");
const WINDOW = 518_400n;
/** `Verification.TEE` */
const TEE = 2;

let bed: ResultBed;
let escrow: Contract;
let payer: Wallet;
let operators: string;
let nonce = 0n;
const seller = new Wallet(developmentKey(OPERATOR)).address;

beforeAll(async () => {
  bed = await ResultBed.start([OPERATOR]);
  escrow = await deployEscrow(bed.tee, bed.pages);
  operators = await deployOperators(bed.tee, escrow);
  const { contracts } = bed.tee.chain.book;
  Object.assign(contracts, {
    CommerceOperators: { ...contracts.AccessManager, address: operators },
  });
  const { token } = bed.pages;
  payer = new Wallet(Wallet.createRandom().privateKey, bed.tee.chain.provider);
  await bed.tee.chain.send("anvil_setBalance", payer.address, "0x56bc75e2d63100000");
  await (await token.transfer.send(payer.address, 10n * MOST)).wait();
  const data = token.interface.encodeFunctionData("approve", [PERMIT2_ADDRESS, MaxUint256]);
  await (await payer.sendTransaction({ to: String(token.target), data })).wait();
});
afterAll(() => bed?.stop());

/** A permit for a result, whose job was opened. */
async function openFor(entry: Entry, payee = seller) {
  nonce += 1n;
  const validUntil = (await bed.pages.now()) + 3_600n;
  const terms = {
    ...{ node: decodeRequestId(entry.message.requestId).node, payee, feeBps: FEE_BPS },
    ...{ requestHash: entry.message.inputHash, token: String(bed.pages.token.target) },
    ...{ kinds: ESCROW_KINDS.tee | ESCROW_KINDS.teePage, captureWindow: WINDOW },
  };
  const permit = { terms, payer, nonce, amount: MOST, validUntil };
  const data = await openingOf({ escrow: String(escrow.target), ...permit });
  const open = async () => {
    await (await payer.sendTransaction({ to: escrow.target, data, gasLimit: 1_000_000n })).wait();
  };
  await open();
  const payment = { payer: payer.address, nonce: String(nonce), validUntil: String(validUntil) };
  return { payment, jobId: escrowJobId({ payer: payer.address, nonce }), open };
}

/** A payment into the public escrow for a result, whose job was opened by an operator that pays the payee. */
async function openCommerceFor(entry: Entry, payee = seller) {
  const token = String(bed.pages.token.target);
  const { node } = decodeRequestId(entry.message.requestId);
  const operator = await createOperator({ tee: bed.tee, escrow, operators, node, payee, token });
  const made = await signAt(operator, entry);
  await made.open();
  return made;
}

/** A payment whose job an operator opens. */
async function signAt(operator: ContractOf<"CommerceOperator">, entry: Entry) {
  const token = String(bed.pages.token.target);
  const now = await bed.pages.now();
  const captureDeadline = now + WINDOW;
  const of = { operator: String(operator.target), token, amount: MOST, captureDeadline };
  // The client goes by its own clock, and the chain's is days ahead.
  const maxTimeoutSeconds = Number(now) + 3_600 - Math.floor(Date.now() / 1_000);
  const made = offerOf({ ...of, requestHash: entry.message.inputHash }, { maxTimeoutSeconds });
  const { collector, job, signature } = paidBy(made, await signOffer(payer, made));
  const open = async () => {
    await (await operator.open(job, collector, signature)).wait();
  };
  return { operator, job, payment: { job: commerceJobText(job) }, open };
}

/** The job of a payment that nobody has opened. */
async function signedJob({ message }: Entry) {
  const [operator, token] = [seller, String(bed.pages.token.target)];
  const captureDeadline = (await bed.pages.now()) + WINDOW;
  const of = { operator, token, amount: MOST, captureDeadline };
  const made = offerOf({ ...of, requestHash: message.inputHash });
  return commerceJobText(paidBy(made, await signOffer(payer, made)).job);
}

async function cancel(url: string, payment: object): Promise<void> {
  const { status } = await fetch(`${url}/v1/payments/cancelled`, {
    ...{ method: "POST", headers: { "content-type": "application/json" } },
    body: JSON.stringify(payment),
  });
  expect(status).toBe(202);
}

const untilIt = (read: () => Promise<unknown>, value: unknown): Promise<true> =>
  waitFor(async () => {
    await bed.tee.chain.send("evm_mine");
    return (await read()) === value ? true : undefined;
  });
const until = (jobId: string, status: bigint): Promise<true> =>
  untilIt(async () => await escrow.statusOf?.(jobId), status);

describe("payments that the escrow holds", () => {
  it("are captured from a page once it is final, and the rest goes back", async () => {
    const charge = { requester: payer.address, price: PRICE };
    const entries = await bed.make(OPERATOR, 3, charge);
    const held: Awaited<ReturnType<typeof openFor>>[] = [];
    for (const entry of entries.slice(0, 2)) held.push(await openFor(entry));
    const commerce = await openCommerceFor(entries[2] as Entry);
    const read = () => commerce.operator.statusOf(commerce.job.payment);
    const before = await bed.pages.token.balanceOf(payer.address);
    const settings = bed.settings(OPERATOR, 3, {
      ...{ HACA_DATA_DIR: temporaryQueue(), HACA_ESCROW: String(escrow.target) },
    });
    const worker = bed.worker(settings);
    const url = await worker.url();
    const payments = [...held, commerce].map(({ payment }) => payment);
    const results = entries.map((entry, i) => ({ ...entry, payment: payments[i] }));
    expect(await postResults(url, { results })).toMatchObject({ status: 202 });
    // Given back by somebody who does not know that there is a result: what was first stays.
    await cancel(url, payments[0] ?? {});
    await cancel(url, payments[2] ?? {});
    await worker.logged("pending");
    for (const { jobId } of held) expect(await escrow.statusOf?.(jobId)).toBe(STATUS.open);
    expect(await read()).toBe(OPERATOR_STATUS.open);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics.match(/^haca_held_payments\{.*$/gm)?.sort()).toEqual([
      'haca_held_payments{holder="escrow",state="open"} 2',
      'haca_held_payments{holder="operator",state="open"} 1',
    ]);
    await bed.pages.end();
    for (const { jobId } of held) await until(jobId, STATUS.captured);
    await untilIt(read, OPERATOR_STATUS.captured);
    expect(await bed.pages.token.balanceOf(payer.address)).toBe(before + 3n * (MOST - PRICE));
  });

  it("are captured though a reorganisation has opened the job anew, with another deadline", async () => {
    const { chain } = bed.tee;
    const charge = { requester: payer.address, price: PRICE };
    const [entry, second] = (await bed.make(OPERATOR, 2, charge)) as [Entry, Entry];
    const snapshot = await chain.send("evm_snapshot");
    const { jobId, open, payment } = await openFor(entry);
    const worker = bed.worker(
      bed.settings(OPERATOR, 2, {
        ...{ HACA_DATA_DIR: temporaryQueue(), HACA_ESCROW: String(escrow.target) },
        HACA_PAGE_MAX_AGE: "3600000",
      }),
    );
    const url = await worker.url();
    expect(await postResults(url, { ...entry, payment })).toMatchObject({ status: 202 });
    await worker.logged("a payment's job is known");
    await chain.send("evm_revert", snapshot);
    await chain.send("evm_increaseTime", 60);
    await open();
    expect(await postResults(url, { ...second })).toMatchObject({ status: 202 });
    await worker.logged("pending");
    await bed.pages.end();
    await until(jobId, STATUS.captured);
  });

  it("are refused for another account than the requester, by name", async () => {
    const [entry] = await bed.make(OPERATOR, 1, { requester: seller, price: PRICE });
    const worker = bed.worker(bed.settings(OPERATOR, 1, { HACA_DATA_DIR: temporaryQueue() }));
    const url = await worker.url();
    const job = await signedJob(entry as Entry);
    const [other] = await bed.make(OPERATOR, 1, { requester: payer.address, price: PRICE });
    const salted = { ...job.payment, salt: withOtherEnd(job.payment.salt) };
    for (const [message, payment, code, field] of [
      [
        entry,
        { payer: payer.address, nonce: "99", validUntil: "1" },
        ...["result.otherPayer", "payment.payer"],
      ],
      [entry, { job }, "result.otherPayer", "payment.job.payment.payer"],
      [other, { job }, "result.otherJob", "payment.job.requestHash"],
      [other, { job: { ...job, payment: salted } }, "request.invalid", "payment.job.payment.salt"],
      [other, { job: { ...job, saltNonce: "x" } }, "request.invalid", "payment.job.saltNonce"],
    ] as const) {
      expect(await postResults(url, { ...message, payment })).toMatchObject({
        ...{ status: 400, body: { error: { code, field } } },
      });
    }
  });

  it("are captured, each once, though their payer has shown the result of one for the other", async () => {
    const charge = { requester: payer.address, price: PRICE, inputHash: id("one request") };
    const [first, second] = (await bed.make(OPERATOR, 2, charge)) as [Entry, Entry];
    const payee = Wallet.createRandom().address;
    const one = await openCommerceFor(first, payee);
    // Opened late, so that there is time to show its result elsewhere.
    const two = await signAt(one.operator, second);
    const worker = bed.worker(
      bed.settings(OPERATOR, 1, {
        ...{ HACA_DATA_DIR: temporaryQueue(), HACA_ESCROW: String(escrow.target) },
      }),
    );
    const url = await worker.url();
    const post = async (entry: Entry, { payment }: { payment: object }) =>
      expect(await postResults(url, { ...entry, payment, alone: true })).toMatchObject({
        status: 202,
      });
    await post(second, two);
    const result = second.message as unknown as Parameters<typeof one.operator.capture>[1];
    // It captures once it is settled.
    const { capture } = one.operator;
    await untilIt(
      () =>
        capture.staticCall(one.job, result, TEE).then(
          () => 1,
          () => 0,
        ),
      1,
    );
    await (await capture(one.job, result, TEE)).wait();
    await post(first, one);
    const hasEnded = async () => worker.child.lines.some((line) => line.includes("payment ended"));
    await untilIt(hasEnded, true);
    await two.open();
    await untilIt(() => two.operator.statusOf(two.job.payment), OPERATOR_STATUS.captured);
    const fee = (PRICE * FEE_BPS) / 10_000n;
    expect(await bed.pages.token.balanceOf(payee)).toBe(2n * (PRICE - fee));
  });

  it("go back at the deadline, whoever could have cancelled them before", async () => {
    const [entry] = (await bed.make(OPERATOR, 1, {})) as [Entry];
    const { jobId, payment } = await openFor(entry, Wallet.createRandom().address);
    const commerce = await openCommerceFor(entry, Wallet.createRandom().address);
    // What answers for an operator, and is none, is sent nothing.
    const { job } = commerce;
    const operator = await copyOf(bed.tee, job.payment.operator);
    const forged = { job: commerceJobText({ ...job, payment: { ...job.payment, operator } }) };
    await bed.tee.chain.send("evm_increaseTime", Number(WINDOW));
    await bed.tee.chain.send("evm_mine");
    // One that shows a few blocks' logs at a time, as endpoints do.
    const proxy = await EndpointProxy.start(bed.tee.chain.url);
    onTestFinished(() => proxy.stop());
    proxy.interfere = ({ method, params }) => {
      if (method !== "eth_getLogs") return undefined;
      const [{ fromBlock, toBlock }] = params as [Record<string, string>];
      const isNarrow = Number(toBlock) - Number(fromBlock) < 16;
      return !isNarrow ? { error: { code: -32_005, message: "range too wide" } } : undefined;
    };
    const worker = bed.worker(
      bed.settings(OPERATOR, 1, {
        ...{ HACA_DATA_DIR: temporaryQueue(), HACA_ESCROW: String(escrow.target) },
        HACA_RPC_URL: proxy.url,
      }),
    );
    const url = await worker.url();
    for (const one of [payment, commerce.payment, forged]) await cancel(url, one);
    await until(jobId, STATUS.refunded);
    await untilIt(() => commerce.operator.statusOf(job.payment), OPERATOR_STATUS.returned);
    expect(await worker.logged("a payment rests")).toMatchObject({
      error: expect.stringContaining("is no operator of this deployment's CommerceOperators"),
    });
  });
});

describe("results that are paid by a channel", () => {
  const DEPOSIT = 100n * PRICE;
  let gate: ContractOf<"ChannelGate">;
  beforeAll(async () => {
    const gates = await deployGates(bed.tee, escrow);
    const [entry] = (await bed.make(OPERATOR, 1)) as [Entry];
    const { node } = decodeRequestId(entry.message.requestId);
    gate = await openGate({ tee: bed.tee, escrow, gates, node, payee: seller });
  });

  /** A channel of the payer's to the gate; `place` tells it from their others. */
  function channelOf(place: number) {
    const gateAddress = String(gate.target);
    const channel = {
      ...{ payer: payer.address, payerAuthorizer: payer.address, receiver: gateAddress },
      ...{ receiverAuthorizer: gateAddress, token: String(bed.pages.token.target) },
      ...{ withdrawDelay: BigInt(DELAY), salt: toBeHex(place, 32) },
    };
    const channelId = channelIdOf({ chainId: 31_337n, channel });
    const voucher = async (sum: bigint, signer: Wallet = payer) => ({
      channel: { ...channel, withdrawDelay: DELAY },
      maxClaimableAmount: String(sum),
      signature: await signVoucher({ channelId, sum, signer }),
    });
    return { channel, channelId, account: channelAccount(channelId), voucher };
  }
  type Made = ReturnType<typeof channelOf>;

  /** Puts tokens into a channel. */
  async function fund({ channel, channelId }: Made): Promise<void> {
    const salt = 1n;
    const { token } = bed.pages;
    const message = {
      ...{ from: payer.address, to: ERC3009_COLLECTOR_ADDRESS, value: DEPOSIT },
      ...{ validAfter: 0n, validBefore: 2n ** 63n, nonce: depositNonceOf({ channelId, salt }) },
    };
    const domain = { name: "OPG", version: "1", chainId: 31_337n };
    const signature = await payer.signTypedData(
      { ...domain, verifyingContract: String(token.target) },
      RECEIVE_TYPES,
      message,
    );
    const data = AbiCoder.defaultAbiCoder().encode(
      ["uint256", "uint256", "uint256", "bytes"],
      [0n, message.validBefore, salt, signature],
    );
    const values = [channel, DEPOSIT, ERC3009_COLLECTOR_ADDRESS, data];
    await callBatch(payer, batchSettlement.encodeFunctionData("deposit", values));
  }

  it("are counted from a final page, a section for each channel, and claimed by the highest voucher that came", async () => {
    const [one, two] = [channelOf(1), channelOf(2)];
    await (await bed.pages.token.transfer.send(payer.address, 2n * DEPOSIT)).wait();
    await fund(one);
    await fund(two);
    const price = PRICE;
    const ofOne = await bed.make(OPERATOR, 2, { requester: one.account, price });
    const ofTwo = await bed.make(OPERATOR, 1, { requester: two.account, price });
    const before = await bed.pages.token.balanceOf(seller);
    const worker = bed.worker(
      bed.settings(OPERATOR, 3, { HACA_DATA_DIR: temporaryQueue(), HACA_CLAIM_SECONDS: "0" }),
    );
    const url = await worker.url();
    // The higher first: what comes later does not take its place. The other's covers half of its result.
    const vouchers = [await one.voucher(9n * PRICE), await one.voucher(1n)];
    vouchers.push(await two.voucher(PRICE / 2n));
    const results = [...ofOne, ...ofTwo].map((entry, i) => ({ ...entry, voucher: vouchers[i] }));
    expect(await postResults(url, { results })).toMatchObject({ status: 202 });
    await worker.logged("pending");
    expect(await gate.provenOf(one.channelId)).toBe(0n);
    await bed.pages.end();
    const paid = (5n * PRICE) / 2n;
    await waitFor(async () => {
      await bed.tee.chain.send("evm_mine");
      const now = await bed.pages.token.balanceOf(seller);
      return now - before === paid - (paid * FEE_BPS) / 10_000n ? true : undefined;
    });
    expect([await gate.provenOf(one.channelId), await gate.provenOf(two.channelId)]).toEqual([
      ...[2n * PRICE, PRICE],
    ]);
    const counting = worker.child.lines.filter((line) => line.includes('"counting results"'));
    expect(counting.map((line) => JSON.parse(line).results)).toEqual([3]);
  });

  it("are refused with the voucher of another channel, or one that its key has not signed, by name", async () => {
    const [one, two] = [channelOf(1), channelOf(2)];
    const [entry] = (await bed.make(OPERATOR, 1, { requester: one.account, price: PRICE })) as [
      Entry,
    ];
    const worker = bed.worker(bed.settings(OPERATOR, 1, { HACA_DATA_DIR: temporaryQueue() }));
    const url = await worker.url();
    const stranger = new Wallet(Wallet.createRandom().privateKey);
    const cases = [
      ["otherChannel", "voucher.channel", await two.voucher(PRICE)],
      ["voucherNotSigned", "voucher.signature", await one.voucher(PRICE, stranger)],
    ] as const;
    for (const [code, field, voucher] of cases) {
      expect(await postResults(url, { ...entry, voucher })).toMatchObject({
        ...{ status: 400, body: { error: { code: `result.${code}`, field } } },
      });
    }
  });
});
