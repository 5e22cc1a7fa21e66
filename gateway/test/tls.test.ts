import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { measurementsOf, pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import { pemOf } from "@haca/enclave-simulator/pemOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import {
  makeSigningKeys,
  makeTls,
  SimulatedEnclave,
} from "@haca/enclave-simulator/simulatedEnclave";
import {
  type RunningEnclave,
  startSimulatedEnclave,
} from "@haca/enclave-simulator/startSimulatedEnclave";
import { createHaca } from "@haca/sdk/client/createHaca";
import type { Pins } from "@haca/sdk/pins";
import { id, sha256 } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DONE, ends, STREAM, says } from "./support/bed.ts";
import { Command } from "./support/command.ts";
import { Deferred } from "./support/deferred.ts";

const messages = [{ role: "user", content: "Grüße" }];
const now = BigInt(Math.floor(Date.now() / 1000));

let command: Command;
let running: RunningEnclave;
let pins: Pins;
let settings: Record<string, string>;
let other: Record<string, string>;
let hash: string;
beforeAll(async () => {
  command = await Command.prepare();
  const file = (name: string, text: string): string => {
    const path = join(command.folder, name);
    writeFileSync(path, text);
    return path;
  };
  const chain = makeSimulatedChain({ now });
  const measurements = measurementsOf("image");
  const keys = makeSigningKeys("p256");
  const enclave = new SimulatedEnclave({ chain, measurements, kind: "p256", now, keys });
  running = await startSimulatedEnclave({ enclave, port: 0, publicPort: 0 });
  pins = {
    settlements: [{ chainId: "31337", settlement: `0x${"11".repeat(20)}` }],
    images: [pcrHashOf(measurements)],
    attestationRoot: sha256(chain.root),
    models: { m: { version: id("version") } },
  };
  const pem = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const stranger = makeTls(now);
  hash = sha256(enclave.tlsCertificate);
  settings = {
    HACA_GATEWAY_ATTESTED_KEY: file("attested.pem", pem),
    ...{ HACA_GATEWAY_SESSION_KEY: "", HACA_GATEWAY_ENCLAVE: running.publicUrl },
    HACA_GATEWAY_TLS_CERTIFICATE: file("tls.pem", pemOf(enclave.tlsCertificate)),
    HACA_GATEWAY_TLS_KEY: file("tlsKey.pem", enclave.tlsKey),
  };
  other = {
    HACA_GATEWAY_TLS_CERTIFICATE: file("other.pem", pemOf(stranger.certificate)),
    HACA_GATEWAY_TLS_KEY: file("otherKey.pem", stranger.key),
  };
});
beforeEach(() => command.reset());
afterAll(async () => {
  await running.close();
  await command.stop();
});

const clientOf = (url: string) =>
  createHaca({ chainId: 31_337, pins, nodes: [url], release: "channel" });

describe("a gateway with the certificate that its enclave attests", () => {
  it("ends TLS: clients ask it over an attested channel, and are given text as it comes", async () => {
    const { url } = await command.start(settings);
    expect(url).toMatch(/^https:/);
    const haca = clientOf(url);
    expect(await haca.chat({ model: "m", messages })).toMatchObject({ text: "Hello, wörld" });
    const shown = new Deferred();
    command.upstream.handler = async (response) => {
      response.writeHead(200, STREAM).write(says("Hello, "));
      await shown.promise;
      response.end(says("wörld") + ends() + DONE);
    };
    let text = "";
    for await (const { choices } of haca.streamChat({ model: "m", messages })) {
      const delta = choices[0]?.delta as { content?: string } | undefined;
      text += delta?.content ?? "";
      if (text === "Hello, ") shown.resolve();
    }
    expect(text).toBe("Hello, wörld");
  });

  it("shows no document of an enclave that attests another one, and hears no prompt", async () => {
    const { url } = await command.start({ ...settings, ...other });
    await expect(clientOf(url).chat({ model: "m", messages })).rejects.toMatchObject({
      ...{ code: "node.refused", details: { status: 502, code: "enclave.unusable" } },
      message: expect.stringContaining("HACA_GATEWAY_TLS_CERTIFICATE"),
    });
    expect(command.upstream.received).toEqual([]);
  });

  it("says which certificate it shows, without a start", async () => {
    const { out } = await command.run(["check"], settings);
    expect(out).toContain(`tls         certificate ${hash}\n`);
  });

  it.each([
    ["HACA_GATEWAY_TLS_KEY", () => ({ HACA_GATEWAY_TLS_KEY: "" }), "is not set"],
    ["HACA_GATEWAY_TLS_CERTIFICATE", () => ({ HACA_GATEWAY_TLS_CERTIFICATE: "" }), "is not set"],
    ["HACA_GATEWAY_TLS_KEY", () => ({ HACA_GATEWAY_TLS_KEY: "/nowhere" }), "cannot be read"],
    [
      "HACA_GATEWAY_TLS_KEY",
      () => ({ HACA_GATEWAY_TLS_KEY: other.HACA_GATEWAY_TLS_KEY ?? "" }),
      "is another certificate's",
    ],
    [
      "HACA_GATEWAY_TLS_KEY",
      () => ({ HACA_GATEWAY_TLS_KEY: other.HACA_GATEWAY_TLS_CERTIFICATE ?? "" }),
      "is no private key in PEM",
    ],
    [
      "HACA_GATEWAY_TLS_CERTIFICATE",
      () => ({ HACA_GATEWAY_TLS_CERTIFICATE: other.HACA_GATEWAY_TLS_KEY ?? "" }),
      "is no PEM",
    ],
  ])("names %s where it is wrong", async (name, changes, reason) => {
    const { code, error } = await command.run(["start"], { ...settings, ...changes() });
    expect([code, error]).toEqual([2, expect.stringMatching(`^${name}: .*${reason}`)]);
    expect(error).not.toContain("PRIVATE");
  });
});
