import { headerOfProposal, type PageHeader } from "@haca/protocol/pageSettlement";
import type { Log } from "ethers";
import { pageInterface, stakingInterface } from "../chain/chain.ts";
import type { Queryable } from "../storage/database.ts";
import { endRequest, insertRequest } from "./leafRequests.ts";
import { insertSnapshot } from "./snapshots.ts";
import { insertProposed, recordRefuter, wakePages } from "./watchedPages.ts";

/** Events of `PageSettlement` that say something about a page, whose id is their first topic. */
const PAGE_EVENTS = [
  ...["PageProposed", "PageAttested", "PageRefuted", "PageReleased"],
  ...["LeafRequested", "LeafAnswered", "LeafRequestReturned"],
  ...["ProofDemanded", "ProofGiven", "DemandReturned"],
] as const;

/** What is looked for in the chain's logs. */
export const TOPICS: readonly string[] = [
  ...PAGE_EVENTS.map((name) => pageInterface.getEvent(name)?.topicHash ?? ""),
  stakingInterface.getEvent("SnapshotFrozen")?.topicHash ?? "",
];

/** Records what an event says. What was recorded before stays as it is. */
export async function recordEvent(parameters: {
  tx: Queryable;
  log: Log;
  pageSettlement: string;
  /** it was read for the first time: the leaf of an old answer may have been asked for again */
  isNews: boolean;
}): Promise<void> {
  const { isNews, log, pageSettlement, tx } = parameters;
  const block = log.blockNumber;
  if (log.address.toLowerCase() !== pageSettlement.toLowerCase()) {
    const { args } = stakingInterface.parseLog(log) ?? {};
    if (args === undefined) return;
    await insertSnapshot(tx, { epoch: args.epoch, block, words: args.snapshot.toArray() });
    return;
  }
  const { args, name } = pageInterface.parseLog(log) ?? {};
  if (args === undefined) return;
  const { pageId } = args;
  if (name === "PageProposed") {
    const header = headerOfProposal(args as unknown as PageHeader);
    await insertProposed(tx, { pageId, block, header, endsAt: args.end });
  } else if (name === "PageRefuted") {
    await recordRefuter(tx, { pageId, challenger: args.challenger });
  } else if (name === "LeafRequested" || name === "ProofDemanded") {
    const wants = name === "LeafRequested" ? "leaf" : "proof";
    const { deadline, deposit, index, requester = args.demander } = args;
    const place = Number(index);
    await insertRequest(tx, { pageId, place, wants, block, requester, deadline, deposit });
  } else if (isNews && name !== "PageAttested" && name !== "PageReleased") {
    const wants = name === "ProofGiven" || name === "DemandReturned" ? "proof" : "leaf";
    await endRequest(tx, { pageId, place: Number(args.index), wants });
  }
}

/** Has the pages looked at that events are about. */
export async function wakeForEvents(tx: Queryable, logs: readonly Log[]): Promise<void> {
  const [frozen] = TOPICS.slice(-1);
  const pageIds = logs.flatMap(({ topics: [topic, pageId] }) =>
    topic === frozen || pageId === undefined ? [] : [pageId],
  );
  if (pageIds.length > 0) await wakePages(tx, pageIds);
}
