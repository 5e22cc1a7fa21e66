import {
  DEFAULT_STAKE_PARAMETERS,
  EPOCH_SECONDS,
  signSigningKey,
} from "@haca/protocol/validatorStaking";
import { id, type JsonRpcProvider, Wallet, ZeroAddress } from "ethers";
import type { Report } from "../../lib/progress.ts";
import { CHAIN_ID, developmentKey } from "../localChain.ts";
import { fund, LIQUIDITY, pass, storyContracts } from "./storyContracts.ts";

/** Owners of the four validators. */
const OWNERS = [6, 7, 8, 9];
/** What each of them puts in; the set needs 30,000 OPG. */
const { minimumSelfStake: STAKE } = DEFAULT_STAKE_PARAMETERS;

/** A validator of the demo: the account that owns the stake, and the key that signs pages. */
export type Seat = { owner: Wallet; key: Wallet };

/** Four accounts register, stake and enter the set; governance names the stake's contract as who vouches for pages. */
export async function seatValidators(parameters: {
  provider: JsonRpcProvider;
  report: Report;
}): Promise<Seat[]> {
  const { provider, report } = parameters;
  const seats = OWNERS.map((account) => ({
    owner: new Wallet(developmentKey(account), provider),
    key: new Wallet(id(`validator ${account} of the demo`)),
  }));
  const treasury = storyContracts(new Wallet(developmentKey(LIQUIDITY), provider));
  const staking = await treasury.staking.getAddress();
  for (const [index, { owner, key }] of seats.entries()) {
    report(`validator ${index + 1} of ${seats.length}`);
    const own = storyContracts(owner);
    const consent = await signSigningKey({
      ...{ chainId: BigInt(CHAIN_ID), staking, key },
      validator: owner.address,
    });
    await fund(provider, owner.address, STAKE);
    await (await own.token.approve(staking, STAKE)).wait();
    await (await own.staking.register(key.address, consent, 0, STAKE)).wait();
    await (await own.staking.enter(ZeroAddress)).wait();
  }
  report("governance names them");
  await vote(provider, {
    to: await treasury.pages.getAddress(),
    data: treasury.pages.interface.encodeFunctionData("setAttester", [staking]),
  });
  report("stake counts from the next day on");
  await pass(provider, EPOCH_SECONDS);
  return seats;
}

/** Proposes a call, votes for it, and has it executed once the times of `deployments/parameters/localhost.json` are over. */
async function vote(provider: JsonRpcProvider, call: { to: string; data: string }): Promise<void> {
  const voter = new Wallet(developmentKey(LIQUIDITY), provider);
  const { governor, token } = storyContracts(voter);
  if ((await token.delegates(voter.address)) === ZeroAddress) {
    await (await token.delegate(voter.address)).wait();
    await pass(provider, 1n);
  }
  const description = "The demo's validators vouch for pages";
  const values = [[call.to], [0], [call.data]] as const;
  await (await governor.propose(...values, description)).wait();
  const proposal = await governor.hashProposal(...values, id(description));
  await pass(provider, (await governor.votingDelay()) + 1n);
  await (await governor.castVote(proposal, 1)).wait();
  await pass(provider, (await governor.votingPeriod()) + 1n);
  await (await governor.queue(...values, id(description))).wait();
  const eta = await governor.proposalEta(proposal);
  const now = BigInt((await provider.getBlock("latest"))?.timestamp ?? 0);
  await pass(provider, eta > now ? eta - now + 1n : 1n);
  await (await governor.execute(...values, id(description))).wait();
}
