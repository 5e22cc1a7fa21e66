import { expect } from "vitest";
import { startIndexer } from "../../../indexer/test/utils/startIndexer.ts";
import { pageStates, pageTables } from "./pageTables.ts";
import type { StakingContract } from "./stakingContract.ts";
import { stakingTables } from "./stakingTables.ts";
import { inOrder, likeIn, type Tables } from "./tables.ts";
import type { WatchBed } from "./watchBed.ts";

/** Of every table that is told of, the same rows, as far as they are told of. */
export function expectSameRows(found: Tables, told: Tables): void {
  for (const [table, rows] of Object.entries(told)) {
    const [like] = rows;
    // Otherwise nothing was compared.
    if (like === undefined) throw new Error(`of ${table} the chain tells nothing`);
    const rowsFound = inOrder(likeIn(found[table] ?? [], like));
    expect({ table, rows: rowsFound }).toEqual({ table, rows: inOrder(rows) });
  }
}

/**
 * Runs the indexer over the chain, as its user does, up to the last block, and expects of every table about pages and stake that it
 * has the rows that the chain itself tells of, and no others; of every page, that its answer has the contract's state.
 */
export async function tablesAgree(bed: WatchBed, staking: StakingContract): Promise<void> {
  const { provider, url: rpcUrl } = bed.tee.chain;
  const indexer = await startIndexer({
    ...{ rpcUrl, deployment: bed.tee.writeBook(bed.folder("indexed.json")) },
    ...{ dataDirectory: bed.folder("indexer"), blobAggregator: bed.front.url },
  });
  try {
    const head = await provider.getBlock("latest");
    await indexer.indexed(BigInt(head?.number ?? 0));
    const found = await indexer.tables();
    const told = { ...(await pageTables(bed, staking)), ...(await stakingTables(bed, staking)) };
    expectSameRows(found, told);
    for (const { id, ...state } of await pageStates(bed)) {
      const answer = await fetch(`${indexer.url}/pages/${id}?at=${head?.timestamp}`);
      expect(((await answer.json()) as { page: object }).page).toMatchObject({ id, ...state });
    }
  } finally {
    await indexer.stop();
  }
}
