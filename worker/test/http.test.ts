import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "@haca/model-runtime/loadModel";
import { settlementDomain } from "@haca/protocol/inferenceResult";
import { decodeRequestId } from "@haca/protocol/requestId";
import { verifyTypedData, Wallet } from "ethers";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApp } from "../src/api/createApp.ts";
import { claimIdentity } from "../src/jobs/acceptJob.ts";
import { recordFailure } from "../src/jobs/proofs.ts";
import { countJobs } from "../src/jobs/readJobs.ts";
import { createMetrics } from "../src/metrics/createMetrics.ts";
import type { ServedModel } from "../src/models/servedModel.ts";
import type { Condition } from "../src/repeat.ts";
import type { Database } from "../src/storage/database.ts";
import { openDatabase } from "../src/storage/openDatabase.ts";
import type { Answer, JobView } from "./support/client.ts";
import { compileDigits, digit, label } from "./support/digits.ts";
import { developmentKey } from "./support/localChain.ts";
import { sharedQueue } from "./support/temporaryFolder.ts";

const BODY_LIMIT = 2048;
const PRICE = 10n ** 20n;
const NOW = 1_900_000_000;
const wallet = new Wallet(developmentKey(1));
const domain = settlementDomain({ chainId: 31337n, settlement: `0x${"12".repeat(20)}` });
const folder = sharedQueue();
const conditions = new Map<string, Condition>([["settle", { state: "working" }]]);
let database: Database;
let app: ReturnType<typeof createApp>;
let context: Parameters<typeof createApp>[0];
let models: ServedModel[];
let accepted = 0;

beforeAll(async () => {
  const compiled = await compileDigits();
  const loaded = await loadModel({ folder: compiled.folder });
  const keyFile = join(compiled.folder, loaded.manifest.files.verificationKey);
  const verifyingKey = JSON.parse(readFileSync(keyFile, "utf8"));
  const version = (minor: number, status: ServedModel["status"]): ServedModel => ({
    ...loaded,
    slug: "digits",
    major: 1,
    minor,
    version: `1.${minor}`,
    versionId: `0x${String(minor).repeat(64)}`,
    provable: [],
    status,
    verifyingKey,
  });
  models = [version(0, "published"), version(3, "deprecated"), version(2, "published")];
  database = await openDatabase({ folder: folder.path, url: undefined, onError: () => undefined });
  const identity = { chainId: 31337n, genesisHash: "0x", settlement: "0x", node: wallet.address };
  await claimIdentity({ database, identity });
  const onAccepted = () => {
    accepted += 1;
  };
  context = {
    database,
    metrics: createMetrics({ database }),
    logger: pino({ level: "silent" }),
    bodyLimit: BODY_LIMIT,
    conditions,
    funds: { view: { account: wallet.address, balanceWei: "7", state: "low" } },
    inference: {
      ...{ database, chain: { domain }, wallet, models, price: PRICE, onAccepted },
      optimisticModels: [],
      clock: { seconds: () => NOW },
    },
  };
  app = createApp(context);
});

afterAll(async () => {
  await database.close();
  folder.remove();
});

const JSON_TYPE = { "content-type": "application/json" };

async function post(body: string, headers: Record<string, string> = JSON_TYPE): Promise<Response> {
  return await app.request("/v1/inferences", { method: "POST", headers, body });
}

