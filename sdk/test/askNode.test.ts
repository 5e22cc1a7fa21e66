import type { LookupAddress } from "node:dns";
import { afterEach, describe, expect, it, vi } from "vitest";
import { askNode, askNodeJson, certificateOf } from "../src/client/askNode.ts";
import { isPublicAddress } from "../src/client/node/publicAddress.ts";
import { tls } from "../src/client/node/sendByHttp.ts";
import { readNodeAddress } from "../src/client/nodeAddress.ts";
import { send as sendByFetch } from "../src/client/sendByFetch.ts";
import { pairOf } from "./support/certificates.ts";
import { serve } from "./support/fakeChain.ts";

/** A resolver by which one of a name's addresses is inside. */
vi.mock("node:dns", () => ({
  lookup: (
    _name: string,
    _options: object,
    callback: (error: null, addresses: LookupAddress[]) => void,
  ) =>
    callback(null, [
      { address: "1.1.1.1", family: 4 },
      { address: "10.0.0.1", family: 4 },
    ]),
}));

const LIMITS = { bytes: 1000, ms: 60_000 };
const ask = (url: string, rest: Partial<Parameters<typeof askNode>[0]> = {}) =>
  askNode({ node: new URL(url), path: "/x", limits: LIMITS, ...rest });

const open: { close: () => void }[] = [];
const serving = async (listener: Parameters<typeof serve>[1]): Promise<string> => {
  const endpoint = await serve([], listener);
  open.push(endpoint);
  return endpoint.url;
};
afterEach(() => {
  for (const endpoint of open.splice(0)) endpoint.close();
});

describe("a node's address", () => {
  it.each([
    "https://node.example",
    "https://node.example/a/",
    "http://127.0.0.1:1",
    "http://[::1]:1",
  ])("%s is taken", (text) => expect(readNodeAddress(text).href).toContain(text));
  it.each([
    "http://node.example",
    "ftp://127.0.0.1",
    "x",
    "https://u:p@node.example",
    "https://n.example/?a",
    "http://127.0.0.1.example",
  ])("%s is refused", (text) =>
    expect(() => readNodeAddress(text)).toThrow(
      expect.objectContaining({ code: "node.badAddress" }),
    ),
  );
});

describe("addresses that are not public", () => {
  it.each([
    ...[
      "10.1.2.3",
      "127.0.0.2",
      "169.254.169.254",
      "172.31.0.1",
      "192.168.1.1",
      "100.64.0.1",
      "0.0.0.0",
      "224.0.0.1",
    ],
    ...[
      "::1",
      "::",
      "fe80::1",
      "fd00::1",
      "::ffff:10.0.0.1",
      "::ffff:1.1.1.1",
      "64:ff9b::a00:1",
      "2002:a00:1::",
      "ff02::1",
    ],
  ])("%s", (address) => expect(isPublicAddress(address)).toBe(false));
  it.each(["1.1.1.1", "172.32.0.1", "2606:4700::1111"])("%s is public", (address) =>
    expect(isPublicAddress(address)).toBe(true),
  );

  it("are not connected to, by a channel neither: as written, or by a name", async () => {
    const { certificate } = pairOf();
    for (const url of ["https://10.0.0.1", "https://[fd00::1]", "https://inside.example"]) {
      const refused = { code: "node.privateAddress" };
      await expect(ask(url)).rejects.toMatchObject(refused);
      const node = new URL(url);
      const send = tls.pinnedTo(node, certificate);
      await expect(ask(url, { send })).rejects.toMatchObject(refused);
      await expect(certificateOf({ tls, node, limits: LIMITS })).rejects.toMatchObject(refused);
    }
  });
});

describe("a node that is a stranger", () => {
  it("is asked once, with what belongs to it, behind its path", async () => {
    const url = await serving(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      response.end(
        JSON.stringify([request.method, request.url, request.headers["content-type"], body]),
      );
    });
    const answer = await askNodeJson({
      node: new URL(`${url}/a/`),
      path: "/v1",
      json: "{}",
      limits: LIMITS,
    });
    expect(answer).toEqual(["POST", "/a/v1", "application/json", "{}"]);
    expect(JSON.parse((await ask(url)).text)).toEqual(["GET", "/x", null, ""]);
  });

  it("leads nowhere else, not even here", async () => {
    let calls = 0;
    const url = await serving((_request, response) => {
      calls += 1;
      response.writeHead(307, { location: "/other" }).end("more");
    });
    await expect(ask(url)).rejects.toMatchObject({ code: "node.redirect" });
    expect(calls).toBe(1);
    const call = { url: new URL(url), method: "GET", headers: {}, body: undefined } as const;
    const { status } = await sendByFetch({ ...call, signal: AbortSignal.timeout(60_000) });
    expect([status, calls]).toEqual([307, 2]);
  });

  it("is not read beyond the limit, nor waited for beyond its time", async () => {
    const endless = await serving((_request, response) => {
      const more = (): void => {
        while (response.write("x".repeat(10_000)));
      };
      response.on("drain", more);
      more();
    });
    await expect(ask(endless)).rejects.toMatchObject({ code: "node.tooLong" });
    const silent = await serving(() => undefined);
    const late = { limits: { bytes: 10, ms: 50 } };
    await expect(ask(silent, late)).rejects.toMatchObject({ code: "node.timeout" });
    const halting = await serving((_request, response) => void response.write("x"));
    await expect(ask(halting, late)).rejects.toMatchObject({ code: "node.timeout" });
  });

  it("that breaks off, or is not there, is told apart from one that answers", async () => {
    const url = await serving((_request, response) => {
      response.write("x", () => response.destroy());
    });
    await expect(ask(url)).rejects.toMatchObject({ code: "node.brokenOff" });
    open.pop()?.close();
    await expect(ask(url)).rejects.toMatchObject({ code: "node.unreachable" });
  });

  it("is let go of when the caller ends it, with the caller's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    let isGone: Promise<void> | undefined;
    const url = await serving((_request, response) => {
      isGone = new Promise((resolve) => response.on("close", resolve));
      controller.abort(reason);
    });
    await expect(ask(url, { signal: controller.signal })).rejects.toBe(reason);
    await isGone;
    await expect(ask(url, { signal: controller.signal })).rejects.toBe(reason);
  });

  it("refuses in words that fit into a line; wants to be paid with its prices", async () => {
    const offer = { scheme: "upto", network: "eip155:1", amount: "7", asset: "0xabc" };
    let status = 503;
    const url = await serving((_request, response) => {
      response.writeHead(status, {
        "payment-required": btoa(JSON.stringify({ x402Version: 2, accepts: [offer] })),
      });
      response.end(JSON.stringify({ error: { message: "no\n\u001b[31mroom", code: "busy" } }));
    });
    const question = { node: new URL(url), path: "/", limits: LIMITS };
    await expect(askNodeJson(question)).rejects.toMatchObject({
      ...{ code: "node.refused", details: { status: 503, code: "busy" } },
      message: expect.stringMatching(/\(503\): no \[31mroom$/),
    });
    status = 402;
    await expect(askNodeJson(question)).rejects.toMatchObject({
      ...{ code: "payment.required", details: { offers: [offer] } },
      message: expect.stringContaining("7 of 0xabc on eip155:1 by upto; nothing was paid"),
    });
    status = 200;
    await expect(askNodeJson(question)).resolves.toEqual({ error: expect.anything() });
  });
});
