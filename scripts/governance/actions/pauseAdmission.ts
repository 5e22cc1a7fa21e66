import { addressOf } from "../call.ts";
import { duration } from "../duration.ts";
import type { Action } from "./action.ts";
import { readView } from "./readView.ts";
import { refuse, TEE_REGISTRY } from "./teeRegistry.ts";

const HOUR = 3_600n;
/** What the registry allows at most: seven days. */
const MAXIMUM_HOURS = 168n;

const momentOf = (seconds: bigint): string => new Date(Number(seconds) * 1000).toISOString();

export const pauseAdmission: Action = {
  name: "pause-admission",
  usage: "<hours>",
  summary: "lets no new node in for a while, a week at most",
  by: "guardian",
  build: async (context) => {
    const { book, provider, values } = context;
    const hours = values.whole("hours", { minimum: 1n, maximum: MAXIMUM_HOURS });
    const view = "function admissionPausedUntil() view returns (uint64)";
    const until: bigint = await readView(context, TEE_REGISTRY, view);
    const latest = BigInt((await provider.getBlock("latest"))?.timestamp ?? 0);
    const earliest = until + MAXIMUM_HOURS * HOUR;
    if (until !== 0n && latest < earliest) {
      throw refuse(
        `the last pause ends at ${momentOf(until)}; there can be no other before ${momentOf(earliest)}`,
      );
    }
    const next = latest + hours * HOUR;
    return {
      calls: [
        {
          contract: TEE_REGISTRY,
          target: addressOf(book, TEE_REGISTRY),
          fragment: "function pauseAdmission(uint64 until)",
          arguments: [next],
          words: `admission of new nodes: open -> paused until ${momentOf(next)} (${duration(hours * HOUR)}); nodes that are admitted renew their attestations as ever`,
        },
      ],
    };
  },
};
