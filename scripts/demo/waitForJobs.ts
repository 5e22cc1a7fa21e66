import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";
import type { ProcessGroup } from "../lib/processGroup.ts";
import type { Report } from "../lib/progress.ts";

const jobSchema = z.object({
  requestId: z.string(),
  state: z.enum(["accepted", "proven", "submitted", "settled", "failed"]),
  failure: z.string().nullish(),
  timings: z.object({ witnessMs: z.number().nullish(), proveMs: z.number().nullish() }).nullish(),
});
export type Job = z.infer<typeof jobSchema>;

/** Follows the jobs at the worker until every one is settled; a failed one ends the demo. */
export async function waitForJobs(parameters: {
  group: ProcessGroup;
  /** the worker's, in the group */
  name: string;
  workerUrl: string;
  requestIds: readonly string[];
  report: Report;
  timeoutMs: number;
}): Promise<Job[]> {
  const { group, name, workerUrl, requestIds, report, timeoutMs } = parameters;
  return await group.waitFor({
    name,
    timeoutMs,
    probe: async () => {
      const jobs = await Promise.all(requestIds.map((id) => readJob({ workerUrl, id })));
      const failed = jobs.find(({ state }) => state === "failed");
      if (failed !== undefined) {
        throw new BaseError({
          code: "demo.jobFailed",
          message: `request ${failed.requestId} failed: ${failed.failure}`,
        });
      }
      const count = (states: readonly Job["state"][]): number =>
        jobs.filter(({ state }) => states.includes(state)).length;
      const total = jobs.length;
      report(
        `proven ${count(["proven", "submitted", "settled"])}/${total}, settled ${count(["settled"])}/${total}`,
      );
      return count(["settled"]) === total ? jobs : undefined;
    },
  });
}

async function readJob(parameters: { workerUrl: string; id: string }): Promise<Job> {
  const response = await fetch(`${parameters.workerUrl}/v1/inferences/${parameters.id}`);
  return jobSchema.parse(await response.json());
}
