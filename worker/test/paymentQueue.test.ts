import { id, Wallet } from "ethers";
import { pino } from "pino";
import { beforeEach, expect, it } from "vitest";
import { claimIdentity } from "../src/jobs/acceptJob.ts";
import { dropTransaction, recordTransaction } from "../src/jobs/transactions.ts";
import { acceptPayment, findPaymentOf } from "../src/roles/facilitate/payments/acceptPayment.ts";
import type { Payment } from "../src/roles/facilitate/payments/payment.ts";
import {
  claimTelling,
  countPayments,
  decidePayment,
  findPayment,
  listDuePayments,
  promisePayment,
  restPayment,
  unsendPayment,
  withdrawPayment,
} from "../src/roles/facilitate/payments/paymentQueue.ts";
import type { PaymentRequest } from "../src/roles/facilitate/payments/paymentRequest.ts";
import { paymentStore, purposeOf } from "../src/roles/facilitate/payments/paymentStore.ts";
import { createPaymentWatch } from "../src/roles/facilitate/payments/watchPayments.ts";
import type { Database } from "../src/storage/database.ts";
import { migrate } from "../src/storage/migrate.ts";
import { newJob } from "./support/newJob.ts";
import { restoreOldSchema } from "./support/oldQueue.ts";
import { describeStores, IDENTITY } from "./support/stores.ts";

const CALL = { to: Wallet.createRandom().address, data: "0x1234" };
const [TOKEN, OTHER] = [1, 2].map(() => Wallet.createRandom().address) as [string, string];
type Requirements = PaymentRequest["requirements"];
const LIMITS = { unsent: 9, sent: 9 };
const block = (number: number) => ({ blockNumber: number, blockHash: `block ${number}` });

function request(nonce: bigint, changes: Partial<PaymentRequest> = {}): PaymentRequest {
  const { address } = new Wallet(id("payer"));
  return {
    payload: {} as PaymentRequest["payload"],
    requirements: { scheme: "exact", payTo: CALL.to, asset: TOKEN } as Requirements,
    ...{ method: "transfer", payer: address, nonce, amount: 5n, contentHash: id("content") },
    receiver: CALL.to,
    ...{ validUntil: 2n ** 256n, ...changes },
  };
}

/** Heads of a chain, and its blocks as the test has them. */
class ScriptedChain {
  head = 20;
  hashes = new Map<number, string>();
  async getBlock(of: number | "latest") {
    const number = of === "latest" ? this.head : of;
    return { number, hash: this.hashes.get(number) ?? `block ${number}` };
  }
}

