import { inferenceSettlementAbi } from "@haca/protocol/abi";
import { expect, test } from "vitest";
import { verificationName } from "../src/verificationName.ts";

test("names the contract's kinds in its order", () => {
  expect([0, 1, 2, 3].map(verificationName)).toEqual([...["vanilla", "zkml", "tee", "optimistic"]]);
});

test("refuses a kind that the contract does not have", () => {
  expect(() => verificationName(4)).toThrow("verification must be below 4, got 4");
});

test("reads the field that the event has", () => {
  const event = inferenceSettlementAbi.find(
    (item) => item.type === "event" && item.name === "InferenceSettled",
  );
  expect(event?.inputs).toContainEqual(
    expect.objectContaining({
      name: "verification",
      internalType: "enum IInferenceSettlement.Verification",
    }),
  );
});
