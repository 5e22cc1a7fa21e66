import { EPOCH_SECONDS } from "@haca/protocol/validatorStaking";
import type { Block } from "ethers";
import { requireAnswer, stakingInterface } from "../chain/chain.ts";
import { answerOf } from "../chain/rpcErrors.ts";
import { type FrozenSet, findSnapshot } from "./snapshots.ts";
import type { VerifierContext } from "./verifierContext.ts";

type Viewing = Pick<VerifierContext, "chain"> & { staking: string };

/** Calls a view of `ValidatorStaking`, and returns its first result. @throws RetryableError where the endpoint does not answer */
export async function askStaking<Answer>(parameters: {
  context: Viewing;
  name: "snapshotHashOf" | "tallyOf";
  values: readonly unknown[];
  block: number;
}): Promise<Answer> {
  const { block, context, name, values } = parameters;
  const to = context.staking;
  const data = stakingInterface.encodeFunctionData(name, values);
  const answer = await answerOf(context.chain.provider.call({ to, data, blockTag: block }));
  requireAnswer({ answer, name, to });
  const [result] = stakingInterface.decodeFunctionResult(name, answer);
  return result as Answer;
}

/** Number of the epoch in which a second lies. */
export const epochOf = (seconds: bigint): bigint => seconds / EPOCH_SECONDS;

/**
 * The set of an epoch, where it is frozen: as its event told, and as the contract knows it by its hash. Undefined where the
 * epoch is not frozen, or the event was not read yet.
 */
export async function frozenSet(parameters: {
  context: Viewing & Pick<VerifierContext, "database">;
  epoch: bigint;
  head: Block;
}): Promise<FrozenSet | undefined> {
  const { context, epoch, head } = parameters;
  const { database } = context;
  const set = await findSnapshot({ database, epoch });
  if (set === undefined) return undefined;
  const asked = { context, name: "snapshotHashOf", values: [epoch], block: head.number } as const;
  return (await askStaking<string>(asked)) === set.hash ? set : undefined;
}
