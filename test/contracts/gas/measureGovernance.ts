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
  const call = (name: string, ...values: unknown[]) => gasOf(governor.getFunction(name)(...values));
  await opg.connect(liquidity).getFunction("transfer")(alice.address, 50_000_000n * OPG_UNIT);
  await opg.connect(alice).getFunction("delegate")(alice.address);
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
    const asAlice = governor.connect(alice) as typeof governor;
    samples["governor.propose"]?.push(
      await gasOf(asAlice.getFunction("propose")(...byText(proposal))),
    );
    await time.increase(GOVERNOR_SETTINGS.votingDelay + 1);
    samples["governor.vote"]?.push(
      await gasOf(asAlice.getFunction("castVote")(await idOf(governor, proposal), FOR)),
    );
    await time.increase(GOVERNOR_SETTINGS.votingPeriod);
    samples["governor.queue"]?.push(await call("queue", ...byHash(proposal)));
    await time.increase(MIN_DELAY);
    samples["timelock.execute"]?.push(await call("execute", ...byHash(proposal)));
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
