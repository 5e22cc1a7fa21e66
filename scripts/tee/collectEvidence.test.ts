import { bindingNonce } from "@haca/attestation/nitro/bindingNonce";
import { VENDORS } from "@haca/attestation/vendors";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { type DocumentOptions, SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { startSimulatedEnclave } from "@haca/enclave-simulator/startSimulatedEnclave";
import { getBytes, sha256 } from "ethers";
import { describe, expect, it, onTestFinished } from "vitest";
import { collectEvidence } from "./collectEvidence.ts";

const NOW = BigInt(Math.floor(Date.now() / 1000));
const REGISTRY = `0x${"11".repeat(20)}`;
const OPERATOR = `0x${"22".repeat(20)}`;
const PAYMENT = `0x${"33".repeat(20)}`;
const THIEF = `0x${"44".repeat(20)}`;

const chain = makeSimulatedChain({ now: NOW });
type Collect = Parameters<typeof collectEvidence>[0];

const runner = { provider: { getBlock: async () => ({ timestamp: Number(NOW) }) } } as never;

/** The contracts of a chain on which every image is approved, or none, and nothing is stored. */
const contracts = (isApproved = true): Pick<Collect, "contracts" | "verifier"> =>
  ({
    contracts: {
      chainId: 1n,
      registry: { target: REGISTRY, isImageApproved: async () => isApproved },
    },
    verifier: {
      verifierId: 0,
      vendor: VENDORS.find(({ name }) => name === "nitro"),
      store: { isStored: async () => false, rootFingerprint: async () => sha256(chain.root) },
    },
  }) as never;

/** An enclave whose documents are changed on their way. */
class LyingEnclave extends SimulatedEnclave {
  change: (options: DocumentOptions) => DocumentOptions = (options) => options;

  override attest(options: DocumentOptions): Uint8Array {
    return super.attest(this.change(options));
  }
}

async function collect(parameters: {
  change?: (options: DocumentOptions) => DocumentOptions;
  isApproved?: boolean;
}) {
  const measurements = measurementsOf("image");
  const enclave = new LyingEnclave({ chain, measurements, kind: "p256", now: NOW });
  if (parameters.change) enclave.change = parameters.change;
  const running = await startSimulatedEnclave({ enclave, port: 0, publicPort: 0 });
  onTestFinished(() => running.close());
  const endpoint = running.publicUrl;
  const request = { operator: OPERATOR, paymentAddress: PAYMENT, endpoint, teeType: 0 };
  const evidence = collectEvidence({
    ...contracts(parameters.isApproved),
    runner,
    request: { ...request, enclave: running.operatorUrl, tls: undefined },
  });
  return { enclave, request, evidence: await evidence.catch((error: Error) => error.message) };
}

const nonceFor = (paymentAddress: string) =>
  getBytes(
    bindingNonce({
      ...{ chainId: 1n, registry: REGISTRY, operator: OPERATOR, paymentAddress },
      ...{ endpoint: "https://node.example", teeType: 0 },
    }),
  );

describe("collectEvidence", () => {
  it("brings key, TLS certificate from the handshake, document and hints together", async () => {
    const { enclave, request, evidence } = await collect({});
    expect(evidence).toMatchObject({
      teeId: enclave.teeId,
      ...{ certificates: 4, storedCertificates: 0 },
      registration: { ...{ verifierId: 0, teeType: 0 }, endpoint: request.endpoint },
    });
    expect(evidence).toHaveProperty("registration.hints.length", 5);
    expect(evidence).toHaveProperty("registration.paymentAddress", PAYMENT);
  });

  it.each<[string, (options: DocumentOptions) => DocumentOptions, string]>([
    [
      "that is bound to another payment address",
      (options) => ({ ...options, nonce: nonceFor(THIEF) }),
      "not the one asked for: it is bound to something else",
    ],
    ["without a nonce", (options) => ({ ...options, nonce: null }), "its nonce is 0x, not the one"],
    [
      "that vouches for another key",
      (options) => ({ ...options, overrides: { user_data: new Uint8Array(68) } }),
      "another TLS certificate than the one that the endpoint shows; it vouches for another signing key",
    ],
    [
      "with more user data",
      (options) => ({ ...options, overrides: { user_data: new Uint8Array(69) } }),
      "its user data is 69 bytes, expected 68",
    ],
    ["that is old", (options) => ({ ...options, now: NOW - 400n }), "it is older than 300 seconds"],
  ])("refuses a document %s", async (_, change, reason) => {
    const { evidence } = await collect({ change });
    expect(evidence).toBeTypeOf("string");
    expect(evidence).toContain(reason);
  });

  it("refuses an image that is not approved", async () => {
    const { evidence } = await collect({ isApproved: false });
    expect(evidence).toMatch(/image 0x[0-9a-f]{64} is not approved for this type/);
  });
});