async function infer(request: object): Promise<Answer> {
  const response = await post(JSON.stringify({ model: "digits", ...request }));
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

const read = async (path: string) => (await (await app.request(path)).json()) as JobView;

const jobs = async (): Promise<number> =>
  Object.values((await countJobs({ database })).states).reduce((sum, count) => sum + count, 0);

describe("POST /v1/inferences", () => {
  it("answers with the model's own result", async () => {
    for (const index of [0, 1, 2, 3, 4]) {
      const { label: answer, outputs, scores } = await infer({ input: digit(index) });
      expect(answer).toBe(label(index));
      expect(scores).toHaveLength(10);
      expect(scores.indexOf(Math.max(...scores))).toBe(answer);
      expect(outputs).toEqual({ scores, label: [answer] });
    }
  });

  it("signs a receipt that EIP-712 libraries check", async () => {
    const requester = wallet.address.toLowerCase();
    const { receipt, requestId } = await infer({ input: digit(0), requester });
    const { message, signature, types } = receipt;
    expect(verifyTypedData(receipt.domain, types, message, signature)).toBe(wallet.address);
    expect(message).toMatchObject({ requestId, requester: wallet.address, price: String(PRICE) });
    expect(message.timestamp).toBe(String(NOW));
    expect(verifyTypedData(receipt.domain, types, { ...message, price: "1" }, signature)).not.toBe(
      wallet.address,
    );
  });

  it("queues the job before it answers, and gives request nonces in order", async () => {
    const [before, told] = [await jobs(), accepted];
    const { requestId, statusUrl } = await infer({ input: digit(1) });
    expect(await jobs()).toBe(before + 1);
    expect(accepted).toBe(told + 1);
    const next = await infer({ input: digit(1) });
    expect(decodeRequestId(next.requestId)).toEqual({
      node: wallet.address,
      nonce: decodeRequestId(requestId).nonce + 1n,
    });
    expect(statusUrl).toMatch(new RegExp(`^http://.*/v1/inferences/${requestId}$`));
  });

  it("takes the newest version that is not deprecated, unless told", async () => {
    expect((await infer({ input: digit(0) })).version).toBe("1.2");
    expect((await infer({ input: digit(0), version: "1.0" })).version).toBe("1.0");
  });

  it("gives concurrent requests different nonces", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => infer({ input: digit(index) })),
    );
    expect(new Set(answers.map(({ requestId }) => requestId)).size).toBe(8);
  });
});

