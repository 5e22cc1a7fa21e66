import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtProgram } from "./support/builtPrograms.ts";
import { infer, jobIn } from "./support/client.ts";
import { Testbed } from "./support/testbed.ts";

const prover = builtProgram("haca-prover");

describe.skipIf(prover === undefined)("a proof by the native prover", () => {
  let testbed: Testbed;
  beforeAll(async () => {
    testbed = await Testbed.start();
  });
  afterAll(() => testbed.stop());

  it("settles on-chain", async () => {
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
  });
});
