import { addressOf } from "../../lib/chainSession.ts";
import { duration, isoTime } from "../../lib/words.ts";
import { deployed } from "../call.ts";
import type { Action } from "./action.ts";
import { refuse, TEE_REGISTRY } from "./teeRegistry.ts";

const HOUR = 3_600n;
/** What the registry allows at most: seven days. */
const MAXIMUM_HOURS = 168n;

export const pauseAdmission: Action = {
  name: "pause-admission",
  usage: "<hours>",
  summary: "lets no new node in for a while, a week at most",
  by: "guardian",
  functions: ["TEERegistry.pauseAdmission(uint64)"],
  build: async (context) => {
    const { book, provider, values } = context;
    const hours = values.integer("hours", { minimum: 1n, maximum: MAXIMUM_HOURS });
    const until = await deployed(context, TEE_REGISTRY).admissionPausedUntil();
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
          contract: TEE_REGISTRY,
          target: addressOf(book, TEE_REGISTRY),
          fragment: "function pauseAdmission(uint64 until)",
          arguments: [next],
          words: `admission of new nodes: open -> paused until ${isoTime(next)} (${duration(hours * HOUR)}); nodes that are admitted renew their attestations as ever`,
        },
      ],
    };
  },
};