describe("refusals", () => {
  const good = digit(0);
  const withInput = (input: unknown) => JSON.stringify({ model: "digits", input });
  const withElement = (element: string) =>
    `{"model":"digits","input":[${[element, ...good.slice(1)].join(",")}]}`;
  const withFields = (fields: object) =>
    JSON.stringify({ model: "digits", input: good, ...fields });

  const bodies: [string, string, number, string, string, RegExp][] = [
    ["no JSON", "{", 400, "body.malformed", "body", /is not JSON/],
    ["an empty body", "", 400, "body.malformed", "body", /is not JSON/],
    ["a list", "[]", 400, "request.invalid", "body", /expected object/],
    ["null", "null", 400, "request.invalid", "body", /expected object/],
    ["NaN", withElement("NaN"), 400, "body.malformed", "body", /is not JSON/],
    ["Infinity", withElement("Infinity"), 400, "body.malformed", "body", /is not JSON/],
    ["1e999", withElement("1e999"), 400, "input.notFinite", "input[0]", /finite number/],
    ["-1e999", withElement("-1e999"), 400, "input.notFinite", "input[0]", /-Infinity/],
    ["a string", withElement('"1"'), 400, "input.wrongType", "input[0]", /got a string/],
    ["null inside", withElement("null"), 400, "input.wrongType", "input[0]", /got null/],
    ["a boolean", withElement("true"), 400, "input.wrongType", "input[0]", /got a boolean/],
    ["an object", withElement("{}"), 400, "input.wrongType", "input[0]", /got an object/],
    ["too large", withElement("21"), 400, "input.outOfRange", "input[0]", /must be 0 to 20/],
    ["negative", withElement("-1"), 400, "input.outOfRange", "input[0]", /must be 0 to 20/],
    ["huge", withElement("1e300"), 400, "input.outOfRange", "input[0]", /must be 0 to 20/],
    ["a fraction", withElement("1.5"), 400, "input.notInteger", "input[0]", /whole numbers/],
    ["too few", withInput(good.slice(1)), 400, "input.wrongShape", "input", /64 .*got 63/],
    ["too many", withInput([...good, 0]), 400, "input.wrongShape", "input", /64 .*got 65/],
    ["none", withInput([]), 400, "input.wrongShape", "input", /64 .*got 0/],
    ["nested wrongly", withInput([good]), 400, "input.wrongShape", "input", /64 .*got 1/],
    ["input as text", withInput("0"), 400, "request.invalid", "input", /array of numbers/],
    ["no input", '{"model":"digits"}', 400, "request.invalid", "input", /is missing/],
    ["no model", '{"input":[]}', 400, "request.invalid", "model", /is missing/],
    ["a number as model", withFields({ model: 5 }), 400, "request.invalid", "model", /string/],
    ["another model", withFields({ model: "mnist" }), 404, "model.unknown", "model", /"mnist"/],
    [
      "a prototype's name",
      withFields({ model: "__proto__" }),
      404,
      "model.unknown",
      "model",
      /not served/,
    ],
    [
      "another version",
      withFields({ version: "9.9" }),
      404,
      "model.unknownVersion",
      "version",
      /9\.9/,
    ],
    [
      "a deprecated version",
      withFields({ version: "1.3" }),
      410,
      "model.deprecated",
      "version",
      /1\.3/,
    ],
    [
      "half a version",
      withFields({ version: "1" }),
      400,
      "request.invalid",
      "version",
      /major\.minor/,
    ],
    [
      "a bad requester",
      withFields({ requester: "0x12" }),
      400,
      "request.invalid",
      "requester",
      /address/,
    ],
    [
      "a bad checksum",
      withFields({ requester: "0x70997970c51812dc3A010C7d01b50e0d17dc79C8" }),
      400,
      "request.invalid",
      "requester",
      /address/,
    ],
    [
      "an unknown field",
      withFields({ modle: 1 }),
      400,
      "request.unknownField",
      "modle",
      /not a known field/,
    ],
    [
      "too many bytes",
      withFields({ model: "x".repeat(BODY_LIMIT) }),
      413,
      "body.tooLarge",
      "body",
      /2048 bytes/,
    ],
  ];
  it.each(bodies)("%s: nothing is queued", async (_, body, status, code, field, message) => {
    const [before, told] = [await jobs(), accepted];
    const response = await post(body);
    const { error } = (await response.json()) as { error: Record<string, string> };
    expect(error).toEqual({ code, field, message: expect.stringMatching(message) });
    expect(response.status).toBe(status);
    expect(await jobs()).toBe(before);
    expect(accepted).toBe(told);
  });

  it.each([["text/plain"], ["application/x-www-form-urlencoded"], [""]])(
    "content type %j: nothing is queued",
    async (type) => {
      const before = await jobs();
      const response = await post(withInput(good), { "content-type": type });
      expect(response.status).toBe(415);
      expect(await response.json()).toMatchObject({ error: { field: "content-type" } });
      expect(await jobs()).toBe(before);
    },
  );

  it("counts the bytes of a body that does not say its length", async () => {
    const before = await jobs();
    const bytes = new TextEncoder().encode(withFields({ model: "x".repeat(BODY_LIMIT) }));
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes);
        controller.close();
      },
    });
    const init: RequestInit & { duplex: "half" } = {
      method: "POST",
      headers: JSON_TYPE,
      body,
      duplex: "half",
    };
    const response = await app.request(new Request("http://localhost/v1/inferences", init));
    expect(response.status).toBe(413);
    expect(await jobs()).toBe(before);
  });

  const paths: [string, string, number, string][] = [
    ["GET", "/", 404, "path.unknown"],
    ["POST", "/v1/inference", 404, "path.unknown"],
    ["GET", "/v1/inferences", 405, "method.notAllowed"],
    ["DELETE", `/v1/inferences/0x${"00".repeat(32)}`, 405, "method.notAllowed"],
    ["POST", "/v1/models", 405, "method.notAllowed"],
    ["POST", "/health", 405, "method.notAllowed"],
    ["GET", `/v1/inferences/0x${"00".repeat(32)}`, 404, "request.unknown"],
    ["GET", "/v1/inferences/0x1234", 400, "request.malformedId"],
    ["GET", "/v1/inferences/..%2f", 400, "request.malformedId"],
  ];
  it.each(paths)("%s %s", async (method, path, status, code) => {
    const response = await app.request(path, { method });
    expect(await response.json()).toMatchObject({ error: { code } });
    expect(response.status).toBe(status);
    if (status === 405) expect(response.headers.get("allow")).toMatch(/^(GET|POST)$/);
  });
});

