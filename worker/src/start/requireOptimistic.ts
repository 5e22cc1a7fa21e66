import { modeOf } from "@haca/protocol/inputMode";
import { callView } from "../chain/chain.ts";
import { answerOf } from "../chain/rpcErrors.ts";
import { StartError } from "../errors.ts";
import { listClaimedVersions } from "../jobs/demands.ts";
import { releaseClaims } from "../jobs/settlements.ts";
import type { Parts } from "./openParts.ts";

/**
 * Makes sure that the models of `HACA_OPTIMISTIC_MODELS` are served here, with all that a proof takes, which whoever loads them
 * has checked, and those of which results are in pages already. One that hides its input has no place there: nobody could run it again. What waits for a page is proved where none are proposed any more. A version that is not open to optimistic pages is named in the log: its answers are proved until it is.
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
  const hiding = models.find(
    ({ manifest, slug }) => config.optimisticModels.includes(slug) && modeOf(manifest) !== "packed",
  );
  if (hiding !== undefined) {
    throw new StartError({
      code: "optimistic.inputHidden",
      message: `HACA_OPTIMISTIC_MODELS: ${hiding.slug} hides its input: nobody could run it again, and see whether an answer is right`,
    });
  }
  await requireProvable(parts);
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

/**
 * Makes sure that whoever proves can prove all results that are in pages, or wait for one. Of a database that several processes
 * share another one may have the model, so that it is only said.
 */
async function requireProvable({ config, database, logger, models }: Parts): Promise<void> {
  if (!config.roles.includes("prove")) return;
  const provable = models.flatMap((model) => model.provable);
  for (const claimed of await listClaimedVersions({ database })) {
    const { jobs, model, version, versionId } = claimed;
    if (provable.includes(versionId)) continue;
    const words = `${jobs} results of ${model} ${version} in pages cannot be proved here`;
    const remedy = "add the model's folder to HACA_MODELS";
    if (config.databaseUrl === undefined) {
      throw new StartError({
        code: "optimistic.modelMissing",
        message: `HACA_MODELS: ${words}: ${remedy}, or leave out the role prove`,
      });
    }
    logger.error(claimed, `${words}: ${remedy}, here or where another process proves`);
  }
}
