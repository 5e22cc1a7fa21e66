import { BaseError } from "@haca/protocol/baseError";
import { getAddress, isAddress, isError } from "ethers";
import { contractAt } from "../lib/contracts.ts";
import { explainError } from "../lib/explainError.ts";
import { printable } from "../lib/words.ts";
import {
  badArgument,
  type FeedsContext,
  printJson,
  type ReadOptions,
  readFeeds,
  roundWords,
  stateOf,
  withFeeds,
} from "./context.ts";

const UINT80 = 2n ** 80n - 1n;

/** Asks a contract by the interface that consumers have, and says whether it is the reader of one of these feeds. */
export function read(options: ReadOptions & { reader: string; round?: string }): Promise<void> {
  const { reader: text, round } = options;
  if (!/^0x/.test(text) || !isAddress(text)) throw badArgument(`reader ${text} is no address`);
  const wanted = round === undefined ? undefined : roundArgument(round);
  return withFeeds(options.network, async (context) => {
    const address = getAddress(text);
    const told = await ask(context, address, wanted);
    const feed = (await readFeeds(context)).find(({ reader }) => reader === address);
    const state =
      feed === undefined || wanted !== undefined
        ? null
        : stateOf({ latest: told, heartbeat: feed.heartbeat });
    const feedId = feed?.feedId ?? null;
    if (options.json) {
      const { chainId } = context.session;
      printJson({ chainId, now: context.now, reader: address, feedId, state, ...told });
      return;
    }
    const whose =
      feedId === null ? "none of this deployment: its owner says what is stale" : feedId;
    console.log(
      [
        `${printable(told.description)}, version ${told.version}`,
        `  feed       ${whose}`,
        `  round      ${told.roundId}`,
        `  answer     ${roundWords(told, told.decimals)}${state === null ? "" : `: ${state}`}`,
      ].join("\n"),
    );
  });
}

function roundArgument(text: string): bigint {
  const round = /^[0-9]{1,25}$/.test(text) ? BigInt(text) : 0n;
  if (round > 0n && round <= UINT80) return round;
  throw badArgument(`--round must be a round's number, from 1, got ${text}`);
}

async function ask({ now, session }: FeedsContext, address: string, round: bigint | undefined) {
  const { provider } = session;
  if ((await provider.getCode(address)) === "0x") {
    throw badArgument(`reader ${address} has no contract`);
  }
  const reader = contractAt({ name: "AggregatorV3Interface", address, runner: provider });
  try {
    const [description, version, decimals] = await Promise.all([
      ...([reader.description(), reader.version(), reader.decimals()] as const),
    ]);
    const answered =
      round === undefined ? await reader.latestRoundData() : await reader.getRoundData(round);
    const { answer, answeredInRound, roundId, startedAt, updatedAt } = answered;
    const age = now > updatedAt ? now - updatedAt : 0n;
    const data = { roundId, answer, startedAt, updatedAt, answeredInRound, age };
    return { description, version, decimals: Number(decimals), ...data };
  } catch (error) {
    if (isError(error, "BAD_DATA") || isRevertWithoutReason(error)) {
      throw new BaseError({
        code: "feeds.noReader",
        message: `${address} does not answer as an AggregatorV3Interface`,
        cause: error,
      });
    }
    throw explainError({ error, action: `reading ${address}` });
  }
}

const isRevertWithoutReason = (error: unknown): boolean =>
  isError(error, "CALL_EXCEPTION") && (error.data === "0x" || error.data === null);
