import type { Revert } from "../chain/rpcErrors.ts";
import { describeError, RefusedByEndpointError } from "../errors.ts";
import type { Sender } from "../transactions/sender.ts";
import { WouldRevertError } from "../transactions/sendTransaction.ts";
import type { VerifierContext } from "./verifierContext.ts";

/**
 * What became of a call that is to be made: it is on its way by now, or was before; it waits, for cheaper gas or an endpoint
 * that takes it; or the contract would refuse it.
 */
export type Sent =
  | { state: "sent" | "underway" | "waiting" }
  | { state: "refused"; revert: Revert };

/**
 * Sends a call unless it is on its way already: simulated first, so that what somebody else has done meanwhile costs nothing.
 * Whether it is still to be made is for the caller to read from the chain. @throws RetryableError
 */
export async function sendCall(parameters: {
  context: Pick<VerifierContext, "logger">;
  sender: Sender;
  /** names this one call, also for a process that comes after this one */
  purpose: string;
  to: string;
  data: string;
}): Promise<Sent> {
  const { context, data, purpose, sender, to } = parameters;
  if ((await sender.listOpen()).has(purpose)) return { state: "underway" };
  try {
    const sent = await sender.send({ purpose, to, data });
    if (sent === undefined) return { state: "waiting" };
    context.logger.info({ purpose, transaction: sent.hash }, "sent");
    return { state: "sent" };
  } catch (error) {
    if (error instanceof WouldRevertError) return { state: "refused", revert: error.revert };
    if (!(error instanceof RefusedByEndpointError)) throw error;
    context.logger.warn({ purpose, error: describeError(error) }, "not sent: later");
    return { state: "waiting" };
  }
}
