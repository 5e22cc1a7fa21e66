import { encodeRequestId, nodeOfEnclave } from "@haca/protocol/requestId";
import { id } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VARIABLES } from "../src/settings/variables.ts";
import { answering, Bed, SIGNER } from "./support/bed.ts";

const SITE = "https://app.example";
const ORIGIN = "access-control-allow-origin";
const http = { host: "127.0.0.1", port: 0 };
let [open, closed]: Bed[] = [];
const bed = (which: Bed | undefined): Bed => which ?? expect.fail("not started");
beforeAll(async () => {
  [open, closed] = await Promise.all([
    Bed.start({ http: { ...http, origins: [SITE, "https://other.example"] } }),
    Bed.start(),
  ]);
});
beforeEach(() => bed(open).reset());
afterAll(() => Promise.all([bed(open).stop(), bed(closed).stop()]));

const preflight = (path: string, origin = SITE, from = open): Promise<Response> =>
  fetch(`${bed(from).gateway.url}${path}`, {
    method: "OPTIONS",
    headers: {
      ...{ origin, "access-control-request-method": "POST" },
      "access-control-request-headers": "content-type,haca-salt,idempotency-key",
    },
  });
const idOf = (nonce: bigint, teeId = SIGNER.teeId): string =>
  encodeRequestId({ node: nodeOfEnclave(teeId), nonce });

describe("pages of the sites that are named", () => {
  it.each([
    ...["/v1/chat/completions", "/v1/channel/chat/completions", "/v1/channel/completions"],
    ...["/v1/ohttp", "/v1/models", "/signing-key", `/v1/results/${idOf(1n)}/page`],
  ])("may ask %s", async (path) => {
    const answer = await preflight(path);
    expect([answer.status, answer.headers.get(ORIGIN)]).toEqual([204, SITE]);
    const allowed = answer.headers.get("access-control-allow-headers") ?? "";
    expect(allowed.split(",")).toEqual(
      expect.arrayContaining(["content-type", "haca-salt", "idempotency-key"]),
    );
  });

  it("may read answers, refusals, and what they cost, and send no cookies", async () => {
    const question = { model: "m", messages: [] };
    const headers = { origin: SITE };
    for (const body of [question, { ...question, stream: true }, { ...question, model: "x" }]) {
      const answer = await bed(open).post(body, { headers });
      await answer.text();
      expect(answer.headers.get(ORIGIN)).toBe(SITE);
      expect(answer.headers.get("access-control-expose-headers")).toContain("payment-required");
      expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    }
  });

  it("are these alone, and none where none is named; nor is anything else theirs", async () => {
    for (const [origin, from] of [
      ["https://app.example.org", open],
      [SITE, closed],
    ] as const) {
      const answer = await preflight("/v1/models", origin, from);
      expect(answer.headers.get(ORIGIN)).toBeNull();
    }
    expect((await preflight("/metrics")).headers.get(ORIGIN)).toBeNull();
  });

  it.each(["app.example", "https://app.example/", "https://a.example,*", ","])(
    "are not named by %s",
    (text) => expect(VARIABLES.HACA_GATEWAY_ORIGINS.schema.safeParse(text).success).toBe(false),
  );
});

describe("results of the gateway's enclave", () => {
  const read = async (path: string) => {
    const answer = await fetch(`${bed(open).gateway.url}/v1/results/${path}`);
    return { status: answer.status, value: (await answer.json()) as unknown };
  };

  it("are shown as the worker has them, and the page that has one", async () => {
    bed(open).queue.handler = answering({ state: "pending" });
    expect(await read(idOf(7n))).toEqual({ status: 200, value: { state: "pending" } });
    bed(open).queue.handler = answering({ pageId: "0x1", path: [] });
    expect(await read(`${idOf(7n)}/page`)).toMatchObject({ status: 200, value: { path: [] } });
    expect(bed(open).queue.received.map(({ path }) => path)).toEqual([
      `/v1/results/${idOf(7n)}`,
      `/v1/results/${idOf(7n)}/page`,
    ]);
  });

  it.each([
    ["another enclave's", idOf(7n, id("another"))],
    ["what is no request", "0x12"],
    ["what leads elsewhere", `${encodeURIComponent("../../metrics?")}`],
  ])("are no way to ask the worker for %s", async (_name, path) => {
    expect(await read(path)).toMatchObject({
      ...{ status: 404, value: { error: { code: "result.unknown" } } },
    });
    expect(bed(open).queue.received).toEqual([]);
  });

  it.each<[string, Parameters<typeof answering>, number, string]>([
    ["knows none", [{}, 404], 404, "result.unknown"],
    ["is not well", [{ error: "secret" }, 500], 503, "queue.away"],
    ["answers no JSON", ["<html>"], 503, "queue.away"],
    ["answers no object", ["7"], 503, "queue.away"],
    ["answers without an end", [" ".repeat(300_000)], 503, "queue.away"],
  ])("are not there where the worker %s", async (_name, answer, status, code) => {
    bed(open).queue.handler = answering(...answer);
    expect(await read(idOf(7n))).toMatchObject({ status, value: { error: { code } } });
  });
});
