import { Wallet } from "ethers";
import { expect, it } from "vitest";
import { acceptResults } from "../src/jobs/acceptResults.ts";
import type { Job } from "../src/jobs/job.ts";
import { newResult } from "./support/newJob.ts";
import { describeStores } from "./support/stores.ts";

const payer = Wallet.createRandom().address;
const paid = (nonce: bigint) => ({ payer, nonce, validUntil: 5n });

describeStores("results that are taken in without being looked for", (store) => {
  /** Takes in a result, and returns its state and what was here of those that came. */
  async function take(...jobs: Parameters<typeof acceptResults>[0]["jobs"]) {
    const { database } = store;
    const checked: string[] = [];
    const check = (there: ReadonlyMap<string, Job>) => void checked.push(...there.keys());
    const taken = await acceptResults({ database, jobs, check });
    return { checked, states: jobs.map(({ requestId }) => taken.get(requestId)?.state) };
  }
  const payments = async () => {
    const rows = await store.database.query(
      "SELECT request_id FROM held_payments ORDER BY request_id",
    );
    return rows.map((row) => row.request_id);
  };

  it("are told by what was here before, and only that is compared", async () => {
    const [first, second] = [newResult({ nonce: 0n }), newResult({ nonce: 1n })];
    expect(await take(first)).toEqual({ checked: [], states: ["proven"] });
    await store.database.query("UPDATE jobs SET state = 'settled', settled_at = now()");
    expect(await take(first, second)).toEqual({
      checked: [first.requestId],
      states: ["settled", "proven"],
    });
  });

  it("bring no payment of a result that was here: it would keep that out for which it is", async () => {
    const [first, second] = [newResult({ nonce: 0n }), newResult({ nonce: 1n })];
    expect(await take({ ...first, payment: paid(0n) })).toMatchObject({ states: ["proven"] });
    expect(await take({ ...first, payment: paid(1n) })).toMatchObject({ states: ["proven"] });
    expect(await payments()).toEqual([first.requestId]);
    await take({ ...second, payment: paid(1n) });
    expect(await payments()).toEqual([first.requestId, second.requestId]);
  });
});