describe("reading", () => {
  it("shows a job by its request id, in either case", async () => {
    const { receipt, requestId } = await infer({ input: digit(2) });
    const job = await read(`/v1/inferences/${requestId.toUpperCase().replace("0X", "0x")}`);
    expect(job).toMatchObject({
      requestId,
      state: "accepted",
      proof: null,
      failure: null,
      receipt,
    });
  });

  it("shows why a job failed", async () => {
    const { requestId } = await infer({ input: digit(2) });
    const [code, message] = ["revert.Some", "Some(1)"];
    await recordFailure({ database, requestId, from: "accepted", code, message });
    expect(await read(`/v1/inferences/${requestId}`)).toMatchObject({
      state: "failed",
      failure: "revert.Some: Some(1)",
      failureCode: "revert.Some",
    });
  });

  it("lists the models", async () => {
    const { models: listed } = (await (await app.request("/v1/models")).json()) as {
      models: Record<string, unknown>[];
    };
    expect(listed.map(({ version, status }) => `${version} ${status}`)).toEqual([
      "1.0 published",
      "1.3 deprecated",
      "1.2 published",
    ]);
    expect(listed[0]).toMatchObject({
      model: "digits",
      input: { minimum: 0, maximum: 20, shape: expect.any(Array) },
      labelOutput: "label",
    });
  });

  it("is healthy, or degraded while a role backs off", async () => {
    const health = async () => (await app.request("/health")).json();
    expect(await health()).toMatchObject({ status: "ok", jobs: { accepted: expect.any(Number) } });
    conditions.set("settle", { state: "backing off", error: "down", since: new Date(0) });
    expect(await health()).toMatchObject({
      status: "degraded",
      roles: { settle: { error: "down", since: "1970-01-01T00:00:00.000Z" } },
    });
    conditions.set("settle", { state: "working" });
  });

  it("lets pages ask that are of a site that is named, and no others, nor for anything else", async () => {
    const site = "https://app.example";
    const allowed = async (path: string, origins: string[], method = "OPTIONS") => {
      const headers = { origin: site, "access-control-request-method": "POST" };
      const answer = await createApp({ ...context, origins }).request(path, { method, headers });
      return answer.headers.get("access-control-allow-origin");
    };
    for (const path of ["/v1/inferences", "/v1/inferences/0x1/page", "/v1/results/0x1/page"]) {
      expect(await allowed(path, [site])).toBe(site);
      expect(await allowed(path, ["*"])).toBe("*");
      expect(await allowed(path, ["https://other.example"])).toBeNull();
      expect(await allowed(path, [])).toBeNull();
    }
    expect(await allowed("/v1/inferences/0x1", [site], "GET")).toBe(site);
    for (const path of ["/metrics", "/health", "/v1/results", "/v1/payments/cancelled"]) {
      expect(await allowed(path, [site])).toBeNull();
    }
  });

  it("has metrics", async () => {
    const { states } = await countJobs({ database });
    const text = await (await app.request("/metrics")).text();
    expect(text).toContain(`haca_jobs{state="accepted"} ${states.accepted}\n`);
    expect(text).toContain(`haca_jobs{state="settled"} 0\n`);
    expect(text).toContain(`haca_jobs_failed{reason="revert.Some"} 1\n`);
    expect(text).toMatch(/haca_http_requests_total{status="404"} [1-9]/);
    expect(text).toContain("# TYPE haca_prove_seconds histogram");
    expect(text).toContain("# TYPE haca_settlement_gas histogram");
  });
});
