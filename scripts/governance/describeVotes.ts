import { formatUnits } from "ethers";
import type { ContractOf } from "../lib/contracts.ts";
import type { Session } from "./session.ts";

/**
 * Votes of an account at a past second in words: `12.0 votes, 2.0 of them by stake`. A governor that asks the token alone knows of no
 * stake.
 */
export async function describeVotes(
  session: Session,
  governor: ContractOf<"HacaGovernor">,
  of: { account: string; at: bigint },
): Promise<{ votes: bigint; words: string }> {
  const { account, at } = of;
  const votes = await governor.getVotes(account, at);
  const words = `${formatUnits(votes, 18)} votes`;
  if (session.book.contracts.StakedVotes === undefined) return { votes, words };
  const stake = await (await session.contract("StakedVotes")).getPastStakeVotes(account, at);
  return {
    votes,
    words: stake === 0n ? words : `${words}, ${formatUnits(stake, 18)} of them by stake,`,
  };
}
