import type { Context } from "ponder:registry";
import {
  pageAttestation,
  pageSigner,
  slashing,
  stakingEpoch,
  stakingParameter,
  unbondingSum,
  validator as validatorTable,
} from "ponder:schema";
import type { Hex } from "viem";
import { placesOfSigners } from "../pages/attestations.ts";
import { liableEpochs, takenOfEach } from "./stakeArithmetic.ts";

/**
 * Notes a slash, and takes the same part of the pool and of everything that left it and answers: 21 sums at most. How much of each
 * follows from the epoch's terms, as the contract reckons it.
 */
export async function writeSlash(parameters: {
  context: Context;
  event: { block: { timestamp: bigint }; transaction: { from: Hex; hash: Hex } };
  validator: Hex;
  pageId: Hex;
  epoch: bigint;
  slashable: bigint;
  taken: bigint;
  bounty: bigint;
}): Promise<void> {
  const { bounty, context, epoch, event, pageId, slashable, taken, validator } = parameters;
  const { timestamp } = event.block;
  const kind = (await isSigner({ context, pageId, validator })) ? "quorum" : "shown";
  const terms = await context.db.find(stakingEpoch, { epoch });
  const pool = await context.db.find(validatorTable, { owner: validator });
  const most = await context.db.find(stakingParameter, { name: "bounty" });
  if (terms === null || pool === null || most === null) {
    throw new RangeError(`${validator} was slashed by what is not in the tables`);
  }
  const sums: { epoch: bigint; amount: bigint }[] = [];
  for (const leaving of liableEpochs({ epoch, timestamp })) {
    const sum = await context.db.find(unbondingSum, { validator, epoch: leaving });
    if (sum !== null && sum.amount > 0n) sums.push({ epoch: leaving, amount: sum.amount });
  }
  const each = takenOfEach({
    sums: [...sums.map(({ amount }) => amount), pool.stake],
    ...{ slashable, taken, bounty: most.value },
    rate: kind === "quorum" ? terms.slashWithQuorum : terms.slashWithout,
  });
  for (const [place, sum] of sums.entries()) {
    const amount = sum.amount - (each[place] ?? 0n);
    await context.db.update(unbondingSum, { validator, epoch: sum.epoch }).set({ amount });
  }
  await context.db.update(validatorTable, { owner: validator }).set({
    stake: pool.stake - (each.at(-1) ?? 0n),
    slashed: pool.slashed + taken,
  });
  await context.db.insert(slashing).values({
    ...{ pageId, validator, epoch, kind, slashable, taken, bounty },
    sender: event.transaction.from,
    slashedAt: timestamp,
    transactionHash: event.transaction.hash,
  });
}

/** Whether a validator was part of the quorum that the staking contract told of. */
async function isSigner(parameters: {
  context: Context;
  pageId: Hex;
  validator: Hex;
}): Promise<boolean> {
  const { context, pageId, validator } = parameters;
  const attestation = await context.db.find(pageAttestation, { pageId });
  if (attestation === null) return false;
  for (const index of placesOfSigners(attestation.signers)) {
    const signer = await context.db.find(pageSigner, { pageId, index });
    if (signer?.validator === validator.toLowerCase()) return true;
  }
  return false;
}
