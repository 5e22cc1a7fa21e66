import { join } from "node:path";
import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { blobIdFromLegacyBytes } from "@haca/protocol/blobs/blobId";
import { createHttpBlobStore } from "@haca/protocol/blobs/httpBlobStore";
import { withLegacyRoot } from "@haca/protocol/blobs/legacyBlob";
import { legacyMessageHash } from "@haca/protocol/legacySettlement";
import { heartbeatMessage } from "@haca/protocol/teeMessages";
import { type EventLog, id, Wallet } from "ethers";
import { Pool } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { type ContractOf, connected } from "../../scripts/lib/contracts.ts";
import { BlobFront, type FrontMode } from "./support/blobFront.ts";
import { EndpointProxy } from "./support/endpointProxy.ts";
import { developmentKey } from "./support/localChain.ts";
import { newDatabase } from "./support/newDatabase.ts";
import { waitFor } from "./support/processes.ts";
import { startWorker, untilTestEnds } from "./support/startWorker.ts";
import { TeeChain } from "./support/teeChain.ts";
import { sharedFolder, sharedQueue, temporaryQueue } from "./support/temporaryFolder.ts";
import { type Settings, type TestWorker, WorkerProcess } from "./support/worker.ts";

/** Deploys the relay, and is the stranger. */
const isDeep = process.env.HACA_DEEP === "1";
const DEPLOYER = 1;
const BALANCE = "0x56bc75e2d63100000";

let tee: TeeChain;
let relay: ContractOf<"LegacySettlement">;
let enclave: SimulatedEnclave;
let other: SimulatedEnclave;
let front: BlobFront;
let proxy: EndpointProxy;
const folder = sharedFolder();

beforeAll(async () => {
  tee = await TeeChain.start();
  relay = await tee.deployRelay(DEPLOYER);
  enclave = tee.enclave("rsa");
  other = tee.enclave("rsa");
  await tee.admit(enclave);
  await tee.admit(other);
  front = await BlobFront.start(join(folder.path, "blobs"));
  proxy = await EndpointProxy.start(tee.chain.url);
});
afterAll(async () => {
  proxy.stop();
  await front.stop();
  await tee.stop();
  folder.remove();
});
afterEach(() => {
  front.mode = "up";
  proxy.mode = "up";
});

/** Settings of a facilitator with an account of its own, and a queue in a folder. */
async function settingsIn(queue: string, changes: Settings = {}): Promise<Settings> {
  const { address, privateKey } = Wallet.createRandom();
  await tee.chain.send("anvil_setBalance", address, BALANCE);
  return {
    HACA_RPC_URL: proxy.url,
    HACA_CHAIN_ID: "31337",
    HACA_FACILITATOR_KEY: privateKey,
    HACA_RELAY: relay.target,
    HACA_ADDRESS_BOOK: tee.writeBook(join(queue, "book.json")),
    HACA_DATA_DIR: queue,
    HACA_RELAY_SIZE: "2",
    ...front.settings,
    ...changes,
  };
}

const newSettings = (changes: Settings = {}): Promise<Settings> =>
  settingsIn(temporaryQueue(), changes);

const roles = ["facilitate"];
const start = (settings: Settings): TestWorker => untilTestEnds(startWorker({ settings, roles }));
const startProcess = (settings: Settings): WorkerProcess =>
  untilTestEnds(new WorkerProcess({ settings, roles }));

const now = (): number => Math.floor(Date.now() / 1000);
let counter = 0;

/** What a gateway sends for an answer that an enclave has signed. */
function signed(by = enclave, timestamp = now()) {
  counter += 1;
  const inputHash = id(`input ${counter}`);
  const outputHash = id(`output ${counter}`);
  const message = legacyMessageHash({ inputHash, outputHash, timestamp: BigInt(timestamp) });
  return {
    tee_id: by.teeId,
    input_hash: inputHash.slice(2),
    output_hash: outputHash.slice(2),
    tee_signature: Buffer.from(by.sign(message)).toString("base64"),
    tee_timestamp: timestamp,
    timestamp,
  };
}

