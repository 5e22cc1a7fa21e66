import { wordOf } from "../bytes.ts";
import {
  digestOf,
  isActive,
  isLedgerWriter,
  isSettled,
  modelRegistryOf,
  sessionOf,
  settledDigest,
  stateInPage,
  teeRegistryOf,
  versionOf,
  wasInService,
} from "../chain/contractReads.ts";
import type { Chain } from "../chain/openChain.ts";
import { type Check, type Line, lineOf, type Status } from "../line.ts";
import { signatureInPage } from "../page.ts";
import type { PageEvidence, ReceiptCore } from "../receipt/receipt.ts";
import { isOfEnclave } from "./ofMessage.ts";

/** What a chain says at one block of a receipt whose settlement is pinned; every other contract is one that it names. */

const PUBLISHED = 1n;
const DEPRECATED = 2n;
const NOT_KEPT = wordOf(0n);
/** As `PageSettlement` counts what became of a page. */
const STATES: readonly (readonly [Status, string])[] = [
  ["unknown", "the chain knows no such page"],
  ["unknown", "the page is pending"],
  ["asserted", "the page is final"],
  ["refuted", "the page was rejected"],
  ["refuted", "the page was shown to be wrong after it was final"],
];

const sayer =
  (chain: Chain) =>
  (check: Check, status: Status, detail: string): Line =>
    lineOf(check, status, detail, { source: chain.source, asOf: chain.asOf });

/** The time that the registry is asked about: nobody was in service in the future. */
const timeOf = (core: ReceiptCore, { block }: Chain): bigint => {
  const time = BigInt(core.message.timestamp);
  return time < block.time ? time : block.time;
};

export async function askSession(chain: Chain, core: ReceiptCore): Promise<Line> {
  const say = sayer(chain);
  const registry = await teeRegistryOf(chain, core.settlement);
  const { teeId } = core.message;
  const session = await sessionOf(chain, registry, { teeId, account: core.session ?? "0x" });
  const time = timeOf(core, chain);
  if (!session.signsResults) {
    return say("session", "refuted", "the enclave certified no such key for results");
  }
  return session.from <= time && time < session.until
    ? say("session", "asserted", "the enclave certified the session's key for results")
    : say("session", "refuted", "the session's key was not valid when the answer was given");
}

export async function askValidWhenAnswered(chain: Chain, core: ReceiptCore): Promise<Line> {
  const say = sayer(chain);
  const time = timeOf(core, chain);
  const models = await modelRegistryOf(chain, core.settlement);
  const { status, deprecatedAt } = await versionOf(chain, models, core.message.modelVersion);
  const isKnown = status === PUBLISHED || status === DEPRECATED;
  if (!isKnown || (status === DEPRECATED && time >= deprecatedAt)) {
    const what = isKnown ? "was deprecated" : "is unknown";
    return say("validWhenAnswered", "refuted", `the model's version ${what}`);
  }
  if (!isOfEnclave(core)) {
    return say("validWhenAnswered", "asserted", "the model's version was in use");
  }
  const registry = await teeRegistryOf(chain, core.settlement);
  return (await wasInService(chain, registry, { teeId: core.message.teeId, time }))
    ? say("validWhenAnswered", "asserted", "enclave and model's version were in service")
    : say("validWhenAnswered", "refuted", "the enclave was not in service, or is excluded now");
}

export async function askInGoodStanding(chain: Chain, core: ReceiptCore): Promise<Line> {
  const say = sayer(chain);
  if (isOfEnclave(core)) {
    const registry = await teeRegistryOf(chain, core.settlement);
    return (await isActive(chain, registry, core.message.teeId))
      ? say("inGoodStanding", "asserted", "the enclave is active")
      : say("inGoodStanding", "refuted", "the enclave is not active");
  }
  const models = await modelRegistryOf(chain, core.settlement);
  const { status } = await versionOf(chain, models, core.message.modelVersion);
  return status === PUBLISHED
    ? say("inGoodStanding", "asserted", "the model's version is published")
    : say("inGoodStanding", "refuted", "the model's version is not published");
}

export async function askSettled(
  chain: Chain,
  { core, pages }: { core: ReceiptCore; pages: readonly PageEvidence[] },
): Promise<Line> {
  const say = sayer(chain);
  const { settlement, message } = core;
  if (await isSettled(chain, settlement, message.requestId)) {
    const kept = await digestOf(chain, settlement, message.requestId);
    const kind = isOfEnclave(core) ? 2n : 1n;
    if (kept === settledDigest(kind, core)) {
      return say("settled", "asserted", "this result was settled for good");
    }
    return kept === NOT_KEPT
      ? say(
          "settled",
          "unknown",
          "the request is settled; the chain does not keep which result of it",
        )
      : say("settled", "refuted", "another result of the request was settled");
  }
  for (const page of pages) {
    const signature = signatureInPage(core, page);
    if (signature === undefined) continue;
    if (!(await isLedgerWriter(chain, settlement, page.pageSettlement))) continue;
    const state = await stateInPage(chain, { core, page, signature });
    const [status, detail] = STATES[Number(state)] ?? ["unknown", "the page is in no known state"];
    return say("settled", status, detail);
  }
  return say("settled", "unknown", "not settled yet");
}
