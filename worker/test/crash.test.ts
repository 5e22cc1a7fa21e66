import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TRANSITIONS } from "../src/config/variables.ts";
import { infer, jobIn } from "./support/client.ts";
import { waitFor } from "./support/processes.ts";
import { Testbed } from "./support/testbed.ts";

let testbed: Testbed;
beforeAll(async () => {
  testbed = await Testbed.start();
});
afterAll(() => testbed.stop());

describe("a worker that is killed", () => {
  it.each(TRANSITIONS.map((transition, index) => ({ transition, account: index + 1 })))(
    "right after $transition settles every accepted job exactly once",
    async ({ transition, account }) => {
      const settings = await testbed.settings({ account });
      const doomed = testbed.worker({ ...settings, HACA_CRASH_AFTER: transition });
      const url = await doomed.url();
      // The first request may die with the worker, the second may never arrive: what counts is the queue.
      const answers = await Promise.allSettled([infer(url, 0), infer(url, 1)]);
      expect(await doomed.child.exited).toMatchObject({ signal: "SIGKILL" });
      const answered = answers.flatMap((answer) =>
        answer.status === "fulfilled" ? [answer.value.requestId] : [],
      );

      const heir = testbed.worker(settings);
      const heirUrl = await heir.url();
      const later = await infer(heirUrl, 2);
      const { jobs } = await waitFor(async () => {
        const health = (await (await fetch(`${heirUrl}/health`)).json()) as {
          jobs: Record<string, number>;
        };
        const { accepted, proven, submitted } = health.jobs;
        return accepted === 0 && proven === 0 && submitted === 0 ? health : undefined;
      });

      for (const requestId of [...answered, later.requestId]) {
        await jobIn(heirUrl, requestId, "settled");
      }
      const counts = await testbed.chain.countSettlements();
      const node = later.requestId.slice(0, 42);
      const own = [...counts].filter(([requestId]) => requestId.startsWith(node));
      expect(jobs).toMatchObject({ settled: own.length, failed: 0 });
      expect(own.length).toBeGreaterThanOrEqual(2);
      expect(own.every(([, count]) => count === 1)).toBe(true);
      await heir.child.stop();
    },
  );
});