const encode = (data: unknown): string => Buffer.from(JSON.stringify(data)).toString("base64");

// biome-ignore lint/suspicious/noExplicitAny: answers are compared field by field
type Answer = { status: number; body: any };

async function submit(url: string, data: unknown, type = "batch"): Promise<Answer> {
  const response = await fetch(`${url}/settle_data`, {
    method: "POST",
    headers: { "x-settlement-type": type, "x-settlement-data": encode(data) },
    body: "{}",
  });
  return { status: response.status, body: await response.json() };
}

async function read(url: string, path: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(`${url}${path}`, init);
  return { status: response.status, body: await response.json() };
}

const ended = (url: string, jobId: string) =>
  waitFor(async () => {
    const { body } = await read(url, `/settle/${jobId}`);
    return ["succeeded", "failed"].includes(body.status) ? body : undefined;
  });

const events = async (name: string, ...indexed: (string | null)[]): Promise<EventLog[]> => {
  const topics = relay.interface.encodeFilterTopics(name, indexed);
  return (await relay.queryFilter(topics, 0)) as EventLog[];
};
const anchors = (account: string): Promise<EventLog[]> => events("RootAnchored", null, account);
const accountOf = (settings: Settings): string =>
  new Wallet(settings.HACA_FACILITATOR_KEY ?? "").address;

describe("a facilitator that cannot start", () => {
  it.each<[string, Settings | ((settings: Settings) => Settings), number, string]>([
    ["without a key", { HACA_FACILITATOR_KEY: "" }, 2, "HACA_FACILITATOR_KEY: not set"],
    [
      "with the node's key",
      (settings) => ({ HACA_NODE_KEY: settings.HACA_FACILITATOR_KEY ?? "" }),
      2,
      "HACA_FACILITATOR_KEY: must not be HACA_NODE_KEY",
    ],
    ["without a publisher", { HACA_BLOB_PUBLISHER: "" }, 2, "HACA_BLOB_PUBLISHER: not set"],
    ["with a bad URL", { HACA_BLOB_AGGREGATOR: "x:y" }, 2, "HACA_BLOB_AGGREGATOR: must be"],
    ["with no contract there", { HACA_RELAY: `0x${"de".repeat(20)}` }, 1, "no LegacySettlement"],
  ])("%s says so in one line", async (_, change, status, words) => {
    const settings = await newSettings();
    const changes = typeof change === "function" ? change(settings) : change;
    const { child } = start({ ...settings, ...changes });
    expect((await child.exited).code).toBe(status);
    const said = child.lines.filter((line) => !line.startsWith("{"));
    expect(said).toEqual([expect.stringContaining(words)]);
  });
});

