import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { id, Wallet, ZeroHash } from "ethers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { connectChain } from "../src/chain/connectChain.ts";
import { RecentVerdicts } from "../src/roles/collect/recentVerdicts.ts";
import { Registries } from "../src/roles/collect/registries.ts";
import type { SignedResult } from "../src/roles/collect/signedResult.ts";
import { jobIn, readJob } from "./support/client.ts";
import { EndpointProxy } from "./support/endpointProxy.ts";
import { GatewayProcess } from "./support/gatewayProcess.ts";
import { developmentKey } from "./support/localChain.ts";
import { waitFor } from "./support/processes.ts";
import { newQueue, queueIn } from "./support/queues.ts";
import { type Entry, postResults, type Refusal, ResultMaker } from "./support/signedResults.ts";
import { startWorker, untilTestEnds } from "./support/startWorker.ts";
import { TeeChain } from "./support/teeChain.ts";
import { sharedFolder } from "./support/temporaryFolder.ts";
import type { Settings, TestWorker } from "./support/worker.ts";

let tee: TeeChain;
let proxy: EndpointProxy;
let enclave: SimulatedEnclave;
let results: ResultMaker;
let versionId: string;
let collector: TestWorker;
let url: string;
const folder = sharedFolder();
const queue = sharedFolder();

const settingsOf = (account: number, changes: Settings = {}): Settings => ({
  HACA_RPC_URL: proxy.url,
  HACA_CHAIN_ID: "31337",
  HACA_NODE_KEY: developmentKey(account),
  HACA_OPERATORS: tee.operator,
  HACA_ADDRESS_BOOK: tee.writeBook(join(folder.path, "book.json")),
  ...changes,
});

const start = (settings: Settings, roles: readonly string[]): TestWorker =>
  untilTestEnds(startWorker({ settings, roles }));

beforeAll(async () => {
  tee = await TeeChain.start();
  proxy = await EndpointProxy.start(tee.chain.url);
  enclave = tee.enclave("rsa");
  await tee.admit(enclave);
  versionId = await tee.chain.publishManifest("chat");
  results = new ResultMaker({ tee, enclave, versionId });
  // Nothing is settled here: what is accepted stays as it is.
  collector = startWorker({
    settings: settingsOf(1, queueIn(queue.path)),
    roles: ["collect"],
  });
  url = await collector.url();
});
afterAll(async () => {
  await collector.child.end();
  proxy.stop();
  await tee.stop();
  folder.remove();
  queue.remove();
});

const now = () => BigInt(Math.floor(Date.now() / 1000));
const post = (body: unknown) => postResults(url, body);
const jobs = async (): Promise<number> => {
  const { jobs: states } = (await (await fetch(`${url}/health`)).json()) as {
    jobs: Record<string, number>;
  };
  return Object.values(states).reduce((sum, count) => sum + count, 0);
};

/** Refused for one field, and nothing is stored. */
async function expectRefusal(
  body: unknown,
  expected: { status: number; code: string; field: string },
) {
  const before = await jobs();
  const answer = await post(body);
  const { code, field, message } = (answer.body as Refusal).error;
  expect({ status: answer.status, code, field }).toEqual(expected);
  expect(message.startsWith(`${field}: `)).toBe(true);
  expect(await jobs()).toBe(before);
}

