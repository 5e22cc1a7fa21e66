import type { Chain } from "../../chain/chain.ts";
import { acceptResults, type TakenJob } from "../../jobs/acceptResults.ts";
import { knownVoucher } from "../../jobs/channels.ts";
import { type Job, resultOf } from "../../jobs/job.ts";
import { findJobs, hasJobs } from "../../jobs/readJobs.ts";
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
 * Takes in results that enclaves have signed: all of them, or none. Each is judged by the contract before it is stored, in
 * the way in which it will be when it is settled. Of enclaves that are served the contract is asked while the queue is looked
 * through: answers wait for both. What is here already was judged, and needs no endpoint.
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
  const early = registries.areServed(results) ? registries.judge(results) : undefined;
  // Nobody waits for it where all of them are known.
  early?.catch(() => undefined);
  const known = await findKnown(database, results.map(idOf));
  requireSame(results, known);
  const unknown = results.filter((result) => !known.has(idOf(result)));
  let found: ReadonlyMap<string, TakenJob> = known;
  if (unknown.length > 0) {
    await registries.requireOperators(unknown);
    registries.requireGood(unknown, await (early ?? registries.judge(unknown)));
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

/** As a rule there is nothing, which takes no look at transactions. */
const findKnown = async (
  database: Database,
  requestIds: readonly string[],
): Promise<ReadonlyMap<string, Job>> =>
  (await hasJobs({ database, requestIds })) ? findJobs({ database, requestIds }) : new Map();

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
