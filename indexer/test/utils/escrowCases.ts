import type { EscrowJob } from "@haca/protocol/escrowCalls";
import { JOB_STATUSES } from "@haca/protocol/inferenceEscrow";
import type { Hex } from "viem";
import { expect, test } from "vitest";
import type { World } from "./deployWorld.ts";
import { FEE_BPS, MOST, PRICE } from "./escrowOperations.ts";
import type { Indexer } from "./startIndexer.ts";

type Opened = { job: EscrowJob; jobId: Hex; receipt: { transactionHash: Hex } };
/** Jobs by how they stand, what captured two of them, and the token of `credited`. */
export type Jobs = Record<"captured" | "refunded" | "cancelled" | "open" | "credited", Opened> & {
  requestIds: { captured: Hex; credited: Hex };
  token: Hex;
};

/** A job for each end; that of `credited` in a token that failed meanwhile. `refunded` waits for its deadline. */
export async function openJobs({ chain, escrow, node }: World): Promise<Jobs> {
  const token = await escrow.prepare();
  const open = (nonce: bigint) => escrow.open({ node, nonce });
  const captured = await open(1n);
  const refunded = await open(2n);
  const cancelled = await open(3n);
  const still = await open(4n);
  const credited = await escrow.open({ node, nonce: 5n, token });
  const requestIds = {
    captured: await escrow.capture({ node, job: captured.job }),
    credited: await escrow.whileBroken(token, () => escrow.capture({ node, job: credited.job })),
  };
  await escrow.call("cancel", [cancelled.job] as never, escrow.payee);
  await escrow.call("withdrawCredit", [token, chain.accounts[7] as Hex], escrow.payee);
  return { captured, refunded, cancelled, open: still, credited, requestIds, token };
}

/** No more jobs in the token of `credited`, and no fee. */
export async function changeSettings({ escrow }: World, { token }: Jobs): Promise<void> {
  await escrow.call("setToken", [token, false]);
  await escrow.call("setFee", [0, `0x${"00".repeat(20)}`]);
}

/** Rows of payments are what the contract says. */
export function escrowCases(parts: () => { world: World; indexer: Indexer; jobs: Jobs }): void {
  const FEE = (PRICE * BigInt(FEE_BPS)) / 10_000n;
  const lower = (address: string): string => address.toLowerCase();
  const rowOf = async (jobId: Hex) => {
    const [row] = await parts().indexer.sql(`select * from escrow_job where id = '${jobId}'`);
    return row;
  };

  test.each(["captured", "refunded", "cancelled", "open", "credited"] as const)(
    "a job that is %s says so, as the contract does",
    async (name) => {
      const { jobs, world } = parts();
      const { job, jobId, receipt } = jobs[name];
      const row = await rowOf(jobId);
      const { terms } = job;
      expect(row).toMatchObject({
        ...{ node_address: lower(terms.node), payee: lower(terms.payee), fee_bps: FEE_BPS },
        ...{ request_hash: terms.requestHash, token: lower(terms.token) },
        ...{ kinds: Number(terms.kinds), capture_window: String(terms.captureWindow) },
        ...{ payer: lower(job.payer), nonce: String(job.nonce), amount: String(job.amount) },
        ...{ deadline: String(job.deadline), fee_receiver: lower(job.feeReceiver) },
        ...{ opened_at: String(job.deadline - terms.captureWindow) },
        ...{ opener: lower(world.chain.accounts[0]), transaction_hash: receipt.transactionHash },
      });
      const status = await world.escrow.read("statusOf", [jobId]);
      expect(row?.status).toBe(JOB_STATUSES[Number(status)]?.toLowerCase());
      const isOver = name !== "open";
      for (const column of ["ended_at", "ender", "end_transaction_hash", "returned"]) {
        expect(row?.[column] !== null, column).toBe(isOver);
      }
      const isCaptured = name === "captured" || name === "credited";
      expect(row).toMatchObject(
        isCaptured
          ? {
              ...{ request_id: jobs.requestIds[name], price: String(PRICE), fee: String(FEE) },
              returned: String(MOST - PRICE),
            }
          : { request_id: null, price: null, fee: null },
      );
      if (isOver && !isCaptured) expect(row?.returned).toBe(String(MOST));
    },
  );

  test("a credit is what the contract holds for an account, with what made it", async () => {
    const { indexer, jobs, world } = parts();
    const { feeReceiver, payee, payer, read } = world.escrow;
    const rows = await indexer.sql("select token, account, amount from escrow_credit");
    expect(rows).toHaveLength(3);
    for (const [account, amount] of [
      [payee, 0n],
      [feeReceiver, FEE],
      [payer.address as Hex, MOST - PRICE],
    ] as const) {
      expect(await read("creditOf", [jobs.token, account])).toBe(amount);
      expect(rows).toContainEqual({
        ...{ token: lower(jobs.token), account: lower(account), amount: String(amount) },
      });
    }
    const query = `{ escrowCredit(token: "${lower(jobs.token)}", account: "${lower(payee)}") {
      amount changes(orderBy: "blockNumber") { items { kind amount receiver } } } }`;
    expect((await indexer.graphql(query)).escrowCredit).toEqual({
      amount: "0",
      changes: {
        items: [
          { kind: "credited", amount: String(PRICE - FEE), receiver: null },
          {
            ...{ kind: "withdrawn", amount: String(PRICE - FEE) },
            receiver: lower(world.chain.accounts[7] ?? ""),
          },
        ],
      },
    });
  });

  test("which tokens are taken, and every fee", async () => {
    const { indexer, jobs, world } = parts();
    const { feeReceiver, read } = world.escrow;
    const tokens = await indexer.sql("select token, is_allowed from escrow_token");
    expect(tokens).toHaveLength(2);
    for (const token of [world.token.opg.address, jobs.token]) {
      expect(tokens).toContainEqual({
        ...{ token: lower(token), is_allowed: await read("isTokenAllowed", [token]) },
      });
    }
    const fees = await indexer.sql(
      "select fee_bps, receiver from escrow_fee order by block_number",
    );
    expect(fees).toEqual([
      { fee_bps: FEE_BPS, receiver: lower(feeReceiver) },
      { fee_bps: 0, receiver: null },
    ]);
  });

  test("jobs of a payer, by GraphQL, lead to the node whose results capture them", async () => {
    const { indexer, jobs, world } = parts();
    const payer = lower(world.escrow.payer.address);
    const { escrowJobs } = (await indexer.graphql(
      `{ escrowJobs(where: { payer: "${payer}" }, orderBy: "nonce") {
        items { id status requestId node { verifiedCount } } } }`,
    )) as { escrowJobs: { items: { id: Hex; status: string; node: unknown }[] } };
    expect(escrowJobs.items.map(({ id, status }) => [id, status])).toEqual([
      [jobs.captured.jobId, "captured"],
      [jobs.refunded.jobId, "refunded"],
      [jobs.cancelled.jobId, "cancelled"],
      [jobs.open.jobId, "open"],
      [jobs.credited.jobId, "captured"],
    ]);
    // Two that captured jobs, three of channels, and three that captured commerce payments.
    for (const { node } of escrowJobs.items) expect(node).toEqual({ verifiedCount: 8 });
  });
}
