import { expect, it } from "vitest";
import type { TransactionStore } from "../src/jobs/transactionStore.ts";
import { memoryStore } from "../src/transactions/memoryStore.ts";

const sign = async (nonce: number) => ({ hash: `hash of ${nonce}`, raw: `raw ${nonce}` });
const record = (store: TransactionStore, chainNonce = 0) =>
  store.record({ chainNonce, purpose: "heartbeat", sign });
const receiptOf = (hash: string) => ({ hash, blockNumber: 1, blockHash: "block", gasUsed: 1n });
const nonces = async (store: TransactionStore) =>
  (await store.listOpen()).map(({ transaction }) => transaction.nonce);

it("gives each nonce once, however many ask at once and whatever the endpoint says", async () => {
  const store = memoryStore();
  const given = await Promise.all([3, 0, 3, 5, 3].map((chainNonce) => record(store, chainNonce)));
  expect(given.map((transaction) => transaction?.nonce)).toEqual([3, 0, 4, 5, 6]);
  expect(await nonces(store)).toEqual([0, 3, 4, 5, 6]);
});

it("gives the nonce again where nothing could be signed with it, and to who comes next", async () => {
  const store = memoryStore();
  const broken = store.record({
    ...{ chainNonce: 0, purpose: "heartbeat" },
    sign: () => Promise.reject(new Error("no signature")),
  });
  const next = record(store);
  await expect(broken).rejects.toThrow("no signature");
  expect((await next)?.nonce).toBe(0);
});

it("never gives a nonce again that is used up, though the endpoint lags", async () => {
  const store = memoryStore();
  const [first, second] = [await record(store), await record(store)];
  expect(await store.recordMined(receiptOf(first?.hash ?? ""))).toBe(true);
  expect(await store.recordMined(receiptOf(first?.hash ?? ""))).toBe(false);
  await store.drop(second?.hash ?? "");
  expect(await nonces(store)).toEqual([]);
  expect((await record(store, 0))?.nonce).toBe(2);
});

it("keeps every attempt of a nonce until one is mined, the current one first", async () => {
  const store = memoryStore();
  const first = (await record(store))?.hash ?? "";
  const replacement = { hash: "second", raw: "raw second" };
  expect(await store.recordReplacement({ replaced: first, replacement })).toBe(true);
  const late = { hash: "third", raw: "raw third" };
  expect(await store.recordReplacement({ replaced: first, replacement: late })).toBe(false);
  expect((await store.listAttempts(0)).map(({ hash }) => hash)).toEqual(["second", first]);
  await store.promote(first);
  expect((await store.listAttempts(0)).map(({ hash }) => hash)).toEqual([first, "second"]);
  expect(await store.recordMined(receiptOf("second"))).toBe(true);
  expect(await store.listAttempts(0)).toEqual([]);
});

it("tells how long an attempt has been silent, and of a gap in front of what was sent", async () => {
  const store = memoryStore();
  const sent = (await record(store, 5))?.hash ?? "";
  const [before] = await store.listOpen();
  expect(before?.transaction.silentMs).toBeNull();
  expect(await store.findGap({ nonce: 3, patienceMs: -1 })).toBe(false);
  await store.recordSent(sent);
  const [after] = await store.listOpen();
  expect(after?.transaction.silentMs).toBeGreaterThanOrEqual(0);
  expect(await store.findGap({ nonce: 3, patienceMs: -1 })).toBe(true);
  expect(await store.findGap({ nonce: 3, patienceMs: 3_600_000 })).toBe(false);
  expect(await store.findGap({ nonce: 5, patienceMs: -1 })).toBe(false);
  const filler = { nonce: 3, hash: "filler", raw: "raw" };
  expect([await store.recordFiller(filler), await store.recordFiller(filler)]).toEqual([
    true,
    false,
  ]);
});

it("settles no jobs: what gets lost with it may not be missed", async () => {
  const settles = { kind: "zkml", requestIds: ["0x01"] };
  const refused = memoryStore().record({ chainNonce: 0, purpose: "settlement", settles, sign });
  await expect(refused).rejects.toThrow("jobs are settled from a database");
});
