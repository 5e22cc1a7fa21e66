import type { Logger } from "pino";
import { type Chain, callView } from "../chain/chain.ts";
import { answerOf } from "../chain/rpcErrors.ts";
import type { ServedModel } from "./servedModel.ts";

const STATUSES = ["unknown", "published", "deprecated"] as const;
export type VersionStatus = (typeof STATUSES)[number];

/** Status of a model version on the chain. */
export async function readVersionStatus(parameters: {
  chain: Chain;
  versionId: string;
}): Promise<VersionStatus> {
  const [status] = await callView({
    chain: parameters.chain,
    contract: "modelRegistry",
    name: "settlementData",
    values: [parameters.versionId],
  });
  return STATUSES[Number(status)] ?? "unknown";
}

/** One look at whether served versions were deprecated: their answers could not settle any more. */
export function createRefreshPass(parameters: {
  chain: Chain;
  models: readonly ServedModel[];
  logger: Logger;
}): () => Promise<boolean> {
  const { chain, models, logger } = parameters;
  return async () => {
    for (const model of models) {
      const { slug, version, versionId } = model;
      if (model.status === "deprecated") continue;
      const status = await answerOf(readVersionStatus({ chain, versionId }));
      if (status !== "deprecated") continue;
      model.status = status;
      logger.warn({ model: slug, version }, "version deprecated: refusing requests for it");
    }
    return false;
  };
}
