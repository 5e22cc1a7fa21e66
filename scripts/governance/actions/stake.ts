import { addressOf } from "../../lib/chainSession.ts";
import { opg } from "../../lib/words.ts";
import { deployed } from "../call.ts";
import type { Action } from "./action.ts";
import { contractOrNone, nameOrNobody } from "./contractOrNone.ts";
import { refuse } from "./teeRegistry.ts";

const STAKING = "ValidatorStaking";
const ROUTER = "RewardRouter";
/** The contract counts in hundredths of a percent; its bounds, in those. */
const PART_DIGITS = 100n;
const MOST_SLASH_WITH_QUORUM = 1_000n;
const LEAST_DAILY_SLASH = 1_000n;
const WHOLE = 10_000n;
const BOUNTY_DIVISOR = 4n;

type Parameters = Record<
  | "minimumSelfStake"
  | "minimumTotalStake"
  | "slashWithQuorum"
  | "slashWithout"
  | "dailySlash"
  | "bounty",
  bigint
>;

const percent = (part: bigint): string => {
  const digits = String(part % PART_DIGITS)
    .padStart(2, "0")
    .replace(/0+$/, "");
  return `${part / PART_DIGITS}${digits === "" ? "" : `.${digits}`} %`;
};

const inWords = (parameters: Parameters): string =>
  `owners ${opg(parameters.minimumSelfStake)}, the set ${opg(parameters.minimumTotalStake)}, ` +
  `loss with a quorum ${percent(parameters.slashWithQuorum)}, without ${percent(parameters.slashWithout)}, ` +
  `in a day ${percent(parameters.dailySlash)}, bounty ${opg(parameters.bounty)}`;

export const setStakeParameters: Action = {
  name: "set-stake-parameters",
  usage:
    "<OPG of an owner> <OPG of the set> <loss with a quorum, 1/100 %> <loss without, 1/100 %> " +
    "<loss in a day, 1/100 %> <OPG of bounty>",
  summary: "sets what validators need, and what they lose for signing what is wrong",
  by: "proposal",
  functions: [`${STAKING}.setParameters((uint96,uint96,uint16,uint16,uint16,uint96))`],
  build: async (context) => {
    const { book, values } = context;
    const next: Parameters = {
      minimumSelfStake: values.tokens("OPG of an owner"),
      minimumTotalStake: values.tokens("OPG of the set"),
      slashWithQuorum: values.integer("loss with a quorum", {
        ...{ minimum: PART_DIGITS, maximum: MOST_SLASH_WITH_QUORUM },
      }),
      slashWithout: values.integer("loss without", {
        ...{ minimum: 10n, maximum: MOST_SLASH_WITH_QUORUM },
      }),
      dailySlash: values.integer("loss in a day", { minimum: LEAST_DAILY_SLASH, maximum: WHOLE }),
      bounty: values.tokens("OPG of bounty"),
    };
    const staking = deployed(context, STAKING);
    const most: bigint = await staking.MOST_STAKE();
    const least = {
      minimumSelfStake: (await staking.LEAST_SELF_STAKE()) as bigint,
      minimumTotalStake: (await staking.LEAST_TOTAL_STAKE()) as bigint,
    };
    for (const [key, name] of [
      ["minimumSelfStake", "an owner"],
      ["minimumTotalStake", "the set"],
    ] as const) {
      if (next[key] < least[key] || next[key] > most) {
        throw refuse(`the least stake of ${name} is between ${opg(least[key])} and ${opg(most)}`);
      }
    }
    if (next.slashWithout > next.slashWithQuorum) {
      throw refuse("the loss without a quorum is larger than the one with");
    }
    const mostBounty = (next.minimumSelfStake * next.slashWithout) / (BOUNTY_DIVISOR * WHOLE);
    if (next.bounty > mostBounty) {
      throw refuse(
        `a bounty above ${opg(mostBounty)} could make it pay to slash oneself with this stake and loss`,
      );
    }
    const before = inWords(await staking.parametersNow());
    if (before === inWords(next)) throw refuse("these are the parameters already");
    return {
      calls: [
        {
          contract: STAKING,
          target: addressOf(book, STAKING),
          fragment:
            "function setParameters((uint96 minimumSelfStake, uint96 minimumTotalStake, uint16 slashWithQuorum, uint16 slashWithout, uint16 dailySlash, uint96 bounty) parameters)",
          arguments: [next],
          words: `validators: ${before} -> ${inWords(next)}; what was signed before is slashed as it was then`,
        },
      ],
    };
  },
};

export const setRewardRecipient: Action = {
  name: "set-reward-recipient",
  usage: "<contract, or none>",
  summary: "names the contract that staking rewards are passed on to",
  by: "proposal",
  functions: [`${ROUTER}.setRecipient(address)`],
  build: async (context) => {
    const { book } = context;
    const next = await contractOrNone(context);
    const current: string = await deployed(context, ROUTER).recipient();
    if (BigInt(current) === BigInt(next)) {
      throw refuse(`${nameOrNobody(current)} gets staking rewards already`);
    }
    return {
      calls: [
        {
          contract: ROUTER,
          target: addressOf(book, ROUTER),
          fragment: "function setRecipient(address recipient)",
          arguments: [next],
          words: `who gets staking rewards: ${nameOrNobody(current)} -> ${nameOrNobody(next)}`,
        },
      ],
    };
  },
};
