import { withChainSession } from "../lib/chainSession.ts";
import { printable } from "../lib/words.ts";

const PAGE = 100n;

/** Every model of the registry with its versions, a page of the registry at a time. */
export async function list(options: { network: string }): Promise<void> {
  await withChainSession(options.network, async (session) => {
    const registry = await session.contract("ModelRegistry");
    const count = await registry.modelCount();
    console.log(`${count} ${count === 1n ? "model" : "models"}`);
    for (let offset = 0n; offset < count; offset += PAGE) {
      for (const modelId of await registry.listModels(offset, PAGE)) {
        const { owner, slug } = await registry.getModel(modelId);
        console.log(`\n${printable(slug)}\n  model   ${modelId}\n  owner   ${owner}`);
        for (let first = 0n; ; first += PAGE) {
          const page = await registry.listVersions(modelId, first, PAGE);
          for (const versionId of page) {
            const { major, minor } = await registry.getVersion(versionId);
            const { status } = await registry.settlementData(versionId);
            const note = status === 2n ? ", deprecated" : "";
            console.log(`  ${`${major}.${minor}`.padEnd(7)} ${versionId}${note}`);
          }
          if (BigInt(page.length) < PAGE) break;
        }
      }
    }
  });
}
