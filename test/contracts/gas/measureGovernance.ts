import { OPG_UNIT } from "@haca/protocol/allocations";
import { byHash, byText, deployGovernance, idOf, proposalOf } from "../utils/governanceFixture.ts";
import { GOVERNOR_SETTINGS, MIN_DELAY } from "../utils/tokenFixture.ts";
import { gasOf, type Measure } from "./measurement.ts";

const SAMPLES = 3;
const FOR = 1;

/** A proposal's life, for a proposal of one call. */
export const measureGovernance: Measure = async (connection) => {
  const fixture = await deployGovernance(connection);
  const { governor, opg, liquidity, alice, inferenceSettlement } = fixture;
  const { time } = connection.networkHelpers;
  await opg.connect(liquidity).transfer(alice.address, 50_000_000n * OPG_UNIT);
  await opg.connect(alice).delegate(alice.address);
  await time.increase(10);

  const samples: Record<string, bigint[]> = {
    "governor.propose": [],
    "governor.vote": [],
    "governor.queue": [],
    "timelock.execute": [],
  };
  for (let i = 0; i < SAMPLES; i++) {
    const proposal = await proposalOf({
      ...{ contract: inferenceSettlement, function: "setSettlementWindow" },
      arguments: [86_400 + i],
      description: `window ${i}`,
    });
    const asAlice = governor.connect(alice);
    samples["governor.propose"]?.push(await gasOf(asAlice.propose(...byText(proposal))));
    await time.increase(GOVERNOR_SETTINGS.votingDelay + 1);
    samples["governor.vote"]?.push(
      await gasOf(asAlice.castVote(await idOf(governor, proposal), FOR)),
    );
    await time.increase(GOVERNOR_SETTINGS.votingPeriod);
    samples["governor.queue"]?.push(await gasOf(governor.queue(...byHash(proposal))));
    await time.increase(MIN_DELAY);
    samples["timelock.execute"]?.push(await gasOf(governor.execute(...byHash(proposal))));
  }
  return {
    samples,
    notes: {
      "governor.propose": "one call, a short description",
      "governor.vote": "the vote that reaches the quorum",
      "governor.queue": "into the timelock",
      "timelock.execute": "through the governor: InferenceSettlement.setSettlementWindow",
    },
  };
};
