import type { Chain } from "../../chain/chain.ts";
import { acceptResults, type TakenJob } from "../../jobs/acceptResults.ts";
import { knownVoucher } from "../../jobs/channels.ts";
import { type Job, resultOf } from "../../jobs/job.ts";
import { findJobs } from "../../jobs/readJobs.ts";
import type { Database } from "../../storage/database.ts";
import type { Registries } from "./registries.ts";
import {
  isSameResult,
  jobOfResult,
  refuseResult,
  requireOwnPayment,
  requireOwnRequest,
  requireOwnVoucher,
  type SignedResult,
} from "./signedResult.ts";

/** What taking results in works with. */
export type CollectContext = {
  database: Database;
  chain: Pick<Chain, "chainId" | "domain" | "pageSettlement">;
  registries: Registries;
  /** address that sends settlements */
  account: string;
  /** called when jobs are on disk, before whoever sent them hears of it */
  onAccepted: () => void;
};

/**
 * Takes in results that enclaves have signed: all of them, or none. Each is judged by the contract, or by its word on another one of
 * its kind a moment ago, before it is stored, in the way in which it will be when it is settled. What is here already was judged, and needs no endpoint: it is looked for where
 * something is refused, or is in the way of the others. As a rule all are new, and answers wait for them.
 * Returns their jobs, in order.
 * @throws RefusedResultError naming what is wrong; RetryableError where the endpoint or the database is away
 */
export async function collectResults(parameters: {
  collect: CollectContext;
  results: readonly SignedResult[];
}): Promise<TakenJob[]> {
  const { collect, results } = parameters;
  const { database, registries } = collect;
  const { chainId } = collect.chain;
  for (const result of results) {
    requireOwnRequest(result);
    requireOwnPayment(result);
    requireOwnVoucher(result, chainId);
  }
  requireAgreement(results);
  const known = await judge({ database, registries, results });
  const unknown = results.filter((result) => !known.has(idOf(result)));
  let found: ReadonlyMap<string, TakenJob> = known;
  if (unknown.length > 0) {
    const jobs = [];
    for (const result of unknown) {
      const job = jobOfResult(result, await registries.nameOf(result));
      // Nobody but an enclave's operator proposes pages of it.
      const isOwn = registries.operatorOf(result) === collect.account;
      const payment = result.payment && { payment: result.payment };
      const voucher = result.voucher && { voucher: knownVoucher(result.voucher, chainId) };
      jobs.push({ ...job, settleAlone: result.alone || !isOwn, ...payment, ...voucher });
    }
    const check = (there: ReadonlyMap<string, Job>) => requireSame(unknown, there);
    found = new Map<string, TakenJob>([
      ...known,
      ...(await acceptResults({ database, jobs, check })),
    ]);
    collect.onAccepted();
  }
  return results.flatMap((result) => found.get(idOf(result)) ?? []);
}

/** Has results judged. Returns the jobs of those that are here, where one of them stood in the way of its being judged again. */
async function judge(parameters: {
  database: Database;
  registries: Registries;
  results: readonly SignedResult[];
}): Promise<ReadonlyMap<string, Job>> {
  const { database, registries, results } = parameters;
  try {
    await registries.requireGood(results);
    return new Map();
  } catch (error) {
    const known = await findJobs({ database, requestIds: results.map(idOf) });
    if (known.size === 0) throw error;
    requireSame(results, known);
    const unknown = results.filter((result) => !known.has(idOf(result)));
    if (unknown.length > 0) await registries.requireGood(unknown);
    return known;
  }
}

const idOf = ({ message }: SignedResult): string => message.requestId;

/** One request has one result, also among those that come together. */
function requireAgreement(results: readonly SignedResult[]): void {
  const first = new Map<string, SignedResult>();
  for (const result of results) {
    const other = first.get(idOf(result));
    if (other === undefined) first.set(idOf(result), result);
    else if (!isSameResult(other.message, result.message)) refuseOther(result);
  }
}

function requireSame(results: readonly SignedResult[], jobs: ReadonlyMap<string, Job>): void {
  for (const result of results) {
    const job = jobs.get(idOf(result));
    if (job !== undefined && !isSameResult(resultOf(job), result.message)) refuseOther(result);
  }
}

const refuseOther = (result: SignedResult): never =>
  refuseResult(result, "other", "message.requestId", "there is another result for this request");
