import { escrowKindsInWords } from "@haca/protocol/inferenceEscrow";
import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { isSameHex } from "@haca/protocol/isSameHex";
import { channelAccount, openingSiblings, packRecords } from "@haca/protocol/pageOpening";
import { leafAt, type PageLeaf, placesOf } from "@haca/protocol/pageSettlement";
import { decodeRequestId, placeInLedger, requestIdAt } from "@haca/protocol/requestId";
import { addressOf } from "../lib/chainSession.ts";
import { interfaceOf } from "../lib/contracts.ts";
import { type Report, withProgress } from "../lib/progress.ts";
import { readAllLogs } from "../lib/readAllLogs.ts";
import { sendChange } from "../lib/sendChange.ts";
import { senderOf } from "../lib/sender.ts";
import { findPage, readContent, requirePageId, stateInWords } from "../pages/page.ts";
import {
  channelsOf,
  type FoundChannel,
  type FoundGate,
  MOST_TOPICS,
  requireGate,
} from "./channels.ts";
import {
  addressArgument,
  amountWords,
  type EscrowContext,
  refuse,
  type SendOptions,
  tokenOrUnits,
  withEscrow,
} from "./context.ts";

/** Results that were settled alone, in one transaction. */
const MOST_ALONE = 64;
/** Where the bits of kinds in pages begin. */
const PAGE_SHIFT = 4n;
const VANILLA = 0n;

type Settled = { found: FoundChannel; result: InferenceResult; kind: bigint };
type Priced = { found: FoundChannel; result: Pick<InferenceResult, "price"> };

/** Counts results that were settled alone, at the gate of their channels. Errors: `escrow.badArgument`, `escrow.refused`, those of `senderOf` and `sendChange`. */
export function countResults(options: SendOptions & { gate: string }): Promise<void> {
  const address = addressArgument("gate", options.gate);
  return withEscrow(options.network, async (context) => {
    const gate = await requireGate(context, address);
    const open = await withProgress("reading results", async (report) => {
      const found = await channelsOf(context, { gate, report });
      return uncountedOf(context, { gate, channels: found, report });
    });
    if (open.length === 0) {
      throw refuse(
        `no result of a channel of ${gate.address} was settled alone and is not counted: those in pages are counted by count-page`,
      );
    }
    const taken = open.slice(0, MOST_ALONE);
    const { contract } = gate;
    const calls = taken.map(({ found, kind, result }) =>
      contract.interface.encodeFunctionData("countResult", [found.channelId, result, kind]),
    );
    const isSent = await sendChange(context, {
      ...{ options, sender: await senderOf(context.session, options), contract, name: "multicall" },
      values: [calls] as const,
      changes: await changesBy(context, taken),
      question: "Count them?",
    });
    const left = open.length - taken.length;
    if (isSent && left > 0) console.log(`left         ${left} more: the same command again`);
  });
}

/** The same with the results of a final page. Errors: besides, those of a page's blob and `pages.unknown`. */
export function countPage(options: SendOptions & { gate: string; page: string }): Promise<void> {
  const address = addressArgument("gate", options.gate);
  requirePageId(options.page);
  return withEscrow(options.network, async (context) => {
    const { session } = context;
    const gate = await requireGate(context, address);
    const pages = await session.contract("PageSettlement");
    const page = await findPage({ session, id: options.page });
    const { ledgerPage, kind } = page.header;
    const { node } = decodeRequestId(requestIdAt({ ledgerPage, index: 0 }));
    if (!isSameHex(node, gate.terms.node)) {
      throw refuse(`the gate is of node ${gate.terms.node}, and the page of ${node}`);
    }
    requireKind(gate, 1n << (PAGE_SHIFT + BigInt(kind)));
    const { state, words } = await stateInWords({ pages }, page.id);
    if (state !== "Final") throw refuse(`page ${page.id} is ${words}`);
    const content = await readContent({ session, pages, page });
    const [own, isCounted] = await withProgress("reading channels", async (report) => [
      await channelsOf(context, { gate, report }),
      await readCounted(context, { gate, report }),
    ]);
    const byAccount = new Map(own.map((one) => [channelAccount(one.channelId).toLowerCase(), one]));
    const open: (Priced & { leaf: PageLeaf })[] = [];
    for (const place of placesOf(page.header)) {
      const leaf = leafAt(content, place);
      const found = leaf && byAccount.get(leaf.result.requester.toLowerCase());
      if (leaf === undefined || found === undefined) continue;
      if (isCounted(leaf.result.requestId)) continue;
      open.push({ found, leaf, result: leaf.result });
    }
    if (open.length === 0) {
      throw refuse(
        `page ${page.id} has no result of a channel of ${gate.address} that is not counted`,
      );
    }
    const siblings = openingSiblings({
      ...{ tree: content.tree, places: open.map(({ leaf }) => leaf.index) },
    });
    await sendChange(context, {
      ...{ options, sender: await senderOf(session, options), question: "Count them?" },
      ...{ contract: gate.contract, name: "countPage" },
      values: [page.header, sectionsOf(open), siblings] as const,
      changes: await changesBy(context, open),
    });
  });
}

