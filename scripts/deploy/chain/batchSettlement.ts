import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import type { Deployment } from "../plan/openDeployment.ts";

/** The step that creates what makes gates of channels. */
const CREATION = "ChannelGates";

/**
 * Whether a deployment with the escrow creates what makes gates of channels, which needs x402's contract of channels: why not,
 * in a line that begins with "on this chain", or undefined if it does. What was begun goes on as it was. Nobody rules it, so
 * that a later run can still create it.
 */
export async function whyNoGates({
  journal,
  provider,
}: Pick<Deployment, "provider" | "journal">): Promise<string | undefined> {
  const { intent, mined } = journal.progressOf(CREATION);
  if (intent !== undefined || mined !== undefined) return undefined;
  if ((await provider.getCode(BATCH_SETTLEMENT_ADDRESS)) !== "0x") return undefined;
  return `there is no x402 contract of channels at ${BATCH_SETTLEMENT_ADDRESS}: no ChannelGates`;
}
