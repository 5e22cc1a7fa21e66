import { channelGateAbi, channelGatesAbi } from "@haca/protocol/abi";
import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import { batchSettlement } from "@haca/protocol/channels";
import { getAddress, Interface } from "ethers";
import { callMany, type ViewCall } from "../../../chain/callMany.ts";
import type { DueChannel } from "../../../jobs/channels.ts";
import type { ChainView } from "../../../transactions/readChainView.ts";
import type { SettleContext } from "../settleContext.ts";

export const gateInterface = new Interface(channelGateAbi);
const gatesInterface = new Interface(channelGatesAbi);
/** As deep as full nodes have the state of. */
const MAXIMUM_DEPTH = 100;

/** The block that is as deep as reorganisations are watched for. */
export const deepBlock = ({ reorgBlocks }: SettleContext, { head }: ChainView): number =>
  Math.max(0, head - Math.min(reorgBlocks, MAXIMUM_DEPTH));

/** What views answer in a block; undefined for those that nothing, or something else, answers. */
export async function readViews(parameters: {
  context: SettleContext;
  calls: readonly ViewCall[];
  block: number;
}): Promise<(string | undefined)[]> {
  const { block, calls, context } = parameters;
  const { provider } = context.chain;
  const answers = await callMany({ provider, calls, block: `0x${block.toString(16)}` });
  return answers.map((answer) =>
    typeof answer === "string" && answer !== "0x" ? answer : undefined,
  );
}

/**
 * Whether an address is a gate of the deployment: anybody can write a contract that answers as one, but a gate's address is made
 * of its terms. Where the address book has no ChannelGates, nobody can tell, and it counts as one.
 */
export async function isGate(parameters: {
  context: SettleContext;
  knownGates: Set<string>;
  gate: string;
  block: number;
}): Promise<boolean> {
  const { block, context, gate, knownGates } = parameters;
  const { channelGates } = context.chain;
  if (channelGates === undefined || knownGates.has(gate)) return true;
  const terms = await termsAt(parameters);
  if (terms === undefined) return false;
  const made = { to: channelGates, data: gatesInterface.encodeFunctionData("gateOf", [terms]) };
  const [address] = await readViews({ context, calls: [made], block });
  if (address === undefined) return false;
  const [found] = gatesInterface.decodeFunctionResult("gateOf", address);
  if (found !== getAddress(gate)) return false;
  knownGates.add(gate);
  return true;
}

/** Whose a gate says that it is; undefined where something else has answered. */
export async function termsAt(parameters: {
  context: SettleContext;
  gate: string;
  block: number;
}): Promise<{ node: string; payee: string } | undefined> {
  const { block, context, gate } = parameters;
  const asked = { to: gate, data: gateInterface.encodeFunctionData("terms") };
  const [answer] = await readViews({ context, calls: [asked], block });
  try {
    return gateInterface.decodeFunctionResult("terms", answer ?? "0x")[0].toObject();
  } catch {
    return undefined;
  }
}

/** Which requests a gate has counted in a block; undefined where no gate is at the address. */
export async function countedAt(parameters: {
  context: SettleContext;
  gate: string;
  requestIds: readonly string[];
  block: number;
}): Promise<Set<string> | undefined> {
  const { block, context, gate, requestIds } = parameters;
  const calls = requestIds.map((requestId) => ({
    to: gate,
    data: gateInterface.encodeFunctionData("isCounted", [requestId]),
  }));
  const answers = await readViews({ context, calls, block });
  if (answers.includes(undefined)) return undefined;
  return new Set(requestIds.filter((_, index) => BigInt(answers[index] ?? 0) === 1n));
}

/** What can be claimed of channels in a block, in their order; undefined for those whose gate is none. */
export async function claimableAt(parameters: {
  context: SettleContext;
  channels: readonly DueChannel[];
  block: number;
}): Promise<(bigint | undefined)[]> {
  const { block, channels, context } = parameters;
  const calls = channels.flatMap(({ channel, channelId }) => [
    {
      to: channel.receiver,
      data: gateInterface.encodeFunctionData("provenOf", [channelId]),
    },
    {
      to: BATCH_SETTLEMENT_ADDRESS,
      data: batchSettlement.encodeFunctionData("channels", [channelId]),
    },
  ]);
  const answers = await readViews({ context, calls, block });
  return channels.map(({ maxClaimableAmount }, index) => {
    const [proven, state] = answers.slice(2 * index, 2 * index + 2);
    if (proven === undefined || state === undefined) return undefined;
    const [balance, claimed] = batchSettlement.decodeFunctionResult("channels", state);
    const most = [BigInt(proven), balance as bigint].reduce(
      (least, value) => (value < least ? value : least),
      maxClaimableAmount,
    );
    return most > claimed ? most - claimed : 0n;
  });
}

/** Of which channels' gates something that was claimed is still at x402's contract in a block, in their order. */
export async function areUncollectedAt(parameters: {
  context: SettleContext;
  channels: readonly DueChannel[];
  block: number;
}): Promise<boolean[]> {
  const { block, channels, context } = parameters;
  const calls = channels.map(({ channel: { receiver, token } }) => ({
    to: BATCH_SETTLEMENT_ADDRESS,
    data: batchSettlement.encodeFunctionData("receivers", [receiver, token]),
  }));
  const answers = await readViews({ context, calls, block });
  return answers.map((answer) => {
    if (answer === undefined) return false;
    const [claimed, settled] = batchSettlement.decodeFunctionResult("receivers", answer);
    return claimed > settled;
  });
}