/** Results of channels that were settled alone, and count at the gate, but are not counted yet. */
async function uncountedOf(
  context: EscrowContext,
  parameters: { gate: FoundGate; channels: readonly FoundChannel[]; report: Report },
): Promise<Settled[]> {
  const { channels, gate, report } = parameters;
  const { book, provider } = context.session;
  const isCounted = await readCounted(context, { gate, report });
  const settlement = interfaceOf("InferenceSettlement");
  const byAccount = new Map(channels.map((one) => [channelAccount(one.channelId), one]));
  const accounts = [...byAccount.keys()].map(
    (account) => `0x${account.slice(2).padStart(64, "0")}`,
  );
  const open: Settled[] = [];
  for (let start = 0; start < accounts.length; start += MOST_TOPICS) {
    const logs = await readAllLogs({
      ...{ provider, address: addressOf(book, "InferenceSettlement"), report },
      topics: [
        ...[settlement.getEvent("InferenceSettled")?.topicHash ?? "", null, null],
        accounts.slice(start, start + MOST_TOPICS).map((account) => account.toLowerCase()),
      ],
      fromBlock: book.contracts.ChannelGates?.block ?? 0,
    });
    for (const log of logs) {
      const args = settlement.parseLog(log)?.args;
      if (args === undefined) continue;
      const { inputHash, modelVersion, outputHash, price, requester, teeId, timestamp } = args;
      const { requestId, verification: kind } = args;
      const found = byAccount.get(requester);
      const isOther = !isSameHex(decodeRequestId(requestId).node, gate.terms.node);
      // A request may have a Vanilla row and one other; the Vanilla one never pays.
      if (found === undefined || isOther || kind === VANILLA) continue;
      if ((gate.terms.kinds & (1n << kind)) === 0n) continue;
      if (isCounted(requestId)) continue;
      const result = { modelVersion, inputHash, outputHash, requester, requestId, price };
      open.push({ found, kind, result: { ...result, timestamp, teeId } });
    }
  }
  return open;
}

/** What a gate has counted, by its events: whether a request is among that. */
async function readCounted(
  { session }: EscrowContext,
  { gate, report }: { gate: FoundGate; report: Report },
): Promise<(requestId: string) => boolean> {
  const { book, provider } = session;
  const { interface: abi, target } = gate.contract;
  const logs = await readAllLogs({
    ...{ provider, address: target, report },
    topics: [abi.getEvent("ResultsCounted")?.topicHash ?? ""],
    fromBlock: book.contracts.ChannelGates?.block ?? 0,
  });
  const pages = new Map<bigint, bigint>();
  for (const log of logs) {
    const args = abi.parseLog(log)?.args;
    if (args !== undefined) pages.set(args.page, (pages.get(args.page) ?? 0n) | args.bitmap);
  }
  return (requestId) => {
    const { bit, page } = placeInLedger(requestId);
    return ((pages.get(page) ?? 0n) & bit) !== 0n;
  };
}

/** What one channel and one version have in common is in a section once. */
function sectionsOf(open: readonly { found: FoundChannel; leaf: PageLeaf }[]) {
  const sections = new Map<
    string,
    { channelId: string; modelVersion: string; leaves: PageLeaf[] }
  >();
  for (const { found, leaf } of open) {
    const { channelId } = found;
    const { modelVersion } = leaf.result;
    const key = `${channelId} ${modelVersion}`;
    const section = sections.get(key) ?? { channelId, modelVersion, leaves: [] };
    section.leaves.push(leaf);
    sections.set(key, section);
  }
  return [...sections.values()].map(({ leaves, ...rest }) => ({
    ...{ ...rest, records: packRecords(leaves) },
  }));
}

/** What is counted of each channel afterwards. */
async function changesBy(context: EscrowContext, counted: readonly Priced[]): Promise<string[]> {
  const lines: string[] = [];
  for (const found of new Set(counted.map((one) => one.found))) {
    const own = counted.filter((one) => one.found === found);
    const sum = own.reduce((total, { result }) => total + result.price, 0n);
    const token = await tokenOrUnits(context, found.channel.token);
    lines.push(
      `channel ${found.channelId}: counted ${amountWords(found.counted, token)} -> ` +
        `${amountWords(found.counted + sum, token)}, by ${own.length} ${own.length === 1 ? "result" : "results"}`,
    );
  }
  return lines;
}

/** Error: `escrow.refused`. */
function requireKind({ terms }: FoundGate, kind: bigint): void {
  if ((terms.kinds & kind) !== 0n) return;
  throw refuse(
    `the gate counts ${escrowKindsInWords(terms.kinds)}, and the page is ${escrowKindsInWords(kind)}`,
  );
}
