import { createHash, generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { makeCertificate } from "@haca/enclave-simulator/makeCertificate";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ANSWER, DONE, ends, says } from "./support/bed.ts";
import { ask, Command, SESSION } from "./support/command.ts";

let command: Command;
let server: Server;
let calls = 0;
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const now = BigInt(Math.floor(Date.now() / 1000));
const certificate = makeCertificate({
  fields: {
    ...{ issuer: "localhost", subject: "localhost", serial: 1n, publicKey },
    ...{ notBefore: now - 60n, notAfter: now + 86_400n },
  },
  issuerKey: privateKey,
  hash: "sha256",
});
const pin = createHash("sha256").update(certificate).digest("hex");
const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate).toString("base64")}\n-----END CERTIFICATE-----\n`;
const other = "12".repeat(32);

beforeAll(async () => {
  command = await Command.prepare();
  writeFileSync(join(command.folder, "upstream.pem"), pem);
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  server = createServer({ key, cert: pem }, (request, response) => {
    calls += 1;
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      if (body.includes('"stream":true')) {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.end(says("Hello") + ends() + DONE);
      } else if (request.url?.includes("moved")) response.writeHead(302, { location: "/v1" }).end();
      else
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(ANSWER));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await command.stop();
});

const settings = (pins: string, path = "v1") => ({
  HACA_GATEWAY_UPSTREAM: `https://localhost:${(server.address() as AddressInfo).port}/${path}`,
  HACA_GATEWAY_UPSTREAM_CERTIFICATE: pins,
  // An authority that this machine trusts vouches for it.
  NODE_EXTRA_CA_CERTS: join(command.folder, "upstream.pem"),
});
const QUESTION = { model: "m", messages: [] };

it("an upstream is asked whose certificate the settings name, in either way", async () => {
  const colons = pin.toUpperCase().replace(/(..)(?!$)/g, "$1:");
  const { url } = await command.start(settings(`${other}, ${colons}`));
  expect((await ask(url, QUESTION)).status).toBe(200);
  const stream = await ask(url, { ...QUESTION, stream: true });
  expect(await stream.text()).toContain("Hello");
});

it("one that shows another certificate gets neither the request nor the key", async () => {
  const { url } = await command.start(settings(other));
  calls = 0;
  for (let i = 0; i < 2; i += 1) {
    const response = await ask(url, QUESTION);
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code: "upstream.otherCertificate" } });
  }
  expect(calls).toBe(0);
});

it("a certificate that is named is verified all the same, and redirections are not followed", async () => {
  const { NODE_EXTRA_CA_CERTS: _, ...untrusted } = settings(pin);
  const first = await command.start(untrusted);
  expect(await (await ask(first.url, QUESTION)).json()).toMatchObject({
    error: { code: "upstream.away" },
  });
  const second = await command.start(settings(pin, "moved"));
  expect(await (await ask(second.url, QUESTION)).json()).toMatchObject({
    error: { code: "upstream.away" },
  });
});

it.each([
  ["12", /^HACA_GATEWAY_UPSTREAM_CERTIFICATE: must be a list of SHA-256 hashes/],
  [other, /^HACA_GATEWAY_UPSTREAM_CERTIFICATE: the upstream is spoken to by http/],
])("a pin %s for an http upstream is refused at the start", async (pins, message) => {
  const { code, error } = await command.run(["start"], { HACA_GATEWAY_UPSTREAM_CERTIFICATE: pins });
  expect(code).toBe(2);
  expect(error).toMatch(message);
});

it("a facilitator is refused where the gateway has not the attested RSA key itself", async () => {
  const facilitator = { HACA_GATEWAY_LEGACY_FACILITATOR: "http://127.0.0.1:1" };
  const { code, error } = await command.run(["start"], facilitator);
  expect(code).toBe(2);
  expect(error).toMatch(
    /^HACA_GATEWAY_LEGACY_FACILITATOR: the profile legacy is signed by an attested RSA/,
  );
  const own = {
    ...facilitator,
    HACA_GATEWAY_ATTESTED_KEY: join(command.folder, "private.pem"),
    HACA_GATEWAY_SESSION_KEY: "",
  };
  const checked = await command.run(["check"], own);
  expect(checked.code).toBe(1);
  expect(checked.out).toContain("legacy      http://127.0.0.1:1");
  expect(checked.out).toContain(
    "problem     HACA_GATEWAY_LEGACY_FACILITATOR: no facilitator answers",
  );
});

it("a gateway with prices has no key for sealed requests without a price for them, or the attested key", async () => {
  const book = JSON.parse(readFileSync(join(command.folder, "book.json"), "utf8"));
  book.contracts.OPG = book.contracts.InferenceSettlement;
  const path = join(command.folder, "withToken.json");
  writeFileSync(path, JSON.stringify(book));
  const priced = {
    HACA_ADDRESS_BOOK: path,
    HACA_GATEWAY_PRICES: JSON.stringify({ models: { m: { token: "OPG", amount: "1" } } }),
    HACA_GATEWAY_PAYEE: `0x${"11".repeat(20)}`,
    ...{ HACA_GATEWAY_FACILITATOR: "http://127.0.0.1:1", HACA_GATEWAY_ROUTES: "exact" },
    HACA_GATEWAY_ATTESTED_KEY: join(command.folder, "private.pem"),
    HACA_GATEWAY_SESSION_KEY: "",
  };
  const row = { token: "OPG", amount: "1", perToken: { input: "1", output: "1" } };
  const byTokens = { ...priced, HACA_GATEWAY_PRICES: JSON.stringify({ models: { m: row } }) };
  const { error: routes } = await command.run(["start"], byTokens);
  expect(routes).toMatch(/^HACA_GATEWAY_ROUTES: exact pays before there is an answer: /);
  const facilitator = { HACA_GATEWAY_LEGACY_FACILITATOR: "http://127.0.0.1:1" };
  const gateway = await command.start({ ...priced, ...facilitator });
  const key = await fetch(`${gateway.url}/v1/ohttp/config`);
  expect(key.status).toBe(503);
  const sealed = await fetch(`${gateway.url}/v1/ohttp`, {
    ...{ method: "POST", headers: { "content-type": "message/ohttp-req" }, body: "x" },
  });
  expect(sealed.status).toBe(503);
  const withKey = {
    ...priced,
    HACA_GATEWAY_PRICES: JSON.stringify({
      ...{ models: { m: { token: "OPG", amount: "1" } }, oblivious: { token: "OPG", amount: "1" } },
    }),
  };
  const session = { HACA_GATEWAY_SESSION_KEY: SESSION };
  const { error: refused } = await command.run(["start"], { ...withKey, ...session });
  expect(refused).toMatch(/^HACA_GATEWAY_PRICES: oblivious: sealed requests are opened where /);
  const { out } = await command.run(["check"], withKey);
  expect(out).toContain("problem     HACA_GATEWAY_FACILITATOR: payments cannot be taken now");
});
