import { COMMERCE_DEPLOYMENTS, type CommerceDeployment } from "@haca/protocol/commerceEscrows";
import { resolveAuthCaptureDeployment } from "@x402/evm";
import { expect, it } from "vitest";
import { Journal } from "../plan/journal.ts";
import { commerceFor } from "./commercePayments.ts";

const HASH = `0x${"22".repeat(32)}`;
const [NEW, OLD] = COMMERCE_DEPLOYMENTS as [CommerceDeployment, CommerceDeployment];
const addressesOf = ({ escrow, erc3009Collector, permit2Collector }: CommerceDeployment) => [
  ...[escrow, erc3009Collector, permit2Collector],
];

/** What is decided on a chain that has code at some addresses. */
const decide = (there: readonly string[], earlier?: string[], journal = Journal.inMemory()) => {
  const getCode = async (address: unknown) => (there.includes(String(address)) ? "0x00" : "0x");
  return commerceFor({ deployment: { journal, provider: { getCode } as never }, earlier });
};

it("knows the versions that stock clients know, and takes for the newest what they take", () => {
  for (const { version, escrow, erc3009Collector, permit2Collector } of COMMERCE_DEPLOYMENTS) {
    expect(resolveAuthCaptureDeployment(escrow)).toMatchObject({
      ...{ version: `v${version}`, escrow, permit2Collector, eip3009Collector: erc3009Collector },
    });
  }
  expect(resolveAuthCaptureDeployment(undefined)?.escrow).toBe(NEW.escrow);
});

it("creates operators over the newest version that the chain has", async () => {
  expect(await decide([...addressesOf(OLD), ...addressesOf(NEW)])).toEqual({ commerce: NEW });
  expect(await decide(addressesOf(OLD))).toEqual({ commerce: OLD });
});

it("leaves them out where escrow or collectors are not there, and says so", async () => {
  const reason = `there is no public escrow of commerce payments at ${NEW.escrow}: no CommerceOperators`;
  expect(await decide([])).toEqual({ reason });
  for (const version of COMMERCE_DEPLOYMENTS) {
    for (const missing of addressesOf(version)) {
      const there = addressesOf(version).filter((address) => address !== missing);
      expect(await decide(there)).toEqual({ reason });
    }
  }
});

it("stays with the version of an earlier run", async () => {
  const everything = [...addressesOf(OLD), ...addressesOf(NEW)];
  for (const version of COMMERCE_DEPLOYMENTS) {
    expect(await decide(everything, [HASH, version.escrow])).toEqual({ commerce: version });
  }
});

it("goes on with operators whose creation was begun", async () => {
  const begun = Journal.inMemory();
  begun.intend({ step: "CommerceOperators", nonce: 0, dataHash: HASH, afterBlock: 1 });
  const mined = Journal.inMemory();
  mined.mined({ step: "CommerceOperators", nonce: 0, hash: HASH, block: 1, dataHash: HASH });
  for (const journal of [begun, mined]) {
    expect(await decide([], undefined, journal)).toEqual({ commerce: NEW });
  }
});
