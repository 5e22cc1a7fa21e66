import { BaseError } from "@haca/protocol/baseError";
import { modelRegistryOf, versionOf } from "../../chain/contractReads.ts";
import { type Chain, openChain } from "../../chain/openChain.ts";
import {
  layoutsHashOf,
  type RegisteredModel,
  registeredModel,
  versionIdOf,
} from "../../chain/registeredModel.ts";
import { DEPRECATED, PUBLISHED } from "../../checks/ofChain.ts";
import { modelOf, type PinnedSettlement, type Pins } from "../../pins.ts";
import type { Client } from "../client.ts";
import { optionError } from "../optionError.ts";
import { pinnedSettlement } from "../pinnedSettlement.ts";

/** A model as it is asked, with the pins that its answers are verified by. */
export type ResolvedModel = {
  model: RegisteredModel;
  settlement: PinnedSettlement;
  pins: Pins;
  /** what it is called in these pins: as the caller called it */
  name: string;
};

const VERSION = /^0x[0-9a-fA-F]{64}$/;
const NAME = /^(0x[0-9a-fA-F]{40})\/([a-z0-9-]{1,64})@(\d{1,9})\.(\d{1,9})$/;

/**
 * The version that is meant, from the registry of the pinned settlement: what answers are proved by is what it says, and what
 * endpoints agree on. What is pinned of it has to be the same.
 * @param name a version's id, `owner/slug@major.minor`, or the name of a pinned model
 * @throws BaseError `option.wrong`; `model.unknown`, `model.deprecated`, `model.notProvable`, `model.notAsPinned`; `chain.*`
 */
export async function resolveModel(
  client: Client,
  name: string,
  { mayBeDeprecated = false }: { mayBeDeprecated?: boolean } = {},
): Promise<ResolvedModel> {
  const { chainId, pins, rpcs } = client;
  const version = versionOfName(pins, name);
  const settlement = pinnedSettlement(pins);
  const chain = await openChain({ rpcs, chainId });
  const registry = await modelRegistryOf(chain, settlement.settlement);
  await requireInUse(chain, registry, { name, version, mayBeDeprecated });
  const model = await registeredModel(chain, registry, version);
  return { model, settlement, name, pins: withModel(client, { name, model, chain }) };
}

/** The version's id that a name means. @throws BaseError `option.wrong` */
export function versionOfName(pins: Pins, name: string, otherForms = ""): string {
  if (typeof name !== "string" || name === "") throw optionError("model", "must be a name");
  if (VERSION.test(name)) return name.toLowerCase();
  const [, owner, slug, major, minor] = NAME.exec(name) ?? [];
  if (owner !== undefined && slug !== undefined) {
    return versionIdOf({
      ...{ owner: owner.toLowerCase(), slug },
      ...{ major: Number(major), minor: Number(minor) },
    });
  }
  if (Object.hasOwn(pins.models ?? {}, name)) {
    return pins.models?.[name]?.version.toLowerCase() ?? "";
  }
  const forms = `${otherForms}a version's id, owner/slug@major.minor, or the name of a pinned model`;
  throw optionError("model", `must be ${forms}, got ${JSON.stringify(name)}`);
}

async function requireInUse(
  chain: Chain,
  registry: string,
  what: { name: string; version: string; mayBeDeprecated: boolean },
): Promise<void> {
  const { mayBeDeprecated, name, version } = what;
  const { status, hasKey } = await versionOf(chain, registry, version);
  const refusal = (code: string, reason: string): BaseError =>
    new BaseError({
      ...{ code: `model.${code}`, message: `${name}: ${reason}` },
      details: { version, asOf: chain.asOf },
    });
  if (status === DEPRECATED && !mayBeDeprecated) {
    throw refusal("deprecated", "the version is deprecated");
  }
  if (status !== PUBLISHED && status !== DEPRECATED)
    throw refusal("unknown", "the registry has no such version");
  if (!hasKey) throw refusal("notProvable", "its answers cannot be proved: ask with chat");
}

/** The caller's pins with this version under this name, of whose key the endpoints speak where the caller has not pinned it. */
function withModel(
  { pins }: Client,
  { name, model, chain }: { name: string; model: RegisteredModel; chain: Chain },
): Pins {
  const { inputWords, version, verifyingKeyHash } = model;
  const [, pinned] = modelOf(pins, version) ?? [];
  const otherThanPinned = (what: string): BaseError =>
    new BaseError({
      ...{ code: "model.notAsPinned", details: { version } },
      message: `${name}: the endpoints show ${what} than the pinned ones`,
    });
  const layouts = pinned?.layoutsHash?.toLowerCase();
  if (layouts !== undefined && layouts !== layoutsHashOf(model)) {
    throw otherThanPinned("other layouts");
  }
  if (pinned?.verifyingKeyHash !== undefined) {
    const isSame =
      pinned.verifyingKeyHash.toLowerCase() === verifyingKeyHash &&
      pinned.inputWords === inputWords;
    if (!isSame) throw otherThanPinned("another verifying key, or other words,");
    return { ...pins, models: { [name]: { ...pinned } } };
  }
  const found = { version, verifyingKeyHash, inputWords, source: chain.source };
  return { ...pins, models: { [name]: found } };
}
