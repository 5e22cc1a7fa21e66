import { formatTable } from "../lib/table.ts";
import type { IndexedSettlement } from "./querySettlements.ts";
import type { Answered } from "./sendImages.ts";
import type { Job } from "./waitForJobs.ts";

/**
 * The demo's table. Inputs, labels, gas, transactions and states are what the indexer read from the chain;
 * the image's number is found by comparing the indexed input with the images sent, so a row with a known
 * number is a row whose input went through unharmed. Proof times are the worker's.
 */
export function reportTable(parameters: {
  settlements: readonly IndexedSettlement[];
  answered: readonly Answered[];
  jobs: readonly Job[];
}): { text: string; allCorrect: boolean } {
  const { settlements, answered, jobs } = parameters;
  const jobById = new Map(jobs.map((job) => [job.requestId, job]));
  let allCorrect = settlements.length === answered.length;

  const rows = settlements.map((settlement, index) => {
    const pixels = settlement.inputs?.[0]?.join();
    const sent = answered[index];
    const sameInput = sent !== undefined && sent.values.join() === pixels;
    const sameLabel = sent?.answer === settlement.label;
    allCorrect &&= sameInput && sameLabel && settlement.state === "settled" && settlement.verified;
    const timings = jobById.get(settlement.requestId)?.timings;
    return [
      sameInput ? `image ${sent.index}` : "unknown",
      String(settlement.label),
      String(sent?.label),
      `${(((timings?.witnessMs ?? 0) + (timings?.proveMs ?? 0)) / 1000).toFixed(2)} s`,
      settlement.transactionHash,
      Number(settlement.gasUsed).toLocaleString("en"),
      `${settlement.state} (${settlement.verification})`,
    ];
  });
  const text = formatTable({
    columns: ["input", "label", "expected", "proof time", "transaction", "gas", "state"],
    rows,
  });
  return { text, allCorrect };
}

/** How many results were settled how, in which transactions and for which gas, as the indexer read it from the chain. */
export function kindsTable(settlements: readonly IndexedSettlement[]): string {
  const kinds = new Map<string, IndexedSettlement[]>();
  for (const settlement of settlements) {
    const { batched, pageId, verification } = settlement;
    const kind = `${verification}${batched ? ", batch" : ""}${pageId === null ? "" : ", page"}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), settlement]);
  }
  const rows = [...kinds].map(([kind, results]) => {
    // `gasUsed` is the transaction's, however many results it settled.
    const gasOf = new Map(
      results.map(({ transactionHash, gasUsed }) => [transactionHash, gasUsed]),
    );
    const gas = [...gasOf.values()].reduce((sum, used) => sum + Number(used), 0);
    const states = [...new Set(results.map(({ state }) => state))].join(", ");
    return [
      ...[kind, String(results.length), String(gasOf.size)],
      ...[Math.round(gas / results.length).toLocaleString("en"), states],
    ];
  });
  return formatTable({ columns: ["kind", "results", "transactions", "gas each", "state"], rows });
}