describe("submissions", () => {
  it("become one batch, whose blob the chain names and anybody can check", async () => {
    const settings = await newSettings({ HACA_RELAY_SIZE: "3" });
    const url = await start(settings).url();
    const submissions = [signed(), signed(other), signed()];
    const answers = [];
    for (const data of submissions) answers.push(await submit(url, data));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    const jobs = answers.map(({ body }) => body.settlementJob);
    expect(jobs[0]).toMatchObject({ status: "queued", settlementType: "batch" });
    expect(jobs[0].jobId).toMatch(/^settlement-batch-[0-9a-f]{64}$/);

    const results = await Promise.all(jobs.map(({ jobId }) => ended(url, jobId)));
    const [event, ...more] = await anchors(accountOf(settings));
    expect(more).toEqual([]);
    const [root, , batchSize, walrusBlobId] = event?.args ?? [];
    expect(batchSize).toBe(3n);
    const blobId = blobIdFromLegacyBytes(walrusBlobId);
    expect(results).toEqual(
      results.map(({ jobId, createdAt, updatedAt }) => ({
        ...{ jobId, createdAt, updatedAt, queue: "settlement-batch", status: "succeeded" },
        settlementType: "batch",
        result: { success: true, transaction: event?.transactionHash, merkleRoot: root },
        txHash: event?.transactionHash,
        walrusBlobId: blobId,
      })),
    );
    const store = createHttpBlobStore({
      ...{ publisher: `${front.url}/v1/blobs`, aggregator: front.url, ids: "sha256", epochs: 1 },
      ...{ timeoutMs: 30_000, maximumBytes: 1_000_000 },
    });
    const batch = await store.read({ id: blobId, check: withLegacyRoot({ root, size: 3 }) });
    expect(batch.results.map(({ inputHash }) => inputHash)).toEqual(
      submissions.map(({ input_hash }) => `0x${input_hash}`),
    );
    for (const { inputHash, outputHash, teeId, teeSignature, timestamp } of batch.results) {
      const values = [teeId, inputHash, outputHash, timestamp, teeSignature] as const;
      expect(await relay.verifySignatureNoTimestamp(...values)).toBe(true);
    }
  });

  it("are one job however often they come, under whatever signature, also after the end", async () => {
    const settings = await newSettings({ HACA_RELAY_SIZE: "1" });
    const url = await start(settings).url();
    const data = signed();
    const first = await submit(url, data);
    const again = { ...data, input_hash: `0x${data.input_hash}`, timestamp: null };
    const message = legacyMessageHash({
      inputHash: `0x${data.input_hash}`,
      outputHash: `0x${data.output_hash}`,
      timestamp: BigInt(data.tee_timestamp),
    });
    const otherSignature = Buffer.from(enclave.sign(message)).toString("base64");
    expect(otherSignature).not.toBe(data.tee_signature);
    const repeats = await Promise.all([
      submit(url, again),
      submit(url, { ...data, tee_signature: otherSignature }),
      submit(url, { ...data, tee_timestamp: String(data.tee_timestamp) }, " Bat-ch_"),
    ]);
    const { jobId } = first.body.settlementJob;
    for (const { status, body } of repeats) {
      expect([status, body.settlementJob.jobId]).toEqual([202, jobId]);
    }
    await ended(url, jobId);
    const late = await submit(url, data);
    expect(late.body.settlementJob).toMatchObject({ jobId, status: "succeeded" });
    expect(await anchors(accountOf(settings))).toHaveLength(1);
  });

  it("settle one by one where they are individual", async () => {
    const settings = await newSettings();
    const url = await start(settings).url();
    const owner = Wallet.createRandom().address;
    const long = "word ".repeat(8_000);
    const data = {
      ...signed(),
      ...{ input: { prompt: long }, output: "answer", eth_address: owner },
    };
    const { status, body } = await submit(url, data, "inidvidual");
    expect(status).toBe(202);
    const job = await ended(url, body.settlementJob.jobId);
    expect(job).toMatchObject({ status: "succeeded", settlementType: "individual" });
    const [event] = await events("IndividualSettlement", null, owner);
    expect(event?.transactionHash).toBe(job.txHash);
    const blob = await fetch(`${front.url}/v1/blobs/${job.walrusBlobId}`);
    expect(await blob.json()).toMatchObject({
      input: { prompt: long },
      output: "answer",
      inputHash: `0x${data.input_hash}`,
      timestamp: String(data.tee_timestamp),
      ethAddress: owner,
    });
  });

  it("that are individual and settled by somebody else count as settled, without a transaction", async () => {
    const url = await start(await newSettings({ HACA_POLL_MS: "100" })).url();
    const data = { ...signed(), input: 1, output: 2, eth_address: Wallet.createRandom().address };
    const stranger = new Wallet(developmentKey(DEPLOYER), tee.chain.provider);
    const signature = Buffer.from(data.tee_signature, "base64");
    const hashes = [`0x${data.input_hash}`, `0x${data.output_hash}`] as const;
    const values = [data.tee_id, ...hashes, data.tee_timestamp, stranger.address] as const;
    const settling = connected(relay, stranger);
    await (await settling.settleIndividual(...values, "0x12", signature)).wait();
    const { body } = await submit(url, data, "individual");
    const job = await ended(url, body.settlementJob.jobId);
    expect(job).toMatchObject({ status: "succeeded", result: { transaction: null } });
  });

  it("that are private are neither settled nor stored", async () => {
    const url = await start(await newSettings()).url();
    const { status, body } = await submit(url, {}, "pivate");
    expect([status, body.settlementJob]).toEqual([202, null]);
    expect((await read(url, "/health")).body.calls).toMatchObject({ waiting: 0, open: 0 });
  });

  it("of a batch that is not full settle when they have waited long enough", async () => {
    const url = await start(
      await newSettings({ HACA_RELAY_SIZE: "100", HACA_RELAY_SECONDS: "1" }),
    ).url();
    const { body } = await submit(url, signed());
    expect(await ended(url, body.settlementJob.jobId)).toMatchObject({ status: "succeeded" });
  });
});

