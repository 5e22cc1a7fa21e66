import { id, type JsonRpcProvider, Wallet, ZeroAddress } from "ethers";
import { developmentKey } from "./localChain.ts";
import { LIQUIDITY, pass, storyContracts } from "./validators/storyContracts.ts";

/** Proposes calls, votes for them, and has them executed once the times of `deployments/parameters/localhost.json` are over. */
export async function vote(
  provider: JsonRpcProvider,
  proposal: { description: string; calls: readonly { to: string; data: string }[] },
): Promise<void> {
  const { calls, description } = proposal;
  const voter = new Wallet(developmentKey(LIQUIDITY), provider);
  const { governor, token } = storyContracts(voter);
  if ((await token.delegates(voter.address)) === ZeroAddress) {
    await (await token.delegate(voter.address)).wait();
    await pass(provider, 1n);
  }
  const targets = calls.map(({ to }) => to);
  const data = calls.map((call) => call.data);
  const values = [targets, calls.map(() => 0), data] as const;
  await (await governor.propose(...values, description)).wait();
  const number = await governor.hashProposal(...values, id(description));
  await pass(provider, (await governor.votingDelay()) + 1n);
  await (await governor.castVote(number, 1)).wait();
  await pass(provider, (await governor.votingPeriod()) + 1n);
  await (await governor.queue(...values, id(description))).wait();
  const eta = await governor.proposalEta(number);
  const now = BigInt((await provider.getBlock("latest"))?.timestamp ?? 0);
  await pass(provider, eta > now ? eta - now + 1n : 1n);
  await (await governor.execute(...values, id(description))).wait();
}