describeStores("payments in the queue", (store) => {
  let database: Database;
  beforeEach(() => {
    ({ database } = store);
  });

  const accept = (of: PaymentRequest, balance = 1_000n) =>
    acceptPayment({ database, request: of, call: CALL, balance, head: 7 });
  async function accepted(nonce: bigint): Promise<Payment> {
    const payment = await accept(request(nonce));
    if (payment === undefined) throw new Error("not accepted");
    return payment;
  }
  const current = async ({ jobId }: Payment): Promise<Payment> => {
    const payment = await findPayment({ database, jobId });
    if (payment === undefined) throw new Error("gone");
    return payment;
  };
  let signed = 0;
  const record = (payment: Payment) =>
    paymentStore(database).record({
      ...{ chainNonce: 0, purpose: purposeOf(payment) },
      sign: async (nonce) => ({ hash: `hash of ${nonce}, ${signed++}`, raw: "raw" }),
    });
  const settle = async (payment: Payment, hash: string, number: number) =>
    await decidePayment({
      database,
      payment: await current(payment),
      outcome: { state: "settled", mined: { hash, ...block(number), gasUsed: 1n } },
    });

  it("are one, however many bring the same at a time, and keep what was brought first", async () => {
    const brought = await Promise.all(
      Array.from({ length: 6 }, (_, i) => accept(request(1n, { contentHash: id(`${i}`) }))),
    );
    expect(new Set(brought.map((payment) => payment?.id)).size).toBe(1);
    expect(new Set(brought.map((payment) => payment?.contentHash)).size).toBe(1);
    expect(brought[0]).toMatchObject({ state: "accepted", transaction: null, acceptedBlock: 7 });
    expect(brought[0]?.validUntil).toBe(2n ** 256n);
    // Of another method or payer it is another number.
    await accept(request(1n, { method: "permit2" }));
    await accept(request(1n, { payer: CALL.to }));
    expect((await countPayments({ database })).states.accepted).toBe(3);
  });

  it("into the public escrow are one, by whichever of their two forms they are brought", async () => {
    const requirements = { scheme: "auth-capture", asset: TOKEN } as Requirements;
    const transfer = request(1n, { requirements, contentHash: id("transfer") });
    const permit = request(1n, { requirements, method: "permit2", contentHash: id("permit") });
    const first = await accept(transfer);
    // Whoever asks for it by the other form is asked about this one, which is other content.
    expect((await accept(permit))?.id).toBe(first?.id);
    expect((await findPaymentOf({ database, request: permit }))?.contentHash).toBe(id("transfer"));
    if (first === undefined) throw new Error("not accepted");
    const outcome = { state: "failed", failure: "x" } as const;
    await decidePayment({ database, payment: first, outcome });
    const second = await accept(permit);
    expect(second).toMatchObject({ method: "permit2", state: "accepted" });
    expect((await accept(transfer))?.id).toBe(second?.id);
    expect((await findPaymentOf({ database, request: transfer }))?.id).toBe(second?.id);
  });

  it("are accepted up to what their payer has, however many come at a time", async () => {
    const brought = await Promise.all(
      Array.from({ length: 8 }, (_, i) => accept(request(BigInt(i)), 17n)),
    );
    expect(brought.filter((payment) => payment !== undefined)).toHaveLength(3);
    // Others have their own.
    expect(await accept(request(9n, { payer: CALL.to }), 5n)).toBeDefined();
    const [open] = await listDuePayments({ database, limits: { unsent: 1, sent: 0 } });
    if (open === undefined) throw new Error("none is open");
    await decidePayment({ database, payment: open, outcome: { state: "failed", failure: "x" } });
    expect(await accept(request(99n), 17n)).toBeDefined();
  });

  it("take nothing of what their payer has in another token, whose units are others", async () => {
    const opg = await accept(request(1n, { amount: 10n ** 18n }), 10n ** 18n);
    expect(opg?.token).toBe(TOKEN.toLowerCase());
    const requirements = { scheme: "auth-capture", asset: OTHER } as Requirements;
    const inOther = (nonce: bigint) => accept(request(nonce, { requirements }), 9n);
    expect((await inOther(2n))?.token).toBe(OTHER.toLowerCase());
    expect(await inOther(3n)).toBeUndefined();
    expect(await accept(request(4n), 10n ** 18n)).toBeUndefined();
    // Of what an older version has accepted nobody knows what it is in.
    await database.query("UPDATE payments SET token = NULL WHERE nonce = 1");
    expect(await inOther(5n)).toBeUndefined();
  });

  it("have one transaction, however many try to send them", async () => {
    const payment = await accepted(1n);
    const recorded = await Promise.all(Array.from({ length: 5 }, () => record(payment)));
    expect(recorded.filter((transaction) => transaction !== undefined)).toHaveLength(1);
    const { transaction, state } = await current(payment);
    expect([state, transaction?.nonce, transaction?.isDropped]).toEqual(["sent", 0, false]);
    // No nonce was used for the others.
    expect((await record(await accepted(2n)))?.nonce).toBe(1);
    expect(await record({ ...payment, id: "999" })).toBeUndefined();
  });

  it("whose nonce another transaction took are sent again, under another", async () => {
    const payment = await accepted(1n);
    const first = await record(payment);
    await dropTransaction({ database, transactionHash: first?.hash ?? "" });
    const dropped = await current(payment);
    expect(dropped.transaction?.isDropped).toBe(true);
    await unsendPayment({ database, payment: dropped });
    expect((await current(payment)).state).toBe("accepted");
    const second = await record(payment);
    expect(second?.nonce).toBe(1);
    // Whoever still looks at the first decides nothing.
    await unsendPayment({ database, payment: dropped });
    const outcome = { state: "failed", failure: "late" } as const;
    await decidePayment({ database, payment: dropped, outcome });
    expect(await current(payment)).toMatchObject({ state: "sent", transaction: { nonce: 1 } });
  });

  it("are told of once, and not before they are settled", async () => {
    const payment = await accepted(1n);
    const { hash } = (await record(payment)) ?? { hash: "" };
    expect(await claimTelling({ database, id: payment.id })).toBe(false);
    await settle(payment, hash, 10);
    const claims = Array.from({ length: 5 }, () => claimTelling({ database, id: payment.id }));
    expect((await Promise.all(claims)).filter((isOne) => isOne)).toHaveLength(1);
  });

  it("are given up only while nothing was sent or promised", async () => {
    const [kept, promised, sent] = [await accepted(1n), await accepted(2n), await accepted(3n)];
    await promisePayment({ database, id: promised.id });
    await record(sent);
    expect(await withdrawPayment({ database, id: promised.id })).toBe(false);
    expect(await withdrawPayment({ database, id: sent.id })).toBe(false);
    expect(await withdrawPayment({ database, id: kept.id })).toBe(true);
    // Nobody is promised what is gone, and nobody sends it.
    expect(await promisePayment({ database, id: kept.id })).toBe(false);
    expect(await record(kept)).toBeUndefined();
    expect(await findPaymentOf({ database, request: request(1n) })).toBeUndefined();
  });

  it("that failed can be brought again under the same id; those that did not are not touched", async () => {
    const payment = await accepted(1n);
    const failure = { state: "failed", failure: "insufficient" } as const;
    await decidePayment({ database, payment, outcome: failure });
    const again = await accept(request(1n, { contentHash: id("new") }));
    expect(again).toMatchObject({ id: payment.id, jobId: payment.jobId, state: "accepted" });
    expect(again?.contentHash).toBe(id("new"));
    const { hash } = (await record(payment)) ?? { hash: "" };
    await settle(payment, hash, 10);
    expect(await accept(request(1n))).toMatchObject({ state: "settled", minedHash: hash });
  });

  it("do not keep each other out, however many wait", async () => {
    for (let nonce = 0n; nonce < 12n; nonce++) await record(await accepted(nonce));
    const last = await accepted(99n);
    const due = await listDuePayments({ database, limits: { unsent: 3, sent: 4 } });
    const nonces = due.map(({ transaction }) => transaction?.nonce);
    expect([due[0]?.id, ...nonces]).toEqual([last.id, undefined, 0, 1, 2, 3]);
  });

  it("rest without holding up others", async () => {
    const [first, second] = [await accepted(1n), await accepted(2n)];
    await restPayment({ database, id: first.id, error: "no", seconds: 60 });
    const due = await listDuePayments({ database, limits: LIMITS });
    expect(due.map(({ id: of }) => of)).toEqual([second.id]);
  });

  it("go back where their block is gone, to be sent again, and are left alone where they are deep", async () => {
    const chain = new ScriptedChain();
    const pass = createPaymentWatch({
      ...{ database, provider: chain as never, reorgBlocks: 8 },
      logger: pino({ level: "silent" }),
    });
    const own = await accepted(1n);
    const { hash } = (await record(own)) ?? { hash: "" };
    await settle(own, hash, 15);
    const elsewhere = await accepted(2n);
    await decidePayment({
      ...{ database, payment: elsewhere },
      outcome: { state: "settled", mined: { hash: "of a stranger", ...block(15) } },
    });
    const deep = await accepted(3n);
    await settle(deep, (await record(deep))?.hash ?? "", 12);
    expect(await pass()).toBe(false);

    chain.hashes.set(12, "other 12").set(15, "other 15").set(20, "other 20");
    expect(await pass()).toBe(true);
    expect(await current(own)).toMatchObject({ state: "sent", minedHash: null });
    // The same bytes are offered at once.
    const open = await paymentStore(database).listOpen();
    expect(open.map(({ transaction }) => [transaction.hash, transaction.silentMs])).toEqual([
      [hash, null],
    ]);
    expect(await current(elsewhere)).toMatchObject({ state: "accepted", transaction: null });
    expect(await current(deep)).toMatchObject({ state: "settled" });
  });

  it("come to a database of the worker before, which keeps its jobs and transactions", async () => {
    await restoreOldSchema(database, 12);
    await claimIdentity({ database, identity: IDENTITY });
    await database.query(
      "INSERT INTO relayed_calls (kind, size, state, failure) VALUES ('individual', 1, 'failed', 'x')",
    );
    const sign = async (nonce: number) => ({ hash: `old ${nonce}`, raw: "raw" });
    await database.query(
      `INSERT INTO jobs (request_id, nonce, model, version, version_id, requester, price, answered_at, input_words,
        output_words, signature, proof, state)
       VALUES ($1, 0, 'digits', '1.0', '0x11', '0x00', 7, 1, '{1}', '{2}', '0x22', '0x33', 'proven')`,
      [newJob({ nonce: 0n }).requestId],
    );
    const requestIds = [newJob({ nonce: 0n }).requestId];
    await recordTransaction({ database, requestIds, kind: "zkml", chainNonce: 0, sign });
    const read = async () => [
      await database.query("SELECT * FROM relayed_calls"),
      await database.query("SELECT * FROM jobs"),
      await database.query("SELECT * FROM transactions JOIN attempts ON transaction_id = id"),
    ];
    const before = await read();
    expect(before.map((rows) => rows.length)).toEqual([1, 1, 1]);
    await migrate({ database });
    expect(await read()).toMatchObject(before);
    // Its nonces are the ones that payments go on from.
    expect((await record(await accepted(1n)))?.nonce).toBe(1);
    await migrate({ database });
  });
});