describe("POST /v1/results", () => {
  it("has a result on disk as proven when it answers 202, and shows it", async () => {
    const entry = results.make();
    const { requestId } = entry.message;
    const { status, body } = await post(entry);
    const statusUrl = `${url}/v1/results/${requestId}`;
    expect({ status, body }).toEqual({
      status: 202,
      body: { requestId, state: "proven", statusUrl },
    });
    expect(await (await fetch(statusUrl)).json()).toMatchObject({
      ...{ requestId, model: "chat", version: "1.0", state: "proven", proof: null },
      receipt: { message: entry.message, signature: entry.signature },
    });
  });

  it("takes a list, in its order, with repeats", async () => {
    const entries = results.many(70);
    const [first] = entries;
    const { status, body } = await post({ results: [...entries, first] });
    expect(status).toBe(202);
    const ids = (body.results as { requestId: string }[]).map(({ requestId }) => requestId);
    expect(ids).toEqual([...entries, first].map((entry) => entry?.message.requestId));
  });

  it("answers a repeat with the same job, under another good signature too, without the endpoint", async () => {
    const entry = results.make();
    const answer = await post(entry);
    const before = await jobs();
    proxy.mode = "down";
    onTestFinished(() => {
      proxy.mode = "up";
    });
    expect(await post(entry)).toEqual(answer);
    expect(await post({ ...entry, signature: "0x00" })).toEqual(answer);
    expect(await jobs()).toBe(before);
    expect((await readJob(url, entry.message.requestId, "results")).state).toBe("proven");
  });

  it("takes what a session key for results has signed, and not what one for heartbeats has", async () => {
    for (const signsResults of [true, false]) {
      const other = tee.enclave("rsa");
      await tee.admit(other);
      const session = await tee.certifySession(other, signsResults);
      const entry = new ResultMaker({ tee, enclave: other, versionId }).make({}, session);
      if (signsResults) expect((await post(entry)).status).toBe(202);
      else await expectRefusal(entry, SIGNATURE);
    }
  });

  it("asks about one of a session key's results, and takes others like it on that word", async () => {
    const other = tee.enclave("rsa");
    await tee.admit(other);
    const session = await tee.certifySession(other, true);
    const maker = new ResultMaker({ tee, enclave: other, versionId });
    const deprecated = await tee.chain.publishManifest("lately");
    const first = maker.make({}, session);
    expect((await post(first)).status).toBe(202);
    const before = await jobs();
    proxy.mode = "down";
    onTestFinished(() => {
      proxy.mode = "up";
    });
    const away = { status: 503, body: { error: { code: "chain.away" } } };
    const next = maker.make({ price: 5n }, session);
    expect((await post({ results: [next, maker.make({}, session)] })).status).toBe(202);
    expect((await post(next)).status).toBe(202);
    expect(await jobs()).toBe(before + 2);
    // Another answer to a request that has one is none to be taken, whatever its kind.
    const second = maker.make({ requestId: next.message.requestId }, session);
    expect(await post(second)).toMatchObject({
      ...{ status: 409, body: { error: { code: "result.other" } } },
    });
    // Whatever is not like it is asked about: another signer, time or version, and what was changed after it was signed.
    const stranger = Wallet.createRandom();
    const { message, signature } = maker.make({}, session);
    for (const unlike of [
      maker.make({}, new Wallet(stranger.privateKey)),
      maker.make({ timestamp: now() + 15n }, session),
      maker.make({ timestamp: now() - 60n }, session),
      maker.make({ modelVersion: deprecated }, session),
      { message: { ...message, outputHash: id("another answer") }, signature },
      maker.make(),
      { results: [maker.make({}, session), maker.make()] },
    ]) {
      expect(await post(unlike)).toMatchObject(away);
    }
    expect(await jobs()).toBe(before + 2);
  });

  it("asks for a verdict anew before it is old, while nobody waits, and drops it where it is another one", async () => {
    const other = tee.enclave("rsa");
    await tee.admit(other);
    const session = await tee.certifySession(other, true);
    const maker = new ResultMaker({ tee, enclave: other, versionId });
    const judged = (changes: Parameters<ResultMaker["make"]>[0] = {}): SignedResult => {
      const { message, signature } = maker.make(changes, session);
      const { price, timestamp, ...rest } = message;
      const numbers = { price: BigInt(price), timestamp: BigInt(timestamp) };
      return { message: { ...rest, ...numbers }, signature, alone: false, place: "" };
    };
    const chain = await connectChain({
      ...{ rpcUrl: proxy.url, timeoutMs: 10_000, chainId: 31_337 },
      addressBook: tee.chain.book,
    });
    let passed = 0;
    const clocks = { elapsed: () => passed, wall: () => Date.now() };
    const verdicts = new RecentVerdicts(chain.domain, clocks);
    const covers = (result: SignedResult) =>
      verdicts.covers(verdicts.kindOf(result) ?? expect.fail(), result.message.timestamp);
    const registries = await Registries.open({ chain, operators: [tee.operator], verdicts });
    let questions = 0;
    proxy.interfere = () => {
      questions += 1;
      return undefined;
    };
    onTestFinished(() => {
      proxy.interfere = () => undefined;
      chain.provider.destroy();
    });
    await registries.requireGood([judged()]);
    questions = 0;
    passed = 4_999;
    await registries.requireGood([judged(), judged()]);
    expect(questions).toBe(0);
    passed = 5_000;
    await registries.requireGood([judged(), judged()]);
    await waitFor(async () => (questions === 0 ? undefined : true));
    expect(questions).toBe(1);
    // The renewed one holds longer than the first would.
    passed = 10_001;
    await waitFor(async () => (covers(judged()) ? true : undefined));
    await (await tee.registry.disableTEE(other.teeId)).wait();
    const ended = BigInt((await tee.chain.provider.getBlock("latest"))?.timestamp ?? 0);
    const late = judged({ timestamp: ended });
    await registries.requireGood([late]);
    await waitFor(async () => (covers(late) ? undefined : true));
    const refused = registries.requireGood([judged({ timestamp: ended })]);
    await expect(refused).rejects.toMatchObject({ code: "result.notInService" });
  });

  it("takes a good result though the endpoint does not say a session's term", async () => {
    const other = tee.enclave("rsa");
    await tee.admit(other);
    const session = await tee.certifySession(other, true);
    const maker = new ResultMaker({ tee, enclave: other, versionId });
    onTestFinished(() => {
      proxy.interfere = () => undefined;
    });
    const selector = tee.registry.interface.getFunction("sessionKey")?.selector ?? "none";
    for (const term of ["0x", "0x12", "nonsense"]) {
      let asked = 0;
      proxy.interfere = (request) => {
        if (Array.isArray(request)) return { error: { code: -32600, message: "no batches" } };
        const [call] = request.params as [{ data?: string } | undefined];
        if (call?.data?.startsWith(selector) !== true) return undefined;
        asked += 1;
        return { result: term };
      };
      expect((await post(maker.make({}, session))).status).toBe(202);
      expect(asked).toBeGreaterThan(0);
    }
  });

  it("answers 503 while the endpoint is away, and stores nothing", async () => {
    const before = await jobs();
    const entry = results.make();
    for (const mode of ["down", "failing"] as const) {
      proxy.mode = mode;
      const answer = await post(entry);
      proxy.mode = "up";
      expect(answer).toMatchObject({ status: 503, body: { error: { code: "chain.away" } } });
    }
    expect(await jobs()).toBe(before);
    expect((await post(entry)).status).toBe(202);
  });

  it("asks for each alone where the endpoint takes no batches, and believes none that has no state", async () => {
    const entries = results.many(2);
    proxy.interfere = (asked) =>
      Array.isArray(asked) ? { error: { code: -32600, message: "no batches" } } : undefined;
    onTestFinished(() => {
      proxy.interfere = () => undefined;
    });
    expect((await post({ results: entries })).status).toBe(202);
    proxy.interfere = (asked) => {
      if (Array.isArray(asked)) return { error: { code: -32600, message: "no batches" } };
      return asked.method === "eth_call" ? { result: "0x" } : undefined;
    };
    expect((await post(results.make())).status).toBe(503);
  });
});