describe("what is refused, with nothing queued", () => {
  let url: string;
  let settings: Settings;
  beforeAll(async () => {
    const own = sharedQueue();
    settings = await settingsIn(own.path);
    const worker = startWorker({ settings, roles });
    url = await worker.url();
    return async () => {
      await worker.child.end();
      own.remove();
    };
  });

  const swapped = () => {
    const data = signed();
    return { ...data, input_hash: data.output_hash, output_hash: data.input_hash };
  };
  const CASES: [string, () => unknown, string][] = [
    [
      "a middleware's placeholder for no signature",
      () => ({ ...signed(), tee_signature: "0x" }),
      "tee_signature",
    ],
    ["no time", () => ({ ...signed(), tee_timestamp: null }), "tee_timestamp"],
    ["an unknown node", () => ({ ...signed(), tee_id: id("nobody") }), "tee_id"],
    ["another node's id", () => ({ ...signed(), tee_id: other.teeId }), "tee_signature"],
    ["swapped hashes", swapped, "tee_signature"],
    [
      "another time than was signed",
      () => ({ ...signed(), tee_timestamp: now() + 20 }),
      "tee_signature",
    ],
    ["a time before the node's admission", () => signed(enclave, now() - 5_000), "tee_id"],
    ["the future", () => signed(enclave, now() + 1_000), "in the future"],
    ["what is older than it may be", () => signed(enclave, now() - 90_000), "older than"],
    ["a short id", () => ({ ...signed(), tee_id: "0x12" }), "tee_id"],
    ["an id without 0x", () => ({ ...signed(), tee_id: enclave.teeId.slice(2) }), "tee_id"],
    ["a hash of the wrong length", () => ({ ...signed(), input_hash: "ab" }), "input_hash"],
    ["no base64", () => ({ ...signed(), tee_signature: "!".repeat(400) }), "tee_signature"],
    [
      "a signature that is cut off",
      () => ({ ...signed(), tee_signature: signed().tee_signature.slice(0, 300) }),
      "tee_signature",
    ],
    ["a list", () => [], "data"],
    ["null", () => null, "data"],
  ];
  it.each(CASES)("%s", async (_, data, words) => {
    const { status, body } = await submit(url, data());
    expect([status, Object.keys(body)]).toEqual([400, ["error"]]);
    expect(body.error).toContain(words);
    expect((await read(url, "/health")).body.calls).toMatchObject({ waiting: 0, open: 0 });
  });

  it.each([
    ["no address", { eth_address: undefined }, "eth_address"],
    ["a wrong address", { eth_address: "0x12" }, "eth_address"],
    ["no input", { input: undefined }, "input"],
    ["a NUL in the output", { output: "\u0000" }, "output"],
  ])("an individual one with %s", async (_, change, words) => {
    const whole = {
      ...signed(),
      input: "a",
      output: "b",
      eth_address: Wallet.createRandom().address,
    };
    const { status, body } = await submit(url, { ...whole, ...change }, "individual");
    expect([status, body.error]).toEqual([400, expect.stringContaining(words)]);
  });

  it.each([
    [{}, "x-settlement-type"],
    [{ "x-settlement-type": "everything" }, "x-settlement-type"],
    [{ "x-settlement-type": "constructor" }, "x-settlement-type"],
    [{ "x-settlement-type": "batch" }, "x-settlement-data"],
    [{ "x-settlement-type": "batch", "x-settlement-data": "?" }, "base64 of JSON"],
  ])("headers %j", async (headers, words) => {
    const init = { method: "POST", headers: headers as Record<string, string>, body: "{}" };
    const { status, body } = await read(url, "/settle_data", init);
    expect([status, body.error]).toEqual([400, expect.stringContaining(words)]);
  });

  it("everything while the endpoint is away: 503, and the client may come again", async () => {
    const data = signed();
    proxy.mode = "down";
    const response = await fetch(`${url}/settle_data`, {
      method: "POST",
      headers: { "x-settlement-type": "batch", "x-settlement-data": encode(data) },
    });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    proxy.mode = "up";
    expect((await read(url, "/health")).body.calls).toMatchObject({ waiting: 0, open: 0 });
  });

  it("tells what it has: no kinds of payment, usage of days, no unknown job", async () => {
    const signers = { "eip155:*": [accountOf(settings)] };
    const supported = { kinds: [], extensions: [], signers };
    expect(await read(url, "/supported")).toEqual({ status: 200, body: supported });
    const health = await read(url, "/health");
    expect(health.body).toMatchObject({ supportedKinds: [], extensions: [] });
    expect((await read(url, "/usage?days=7")).body).toEqual({ days: 7, usage: [] });
    for (const days of ["0", "91", "x", "-1", "1.5"]) {
      expect((await read(url, `/usage?days=${days}`)).status).toBe(400);
    }
    expect((await read(url, "/settle/settlement-batch-00")).status).toBe(404);
    expect((await read(url, "/verify", { method: "POST", body: "{}" })).status).toBe(400);
  });
});

