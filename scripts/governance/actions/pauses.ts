import type { ListedName } from "@haca/protocol/contracts";
import { addressOf } from "../../lib/chainSession.ts";
import type { ChangeName, ViewName } from "../../lib/contracts.ts";
import { duration, isoTime } from "../../lib/words.ts";
import { deployed } from "../call.ts";
import type { Action } from "./action.ts";
import { refuse, TEE_REGISTRY } from "./teeRegistry.ts";

const HOUR = 3_600n;
/** What the contracts allow at most: seven days. */
const MAXIMUM_HOURS = 168n;

/** The guardian's pause of something, which ends by itself and cannot follow the last one for as long again. */
const pause = <Name extends ListedName>(parameters: {
  name: string;
  summary: string;
  contract: Name;
  setter: ChangeName<Name>;
  /** view of when the last pause ends or ended, zero if there was none */
  getter: ViewName<Name>;
  what: string;
  /** what goes on */
  remark: string;
}): Action => ({
  name: parameters.name,
  usage: "<hours>",
  summary: parameters.summary,
  by: "guardian",
  functions: [`${parameters.contract}.${parameters.setter}(uint64)`],
  build: async (context) => {
    const { contract, setter, getter, what, remark } = parameters;
    const { book, provider, values } = context;
    const hours = values.integer("hours", { minimum: 1n, maximum: MAXIMUM_HOURS });
    const until: bigint = await deployed(context, contract).getFunction(getter)();
    const latest = BigInt((await provider.getBlock("latest"))?.timestamp ?? 0);
    const earliest = until + MAXIMUM_HOURS * HOUR;
    if (until !== 0n && latest < earliest) {
      throw refuse(
        `the last pause ends at ${isoTime(until)}; there can be no other before ${isoTime(earliest)}`,
      );
    }
    const next = latest + hours * HOUR;
    return {
      calls: [
        {
          contract,
          target: addressOf(book, contract),
          fragment: `function ${setter}(uint64 until)`,
          arguments: [next],
          words: `${what}: open -> paused until ${isoTime(next)} (${duration(hours * HOUR)}); ${remark}`,
        },
      ],
    };
  },
});

export const pauseAdmission = pause({
  name: "pause-admission",
  summary: "lets no new node in for a while, a week at most",
  contract: TEE_REGISTRY,
  ...({ setter: "pauseAdmission", getter: "admissionPausedUntil" } as const),
  what: "admission of new nodes",
  remark: "nodes that are admitted renew their attestations as ever",
});

export const pausePages = pause({
  name: "pause-pages",
  summary: "stops proposals of pages for a while, a week at most",
  contract: "PageSettlement",
  ...({ setter: "pauseProposals", getter: "proposalsPausedUntil" } as const),
  what: "proposals of pages",
  remark: "pages that are proposed already go on, and can be challenged",
});
