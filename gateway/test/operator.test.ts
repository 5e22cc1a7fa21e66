import { constants, generateKeyPairSync, verify } from "node:crypto";
import { ohttpKeyDigest, teeRegistryDomain } from "@haca/protocol/teeMessages";
import { getBytes } from "ethers";
import { expect, it } from "vitest";
import { openResultSigner } from "../src/profile/resultSigner.ts";
import { Bed, UPSTREAM } from "./support/bed.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const signer = openResultSigner({
  attestedKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
});
const operator = { host: "127.0.0.1", port: 0 };
const STATEMENT = {
  ...{ chainId: "31337", registry: "0x5FbDB2315678afecb367f032d93F642f64180aa3" },
  ...{ deadline: "1800000000", counter: "4" },
};
const REFUSED = { type: "invalid_request_error" };

type Posted = {
  [field: string]: unknown;
  status: unknown;
  error?: { code: string; message: string; param: string | null };
};

const post = async (
  bed: Bed,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Posted> => {
  const response = await fetch(`${bed.gateway.operatorUrl}${path}`, {
    ...{ method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) },
  });
  const json = (await response.json()) as Record<string, unknown>;
  // A body may have a word of its own for it.
  return { status: response.status, ...json };
};

it("signs the current key for oblivious requests for one registry on one chain", async () => {
  const bed = await Bed.forTest({ signer, operator });
  for (const keyId of [1, 2]) {
    const { signature, status, teeId, ...rest } = await post(bed, "/enclave/ohttp-key", STATEMENT);
    expect(status).toBe(200);
    expect(rest).toMatchObject({ keyId, kemId: 32, kdfId: 1, aeadId: 3 });
    expect(teeId).toBe(signer.teeId);
    const domain = teeRegistryDomain({ chainId: 31337n, registry: STATEMENT.registry });
    const record = rest as unknown as Parameters<typeof ohttpKeyDigest>[0]["record"];
    const terms = { deadline: 1_800_000_000n, counter: 4n };
    const digest = ohttpKeyDigest({ domain, teeId: signer.teeId, record, ...terms });
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32, key: publicKey };
    expect(verify("sha256", getBytes(digest), pss, getBytes(String(signature)))).toBe(true);
    expect(await post(bed, "/enclave/ohttp-key/next", { keyId })).toMatchObject({
      keyId: keyId + 1,
    });
  }
});

it("is nowhere on the side that everybody reaches", async () => {
  const bed = await Bed.forTest({ signer, operator });
  for (const path of ["/enclave/ohttp-key", "/enclave/ohttp-key/next", "/v1/keys"]) {
    const response = await fetch(`${bed.gateway.url}${path}`, { method: "POST", body: "{}" });
    expect(response.status).toBe(404);
  }
  expect(await post(bed, "/v1/chat/completions", {})).toMatchObject({
    status: 404,
    error: REFUSED,
  });
  const without = await Bed.forTest({ signer });
  expect(without.gateway.operatorUrl).toBeUndefined();
});

it.each<[string, string, unknown, string | null]>([
  ["no JSON", "/enclave/ohttp-key", "{", "body"],
  ["no registry", "/enclave/ohttp-key", { ...STATEMENT, registry: "0x12" }, "registry"],
  ["a number", "/enclave/ohttp-key", { ...STATEMENT, counter: 4 }, "counter"],
  ["65 bits", "/enclave/ohttp-key", { ...STATEMENT, deadline: String(1n << 64n) }, "deadline"],
  ["what it does not know", "/enclave/ohttp-key", { ...STATEMENT, message: "0x12" }, "body"],
  ["no key id", "/enclave/ohttp-key/next", {}, "keyId"],
  ["an id that is none", "/enclave/ohttp-key/next", { keyId: 256 }, "keyId"],
  ["no key", "/v1/keys", {}, "body"],
  ["two keys", "/v1/keys", { openai_api_key: "a", xai_api_key: "b" }, "body"],
  ["another setting", "/v1/keys", { openai_api_key: "a", facilitator_url: "b" }, "body"],
  ["a key with a line end", "/v1/keys", { openai_api_key: "secret-4711\n" }, "openai_api_key"],
  ["a number as a key", "/v1/keys", { openai_api_key: 4711 }, "openai_api_key"],
  ["a key twice", "/v1/keys", '{"openai_api_key":"secret-4711","openai_api_key":"b"}', "body"],
])("refuses %s at %s, and says which field", async (_, path, body, param) => {
  const bed = await Bed.forTest({ signer, operator, upstream: { ...UPSTREAM, key: undefined } });
  const { error, status } = await post(bed, path, body);
  expect(status).toBe(400);
  expect(error).toMatchObject({ code: "body.malformed", param });
  expect(error?.message).toMatch(new RegExp(`^${param}: `));
  expect(error?.message + bed.log.join()).not.toContain("4711");
});

it("does nothing for a page in a browser of the operator's machine", async () => {
  const bed = await Bed.forTest({ signer, operator, upstream: { ...UPSTREAM, key: undefined } });
  const asked = [
    ["/enclave/ohttp-key", STATEMENT],
    ["/enclave/ohttp-key/next", { keyId: 1 }],
    ["/v1/keys", { openai_api_key: "of-the-attacker" }],
  ] as const;
  for (const [path, body] of asked) {
    // What a form sends, without the question that browsers ask before anything else.
    const headers = { origin: "https://attacker.example", "content-type": "text/plain" };
    const answer = await post(bed, path, body, headers);
    expect(answer).toMatchObject({
      status: 403,
      error: { code: "origin.refused", param: "origin" },
    });
  }
  expect(await post(bed, "/enclave/ohttp-key", STATEMENT)).toMatchObject({ status: 200, keyId: 1 });
  expect(await post(bed, "/v1/keys", { openai_api_key: "own" })).toMatchObject({ status: "ok" });
});

it("refuses a body that is too large", async () => {
  const bed = await Bed.forTest({ signer, operator });
  const answer = await post(bed, "/v1/keys", "x".repeat(5000));
  expect(answer).toMatchObject({ status: 413, error: { param: "body" } });
});

it("gives the upstream its key once, and shows it nowhere", async () => {
  const bed = await Bed.forTest({ signer, operator, upstream: { ...UPSTREAM, key: undefined } });
  await bed.answer({ model: "m", messages: [] });
  expect(await post(bed, "/v1/keys", { anthropic_api_key: "secret-4711" })).toEqual({
    ...{ status: "ok", providers_initialized: ["anthropic"], heartbeat_enabled: false },
  });
  expect(await post(bed, "/v1/keys", { anthropic_api_key: "secret-4712" })).toMatchObject({
    ...{ status: 409, error: { code: "keys.given" } },
  });
  await bed.answer({ model: "m", messages: [] });
  expect(bed.upstream.received.map(({ headers }) => headers.authorization)).toEqual([
    ...[undefined, "Bearer secret-4711"],
  ]);
  // An upstream that repeats it in its refusal.
  const said = JSON.stringify({ error: { message: "bad key secret-4711" } });
  bed.upstream.handler = (response) => void response.writeHead(400).end(said);
  const refusal = await bed.refusal({ model: "m", messages: [] });
  expect(JSON.stringify(refusal) + bed.log.join()).not.toContain("secret-471");
});

it("takes no key where the settings have one", async () => {
  const bed = await Bed.forTest({ signer, operator });
  const answer = await post(bed, "/v1/keys", { openai_api_key: "other" });
  expect(answer).toMatchObject({ status: 409 });
});
