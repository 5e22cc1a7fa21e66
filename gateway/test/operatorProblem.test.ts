import { COMMERCE_DEPLOYMENTS } from "@haca/protocol/commerceEscrows";
import { expect, it } from "vitest";
import { judgeOperator } from "../src/payments/operatorProblem.ts";

const DAY = 86_400;
const address = (digit: string) => `0x${digit.repeat(40)}`;
const [NODE, PAYEE, TOKEN, OPERATOR, OTHER] = ["a", "b", "c", "d", "e"].map(address) as string[];
const commerce = String(COMMERCE_DEPLOYMENTS[0]?.escrow);
const settings = {
  ...{ node: String(NODE), payee: String(PAYEE), kinds: 68, captureWindow: 5 * DAY },
  token: { address: String(TOKEN), name: "OPG", version: "1" },
};
const operator = {
  ...{ node: String(NODE).toUpperCase().replace("X", "x"), payee: String(PAYEE) },
  ...{ token: String(TOKEN), kinds: 70, commerce, leastWindow: 4 * DAY, mostWindow: 30 * DAY },
};
const judge = (of: typeof operator | undefined, captureWindow = settings.captureWindow) =>
  judgeOperator({
    ...{ settings: { ...settings, captureWindow }, address: String(OPERATOR), operator: of },
  });

it("takes the operator of this node, for this payee and token, whatever else it counts", () => {
  expect(judge(operator)).toMatchObject({ deployment: { escrow: commerce } });
});

it.each([
  ["no operator", undefined, "is no operator of this deployment"],
  ["another node's", { ...operator, node: String(OTHER) }, `is the operator of the node ${OTHER}`],
  ["another payee's", { ...operator, payee: String(OTHER) }, `pays ${OTHER}`],
  ["one in another token", { ...operator, token: String(OTHER) }, `is paid in ${OTHER}`],
  ["one that lacks a kind", { ...operator, kinds: 64 }, "lacks kinds of results of enclaves"],
  ["one over another escrow", { ...operator, commerce: String(OTHER) }, "which no stock client"],
] as const)("refuses %s by the setting's name", (_, of, reason) => {
  expect(judge(of)).toEqual({
    problem: expect.stringMatching(`^HACA_GATEWAY_COMMERCE_OPERATOR: ${OPERATOR}: .*${reason}`),
  });
});

it("leaves the chain's bounds of a deadline the time in which it can be signed and opened", () => {
  expect(judge(operator, 4 * DAY)).toEqual({
    problem: `HACA_GATEWAY_CAPTURE_WINDOW: ${4 * DAY}: must be from ${4 * DAY + 300} to ${30 * DAY - 960} for the operator`,
  });
  for (const captureWindow of [4 * DAY + 300, 30 * DAY - 960]) {
    expect(judge(operator, captureWindow)).toHaveProperty("deployment");
  }
  expect(judge(operator, 30 * DAY - 959)).toHaveProperty("problem");
});
