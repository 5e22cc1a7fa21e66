import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { claimIdentity } from "../src/jobs/acceptJob.ts";
import type { Database } from "../src/storage/database.ts";
import { lifeIn, OPERATIONS } from "./support/operations.ts";
import { describeStores, emptyQueue, IDENTITY } from "./support/stores.ts";

const TREE = join(import.meta.dirname, "jobLife.tree");

/** What `jobLife.tree` says: for each situation, the operations that end it, and where they lead. */
function readTree(): Map<string, string[]> {
  const edges = new Map<string, string[]>();
  let from = "";
  let when = "";
  for (const line of readFileSync(TREE, "utf8").split("\n")) {
    const [, word, text = ""] = /^[^a-z]*(given|when|it is) (.*)$/.exec(line) ?? [];
    if (word === "given") {
      from = text.replace(/^an? (?:job that is )?/, "").replace(/ job$/, "");
      edges.set(from, []);
    }
    if (word === "when") when = text;
    if (word === "it is") edges.get(from)?.push(`${when}: ${text.split(":")[0]}`);
  }
  return edges;
}

/** How a job comes into each situation. */
const SITUATIONS = {
  no: undefined,
  accepted: "accept",
  proven: "prove",
  claimed: "claim",
  "set apart": "apart",
  signed: "signed",
  submitted: "submit",
  pending: "propose",
  "pending as a claim": "proposeClaim",
  "of a rejected page": "reject",
  settled: "settle",
  "settled elsewhere": "settleElsewhere",
  final: "finalise",
  "final elsewhere": "finaliseElsewhere",
  failed: "fail",
} as const;

async function situationOf(database: Database, requestId: string): Promise<string> {
  const [job] = await database.query("SELECT * FROM jobs WHERE request_id = $1", [requestId]);
  if (job === undefined) return "no";
  const hasTransaction = job.transaction_id !== null;
  if (job.state === "proven" && hasTransaction) return "signed";
  if (job.state === "proven" && job.page_id !== null) return "of a rejected page";
  if (job.state === "proven" && job.settle_alone === true) return "set apart";
  if (job.is_optimistic === true && job.state === "proven") return "claimed";
  if (job.is_optimistic === true && job.state === "pending") return "pending as a claim";
  if (job.state !== "settled") return String(job.state);
  return `${job.finalised_at === null ? "settled" : "final"}${hasTransaction ? "" : " elsewhere"}`;
}

function nameOf({ makes, operation }: (typeof OPERATIONS)[number]): string {
  if (operation === "decidePage") return `${operation} finds the page ${PAGE_WORDS[makes]}`;
  if (operation !== "decideExternalSettled") return operation;
  return `${operation} finds it ${makes === "final" ? "final" : "gone"}`;
}
const PAGE_WORDS: Readonly<Record<string, string>> = { settled: "final", rejected: "rejected" };

it("jobLife.tree names every situation", () => {
  expect([...readTree().keys()].sort()).toEqual(Object.keys(SITUATIONS).sort());
});

describeStores("a job's life", (store) => {
  it.each(Object.entries(SITUATIONS))(
    "goes on from %s as jobLife.tree says",
    async (from, lead) => {
      const { database } = store;
      const found: string[] = [];
      for (const operation of OPERATIONS) {
        await emptyQueue(database);
        await claimIdentity({ database, identity: IDENTITY });
        const life = lifeIn(database);
        if (lead !== undefined) await life[lead]();
        expect(await situationOf(database, life.requestId)).toBe(from);
        await operation.run({ database, requestId: life.requestId });
        const to = await situationOf(database, life.requestId);
        if (to !== from) found.push(`${nameOf(operation)}: ${to}`);
      }
      expect(found.sort()).toEqual(readTree().get(from)?.sort());
    },
  );
});