const SIGNATURE = { status: 400, code: "result.enclaveSignatureInvalid", field: "signature" };

describe("a result that is refused", () => {
  it.each([
    ["is not JSON", "{", "body.malformed", "body"],
    ["is a list of nothing", { results: [] }, "request.invalid", "results"],
    [
      "has a field more",
      { message: {}, signature: "0x00", x: 1 },
      "request.invalid",
      "message.modelVersion",
    ],
    ["is no object", "[]", "request.invalid", "body"],
  ])("%s", async (_, body, code, field) => {
    await expectRefusal(body, { status: 400, code, field });
  });

  it.each([
    ["inputHash", "0x12"],
    ["price", "-1"],
    ["price", "1e3"],
    ["timestamp", String(1n << 64n)],
    ["timestamp", 5],
    ["requester", "0x12"],
    ["teeId", ZeroHash],
    ["teeId", undefined],
  ])("names the field %s of the entry where it is %s", async (name, value) => {
    const good = results.make();
    const bad = { ...good, message: { ...good.message, [name]: value } };
    const expected = { status: 400, code: "request.invalid" };
    await expectRefusal(bad, { ...expected, field: `message.${name}` });
    await expectRefusal(
      { results: [good, bad] },
      { ...expected, field: `results.1.message.${name}` },
    );
  });

  it("has an unknown field, or a signature that is none", async () => {
    const entry = results.make();
    const unknown = { status: 400, code: "request.unknownField", field: "results.0.more" };
    await expectRefusal({ results: [{ ...entry, more: 1 }] }, unknown);
    for (const signature of ["0x", "0x1", "12", `0x${"00".repeat(1025)}`]) {
      const expected = { status: 400, code: "request.invalid", field: "signature" };
      await expectRefusal({ ...entry, signature }, expected);
    }
  });

  it("comes with too many, in a body of another type, or on another way", async () => {
    const entry = results.make();
    const many = Array.from({ length: 257 }, () => entry);
    await expectRefusal(
      { results: many },
      { status: 400, code: "request.invalid", field: "results" },
    );
    const typeless = await fetch(`${url}/v1/results`, { method: "POST", body: "{}" });
    expect(typeless.status).toBe(415);
    expect((await fetch(`${url}/v1/results`)).status).toBe(405);
    expect((await fetch(`${url}/v1/results/0x12`)).status).toBe(400);
    expect((await fetch(`${url}/v1/results/${id("no job")}`)).status).toBe(404);
  });

  it("comes in a body that is too large", async () => {
    // A connection of its own: the server ends it, with the rest of the body unread.
    const sent = request(`${url}/v1/results`, {
      ...{ method: "POST", agent: false },
      headers: { "content-type": "application/json", "content-length": 2_000_000 },
    });
    sent.write('{"results":[');
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    expect(answer.statusCode).toBe(413);
    expect(await json(answer)).toMatchObject({ error: { code: "body.tooLarge", field: "body" } });
    sent.destroy();
  });

  it("is under the nonces of another node", async () => {
    const other = tee.enclave("rsa");
    for (const node of [nodeOfEnclave(other.teeId), tee.operator]) {
      const entry = results.make({ requestId: encodeRequestId({ node, nonce: 0n }) });
      const field = "message.requestId";
      await expectRefusal(entry, { status: 400, code: "result.wrongNode", field });
    }
  });

  it("is of no enclave, or of one whose operator is not served here", async () => {
    const unknown = new ResultMaker({ tee, enclave: tee.enclave("rsa"), versionId });
    const field = "message.teeId";
    await expectRefusal(unknown.make(), { status: 400, code: "result.unknownEnclave", field });
    // By default an operator is the node's own account, and this one operates nothing.
    const settings = settingsOf(2, { HACA_OPERATORS: "", ...newQueue() });
    const stranger = await start(settings, ["collect"]).url();
    const answer = await postResults(stranger, results.make());
    expect(answer).toMatchObject({
      status: 403,
      body: { error: { code: "result.otherOperator", field } },
    });
  });

  it("is signed by somebody else, or for another result", async () => {
    const good = results.make();
    const field = (name: string, value: string): Entry => ({
      ...good,
      message: { ...good.message, [name]: value },
    });
    for (const entry of [
      results.make({}, tee.enclave("rsa")),
      results.make({}, new Wallet(developmentKey(8))),
      field("outputHash", id("another answer")),
      field("price", "1"),
      { ...good, signature: "0x00" },
    ]) {
      await expectRefusal(entry, SIGNATURE);
    }
    const listed = { results: [results.make(), { ...good, signature: "0x00" }, results.make()] };
    await expectRefusal(listed, { ...SIGNATURE, field: "results.1.signature" });
  });

  it.each([
    ["from the future", 3_600n, "result.resultFromFuture"],
    ["after its window", -8n * 86_400n, "result.resultExpired"],
  ])("is %s", async (_, ahead, code) => {
    const entry = results.make({ timestamp: now() + ahead });
    await expectRefusal(entry, { status: 400, code, field: "message.timestamp" });
  });

  it("is from before the enclave was in service", async () => {
    const entry = results.make({ timestamp: now() - 86_400n });
    const code = "result.notInService";
    await expectRefusal(entry, { status: 400, code, field: "message.teeId" });
  });

  it("is of a version that nobody published, or that is deprecated", async () => {
    const field = "message.modelVersion";
    const entry = results.make({ modelVersion: id("no version") });
    await expectRefusal(entry, { status: 400, code: "result.versionUnknown", field });
    const ended = await tee.chain.publishManifest("ended");
    await tee.chain.execute(tee.chain.registry, "deprecateVersion", ended);
    const late = results.make({ modelVersion: ended, timestamp: now() + 30n });
    await expectRefusal(late, { status: 410, code: "result.versionDeprecated", field });
  });

  it("is settled on the chain already, by whomever", async () => {
    const { message, signature } = results.make();
    const sent = await tee.chain.execute(tee.chain.settlement, "settleTee", message, signature);
    await sent.wait();
    const field = "message.requestId";
    await expectRefusal(
      { message, signature },
      { status: 409, code: "result.alreadySettled", field },
    );
  });

  it("is another one for a request that has one, here or in the same list", async () => {
    const first = results.make();
    const { requestId } = first.message;
    const second = results.make({ requestId, outputHash: id("another answer") });
    const other = { status: 409, code: "result.other" };
    const list = { results: [first, second] };
    await expectRefusal(list, { ...other, field: "results.1.message.requestId" });
    expect((await post(first)).status).toBe(202);
    await expectRefusal(second, { ...other, field: "message.requestId" });
    await expectRefusal(
      { results: [results.make(), second] },
      { ...other, field: "results.1.message.requestId" },
    );
  });

  it("loses, of two that come at once for one request", async () => {
    const first = results.make();
    const { requestId } = first.message;
    const second = results.make({ requestId, outputHash: id("another answer") });
    const before = await jobs();
    const answers = await Promise.all([post(first), post(second)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    expect(await jobs()).toBe(before + 1);
  });
});

describe("a gateway's answer", () => {
  const startGateway = async (of: SimulatedEnclave, session: { privateKey: string }) => {
    const gateway = await GatewayProcess.start({
      ...{ enclave: of, session, versionId, url, folder: folder.path },
    });
    onTestFinished(() => gateway.stop());
    return gateway;
  };

  it("has its result, good by the contract, on the worker's disk, in one piece and streamed", async () => {
    const of = tee.enclave("rsa");
    await tee.admit(of);
    const session = await tee.certifySession(of, true);
    const gateway = await startGateway(of, session);
    for (const stream of [false, true]) {
      const seen = await gateway.ask({ model: "chat", messages: [], stream });
      const { message, signature } = seen.haca;
      const job = await readJob(url, message.requestId, "results");
      expect(job.state).toBe("proven");
      // The gateway shows its enclave's results as the worker has them; in a page this one is not.
      expect(await readJob(gateway.url, message.requestId, "results")).toEqual(job);
      const page = await fetch(`${gateway.url}/v1/results/${message.requestId}/page`);
      expect(page.status).toBe(404);
      // The very result, which the contract has judged.
      expect(await post({ message, signature })).toMatchObject({ status: 202 });
    }
  });

  it("is none where the contract would not settle its result", async () => {
    const of = tee.enclave("rsa");
    await tee.admit(of);
    const session = Wallet.createRandom();
    const gateway = await startGateway(of, session);
    const before = await jobs();
    const response = await gateway.post({ model: "chat", messages: [] });
    const text = await response.text();
    expect([response.status, text]).toEqual([
      500,
      expect.stringContaining("result.enclaveSignatureInvalid"),
    ]);
    expect(await jobs()).toBe(before);
  });
});

describe("a result that was taken in", () => {
  it("is settled by one transaction of the worker's own, for whatever enclave", async () => {
    const settings = settingsOf(3, { ...newQueue() });
    const worker = await start(settings, ["collect", "settle"]).url();
    const entries = results.many(3);
    expect((await postResults(worker, { results: entries })).status).toBe(202);
    for (const { message } of entries) {
      const { proof, transaction } = await jobIn(worker, message.requestId, "settled", "results");
      expect([proof, typeof transaction?.hash]).toEqual([null, "string"]);
    }
    const counts = await tee.chain.countSettlements();
    expect(entries.map(({ message }) => counts.get(message.requestId))).toEqual([1, 1, 1]);
  });
});
