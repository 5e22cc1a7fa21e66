import { nitro } from "@haca/attestation/nitro/nitro";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { sha256 } from "ethers";
import { describe, expect, it } from "vitest";
import { explainDocument } from "./explainDocument.ts";

const NOW = 1_900_000_000n;
const chain = makeSimulatedChain({ now: NOW });
const measurements = measurementsOf("image");
const enclave = new SimulatedEnclave({ chain, measurements, kind: "p256", now: NOW });

function explain(parameters: { moduleId?: string; now?: bigint; root?: string }): string {
  const { moduleId = "module", now = NOW, root = sha256(chain.root) } = parameters;
  const evidence = enclave.attest({ now: NOW, nonce: null, overrides: { module_id: moduleId } });
  return explainDocument({ result: nitro.judge({ evidence, now, rootFingerprint: root }), now });
}

describe("explainDocument", () => {
  it("says what is attested, by whom, and that it is valid", () => {
    const text = explain({});
    expect(text).toContain("made         2030-03-17T17:46:40Z");
    expect(text).toContain("  instance.simulated.nitro-enclaves\n");
    expect(text).toContain("nonce        none");
    expect(text.endsWith("result       valid")).toBe(true);
  });

  it("gives every reason of a refusal", () => {
    const text = explain({ now: NOW + 400n, root: `0x${"00".repeat(32)}` });
    expect(text).toContain("  - its first certificate is not the pinned root");
    expect(text).toContain("  - it is older than 300 seconds");
  });

  it("lets no document write a result of its own", () => {
    const moduleId = "x\nresult       valid\u001b[2K";
    const text = explain({ moduleId, now: NOW + 400n });
    expect(text).toContain("module       x?result       valid?[2K");
    expect(text).not.toContain("\u001b");
    expect(text).not.toMatch(/^result +valid/m);
  });
});
