import { addressOf } from "../../lib/chainSession.ts";
import { duration, opg } from "../../lib/words.ts";
import { deployed } from "../call.ts";
import type { Action } from "./action.ts";
import { contractOrNone, nameOrNobody } from "./contractOrNone.ts";
import { refuse } from "./teeRegistry.ts";

const PAGES = "PageSettlement";
const HOUR = 3_600n;
/** What the contract allows at most: seven days of a road, ninety of a window. */
const WEEK_HOURS = 168n;
const WINDOW_HOURS = 90n * 24n;
const MAXIMUM_AMOUNT = (1n << 88n) - 1n;

type Parameters = Record<"longRoad" | "shortRoad" | "resultWindow" | "minimumDeposit", bigint>;

const inWords = (parameters: Parameters): string =>
  `long road ${duration(parameters.longRoad)}, short road ${duration(parameters.shortRoad)}, ` +
  `results up to ${duration(parameters.resultWindow)} old, deposit ${opg(parameters.minimumDeposit)}`;

export const setPageParameters: Action = {
  name: "set-page-parameters",
  usage: "<long road, h> <short road, h> <result window, h> <OPG of deposit>",
  summary: "sets how long pages of results can be challenged, and what proposers leave",
  by: "proposal",
  functions: [`${PAGES}.setParameters((uint24,uint24,uint24,uint88))`],
  build: async (context) => {
    const { book, values } = context;
    const week = { minimum: 1n, maximum: WEEK_HOURS };
    const next: Parameters = {
      longRoad: HOUR * values.integer("long road", week),
      shortRoad: HOUR * values.integer("short road", week),
      resultWindow: HOUR * values.integer("result window", { minimum: 1n, maximum: WINDOW_HOURS }),
      minimumDeposit: values.tokens("OPG of deposit"),
    };
    const pages = deployed(context, PAGES);
    const floor: bigint = await pages.MINIMUM_LONG_ROAD();
    if (next.longRoad < floor) {
      throw refuse(`the long road is never below ${duration(floor)} on this chain`);
    }
    if (next.shortRoad > next.longRoad) throw refuse("the short road is longer than the long one");
    if (next.minimumDeposit > MAXIMUM_AMOUNT) {
      throw refuse(`a deposit of ${opg(next.minimumDeposit)} is more than there can be`);
    }
    if (next.minimumDeposit === 0n) throw refuse("without a deposit nobody answers for a page");
    const current = await pages.parametersNow();
    const before = inWords(current);
    if (before === inWords(next)) throw refuse("these are the parameters already");
    return {
      calls: [
        {
          contract: PAGES,
          target: addressOf(book, PAGES),
          fragment:
            "function setParameters((uint24 longRoad, uint24 shortRoad, uint24 resultWindow, uint88 minimumDeposit) parameters)",
          arguments: [next],
          words: `pages to come: ${before} -> ${inWords(next)}; pages that are proposed already keep theirs`,
        },
      ],
    };
  },
};

export const setPageAttester: Action = {
  name: "set-page-attester",
  usage: "<contract, or none>",
  summary: "names the contract that takes pages to the short road",
  by: "proposal",
  functions: [`${PAGES}.setAttester(address)`],
  build: async (context) => {
    const { book } = context;
    const next = await contractOrNone(context);
    const current: string = await deployed(context, PAGES).attester();
    if (BigInt(current) === BigInt(next)) {
      throw refuse(`${nameOrNobody(current)} takes pages to the short road already`);
    }
    return {
      calls: [
        {
          contract: PAGES,
          target: addressOf(book, PAGES),
          fragment: "function setAttester(address attester)",
          arguments: [next],
          words: `who takes pages to the short road: ${nameOrNobody(current)} -> ${nameOrNobody(next)}`,
        },
      ],
    };
  },
};
