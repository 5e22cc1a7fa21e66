import { BaseError } from "@haca/protocol/baseError";
import { modelRegistryOf } from "../../chain/contractReads.ts";
import {
  hasVersion,
  type ListedModel,
  latestModels,
  listedModel,
  listedVersion,
} from "../../chain/modelListing.ts";
import { type Chain, openChain } from "../../chain/openChain.ts";
import { modelIdOf } from "../../chain/registeredModel.ts";
import type { AsOf } from "../../line.ts";
import type { Client } from "../client.ts";
import { versionOfName } from "../infer/resolveModel.ts";
import { optionError } from "../optionError.ts";
import { pinnedSettlement } from "../pinnedSettlement.ts";

/** Models as the registry has them, with who says so and as of when. */
export type FoundModels = {
  source: string;
  asOf: AsOf;
  /** how many the registry has */
  total: number;
  models: readonly ListedModel[];
};

const MODEL = /^(0x[0-9a-fA-F]{40})\/([a-z0-9-]{1,64})$/;
const MAXIMUM_MODELS = 100;
const LISTED = 20;

/**
 * A model with its versions, from the registry of the pinned settlement at endpoints that agree.
 * @param name `owner/slug`, or of one version its id, `owner/slug@major.minor`, or a pinned name
 * @throws BaseError `option.wrong`, `model.unknown`, `chain.*`
 */
export async function findModel(
  client: Client,
  name: string,
): Promise<Omit<FoundModels, "total" | "models"> & { model: ListedModel }> {
  const [, owner, slug] = MODEL.exec(name) ?? [];
  const version =
    owner === undefined ? versionOfName(client.pins, name, "owner/slug, ") : undefined;
  const { chain, registry } = await openModelRegistry(client);
  const common = { source: chain.source, asOf: chain.asOf };
  if (version !== undefined) {
    if (!(await hasVersion(chain, registry, version))) throw unknown(name, "version");
    const { modelId, ...found } = await listedVersion(chain, registry, version);
    const model = await listedModel(chain, registry, modelId);
    return { ...common, model: { ...model, versions: [found] } };
  }
  const modelId = modelIdOf({ owner: owner?.toLowerCase() ?? "", slug: slug ?? "" });
  try {
    return { ...common, model: await listedModel(chain, registry, modelId) };
  } catch (error) {
    // The contract reverts for one that there is not.
    if (error instanceof BaseError && error.code === "chain.refused") {
      throw unknown(name, `model (${error.message})`);
    }
    throw error;
  }
}

/** The registry's latest models, latest first. @throws BaseError `option.wrong`, `chain.*` */
export async function listModels(client: Client, most = LISTED): Promise<FoundModels> {
  requireCount(most);
  const { chain, registry } = await openModelRegistry(client);
  const { ids, total } = await latestModels(chain, registry, most);
  const models = await Promise.all(ids.map((id) => listedModel(chain, registry, id)));
  return { source: chain.source, asOf: chain.asOf, total, models };
}

/** @throws BaseError `option.wrong` */
export function requireCount(most: number): void {
  if (Number.isInteger(most) && most >= 1 && most <= MAXIMUM_MODELS) return;
  throw optionError("most", `must be a whole number, 1 to ${MAXIMUM_MODELS}`);
}

async function openModelRegistry({
  chainId,
  pins,
  rpcs,
}: Client): Promise<{ chain: Chain; registry: string }> {
  const { settlement } = pinnedSettlement(pins);
  const chain = await openChain({ rpcs, chainId });
  return { chain, registry: await modelRegistryOf(chain, settlement) };
}

const unknown = (name: string, what: string): BaseError =>
  new BaseError({
    code: "model.unknown",
    message: `${name}: the registry has no such ${what}`,
  });
