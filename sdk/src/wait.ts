import { BaseError } from "@haca/protocol/baseError";
import { isOccupied, modelRegistryOf, settlementWindow, versionOf } from "./chain/contractReads.ts";
import { type Chain, type Head, openChain } from "./chain/openChain.ts";
import { type Fate, fateOf } from "./checks/fate.ts";
import { DEPRECATED, lineOfFate, PUBLISHED } from "./checks/ofChain.ts";
import { evidenceOf } from "./checks/ofEvidence.ts";
import { isOfEnclave } from "./checks/ofMessage.ts";
import { optionError, requireKnown } from "./client/optionError.ts";
import type { AsOf, Check, Line } from "./line.ts";
import { LONGEST_PAUSE_MS, pause } from "./pause.ts";
import type { Pins } from "./pins.ts";
import { toReceipt } from "./receipt/parseReceipt.ts";
import type { Receipt } from "./receipt/receipt.ts";
import { verify } from "./verify.ts";

/** `settled`: for good, by its own transaction or in a page that is final. `final`: and that in a finalised block. */
export const GOALS = ["settled", "final"] as const;
export type Goal = (typeof GOALS)[number];

/** What is waited for: a transaction, the end of a page, the chain's validators. */
export type Clock = "settlement" | "page" | "finality";

export type Waiting = {
  clock: Clock;
  /** a sentence for people */
  detail: string;
  /** as of when; null while endpoints do not answer */
  asOf: AsOf | null;
  /** unix seconds at which the page becomes final if nobody shows it to be wrong; null where nobody knows */
  end: bigint | null;
};

export type WaitOptions = {
  pins: Pins;
  /** all have to agree */
  rpcs: readonly string[];
  /** ends the waiting, which throws its reason */
  signal?: AbortSignal | undefined;
  /** pause between two looks, in milliseconds */
  pollMs?: number;
  /** told at each look for what is waited */
  onProgress?: ((waiting: Waiting) => void) | undefined;
};

const OPTIONS = ["pins", "rpcs", "signal", "pollMs", "onProgress"];
const POLL_MS = 4_000;
/** `until` of a page for whose leaf somebody waits. */
const NO_END = 1n << 64n;

/**
 * Waits until a receipt's result is settled, or final. All it needs is the receipt: it goes on after a restart. Refuses what can
 * never come, as of the block at which it looks.
 * @param source a receipt, or its bytes or text
 * @returns the line `settled`, asserted
 * @throws BaseError `wait.…` for what cannot come: `notPinned`, `refuted`, `vanilla`, `version`, `otherResult`, `whichResult`,
 *   `pageRejected`, `pageDisproved`, `expired`; `chain.…` where endpoints do not answer to begin with; `format.malformed`,
 *   `option.wrong`; the reason of `signal`
 */
export async function wait(
  source: Receipt | Uint8Array | string,
  until: Goal,
  options: WaitOptions,
): Promise<Line> {
  const { pins, pollMs = POLL_MS, onProgress, rpcs, signal } = options;
  requireKnown(options, OPTIONS);
  if (!GOALS.includes(until)) throw optionError("until", `must be ${GOALS.join(" or ")}`);
  if (!Number.isSafeInteger(pollMs) || pollMs < 1 || pollMs > LONGEST_PAUSE_MS) {
    throw optionError("pollMs", `must be a whole number, 1 to ${LONGEST_PAUSE_MS}`);
  }
  signal?.throwIfAborted();
  const receipt = toReceipt(source);
  await requireSound(receipt, pins);
  for (let isFirst = true; ; isFirst = false) {
    signal?.throwIfAborted();
    const found = await look({ receipt, until, rpcs }).catch((error: unknown) => {
      if (isFirst || !isPassing(error)) throw error;
      return error;
    });
    if ("line" in found) return found.line;
    signal?.throwIfAborted();
    onProgress?.("clock" in found ? found : unreached(found));
    await pause(pollMs, signal);
  }
}

/** What a settlement does not ask for. */
const NOT_SETTLING: readonly Check[] = ["model", "time", "attestation"];

/** What of a receipt needs no chain, and no chain makes up for. */
async function requireSound(receipt: Receipt, pins: Pins): Promise<void> {
  const lines = await verify(receipt, { pins });
  const refuted = lines.find(
    ({ check, status }) => status === "refuted" && !NOT_SETTLING.includes(check),
  );
  if (refuted !== undefined) {
    throw never("refuted", `${refuted.check}: ${refuted.detail}`, { check: refuted.check });
  }
  const contract = lines.find(({ check }) => check === "contract");
  if (contract?.status !== "asserted") throw never("notPinned", contract?.detail ?? "");
}

