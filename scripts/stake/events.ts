/** What only events tell: who delegated where, snapshots, when rewards came in. */
import type { ListedName } from "@haca/protocol/contracts";
import { type Interface, type LogDescription, zeroPadValue } from "ethers";
import { addressOf } from "../lib/chainSession.ts";
import { interfaceOf } from "../lib/contracts.ts";
import { readAllLogs } from "../lib/readAllLogs.ts";
import { refuse, type StakeContext } from "./context.ts";

export type Found = { args: LogDescription["args"]; block: number };

/** Events of a contract by name since its deployment, oldest first; `topics` are the indexed values, null for any. */
export async function readEvents(
  { session }: Pick<StakeContext, "session">,
  parameters: { contract: ListedName; event: string; topics?: readonly (string | null)[] },
): Promise<Found[]> {
  const { contract, event, topics = [] } = parameters;
  const parser: Interface = interfaceOf(contract);
  const logs = await readAllLogs({
    provider: session.provider,
    address: addressOf(session.book, contract),
    topics: [parser.getEvent(event)?.topicHash ?? "", ...topics],
    fromBlock: session.book.contracts[contract]?.block ?? 0,
  });
  return logs.flatMap((log) => {
    const parsed = parser.parseLog(log);
    return parsed === null ? [] : [{ args: parsed.args, block: log.blockNumber }];
  });
}

/** An account or a number as an indexed value. */
export const topicOf = (value: string | bigint): string =>
  zeroPadValue(typeof value === "bigint" ? `0x${value.toString(16).padStart(64, "0")}` : value, 32);

/** The words of an epoch's snapshot; undefined where nothing happened in it. */
export async function snapshotOf(
  context: Pick<StakeContext, "session">,
  epoch: bigint,
): Promise<bigint[] | undefined> {
  const [found] = await readEvents(context, {
    ...{ contract: "ValidatorStaking", event: "SnapshotFrozen", topics: [topicOf(epoch)] },
  });
  return found === undefined ? undefined : [...found.args.snapshot];
}

/** Error: `stake.refused`. */
export async function requireSnapshot(
  context: Pick<StakeContext, "session">,
  epoch: bigint,
): Promise<bigint[]> {
  const snapshot = await snapshotOf(context, epoch);
  if (snapshot !== undefined) return snapshot;
  throw refuse(`epoch ${epoch} has no snapshot: nobody called anything in it`);
}

/** Unix seconds of blocks, each asked for once. */
export function blockTimes({ session }: Pick<StakeContext, "session">) {
  const known = new Map<number, bigint>();
  return async (block: number): Promise<bigint> => {
    const found =
      known.get(block) ?? BigInt((await session.provider.getBlock(block))?.timestamp ?? 0);
    known.set(block, found);
    return found;
  };
}