describe("what was accepted", () => {
  it("outlives kill -9 and a publisher that is down, and is settled once", async () => {
    const settings = await newSettings();
    const first = startProcess(settings);
    const url = await first.url();
    front.mode = "down";
    const refused = front.more(1);
    const jobs = [await submit(url, signed()), await submit(url, signed())];
    await refused;
    await first.child.stop("SIGKILL");
    front.mode = "up";
    const later = await start(settings).url();
    for (const { body } of jobs) {
      expect(await ended(later, body.settlementJob.jobId)).toMatchObject({ status: "succeeded" });
    }
    expect(await anchors(accountOf(settings))).toHaveLength(1);
    const { body } = await read(later, "/usage");
    expect(body.usage).toMatchObject([{ accepted: 2, settled: 2, failed: 0, calls: 1 }]);
  });

  /** By default a store that lies is left to pages, whose blobs go the same way. */
  const modes: FrontMode[] = isDeep
    ? ["failing", "lying", "cutting", "otherId"]
    : ["failing", "cutting", "otherId"];
  it.each(modes)(
    "is not sent while the blob store is %s, and is settled when it is not",
    async (mode) => {
      const settings = await newSettings({ HACA_RELAY_SIZE: "1" });
      const worker = start(settings);
      const url = await worker.url();
      front.mode = mode;
      const { body } = await submit(url, signed());
      await worker.logged("not settled: later");
      expect(await anchors(accountOf(settings))).toEqual([]);
      expect(await tee.chain.provider.getTransactionCount(accountOf(settings))).toBe(0);
      const { calls } = (await read(url, "/health")).body;
      expect(calls).toMatchObject({ open: 1, lastError: expect.stringContaining("blob.") });
      front.mode = "up";
      expect(await ended(url, body.settlementJob.jobId)).toMatchObject({ status: "succeeded" });
    },
  );
});

