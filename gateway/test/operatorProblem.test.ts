import { COMMERCE_DEPLOYMENTS } from "@haca/protocol/commerceEscrows";
import { TypedDataEncoder } from "ethers";
import { expect, it } from "vitest";
import { judgeOperator } from "../src/payments/operatorProblem.ts";

const DAY = 86_400;
const address = (digit: string) => `0x${digit.repeat(40)}`;
const [NODE, PAYEE, TOKEN, OPERATOR, OTHER] = ["a", "b", "c", "d", "e"].map(address) as string[];
const commerce = String(COMMERCE_DEPLOYMENTS[0]?.escrow);
const settings = {
  ...{ node: String(NODE), payee: String(PAYEE), kinds: 68, captureWindow: 5 * DAY, chainId: 1n },
  token: { symbol: "OPG", address: String(TOKEN), name: "OPG", version: "1", decimals: 18 },
};
const domainOf = (name: string, version = "1", verifyingContract = String(TOKEN)) =>
  TypedDataEncoder.hashDomain({ name, version, chainId: 1n, verifyingContract });
const operator = {
  ...{ node: String(NODE).toUpperCase().replace("X", "x"), payee: String(PAYEE) },
  ...{ token: String(TOKEN), kinds: 70, commerce, leastWindow: 4 * DAY, mostWindow: 30 * DAY },
  ...{ isServed: true, decimals: 18 as number | null, domainSeparator: domainOf("OPG") },
};
type Told = Omit<typeof operator, "domainSeparator"> & { domainSeparator: string | null };
const judge = (of: Told | undefined, captureWindow = settings.captureWindow, own = settings) =>
  judgeOperator({
    ...{ settings: { ...own, captureWindow }, address: String(OPERATOR), operator: of },
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
  ["one that is not served", { ...operator, isServed: false }, "HACA_PAYMENT_TOKENS its token"],
  ["another domain", { ...operator, domainSeparator: domainOf("OPG", "2") }, "EIP-712 domain"],
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

it.each([
  ["other decimals", { decimals: 18 }, "decimals: 6: the token has 18"],
  ["no decimals", { decimals: null }, "decimals: 6: the token has none"],
  ["another name", { domainSeparator: domainOf("USDC", "2") }, "name, version: USD Coin, 2: "],
  ["another version", { domainSeparator: domainOf("USD Coin", "1") }, "name, version: "],
  [
    "another token's domain",
    { domainSeparator: domainOf("USD Coin", "2", String(OTHER)) },
    "name, version: ",
  ],
  ["no domain", { domainSeparator: null }, "name, version: "],
  ["another token", { token: String(OTHER) }, `operator: ${OPERATOR}: is paid in ${OTHER}`],
] as const)("refuses a token of the table whose chain says %s, by its place", (_, told, words) => {
  const token = { symbol: "USDC", address: String(TOKEN), name: "USD Coin", version: "2" };
  const own = { ...settings, token: { ...token, decimals: 6 } };
  const good = { ...operator, decimals: 6, domainSeparator: domainOf("USD Coin", "2") };
  const { captureWindow } = settings;
  expect(judge(good, captureWindow, own)).toHaveProperty("deployment");
  expect(judge({ ...good, ...told }, captureWindow, own)).toEqual({
    problem: expect.stringContaining(`HACA_GATEWAY_PRICES: tokens.USDC.${words}`),
  });
});
