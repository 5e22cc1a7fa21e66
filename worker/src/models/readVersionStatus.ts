import { type Chain, callView } from "../chain/chain.ts";

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