it.skipIf(inject("postgresUrl") === undefined)(
  "two processes on one PostgreSQL anchor each submission once, also when one is killed",
  async () => {
    const connectionString = await newDatabase();
    const settings = await newSettings({ HACA_WORKER_DATABASE_URL: connectionString });
    const [first, second] = [startProcess(settings), startProcess(settings)];
    const urls = [await first.url(), await second.url()];
    const submissions = Array.from({ length: 12 }, () => signed());
    const send = (data: unknown, i: number) => submit(urls[i % 2] ?? "", data);
    const answers = await Promise.all(submissions.slice(0, 6).map(send));
    await first.child.stop("SIGKILL");
    for (const data of submissions.slice(6)) answers.push(await submit(urls[1] ?? "", data));
    // What the dead process had in work is another's when its lease ends.
    const pool = new Pool({ connectionString, application_name: "haca-tests" });
    await pool.query("UPDATE relayed_calls SET leased_until = now() - interval '1 second'");
    await pool.end();
    for (const { status, body } of answers) {
      expect(status).toBe(202);
      expect(await ended(urls[1] ?? "", body.settlementJob.jobId)).toMatchObject({
        status: "succeeded",
      });
    }
    const events = await anchors(accountOf(settings));
    const sizes = events.map(({ args }) => Number(args.batchSize));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(submissions.length);
  },
);

describe("heartbeats", () => {
  const beat = (timestamp: number, by = enclave) => ({
    teeId: by.teeId,
    timestamp: String(timestamp),
    signature: Buffer.from(
      by.sign(heartbeatMessage({ teeId: by.teeId, timestamp: BigInt(timestamp) })),
    ).toString("base64"),
  });
  const send = (url: string, body: unknown) =>
    read(url, "/heartbeat", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });

  it("are sent once, answered when they are mined, and not paid for again", async () => {
    const settings = await newSettings();
    const url = await start(settings).url();
    const timestamp = Number(await tee.lastHeartbeat(enclave.teeId)) + 1;
    const { teeId, signature } = beat(timestamp);
    const registry = String(tee.registry.target);
    const aliased = { tee_id: teeId, timestamp, tee_signature: signature, registry };
    const [first, second] = await Promise.all([send(url, beat(timestamp)), send(url, aliased)]);
    expect(first).toEqual({
      status: 200,
      body: {
        ...{ success: true, txHash: expect.stringMatching(/^0x[0-9a-f]{64}$/), teeId },
        ...{ timestamp: String(timestamp), relayer: accountOf(settings), contract: registry },
      },
    });
    // Under another signature of the same; late, it would be refused as not newer.
    if (second.status === 200) expect(second.body.txHash).toBe(first.body.txHash);
    else
      expect([second.status, second.body.error]).toEqual([400, expect.stringContaining("older")]);
    const receipt = await tee.chain.provider.getTransactionReceipt(first.body.txHash);
    expect(receipt?.status).toBe(1);
    expect(await tee.lastHeartbeat(teeId)).toBe(BigInt(timestamp));
    const nonce = await tee.chain.provider.getTransactionCount(accountOf(settings));
    const again = await send(url, beat(timestamp));
    expect([again.status, again.body.error]).toEqual([400, expect.stringContaining("not older")]);
    expect(await tee.chain.provider.getTransactionCount(accountOf(settings))).toBe(nonce);

    const next = beat(timestamp + 1);
    const refusals: [unknown, string][] = [
      ["no JSON", "body"],
      [{}, "teeId"],
      [{ ...next, signature: "0x" }, "signature"],
      [{ ...next, signature: beat(timestamp + 2).signature }, "signature"],
      [{ ...next, teeId: other.teeId }, "signature"],
      [{ ...next, teeId: id("nobody") }, "no node"],
      [{ ...next, timestamp: -1 }, "timestamp"],
      [{ ...next, contractAddress: relay.target }, "contractAddress"],
    ];
    for (const [body, words] of refusals) {
      const { status, body: answer } = await send(url, body);
      expect([status, answer.error]).toEqual([400, expect.stringContaining(words)]);
    }
    const future = await send(url, beat(now() + 10_000));
    expect(future.status).toBe(500);
    expect(await tee.chain.provider.getTransactionCount(accountOf(settings))).toBe(nonce);
  });
});
