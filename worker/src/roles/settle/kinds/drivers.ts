import { NonRetryableError } from "../../../errors.ts";
import type { Job } from "../../../jobs/job.ts";
import { optimisticPage } from "./optimisticPage.ts";
import { page } from "./page.ts";
import { pageAgain } from "./pageAgain.ts";
import { provedAgain } from "./provedAgain.ts";
import type { SettlementDriver } from "./settlementDriver.ts";
import { tee } from "./tee.ts";
import { zkml } from "./zkml.ts";
import { zkmlBatch } from "./zkmlBatch.ts";

/** Every kind of settlement, the preferred one first: a new kind is a file beside this one, and a line here. */
export const DRIVERS: readonly SettlementDriver[] = [
  zkmlBatch,
  provedAgain,
  zkml,
  page,
  pageAgain,
  tee,
  optimisticPage,
];

/** Who settles these jobs together. @throws NonRetryableError where they carry what no kind takes */
export function driverFor(jobs: readonly Job[]): SettlementDriver {
  const driver = DRIVERS.find((candidate) => candidate.takes(jobs));
  if (driver !== undefined) return driver;
  throw new NonRetryableError({
    code: "settle.proofMissing",
    message: `nothing that ${namesOf(DRIVERS)} could settle by in ${jobs.map(({ requestId }) => requestId).join(", ")}`,
  });
}

/** Who made a transaction. @throws NonRetryableError where it was a worker that knows more kinds */
export function driverNamed(name: string): SettlementDriver {
  const driver = DRIVERS.find((candidate) => candidate.name === name);
  if (driver !== undefined) return driver;
  throw new NonRetryableError({
    code: "settle.kindUnknown",
    message: `a transaction of the kind ${name}; this worker knows ${namesOf(DRIVERS)}`,
  });
}

const namesOf = (drivers: readonly SettlementDriver[]): string =>
  drivers.map(({ name }) => name).join(", ");
