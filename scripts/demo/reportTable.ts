import { formatTable } from "../lib/table.ts";
import type { IndexedSettlement } from "./querySettlements.ts";
import type { Answered } from "./sendSamples.ts";
import type { Job } from "./waitForJobs.ts";

/**
 * The demo's table. Inputs, answers, gas, transactions and states are what the indexer read from the chain;
 * the sample's number is found by comparing the indexed input with the samples sent, so a row with a known
 * number is a row whose input went through unharmed. Proof times are the worker's.
 */
export function reportTable(parameters: {
  settlements: readonly IndexedSettlement[];
  answered: readonly Answered[];
  jobs: readonly Job[];
  /** of the output that is the model's number, where it answers no class */
  scaleExponent: number;
}): { text: string; allCorrect: boolean } {
  const { settlements, answered, jobs, scaleExponent } = parameters;
  const jobById = new Map(jobs.map((job) => [job.requestId, job]));
  let allCorrect = settlements.length === answered.length;

  const rows = settlements.map((settlement, index) => {
    const values = settlement.inputs?.[0]?.join();
    const sent = answered[index];
    const sameInput = sent !== undefined && sent.values.join() === values;
    const indexed = settlement.label ?? numberOf(settlement, scaleExponent);
    const sameAnswer = sent?.answer === indexed;
    allCorrect &&= sameInput && sameAnswer && settlement.state === "settled" && settlement.verified;
    const timings = jobById.get(settlement.requestId)?.timings;
    return [
      sameInput ? `sample ${sent.index}` : "unknown",
      inWords(indexed, settlement.label !== null),
      inWords(sent?.expected, sent?.isClass === true),
      `${(((timings?.witnessMs ?? 0) + (timings?.proveMs ?? 0)) / 1000).toFixed(2)} s`,
      settlement.transactionHash,
      Number(settlement.gasUsed).toLocaleString("en"),
      `${settlement.state} (${settlement.verification})`,
    ];
  });
  const text = formatTable({
    columns: ["input", "answer", "expected", "proof time", "transaction", "gas", "state"],
    rows,
  });
  return { text, allCorrect };
}

/** How the answers are beside what is known to be right. */
export function describeAccuracy(answered: readonly Answered[]): string {
  if (answered.every(({ isClass }) => isClass)) {
    const right = answered.filter(({ answer, expected }) => answer === expected).length;
    return `${right} of ${answered.length} labels are the expected ones`;
  }
  const squares = answered.reduce((sum, { answer, expected }) => sum + (answer - expected) ** 2, 0);
  const distance = Math.sqrt(squares / answered.length);
  return `answers are ${distance.toFixed(2)} from the expected numbers (root mean square)`;
}

/** The first number of the first output, of which the chain has a whole number of units. */
function numberOf({ outputs }: IndexedSettlement, scaleExponent: number): number | undefined {
  const first = outputs?.[0]?.[0];
  return first === undefined ? undefined : Number(first) * 2 ** scaleExponent;
}

const inWords = (value: number | undefined, isClass: boolean): string =>
  value === undefined ? "unknown" : isClass ? String(value) : value.toFixed(2);

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
