import { requireSameChain } from "../../chain/rpcErrors.ts";
import type { Job } from "../../jobs/job.ts";
import { releaseJob } from "../../jobs/leases.ts";
import { recordFailure } from "../../jobs/proofs.ts";
import type { Fees } from "../../transactions/fees.ts";
import type { ChainView } from "../../transactions/readChainView.ts";
import { sendTransaction, WouldRevertError } from "../../transactions/sendTransaction.ts";
import { recordOffered } from "./broadcastSigned.ts";
import { acceptExternal } from "./external.ts";
import { kindOf } from "./kinds/kinds.ts";
import type { SettleContext } from "./settleContext.ts";

/** Rest of a job whose settlement time makes possible. */
const TRANSIENT_DELAY_SECONDS = 5;

/**
 * Signs, records and sends the settlement of a proven job without a transaction. A settlement that the chain
 * has already, or would refuse, is never sent. Returns whether the job moved on.
 * @throws RefusedByEndpointError where this settlement has to wait; others need not
 */
export async function submitProven(parameters: {
  context: SettleContext;
  view: ChainView;
  job: Job;
  fees: Fees;
}): Promise<boolean> {
  const { context, view, job, fees } = parameters;
  const { requestId } = job;
  const call = { to: context.chain.settlement, data: kindOf(job).encode(job) };
  if (await acceptExternal({ context, view, job })) return true;
  try {
    const purpose = "settlement";
    const sent = await sendTransaction({ context, view, purpose, ...call, fees, requestId });
    if (sent === undefined || sent.offered.state === "refused") return false;
    const { offered, ...transaction } = sent;
    return await recordOffered({ context, view, job: { ...job, transaction }, offered });
  } catch (error) {
    if (!(error instanceof WouldRevertError)) throw error;
    return await refuse({ context, job, error });
  }
}

/** A revert fails the job, unless time heals it. */
async function refuse(parameters: {
  context: SettleContext;
  job: Job;
  error: WouldRevertError;
}): Promise<boolean> {
  const { context, job } = parameters;
  const { chain, database, logger, owner } = context;
  const { requestId } = job;
  const { name, message } = parameters.error.revert;
  if (kindOf(job).transientReverts.includes(name)) {
    const delaySeconds = TRANSIENT_DELAY_SECONDS;
    await releaseJob({ database, owner, requestId, error: message, delaySeconds });
    return false;
  }
  await requireSameChain(chain);
  logger.error({ requestId, revert: message }, "the settlement would revert");
  const code = `revert.${name}`;
  return await recordFailure({ database, requestId, from: "proven", code, message });
}
