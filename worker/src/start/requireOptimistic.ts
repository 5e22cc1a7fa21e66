import { callView } from "../chain/chain.ts";
import { answerOf } from "../chain/rpcErrors.ts";
import { StartError } from "../errors.ts";
import { listClaimedVersions } from "../jobs/demands.ts";
import { releaseClaims } from "../jobs/settlements.ts";
import type { Parts } from "./openParts.ts";

/**
 * Makes sure that the models of `HACA_OPTIMISTIC_MODELS` are served here, with all that a proof takes, which whoever loads them
 * has checked. What waits for a page is proved where none are proposed any more. A version that is not open to optimistic pages is named in the log: its answers are proved until it is.
 * @throws StartError naming what is missing; RetryableError where the endpoint does not answer
 */
export async function requireOptimistic(parts: Parts): Promise<void> {
  const { chain, config, database, logger, models } = parts;
  const served = models.map(({ slug }) => slug);
  const unknown = config.optimisticModels.find((name) => !served.includes(name));
  if (unknown !== undefined) {
    throw new StartError({
      code: "optimistic.modelUnknown",
      message: `HACA_OPTIMISTIC_MODELS: ${unknown} is not among HACA_MODELS (${served.join(", ")}): nobody here could prove its answers`,
    });
  }
  await warnOfUnproved(parts);
  if (config.roles.includes("settle") && config.page === undefined) {
    const { length: jobs } = await releaseClaims({ database });
    if (jobs > 0)
      logger.warn({ jobs }, "no pages are proposed any more: proving what waited for one");
  }
  if (chain.pageSettlement === undefined) return;
  for (const { slug, version, versionId } of models) {
    if (!config.optimisticModels.includes(slug)) continue;
    const view = { chain, contract: "pageSettlement", name: "admittedAt" } as const;
    const [admittedAt] = await answerOf(callView({ ...view, values: [versionId] }));
    if (admittedAt !== 0n) continue;
    logger.warn(
      { model: slug, version, versionId },
      "not open to optimistic pages: its answers are proved, until `npm run pages -- admit` opens it",
    );
  }
}

/** Says of which results in pages nobody here could make a proof. */
async function warnOfUnproved({ config, database, logger, models }: Parts): Promise<void> {
  if (!config.roles.includes("prove")) return;
  for (const claimed of await listClaimedVersions({ database })) {
    if (models.some(({ versionId }) => versionId === claimed.versionId)) continue;
    logger.error(
      claimed,
      "results in pages that cannot be proved here: add the model to HACA_MODELS",
    );
  }
}
