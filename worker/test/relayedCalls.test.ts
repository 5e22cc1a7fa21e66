import { BlobError } from "@haca/protocol/blobs/blobError";
import { contentId } from "@haca/protocol/blobs/blobId";
import type { BlobStore } from "@haca/protocol/blobs/blobStore";
import { decodeLegacyBlob, legacyRoot } from "@haca/protocol/blobs/legacyBlob";
import { hexlify, Interface, id, randomBytes, type TransactionReceipt, ZeroAddress } from "ethers";
import { pino } from "pino";
import { beforeEach, expect, it } from "vitest";
import { RetryableError } from "../src/errors.ts";
import { createFacilitatePass } from "../src/roles/facilitate/createFacilitatePass.ts";
import { formCalls, leaseCalls } from "../src/roles/facilitate/relayedCalls.ts";
import { jobIdOf, type Submission } from "../src/roles/facilitate/submission.ts";
import {
  acceptSubmission,
  findSubmission,
  readUsage,
} from "../src/roles/facilitate/submissions.ts";
import type { Database } from "../src/storage/database.ts";
import type { Mined, Sender } from "../src/transactions/sender.ts";
import { WouldRevertError } from "../src/transactions/sendTransaction.ts";
import { describeStores } from "./support/stores.ts";

const RELAY = `0x${"ee".repeat(20)}`;
const relay = new Interface([
  "function batchSettle(bytes32 merkleRoot, uint256 batchSize, bytes walrusBlobId)",
]);
const NOW = { size: 2, maximumAgeSeconds: 0, idleSeconds: 0 };
const LATER = { size: 2, maximumAgeSeconds: 1_000, idleSeconds: 1_000 };

const batch = (name: string): Submission => ({
  kind: "batch",
  teeId: id("node"),
  inputHash: id(`input ${name}`),
  outputHash: id("output"),
  timestamp: 1_700_000_000n,
  teeSignature: hexlify(randomBytes(256)),
});
const individual = (name: string): Submission => ({
  ...batch(name),
  kind: "individual",
  individual: { input: '{"a":1}', output: '"b"', ethAddress: ZeroAddress },
});

/** A chain and an account that do what the test says. */
class ScriptedSender implements Sender {
  readonly account = ZeroAddress;
  readonly sent: { purpose: string; data: string }[] = [];
  readonly open = new Map<string, string>();
  readonly receipts = new Map<string, TransactionReceipt>();
  mined: Mined[] = [];
  failure: Error | undefined;

  async send(call: { purpose: string; to: string; data: string }) {
    if (this.failure !== undefined) throw this.failure;
    expect(call.to).toBe(RELAY);
    this.sent.push(call);
    const hash = id(`transaction ${this.sent.length}`);
    this.open.set(call.purpose, hash);
    return { hash, nonce: this.sent.length - 1 };
  }
  /** The transaction of a purpose is mined; whether the next `tend` says so is the test's choice. */
  mine(purpose: string, status: 0 | 1, isTold = true): void {
    const hash = this.open.get(purpose) ?? "";
    const receipt = { hash, status, blockNumber: 5 } as TransactionReceipt;
    this.receipts.set(hash, receipt);
    this.open.delete(purpose);
    if (isTold) this.mined.push({ purpose, receipt });
  }
  async tend(): Promise<Mined[]> {
    return this.mined.splice(0);
  }
  async listOpen(): Promise<ReadonlyMap<string, string>> {
    return new Map(this.open);
  }
  async findReceipt(hash: string): Promise<TransactionReceipt | undefined> {
    return this.receipts.get(hash);
  }
  async findMined(): Promise<TransactionReceipt | undefined> {
    throw new Error("no call of the relay is found by its nonce");
  }
}

/** Keeps contents in memory; fails when told. */
class ScriptedStore implements BlobStore {
  readonly contents = new Map<string, Uint8Array>();
  failure: BlobError | undefined;

  async put({ bytes }: { bytes: Uint8Array }) {
    if (this.failure !== undefined) throw this.failure;
    this.contents.set(contentId(bytes), bytes);
    return { id: contentId(bytes), isNew: true };
  }
  async read<Content>(parameters: { id: string; check: (bytes: Uint8Array) => Content }) {
    return parameters.check(this.contents.get(parameters.id) ?? new Uint8Array());
  }
}

