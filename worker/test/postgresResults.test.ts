import { Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { countTransactions, readStates, settlementsOf } from "./support/manyJobs.ts";
import { newDatabase } from "./support/newDatabase.ts";
import { waitFor } from "./support/processes.ts";
import { handIn, ResultBed } from "./support/resultBed.ts";

const LIST = 32;

describe.skipIf(inject("postgresUrl") === undefined)("workers on one PostgreSQL", () => {
  let bed: ResultBed;
  beforeAll(async () => {
    bed = await ResultBed.start([1, 2]);
  });
  afterAll(() => bed.stop());

  it.each([
    { kind: "tee", size: 1, jobs: 96, account: 1 },
    { kind: "page", size: 64, jobs: 512, account: 2 },
  ])("three processes settle each of $jobs results exactly once by $kind", async (row) => {
    const { account, jobs, kind, size } = row;
    const databaseUrl = await newDatabase();
    const settings = bed.settings(account, size, { HACA_WORKER_DATABASE_URL: databaseUrl });
    const workers = [1, 2, 3].map(() => bed.process(settings));
    const urls = await Promise.all(workers.map((worker) => worker.url()));
    const lists = await Promise.all(
      Array.from({ length: jobs / LIST }, () => bed.make(account, LIST)),
    );
    // Everybody is told of everything: whoever comes second answers with the job that is there.
    const posted = lists.flatMap((entries) => urls.map((url) => handIn(url, entries)));
    const ids = [...new Set((await Promise.all(posted)).flat())];
    expect(ids).toHaveLength(jobs);
    const landed = kind === "page" ? "pending" : "settled";
    const inState = (state: string) =>
      waitFor(async () => ((await readStates(databaseUrl))[state] === jobs ? true : undefined));
    await inState(landed);
    if (kind === "page") await bed.pages.end();
    await inState("settled");
    expect(await settlementsOf(bed.tee.chain, ids)).toEqual(ids.map(() => 1));
    // One nonce for each transaction: nothing was sent in vain, nothing collided.
    const transactions = await countTransactions(databaseUrl);
    expect(transactions).toEqual({ all: jobs / size, [kind]: jobs / size });
    const { address } = new Wallet(settings.HACA_NODE_KEY ?? "");
    const before = 1; // It has admitted its enclave.
    const sent = await bed.tee.chain.provider.getTransactionCount(address);
    expect(sent).toBe(before + (transactions.all ?? 0));
    for (const worker of workers) await worker.child.stop();
  });
});
