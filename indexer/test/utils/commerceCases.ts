import { commerceOperatorAbi } from "@haca/protocol/abi";
import { type CommerceJob, OPERATOR_STATUSES } from "@haca/protocol/commercePayments";
import type { Hex } from "viem";
import { expect, test } from "vitest";
import type { World } from "./deployWorld.ts";
import { FEE_BPS, MOST, PRICE } from "./escrowOperations.ts";
import type { Indexer } from "./startIndexer.ts";

const NAMES = ["captured", "credited", "kept", "cancelled", "refunded", "open"] as const;
type Name = (typeof NAMES)[number];
/** Jobs of one operator by what became of them, and what captured the first three. */
export type Commerce = {
  operator: Hex;
  jobs: Record<Name, CommerceJob>;
  requestIds: Partial<Record<Name, Hex>>;
};

/** A job for each end; of `credited` the payee was refused, of `kept` the payer. `refunded` waits for its deadline. */
export async function useCommerce({ commerce, escrow, node }: World): Promise<Commerce> {
  const operator = await commerce.create(node);
  const jobs = {} as Record<Name, CommerceJob>;
  for (const [index, name] of NAMES.entries()) {
    jobs[name] = await commerce.open(operator, BigInt(index));
  }
  const requestIds = {
    captured: await commerce.capture(node, jobs.captured),
    credited: await commerce.capture(node, jobs.credited, escrow.payee),
    kept: await commerce.capture(node, jobs.kept, escrow.payer.address as Hex),
  };
  await commerce.call(operator, "cancel", [jobs.cancelled.payment], escrow.payee);
  return { operator, jobs, requestIds };
}

/** Once the deadline has come, and everybody can be paid. */
export async function refundCommerce({ commerce }: World, used: Commerce): Promise<void> {
  await commerce.call(used.operator, "refund", [used.jobs.refunded.payment]);
}

/** Rows of payments in the public escrow are what the contracts say. */
export function commerceCases(
  parts: () => { world: World; indexer: Indexer; commerce: Commerce },
): void {
  const FEE = (PRICE * BigInt(FEE_BPS)) / 10_000n;
  const lower = (address: string): string => address.toLowerCase();
  const rowOf = async (name: Name) => {
    const { commerce, indexer, world } = parts();
    const hash = world.commerce.hashOf(commerce.jobs[name]);
    const [row] = await indexer.sql(`select * from commerce_job where id = '${hash}'`);
    return row;
  };

  test("an operator says what it is for, and leads to its node and its jobs", async () => {
    const { commerce, indexer, world } = parts();
    const terms = await world.chain.client.readContract({
      ...{ abi: commerceOperatorAbi, address: commerce.operator, functionName: "terms" },
    });
    const { commerceOperator } = await indexer.graphql(
      `{ commerceOperator(address: "${lower(commerce.operator)}") {
        nodeAddress payee token feeReceiver feeBps kinds node { verifiedCount }
        jobs { totalCount } } }`,
    );
    expect(commerceOperator).toEqual({
      ...{ nodeAddress: lower(terms.node), payee: lower(terms.payee), token: lower(terms.token) },
      ...{ feeReceiver: lower(terms.feeReceiver), feeBps: FEE_BPS, kinds: terms.kinds },
      ...{ node: { verifiedCount: 8 }, jobs: { totalCount: NAMES.length } },
    });
  });

  test.each(NAMES)("a payment that is %s says so, as the contract does", async (name) => {
    const { commerce, world } = parts();
    const { payment, requestHash, saltNonce } = commerce.jobs[name];
    const row = await rowOf(name);
    expect(row).toMatchObject({
      ...{ operator: lower(payment.operator), payer: lower(payment.payer) },
      ...{ request_hash: requestHash, salt_nonce: String(saltNonce), salt: String(payment.salt) },
      ...{ amount: String(MOST), deadline: String(payment.authorizationExpiry) },
      ...{ pre_approval_expiry: String(payment.preApprovalExpiry), min_fee_bps: 0, max_fee_bps: 5 },
      ...{ refund_expiry: String(payment.refundExpiry), payment_fee_receiver: null },
      opener: lower(world.chain.accounts[0]),
    });
    const status = await world.chain.client.readContract({
      ...{ abi: commerceOperatorAbi, address: commerce.operator, functionName: "statusOf" },
      args: [payment as never],
    });
    const isCaptured = name in commerce.requestIds;
    const isReturned = name === "cancelled" || name === "refunded";
    expect(OPERATOR_STATUSES[status]).toBe(
      isCaptured ? "Captured" : isReturned ? "Returned" : "Open",
    );
    expect(row?.status).toBe(isCaptured ? "captured" : name);
    const rest = String(MOST - PRICE);
    expect(row).toMatchObject(
      isCaptured
        ? {
            ...{ request_id: commerce.requestIds[name], price: String(PRICE), fee: String(FEE) },
            ...(name === "kept" ? { returned: "0", kept: rest } : { returned: rest, kept: "0" }),
          }
        : { request_id: null, kept: "0", returned: isReturned ? String(MOST) : null },
    );
    expect(row?.ended_at === null).toBe(name === "open");
  });

  test("what was kept is the payer's again once it can be given back", async () => {
    const { commerce, indexer, world } = parts();
    await world.commerce.call(commerce.operator, "refund", [commerce.jobs.kept.payment]);
    await indexer.indexed(await world.chain.client.getBlockNumber());
    expect(await rowOf("kept")).toMatchObject({
      ...{ status: "captured", returned: String(MOST - PRICE), kept: "0" },
    });
  });

  test("what an operator owes an account is what the contract says, before and after it is withdrawn", async () => {
    const { commerce, indexer, world } = parts();
    const { payee } = world.escrow;
    const { token } = world.commerce;
    const read = async () => {
      const rows = await indexer.sql(
        "select operator, token, account, amount from commerce_credit",
      );
      const amount = await world.chain.client.readContract({
        ...{ abi: commerceOperatorAbi, address: commerce.operator, functionName: "creditOf" },
        args: [token, payee],
      });
      expect(rows).toEqual([
        {
          ...{ operator: lower(commerce.operator), token: lower(token), account: lower(payee) },
          amount: String(amount),
        },
      ]);
      return amount;
    };
    expect(await read()).toBe(PRICE - FEE);
    // While it refused the payee, the token moved nothing at all.
    await world.onToken(world.token.liquidity, "transfer", [commerce.operator, PRICE]);
    const args = [token, world.chain.accounts[7]];
    await world.commerce.call(commerce.operator, "withdrawCredit", args, payee);
    await indexer.indexed(await world.chain.client.getBlockNumber());
    expect(await read()).toBe(0n);
  });
}
