import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHaca } from "../../sdk/src/client/createHaca.ts";
import { isVerified } from "../../sdk/src/isVerified.ts";
import { verify } from "../../sdk/src/verify.ts";
import { builtProgram } from "./support/builtPrograms.ts";
import { infer, jobIn } from "./support/client.ts";
import { digit, label } from "./support/digits.ts";
import { Testbed } from "./support/testbed.ts";

const prover = builtProgram("haca-prover");

describe.skipIf(prover === undefined)("a proof by the native prover", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.start();
  });
  afterAll(() => testbed.stop());

  it("settles on-chain, and is verified and waited for by the SDK", async () => {
    const settings = await testbed.settings({ account: 1 });
    const worker = testbed.worker({ ...settings, HACA_PROVER: prover ?? "" });
    const url = await worker.url();
    const { requestId } = await infer(url);
    const settled = await jobIn(url, requestId, "settled");
    // What made it: a proof by the fallback would settle just as well.
    expect(await worker.logged("proven")).toMatchObject({ requestId, backend: "native" });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('haca_proofs_total{backend="native"} 1\n');
    expect(metrics).not.toContain('haca_proofs_total{backend="snarkjs"}');
    expect((await testbed.chain.countSettlements()).get(requestId)).toBe(1);
    const hash = settled.transaction?.hash ?? "";
    const sent = await testbed.chain.provider.getTransaction(hash);
    expect(sent?.data).toContain(settled.proof?.slice(2));

    // And as a client has it, who has pinned the settlement and nothing else.
    const { contracts, models } = testbed.chain.book;
    const pins = {
      settlements: [{ chainId: "31337", settlement: contracts.InferenceSettlement.address }],
    };
    const rpcs = [testbed.chain.url];
    const haca = createHaca({ chainId: 31337, rpcs, pins, nodes: [url] });
    const model = models.at(-1)?.versionId ?? "";
    const { lines, outputs, receipt } = await haca.infer({ model, input: digit(3), pollMs: 100 });
    expect(isVerified(lines)).toBe(true);
    expect(outputs[1]).toEqual([label(3)]);
    expect(outputs[0]).toHaveLength(10);
    const waited = await haca.wait(receipt, "settled", { pollMs: 100 });
    expect(waited).toMatchObject({ status: "asserted", source: "trusts 1 RPC" });
    // Without a price the chain keeps no digest: the event says which result it was.
    const [line] = (await verify(receipt, { pins, rpcs })).filter(
      ({ check }) => check === "settled",
    );
    expect(line?.detail).toBe("this result was settled for good");
  });
});
