import { EPOCH_SECONDS } from "@haca/protocol/validatorStaking";
import { duration, isoTime, opg } from "../lib/words.ts";
import {
  addressArgument,
  amountArgument,
  knownValidator,
  percent,
  type ReadOptions,
  refuse,
  WHOLE,
  withdrawableFrom,
  withStaking,
} from "./context.ts";
import { prospectOf } from "./prospect.ts";
import { readStream } from "./readStream.ts";
import { openSignatures } from "./signatures.ts";
import { RATE_SCALE } from "./stream.ts";

const YEAR_DAYS = 365n;

/** What a delegation would earn and lose, with figures of the chain as it is. Sends nothing. Error: `stake.refused`. */
export function simulate(
  options: ReadOptions & { validator: string; amount: string },
): Promise<void> {
  const address = addressArgument("validator", options.validator);
  const amount = amountArgument(options.amount);
  return withStaking(options.network, async (context) => {
    const { epoch, staking } = context;
    const validator = await knownValidator(context, address);
    if (validator.isClosed) throw refuse(`the pool of ${address} is closed for good`);
    let active = 0n;
    for (const member of await staking.membersNow()) {
      active += (await staking.validatorOf(member)).stake;
    }
    const { rate, seconds } = await readStream(context);
    const { bounty, dailySlash, slashWithQuorum, slashWithout } = await staking.parametersNow();
    const pagesPart = await staking.PAGES_PART();
    const { commission, place, stake: pool } = validator;
    const isInSet = place !== 0n;
    const prospect = prospectOf({
      ...{ amount, pool, active, isInSet, commission, rate, pagesPart },
      ...{ slashWithQuorum, slashWithout, bounty },
    });
    const { byPages, byStake, lossWithout, lossWithQuorum, streamed } = prospect;
    const open = await openSignatures(context, address);
    const from = await withdrawableFrom(context, epoch + 1n);
    console.log(`delegation   ${opg(amount)} to ${address}; its pool has ${opg(pool)}, the set ${opg(active)}
stream       ${opg((rate * EPOCH_SECONDS) / RATE_SCALE)} a day${rate === 0n ? "" : ` for ${duration(seconds)} at most`}; ${opg(streamed)} in a year of ${YEAR_DAYS} days, if it went on like this
formula      a year × ${percent(WHOLE - pagesPart)} × amount ÷ (stake of the set + amount) × (100 % − commission of ${percent(commission)})
earns        ${isInSet ? `${opg(byStake)} a year by stake, ${yieldOf(byStake, amount)}` : "nothing by stake: the validator is not in the set"}
by pages     ${opg(byPages)} more by the same formula with ${percent(pagesPart)}, if every member signs all pages; nothing if this one signs none; fees of pages besides
loses        for a wrong page that it signs, ${percent(slashWithQuorum)} with a quorum: ${opg(lossWithQuorum)}; ${percent(slashWithout)} without: ${opg(lossWithout)}; both with its part of the bounty of ${opg(bounty)}; ${percent(dailySlash)} of the pool a day at most
answers      at once for ${open} page(s) of its quorums that can still be shown wrong, and for what it signed otherwise
comes back   undelegated now: from ${isoTime(from)} on; until then it earns nothing and answers for what was signed before`);
  });
}

const yieldOf = (earned: bigint, amount: bigint): string =>
  `${percent((earned * WHOLE) / amount)} of the amount`;
