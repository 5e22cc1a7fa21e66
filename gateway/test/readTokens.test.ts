import { expect, it } from "vitest";
import { readTokens } from "../src/settings/readTokens.ts";

const [OPG, USDC, OPERATOR] = ["11", "22", "33"].map((byte) => `0x${byte.repeat(20)}`) as [
  ...[string, string, string],
];
const token = {
  ...{ symbol: "USDC", address: USDC, name: "USD Coin", version: "2", decimals: 6 },
  ...{ operator: OPERATOR, spend: undefined, prices: { models: new Map(), rate: undefined } },
};
const settings: Parameters<typeof readTokens>[0] = {
  ...{ tokens: [token], opg: OPG, spend: undefined, operator: undefined },
  routes: ["escrow", "commerce"],
};

it("another token is paid by commerce, and OPG where it has an operator, or no other route", () => {
  const { others, routes } = readTokens(settings);
  expect(others).toMatchObject([{ token: { symbol: "USDC" }, routes: ["commerce"] }]);
  expect(routes).toEqual(["escrow"]);
  expect(readTokens({ ...settings, operator: OPERATOR }).routes).toEqual(["escrow", "commerce"]);
  // Then its operator is asked for.
  expect(readTokens({ ...settings, routes: ["commerce"] }).routes).toEqual(["commerce"]);
  expect(readTokens({ ...settings, tokens: [], routes: ["exact", "commerce"] })).toEqual({
    ...{ others: [], routes: ["exact", "commerce"] },
  });
});

it.each([
  ["no route for it", { routes: ["escrow"] }, "HACA_GATEWAY_ROUTES: lacks commerce, by which USDC"],
  ["OPG's address", { opg: USDC }, "HACA_GATEWAY_PRICES: tokens.USDC.address: is OPG's"],
  ["a limit in OPG alone", { spend: 1n }, "HACA_GATEWAY_PRICES: tokens.USDC.spendLimit: is not"],
  [
    "a limit in it alone",
    { tokens: [{ ...token, spend: 1n }] },
    "HACA_GATEWAY_SPEND_LIMIT: is not set, and tokens.USDC.spendLimit",
  ],
] as const)("it is refused with %s, by the setting", (_, changes, words) => {
  expect(() => readTokens({ ...settings, ...changes })).toThrow(words);
});
