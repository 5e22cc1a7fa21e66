import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createMetrics } from "../src/metrics/createMetrics.ts";
import { createDataNodeMetrics } from "../src/roles/dataNode/createDataNodeMetrics.ts";
import { addPaymentGauges } from "../src/roles/facilitate/payments/addPaymentGauges.ts";
import { createHeartbeatMetrics } from "../src/roles/heartbeat/createHeartbeatMetrics.ts";
import type { Database } from "../src/storage/database.ts";
import { createVerifierMetrics } from "../src/verifier/verifierMetrics.ts";

const PAGE = join(import.meta.dirname, "../../docs/operating.md");
const NO_DATABASE = {} as Database;

it("docs/operating.md explains every metric, with its labels, and no other", () => {
  const worker = createMetrics({ database: NO_DATABASE }).registry;
  addPaymentGauges({ database: NO_DATABASE, registers: [worker] });
  createDataNodeMetrics({ registers: [worker] });
  createVerifierMetrics({ database: NO_DATABASE, registers: [worker] });
  const registries = [worker, createHeartbeatMetrics().registry];
  const metrics = registries.flatMap((registry) => registry.getMetricsAsArray());
  const made = metrics.map((metric) => {
    const { labelNames = [], name } = metric as unknown as { name: string; labelNames?: string[] };
    return labelNames.length === 0 ? name : `${name}{${labelNames.join(",")}}`;
  });
  const rows = readFileSync(PAGE, "utf8").matchAll(/^\| `(haca_[^`]+)` +\| +(\S.*?) +\|$/gm);
  const explained = [...rows].map(([, name]) => name);
  expect(explained.sort()).toEqual([...new Set(made)].sort());
});
