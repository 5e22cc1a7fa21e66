import { loadAbis, withChainSession } from "../lib/chainSession.ts";
import { printable } from "../lib/printable.ts";

const PAGE = 100n;

/** Every model of the registry with its versions, a page of the registry at a time. */
export async function list(options: { network: string }): Promise<void> {
  await withChainSession(options.network, async (session) => {
    const registry = await session.contract("ModelRegistry", (await loadAbis()).modelRegistryAbi);
    const read = (view: string, ...values: unknown[]) => registry.getFunction(view)(...values);
    const count: bigint = await read("modelCount");
    console.log(`${count} ${count === 1n ? "model" : "models"}`);
    for (let offset = 0n; offset < count; offset += PAGE) {
      for (const modelId of (await read("listModels", offset, PAGE)) as string[]) {
        const { owner, slug } = await read("getModel", modelId);
        console.log(`\n${printable(slug)}\n  model   ${modelId}\n  owner   ${owner}`);
        for (let first = 0n, page: string[]; ; first += PAGE) {
          page = [...(await read("listVersions", modelId, first, PAGE))];
          for (const versionId of page) {
            const { major, minor } = await read("getVersion", versionId);
            const { status } = await read("settlementData", versionId);
            const note = status === 2n ? ", deprecated" : "";
            console.log(`  ${`${major}.${minor}`.padEnd(7)} ${versionId}${note}`);
          }
          if (BigInt(page.length) < PAGE) break;
        }
      }
    }
  });
}
