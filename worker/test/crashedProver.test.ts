import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { infer, jobIn } from "./support/client.ts";
import { Testbed } from "./support/testbed.ts";

const SCRIPTED = join(import.meta.dirname, "support/scriptedProver.mjs");

let testbed: Testbed;
beforeAll(async () => {
  testbed = await Testbed.start();
});
afterAll(() => testbed.stop());

it("a native prover that is killed in mid-proof costs none of the jobs that were in work at once", async () => {
  const settings = await testbed.settings({ account: 1 });
  const worker = testbed.process({
    ...settings,
    HACA_PROVER: SCRIPTED,
    HACA_TEST_NATIVE_PROVER: '["hang"]',
    HACA_PROVE_THREADS: "2",
    HACA_LOG_LEVEL: "debug",
  });
  const url = await worker.url();
  const ids = [
    (await infer(url, 0)).requestId,
    (await infer(url, 1)).requestId,
    (await infer(url, 2)).requestId,
  ];
  const asked = (line: string) => /"line":"(\d+) is proving"/.exec(line)?.[1];
  const pids = await worker.child.collect({ count: ids.length, find: asked });
  const proving = worker.child.lines.filter((line) => line.includes('"msg":"proving"'));
  const inWork = proving.map((line) => (JSON.parse(line) as { requestId: string }).requestId);
  expect(inWork.sort()).toEqual([...ids].sort());
  expect(new Set(pids).size).toBe(1);

  process.kill(Number(pids[0]), "SIGKILL");
  for (const requestId of ids) await jobIn(url, requestId, "settled");
  const counts = await testbed.chain.countSettlements();
  expect(ids.map((requestId) => counts.get(requestId))).toEqual([1, 1, 1]);
  const { reason } = await worker.logged("snarkjs makes this proof");
  expect(reason).toBe("the native prover: it ended with SIGKILL");
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('haca_proofs_total{backend="snarkjs"} 3\n');
  expect(metrics).toContain('haca_jobs{state="settled"} 3\n');
  expect(metrics).toContain('haca_prove_seconds_count{model="digits"} 3\n');
  expect(metrics).toContain('haca_settlement_gas_count{kind="zkml"} 3\n');
  expect(metrics).toContain('haca_settlement_gas_bucket{le="1000000",kind="zkml"} 3\n');
});
