import { createPublicKey, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { clientNonce } from "@haca/attestation/nitro/clientNonce";
import { parseDocument } from "@haca/attestation/nitro/parseDocument";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import {
  type RunningEnclave,
  startSimulatedEnclave,
} from "@haca/enclave-simulator/startSimulatedEnclave";
import { hexlify, sha256 } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answering } from "./support/bed.ts";
import { Command } from "./support/command.ts";

const NONCE = randomBytes(20).toString("hex");

let command: Command;
let enclave: SimulatedEnclave;
let running: RunningEnclave;
let key: string;
beforeAll(async () => {
  command = await Command.prepare();
  const now = BigInt(Math.floor(Date.now() / 1000));
  const chain = makeSimulatedChain({ now });
  const measurements = measurementsOf("image");
  enclave = new SimulatedEnclave({ chain, measurements, kind: "p256", now });
  running = await startSimulatedEnclave({ enclave, port: 0, publicPort: 0 });
  key = join(command.folder, "enclave.pem");
  const spki = { key: Buffer.from(enclave.signingKey), format: "der", type: "spki" } as const;
  writeFileSync(key, createPublicKey(spki).export({ type: "spki", format: "pem" }));
});
afterAll(async () => {
  await running.close();
  await command.stop();
});

/** Of a gateway in a process of its own, with the enclave at this address, if any. */
async function attested(nonce: string, changes: Record<string, string>) {
  const { url } = await command.start(changes);
  const response = await fetch(`${url}/enclave/attestation?nonce=${nonce}`);
  return { status: response.status, text: await response.text(), url };
}

describe("GET /enclave/attestation", () => {
  it("passes on what the enclave answers everybody, for the gateway's key and the client's nonce", async () => {
    const settings = { HACA_GATEWAY_ATTESTED_KEY: key, HACA_GATEWAY_ENCLAVE: running.publicUrl };
    const { status, text, url } = await attested(NONCE, settings);
    expect([status, text]).toEqual([200, expect.stringMatching(/^[A-Za-z0-9+/]+=*\n$/)]);
    const document = parseDocument(Buffer.from(text, "base64"));
    expect(hexlify(document.nonce ?? "0x")).toBe(clientNonce(`0x${NONCE}`));
    expect(hexlify(document.userData ?? "0x")).toContain(sha256(enclave.signingKey).slice(2));
    for (const nonce of ["", "ab", `${NONCE}00`, `${NONCE.slice(2)}zz`, `0x${NONCE.slice(2)}`]) {
      const refused = await fetch(`${url}/enclave/attestation?nonce=${nonce}`);
      expect([nonce, refused.status, await refused.text()]).toEqual([
        ...[nonce, 400, expect.stringContaining("nonce.malformed")],
      ]);
    }
    const posted = await fetch(`${url}/enclave/attestation`, { method: "POST" });
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET"]);
  });

  it.each([
    ["that would register the enclave", () => running.operatorUrl, "not one for clients"],
    ["that is none", () => command.upstream.url, "cannot be read"],
    ["of an enclave that is not there", () => "http://127.0.0.1:9", "enclave.away"],
  ])("passes on no document %s", async (_, url, reason) => {
    command.upstream.handler = answering("AAAA");
    const settings = { HACA_GATEWAY_ATTESTED_KEY: key, HACA_GATEWAY_ENCLAVE: url() };
    const { status, text } = await attested(NONCE, settings);
    expect([status, text]).toEqual([502, expect.stringContaining(reason)]);
  });

  it("passes on no document of another key, and has none without an enclave", async () => {
    const other = await attested(NONCE, { HACA_GATEWAY_ENCLAVE: running.publicUrl });
    expect([other.status, other.text]).toEqual([502, expect.stringContaining("another key")]);
    const none = await attested(NONCE, {});
    expect([none.status, none.text]).toEqual([404, expect.stringContaining("enclave.none")]);
  });
});