describeStores("calls of the facilitator", (queue) => {
  let sender: ScriptedSender;
  let blobs: ScriptedStore;
  let database: Database;

  beforeEach(async () => {
    ({ database } = queue);
    await database.execute("DELETE FROM submissions; DELETE FROM relayed_calls");
    sender = new ScriptedSender();
    blobs = new ScriptedStore();
  });

  const accept = (...submissions: Submission[]) =>
    Promise.all(submissions.map((submission) => acceptSubmission({ database, submission })));
  const passOf = (owner: string, limits = NOW) =>
    createFacilitatePass({
      ...{ database, blobs, sender, relay: RELAY, limits, owner, leaseSeconds: 60 },
      logger: pino({ level: "silent" }),
    });
  const find = async (submission: Submission) =>
    await findSubmission({ database, jobId: jobIdOf(submission) });
  /** Lets calls that rest after a failure be due. */
  const rested = () => database.query("UPDATE relayed_calls SET run_after = now()");
  const purposes = () => sender.sent.map(({ purpose }) => purpose);
  const onlyPurpose = (): string => {
    expect(new Set(purposes()).size).toBe(1);
    return purposes()[0] ?? "";
  };

  it("go from submission over blob and transaction to settled, each step once", async () => {
    const submissions = [batch("a"), batch("b")];
    for (const submission of submissions) await accept(submission);
    const pass = passOf("one");
    expect(await pass()).toBe(true);
    const root = legacyRoot(submissions);
    const [blob] = blobs.contents.values();
    expect(decodeLegacyBlob(blob ?? new Uint8Array())).toEqual({
      root,
      results: submissions.map(({ kind: _, ...leaf }) => leaf),
    });
    const [sent] = sender.sent;
    const [calledRoot, size, blobId] = relay.decodeFunctionData("batchSettle", sent?.data ?? "");
    expect([calledRoot, size]).toEqual([root, 2n]);
    expect(Buffer.from(blobId.slice(2), "hex").toString()).toBe(
      contentId(blob ?? new Uint8Array()),
    );
    expect(await find(batch("a"))).toMatchObject({
      status: "processing",
      walrusBlobId: expect.any(String),
    });
    // Nothing new: nothing is sent.
    expect(await pass()).toBe(false);
    sender.mine(onlyPurpose(), 1);
    expect(await pass()).toBe(true);
    expect(await find(batch("b"))).toMatchObject({
      status: "succeeded",
      result: { merkleRoot: root },
    });
    expect(await pass()).toBe(false);
    expect(sender.sent).toHaveLength(1);
    expect(await readUsage({ database, days: 1 })).toMatchObject([
      { accepted: 2, settled: 2, failed: 0, calls: 1 },
    ]);
  });

  it("are formed at a size, or after a time, and hold a submission once", async () => {
    await accept(batch("a"));
    expect(await formCalls({ database, limits: LATER })).toBe(0);
    await accept(batch("b"), batch("c"));
    expect(await formCalls({ database, limits: LATER })).toBe(1);
    expect(await formCalls({ database, limits: LATER })).toBe(0);
    await database.query("UPDATE submissions SET accepted_at = now() - interval '1001 seconds'");
    // As old, but others keep coming: the age counts, not the pause.
    await accept(batch("d"), individual("e"));
    expect(await formCalls({ database, limits: { ...LATER, size: 9 } })).toBe(2);
    const calls = await leaseCalls({ database, owner: "x", leaseSeconds: 60, limit: 9 });
    expect(calls.map(({ kind, submissions }) => [kind, submissions.length])).toEqual([
      ["batch", 2],
      ["individual", 1],
      ["batch", 2],
    ]);
    const held = calls.flatMap(({ submissions }) => submissions.map(jobIdOf));
    expect(new Set(held).size).toBe(5);
  });

  it("are formed once by many at a time, and leased by one", async () => {
    await accept(...Array.from({ length: 8 }, (_, i) => batch(`${i}`)));
    const formed = await Promise.all(
      Array.from({ length: 6 }, () => formCalls({ database, limits: LATER })),
    );
    expect(formed.reduce((sum, count) => sum + count)).toBe(4);
    const leases = await Promise.all(
      ["x", "y", "z"].map((owner) => leaseCalls({ database, owner, leaseSeconds: 60, limit: 9 })),
    );
    expect(
      leases
        .flat()
        .map(({ id: call }) => call)
        .sort(),
    ).toHaveLength(4);
    expect(new Set(leases.flat().map(({ id: call }) => call)).size).toBe(4);
  });

  it("are the same submission once, however many bring it at a time", async () => {
    const jobs = await accept(...Array.from({ length: 5 }, () => batch("a")));
    expect(new Set(jobs.map(({ jobId }) => jobId)).size).toBe(1);
    expect(await formCalls({ database, limits: NOW })).toBe(1);
    // As individual it is another job; of another node as well.
    const others = await accept(individual("a"), { ...batch("a"), teeId: id("other") });
    expect(new Set([...jobs, ...others].map(({ jobId }) => jobId)).size).toBe(3);
  });

  it("are taken up by another process where one died after its transaction was recorded", async () => {
    await accept(batch("a"));
    await passOf("first")();
    // As if it had died before it could say so.
    await database.query("UPDATE relayed_calls SET state = 'stored', transaction_hash = NULL");
    await passOf("second")();
    expect(await find(batch("a"))).toMatchObject({ txHash: id("transaction 1") });
    sender.mine(onlyPurpose(), 1);
    await passOf("second")();
    expect(await find(batch("a"))).toMatchObject({ status: "succeeded" });
    expect(sender.sent).toHaveLength(1);
  });

  it("find their receipt where nobody was told that they were mined", async () => {
    await accept(batch("a"));
    await passOf("first")();
    sender.mine(onlyPurpose(), 1, false);
    await passOf("second")();
    expect(await find(batch("a"))).toMatchObject({ status: "succeeded" });
  });

  it("follow a transaction that was replaced with higher fees", async () => {
    await accept(batch("a"));
    await passOf("one")();
    sender.open.set(onlyPurpose(), id("replacement"));
    await passOf("one")();
    expect(await find(batch("a"))).toMatchObject({ txHash: id("replacement") });
  });

  it("are sent again where the transaction is gone, with the same blob", async () => {
    await accept(batch("a"));
    const pass = passOf("one");
    await pass();
    sender.open.clear();
    await pass();
    await pass();
    expect(sender.sent).toHaveLength(2);
    expect(sender.sent[0]).toEqual(sender.sent[1]);
  });

  it("are sent again after a revert, and not at once", async () => {
    await accept(batch("a"));
    const pass = passOf("one");
    await pass();
    sender.mine(onlyPurpose(), 0);
    await pass();
    await pass();
    expect(sender.sent).toHaveLength(1);
    expect(await find(batch("a"))).toMatchObject({ status: "processing" });
    await rested();
    await pass();
    expect(sender.sent).toHaveLength(2);
    sender.mine(onlyPurpose(), 1);
    await pass();
    expect(await find(batch("a"))).toMatchObject({ status: "succeeded" });
  });

  it("wait while the store fails, whether or not that may end by itself", async () => {
    await accept(batch("a"));
    const pass = passOf("one");
    for (const code of ["blob.unreachable", "blob.otherContent", "blob.refused"] as const) {
      blobs.failure = new BlobError({ code, message: "no" });
      await pass();
      await rested();
      expect(await find(batch("a"))).toMatchObject({ status: "queued" });
    }
    expect(sender.sent).toEqual([]);
    blobs.failure = undefined;
    await pass();
    expect(sender.sent).toHaveLength(1);
  });

  it("do not hold each other up: one that fails rests, the others go on", async () => {
    await accept(individual("a"), batch("b"));
    sender.failure = new RetryableError({ code: "rpc.failed", message: "no" });
    const pass = passOf("one");
    await pass();
    expect(await find(batch("b"))).toMatchObject({ status: "processing" });
    sender.failure = undefined;
    await rested();
    await pass();
    expect(sender.sent).toHaveLength(2);
  });

  it.each([
    ["Error(reason: Invalid signature)", "failed", "Invalid signature"],
    ["Error(reason: Already settled)", "succeeded", undefined],
  ])("that are individual end where the contract says %s", async (message, status, error) => {
    await accept(individual("a"));
    const revert = { name: "Error", message };
    sender.failure = new WouldRevertError({ purpose: "x", revert, cause: undefined });
    await passOf("one")();
    const job = await find(individual("a"));
    expect(job?.status).toBe(status);
    if (error !== undefined) expect(job?.error).toContain(error);
    sender.failure = undefined;
    await rested();
    await passOf("one")();
    expect(sender.sent).toEqual([]);
  });

  it("that are batches are never given up, whatever the contract says", async () => {
    await accept(batch("a"));
    const revert = { name: "Error", message: "Error(reason: paused)" };
    sender.failure = new WouldRevertError({ purpose: "x", revert, cause: undefined });
    await passOf("one")();
    expect(await find(batch("a"))).toMatchObject({ status: "processing" });
    sender.failure = undefined;
    await rested();
    await passOf("one")();
    expect(sender.sent).toHaveLength(1);
  });
});