type Found = { line: Line } | Waiting;

async function look(parameters: {
  receipt: Receipt;
  until: Goal;
  rpcs: readonly string[];
}): Promise<Found> {
  const { receipt, until, rpcs } = parameters;
  const at = async (head: Head): Promise<{ chain: Chain; fate: Fate }> => {
    const chain = await openChain({ rpcs, chainId: receipt.core.chainId, head });
    const pages = evidenceOf(receipt, "page");
    return { chain, fate: await fateOf(chain, { core: receipt.core, pages }) };
  };
  const now = await at("latest");
  const waiting = await waitingFor(now.chain, { receipt, fate: now.fate });
  if (waiting !== undefined) return waiting;
  if (until === "settled") return { line: lineOfFate(now.chain, now.fate) };
  const then = await at("finalized");
  const line = lineOfFate(then.chain, then.fate);
  if (line.status === "asserted") return { line };
  const { number } = then.chain.block;
  return {
    ...{ clock: "finality", asOf: now.chain.asOf, end: null },
    detail: `settled; the chain has finalised block ${number} so far, in which it is not`,
  };
}

/** For what there is to wait; nothing where it is settled. @throws BaseError `wait.*` where it can never be */
async function waitingFor(
  chain: Chain,
  { receipt, fate }: { receipt: Receipt; fate: Fate },
): Promise<Waiting | undefined> {
  const { asOf } = chain;
  switch (fate.type) {
    case "settled":
    case "final":
      return undefined;
    case "other":
      throw never("otherResult", "another result of the request was settled", { asOf });
    case "some": {
      const why = "the request is settled, and the endpoints do not show which result of it was";
      throw never("whichResult", why, { asOf });
    }
    case "rejected": {
      const why = "the page was rejected; its results may be settled again, each by itself";
      throw never("pageRejected", why, { asOf });
    }
    case "disproved":
      throw never("pageDisproved", "the page was shown to be wrong after it was final", { asOf });
    case "pending": {
      const end = fate.until < NO_END ? fate.until : null;
      const detail =
        end === null
          ? "the page is pending; somebody waits for a result of it to be shown"
          : `the page is pending until ${end} at least, in unix seconds`;
      return { clock: "page", detail, asOf, end };
    }
    default:
      return await waitingForAnyone(chain, receipt);
  }
}

/** Of a result that is in no page that is known here. */
async function waitingForAnyone(chain: Chain, { core }: Receipt): Promise<Waiting> {
  const { asOf } = chain;
  const { message, settlement } = core;
  const waiting = { clock: "settlement", asOf, end: null } as const;
  if (await isOccupied(chain, settlement, message.requestId)) {
    const detail = "a page holds the request; seal the receipt to see which, and until when";
    return { ...waiting, detail };
  }
  const time = BigInt(message.timestamp);
  const models = await modelRegistryOf(chain, settlement);
  const version = await versionOf(chain, models, message.modelVersion);
  if (!isOfEnclave(core) && version.status !== 0n && !version.hasKey) {
    const why =
      "no enclave answered, and nothing can be proved of the model: it can be recorded, and not settled";
    throw never("vanilla", why, { asOf });
  }
  const isInUse =
    version.status === PUBLISHED || (version.status === DEPRECATED && time < version.deprecatedAt);
  if (!isInUse) {
    throw never("version", "the model's version is unknown, or was deprecated before", { asOf });
  }
  const end = time + (await settlementWindow(chain, settlement));
  if (chain.block.time > end) {
    throw never("expired", `it could be settled until ${end}, in unix seconds`, { asOf });
  }
  const isProved = isOfEnclave(core);
  const detail = `nobody has settled it yet; ${isProved ? "the enclave" : "the node"} has time until ${end}, in unix seconds`;
  return { ...waiting, detail };
}

/** Whether it may be otherwise at the next look. */
const isPassing = (error: unknown): error is BaseError =>
  error instanceof BaseError &&
  ["chain.unreachable", "chain.refused", "chain.badAnswer", "chain.disagreement"].includes(
    error.code,
  );

const unreached = ({ message }: BaseError): Waiting => ({
  ...{ clock: "settlement", asOf: null, end: null },
  detail: `looked in vain: ${message}`,
});

const never = (code: string, why: string, details: Record<string, unknown> = {}): BaseError =>
  new BaseError({ code: `wait.${code}`, message: `nothing to wait for: ${why}`, details });
