import type { StakeContext } from "./context.ts";
import { blockTimes, readEvents } from "./events.ts";
import { type SetChange, type Stream, streamAt } from "./stream.ts";

/**
 * What is streamed now. The contract keeps it to itself, and it follows from events: what was added, and since when the set has had
 * members, without whom the stream stands still.
 */
export async function readStream(context: StakeContext): Promise<Stream> {
  const timeOf = blockTimes(context);
  const contract = "ValidatorStaking";
  const additions = [];
  for (const { args, block } of await readEvents(context, { contract, event: "RewardsAdded" })) {
    additions.push({ amount: BigInt(args.amount), at: await timeOf(block) });
  }
  if (additions.length === 0) return { rate: 0n, left: 0n, seconds: 0n };
  const changes: SetChange[] = [];
  for (const block of await membershipChanges(context)) {
    changes.push({ at: await timeOf(block.number), hasMembers: block.members > 0 });
  }
  return streamAt({ additions, changes, at: context.now });
}

/** Blocks behind which the set had members for the first time, or none any more. */
async function membershipChanges(
  context: StakeContext,
): Promise<{ number: number; members: number }[]> {
  const contract = "ValidatorStaking";
  const entered = await readEvents(context, { contract, event: "ValidatorEntered" });
  const left = await readEvents(context, { contract, event: "ValidatorLeft" });
  const byBlock = new Map<number, number>();
  for (const { block } of entered) byBlock.set(block, (byBlock.get(block) ?? 0) + 1);
  for (const { block } of left) byBlock.set(block, (byBlock.get(block) ?? 0) - 1);
  const changes: { number: number; members: number }[] = [];
  let members = 0;
  for (const [number, change] of [...byBlock].sort(([a], [b]) => a - b)) {
    const before = members;
    members += change;
    if (before > 0 !== members > 0) changes.push({ number, members });
  }
  return changes;
}
