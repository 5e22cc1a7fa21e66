import { BATCH_SETTLEMENT_ADDRESS } from "@haca/protocol/channelGates";
import { BATCH_SETTLEMENT_ADDRESS as PUBLISHED } from "@x402/evm";
import { expect, it } from "vitest";
import { Journal } from "../plan/journal.ts";
import { whyNoGates } from "./batchSettlement.ts";

const HASH = `0x${"22".repeat(32)}`;

/** What is decided on a chain that has x402's contract or not, with a journal. */
const decide = (isThere: boolean, journal = Journal.inMemory()) => {
  const getCode = async (address: unknown) => (isThere && address === PUBLISHED ? "0x00" : "0x");
  return whyNoGates({ journal, provider: { getCode } as never });
};

it("creates gates where the chain has x402's published contract of channels", async () => {
  expect(BATCH_SETTLEMENT_ADDRESS).toBe(PUBLISHED);
  expect(await decide(true)).toBeUndefined();
});

it("leaves them out where it is not there, and says so", async () => {
  expect(await decide(false)).toBe(
    `there is no x402 contract of channels at ${PUBLISHED}: no ChannelGates`,
  );
});

it("goes on with gates whose creation was begun", async () => {
  const begun = Journal.inMemory();
  begun.intend({ step: "ChannelGates", nonce: 0, dataHash: HASH, afterBlock: 1 });
  const mined = Journal.inMemory();
  mined.mined({ step: "ChannelGates", nonce: 0, hash: HASH, block: 1, dataHash: HASH });
  for (const journal of [begun, mined]) expect(await decide(false, journal)).toBeUndefined();
});
