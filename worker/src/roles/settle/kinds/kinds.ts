import { NonRetryableError } from "../../../errors.ts";
import type { Job } from "../../../jobs/job.ts";
import type { SettlementKind } from "./settlementKind.ts";
import { zkml } from "./zkml.ts";

/** Every kind of settlement, the preferred one first: a new kind is a file beside this one, and a line here. */
const KINDS: readonly SettlementKind[] = [zkml];

/** How a job is settled. @throws NonRetryableError where it carries what no kind takes */
export function kindOf(job: Job): SettlementKind {
  const kind = KINDS.find((candidate) => candidate.takes(job));
  if (kind !== undefined) return kind;
  throw new NonRetryableError({
    code: "settle.proofMissing",
    message: `request ${job.requestId} has nothing that ${KINDS.map(({ name }) => name).join(", ")} could settle it by`,
  });
}
