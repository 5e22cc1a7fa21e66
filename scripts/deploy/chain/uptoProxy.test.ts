import { UPTO_PROXY_ADDRESS } from "@haca/protocol/signedPayments";
import { expect, it } from "vitest";
import { Journal } from "../plan/journal.ts";
import { proxyForEscrow } from "./uptoProxy.ts";

const OTHER = `0x${"11".repeat(20)}`;
const HASH = `0x${"22".repeat(32)}`;

/** What is decided on a chain that has code at some addresses, after some steps of a deployment. */
const decide = (parameters: {
  codes?: readonly string[];
  given?: string;
  mined?: readonly string[];
  intended?: readonly string[];
  earlier?: { isHandedOver: boolean; hasEscrow: boolean };
}) => {
  const { codes = [], given, mined = [], intended = [] } = parameters;
  const journal = Journal.inMemory();
  for (const [nonce, step] of mined.entries()) {
    journal.mined({ step, nonce, hash: HASH, block: 1, dataHash: HASH });
  }
  for (const [nonce, step] of intended.entries()) {
    journal.intend({ step, nonce, dataHash: HASH, afterBlock: 1 });
  }
  const provider = {
    getCode: async (address: unknown) => (codes.includes(String(address)) ? "0x00" : "0x"),
  };
  return proxyForEscrow({
    deployment: { chainId: 7, journal, provider: provider as never },
    ...{ given, source: "parameters.json" },
    earlier: parameters.earlier ?? { isHandedOver: false, hasEscrow: false },
  });
};

it("takes the published proxy where the chain has it, or the one that the parameters name", async () => {
  expect(await decide({ codes: [UPTO_PROXY_ADDRESS] })).toEqual({ proxy: UPTO_PROXY_ADDRESS });
  const both = [UPTO_PROXY_ADDRESS, OTHER];
  expect(await decide({ codes: both, given: OTHER })).toEqual({ proxy: OTHER });
});

it("leaves the escrow out where nobody named a proxy and there is none, and says so", async () => {
  expect(await decide({ codes: [OTHER] })).toEqual({
    reason: `there is no x402 proxy at ${UPTO_PROXY_ADDRESS}: no InferenceEscrow`,
  });
});

it("refuses parameters with a proxy that is not there", async () => {
  await expect(decide({ codes: [UPTO_PROXY_ADDRESS], given: OTHER })).rejects.toThrow(
    `parameters.json: uptoProxy: there is no contract at ${OTHER} on chain 7`,
  );
});

it.each(["mined", "intended"])("goes on with an escrow whose creation is %s", async (state) => {
  const steps = { [state]: ["InferenceEscrow"] };
  expect(await decide({ ...steps, given: OTHER })).toEqual({ proxy: OTHER });
});

it("leaves it to governance once everything is handed over", async () => {
  const codes = [UPTO_PROXY_ADDRESS];
  const handedOver = { isHandedOver: true, hasEscrow: false };
  for (const after of [{ mined: ["renounce_accessManager"] }, { earlier: handedOver }]) {
    expect(await decide({ codes, ...after })).toEqual({
      reason: "everything is handed over without InferenceEscrow: governance adds it (add-escrow)",
    });
  }
  const earlier = { ...handedOver, hasEscrow: true };
  expect(await decide({ codes, earlier })).toBeUndefined();
});
