import { describeError, RefusedByEndpointError } from "../../../errors.ts";
import { type DueChannel, endClaim, leaseChannels, restChannels } from "../../../jobs/channels.ts";
import type { ChainView } from "../../../transactions/readChainView.ts";
import { sendTransaction, WouldRevertError } from "../../../transactions/sendTransaction.ts";
import type { SettleContext } from "../settleContext.ts";
import type { ChannelPorts } from "./channelPorts.ts";
import { areUncollectedAt, claimableAt, deepBlock, gateInterface } from "./readGate.ts";

/** Channels that are claimed of in one pass. */
const LIMIT = 64;
/** Rest of channels that nothing can be claimed of. */
const REFUSED_REST_SECONDS = 3_600;

type Parameters = { context: SettleContext; channels: ChannelPorts; view: ChainView };

/**
 * Claims what was counted, of all due channels of a gate together, and has it paid out; also what somebody else has claimed and
 * left there. What is left to do is read from the chain, whoever did it. Returns of how many channels nothing waits any more.
 */
export async function claimChannels(parameters: Parameters): Promise<number> {
  const { context, channels, view } = parameters;
  const { database, logger } = context;
  const due = await leaseChannels({ database, restSeconds: channels.lookSeconds, limit: LIMIT });
  const now = await claimableAt({ context, channels: due, block: view.head });
  const deep = await claimableAt({ context, channels: due, block: deepBlock(context, view) });
  const areUncollected = await areUncollectedAt({ context, channels: due, block: view.head });
  let ended = 0;
  const open = new Map<string, DueChannel[]>();
  const uncollected = new Map<string, DueChannel[]>();
  const add = (groups: Map<string, DueChannel[]>, due: DueChannel): void => {
    const key = `${due.channel.receiver} ${due.channel.token}`;
    groups.set(key, [...(groups.get(key) ?? []), due]);
  };
  for (const [index, channel] of due.entries()) {
    const { channelId } = channel;
    if (now[index] === undefined) {
      const error = "no gate of channels is at the receiver's address";
      logger.warn({ channel: channelId, error }, "not claimed");
      const seconds = REFUSED_REST_SECONDS;
      await restChannels({ database, channelIds: [channelId], error, seconds });
    } else if (now[index] > 0n) {
      add(open, channel);
    } else if (areUncollected[index] === true) {
      add(uncollected, channel);
    } else if (deep[index] === 0n) {
      await endClaim({ database, channel });
      ended += 1;
    }
  }
  for (const group of open.values()) await send({ ...parameters, group });
  for (const [key, group] of uncollected) {
    // With a claim, what is left is collected too.
    if (!open.has(key)) await send({ ...parameters, group, isClaimed: true });
  }
  return ended;
}

async function send(
  parameters: Parameters & {
    group: readonly DueChannel[];
    /** whether there is nothing to be claimed, and what was is to be collected */
    isClaimed?: boolean;
  },
): Promise<void> {
  const { context, group, isClaimed = false, view } = parameters;
  const { database, logger, store } = context;
  const [first] = group;
  if (first === undefined) return;
  const { receiver: gate, token } = first.channel;
  const purpose = `${isClaimed ? "collect" : "claim"} ${(group.length > 1 ? gate : first.channelId).slice(0, 18)}`;
  if ((await store.listOpen()).some((open) => open.purpose === purpose)) return;
  const vouchers = group.map(({ channel, maxClaimableAmount, signature }) => ({
    ...{ channel, maxClaimableAmount, signature },
  }));
  const collect = gateInterface.encodeFunctionData("collect", [token]);
  const claim = gateInterface.encodeFunctionData("claim", [vouchers]);
  const data = isClaimed
    ? collect
    : gateInterface.encodeFunctionData("multicall", [[claim, collect]]);
  try {
    const sent = await sendTransaction({ context, view, purpose, to: gate, data });
    if (sent === undefined) return;
    const what = isClaimed ? "collecting what was claimed of channels" : "claiming of channels";
    logger.info({ gate, channels: group.length, transaction: sent.hash }, what);
  } catch (error) {
    if (!(error instanceof WouldRevertError || error instanceof RefusedByEndpointError))
      throw error;
    const words = describeError(error);
    logger.warn({ gate, channels: group.length, error: words }, "claiming of channels: not now");
    if (error instanceof RefusedByEndpointError) return;
    if (group.length > 1) {
      // One that cannot be claimed keeps no other from it.
      for (const channel of group) await send({ ...parameters, group: [channel] });
      return;
    }
    const { channelId } = first;
    const seconds = REFUSED_REST_SECONDS;
    await restChannels({ database, channelIds: [channelId], error: words, seconds });
  }
}
