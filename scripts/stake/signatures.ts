import { EVIDENCE_WINDOW, endOfPage } from "@haca/protocol/pageSettlement";
import { decodeSnapshot, EPOCH_SECONDS } from "@haca/protocol/validatorStaking";
import type { ContractOf } from "../lib/contracts.ts";
import type { StakeContext } from "./context.ts";
import { readEvents, snapshotOf } from "./events.ts";

/** Most seconds by which requests for leaves can move a page's end on. */
const LATER = 3n * 86_400n;

/** Pages that a quorum vouched for through the staking contract, as the chain has them now. */
export type Attested = {
  pageId: string;
  epoch: bigint;
  signers: bigint;
  record: Awaited<ReturnType<ContractOf<"PageSettlement">["pageOf"]>>;
};

/** Pages that this contract's quorums vouched for, oldest first; only those that end after a time. */
export async function attestedPages(context: StakeContext, endsAfter = 0n): Promise<Attested[]> {
  const { session, staking } = context;
  const pages = await session.contract("PageSettlement");
  const here = await staking.getAddress();
  const found = await readEvents(context, { contract: "PageSettlement", event: "PageAttested" });
  const attested: Attested[] = [];
  for (const { args } of found) {
    if (args.end + LATER < endsAfter) continue;
    const record = await pages.pageOf(args.pageId);
    if ((await pages.attesterAt(record.attesterNumber)) !== here) continue;
    const { attestedAt, signers } = record;
    attested.push({ pageId: args.pageId, epoch: attestedAt / EPOCH_SECONDS, signers, record });
  }
  return attested;
}

/** How many pages a validator has signed in quorums that can still be shown to be wrong. */
export async function openSignatures(context: StakeContext, validator: string): Promise<number> {
  const { now } = context;
  const snapshots = new Map<bigint, readonly string[]>();
  let count = 0;
  for (const page of await attestedPages(context, now - EVIDENCE_WINDOW)) {
    const { epoch, record, signers } = page;
    if (record.outcome !== 0n || endOfPage(record) + EVIDENCE_WINDOW < now) continue;
    const owners = snapshots.get(epoch) ?? (await ownersIn(context, epoch));
    snapshots.set(epoch, owners);
    const index = owners.indexOf(validator);
    if (index >= 0 && ((signers >> BigInt(index)) & 1n) === 1n) count += 1;
  }
  return count;
}

/** Owners of the members of an epoch's snapshot, in its order. */
export async function ownersIn(context: StakeContext, epoch: bigint): Promise<string[]> {
  const words = await snapshotOf(context, epoch);
  if (words === undefined) return [];
  const { members } = decodeSnapshot(words);
  return await Promise.all(members.map(({ key }) => context.staking.validatorOfKey(key)));
}
