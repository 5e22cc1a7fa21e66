import {
  DEFAULT_STAKE_PARAMETERS,
  EPOCH_SECONDS,
  signSigningKey,
} from "@haca/protocol/validatorStaking";
import { id, type JsonRpcProvider, Wallet, ZeroAddress } from "ethers";
import type { Report } from "../../lib/progress.ts";
import { CHAIN_ID, developmentKey } from "../localChain.ts";
import { vote } from "../vote.ts";
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
    description: "The demo's validators vouch for pages",
    calls: [
      {
        to: await treasury.pages.getAddress(),
        data: treasury.pages.interface.encodeFunctionData("setAttester", [staking]),
      },
    ],
  });
  report("stake counts from the next day on");
  await pass(provider, EPOCH_SECONDS);
  return seats;
}
