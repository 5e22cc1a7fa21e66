import { formatEther, formatUnits } from "ethers";
import { type AttemptView, attemptView } from "./api/views.ts";
import type { QueueConfig } from "./config/readConfig.ts";
import { StartError } from "./errors.ts";
import { listOpenAttempts } from "./jobs/openTransactions.ts";
import { countJobs } from "./jobs/readJobs.ts";
import { openDatabase } from "./storage/openDatabase.ts";
import type { FundsView } from "./transactions/funds.ts";

type Status = {
  source: string;
  jobs: Record<string, number>;
  failures: Record<string, number>;
  transactions: AttemptView[];
  /** what the node's account holds; null where no running worker was asked, or knows */
  account: FundsView | null;
  /** what each role of a running worker is doing; empty where none was asked */
  roles: Record<string, { state: string; error?: string; since?: string }>;
};

/**
 * Jobs by state, why the failed ones failed, and transactions that are not mined, as lines of text: from the queue
 * itself, or from the worker's `/health`, with what its roles are doing, while a worker has the embedded queue open.
 */
export async function status(parameters: { config: QueueConfig }): Promise<string> {
  const { account, jobs, failures, roles, source, transactions } = await read(parameters.config);
  const lines = [
    source,
    ...Object.entries(roles).map(([role, { error, since, state }]) =>
      error === undefined ? `${role}: ${state}` : `${role}: ${state} since ${since}: ${error}`,
    ),
    ...(account?.balanceWei == null ? [] : [accountLine(account.balanceWei, account)]),
    ...Object.entries(jobs).map(([state, count]) => `${state.padEnd(10)} ${count}`),
    ...Object.entries(failures).map(([reason, count]) => `  ${reason}: ${count}`),
    ...(transactions.length === 0 ? [] : ["transactions not mined, the first first:"]),
    ...transactions.map(lineOf),
  ];
  return lines.join("\n");
}

const accountLine = (balanceWei: string, { account, state }: FundsView): string =>
  `account ${account}: ${formatEther(balanceWei)} (${state === "empty" ? "cannot pay for a settlement" : state})`;

/** `nonce 7 settlement 0x… of 32 jobs: 125 s old, sent 5 s ago, replaced 2 times, pays up to 3.4 gwei (tip 1.2)` */
function lineOf(transaction: AttemptView): string {
  const { ageSeconds, hash, jobs, nonce, purpose, replacements, silentSeconds } = transaction;
  const sent = silentSeconds === null ? "not sent yet" : `sent ${silentSeconds} s ago`;
  const [fee, tip] = [transaction.maxFeePerGas, transaction.maxPriorityFeePerGas].map((wei) =>
    formatUnits(wei, "gwei"),
  );
  const replaced = replacements === 0 ? "" : `, replaced ${replacements} times`;
  const carried = jobs > 1 ? ` of ${jobs} jobs` : "";
  return `  nonce ${nonce} ${purpose} ${hash}${carried}: ${ageSeconds} s old, ${sent}${replaced}, pays up to ${fee} gwei (tip ${tip})`;
}

async function read(config: QueueConfig): Promise<Status> {
  const { dataDirectory, databaseUrl, http } = config;
  try {
    const database = await openDatabase({
      folder: dataDirectory,
      url: databaseUrl,
      onError: () => undefined,
    });
    try {
      const { states, failures } = await countJobs({ database });
      const source =
        databaseUrl === undefined ? `queue in ${dataDirectory}` : "queue in PostgreSQL";
      const transactions = (await listOpenAttempts({ database })).map(attemptView);
      return { source, jobs: states, failures, transactions, roles: {}, account: null };
    } finally {
      await database.close();
    }
  } catch (error) {
    if (!(error instanceof StartError) || error.code !== "database.locked") throw error;
    const url = `http://${http.host}:${http.port}/health`;
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok !== true) throw error;
    const health = (await response.json()) as { [Field in keyof Status]: Status[Field] | null };
    const { account, failures, jobs, roles, transactions } = health;
    const source = `worker at ${url}${jobs === null ? ": its database is away" : ""}`;
    return {
      source,
      jobs: jobs ?? {},
      failures: failures ?? {},
      transactions: transactions ?? [],
      roles: roles ?? {},
      account: account ?? null,
    };
  }
}
