import {
  isActive,
  modelRegistryOf,
  sessionOf,
  teeRegistryOf,
  versionOf,
  wasInService,
} from "../chain/contractReads.ts";
import type { Chain } from "../chain/openChain.ts";
import { type Check, type Line, lineOf, type Status } from "../line.ts";
import type { PageEvidence, ReceiptCore } from "../receipt/receipt.ts";
import { type Fate, fateOf } from "./fate.ts";
import { isOfEnclave } from "./ofMessage.ts";

/** What a chain says at one block of a receipt whose settlement is pinned; every other contract is one that it names. */

export const PUBLISHED = 1n;
export const DEPRECATED = 2n;
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

/** Of what became of a result; `held` is all that a ledger says of one in a page. */
export const SAID: Readonly<Record<Fate["type"] | "held", readonly [Status, string]>> = {
  ...{
    free: ["unknown", "not settled yet"],
    settled: ["asserted", "this result was settled for good"],
  },
  other: ["refuted", "another result of the request was settled"],
  some: ["unknown", "the request is settled; the chain does not show which result of it"],
  unknownPage: ["unknown", "the chain knows no such page"],
  pending: ["unknown", "the page is pending"],
  held: ["unknown", "a page has the request; whether it is final stands elsewhere"],
  final: ["asserted", "the page is final"],
  rejected: ["refuted", "the page was rejected"],
  disproved: ["refuted", "the page was shown to be wrong after it was final"],
};

/** The line that says what became of a result. */
export const lineOfFate = (chain: Chain, { type }: Fate): Line =>
  sayer(chain)("settled", ...SAID[type]);

export const askSettled = async (
  chain: Chain,
  result: { core: ReceiptCore; pages: readonly PageEvidence[] },
): Promise<Line> => lineOfFate(chain, await fateOf(chain, result));
