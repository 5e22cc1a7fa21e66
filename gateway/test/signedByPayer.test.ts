import { permit2Domain } from "@haca/protocol/inferenceEscrow";
import {
  PERMIT2_ADDRESS,
  RECEIVE_TYPES,
  TRANSFER_TYPES,
  UPTO_PERMIT_TYPES,
} from "@haca/protocol/signedPayments";
import { toBeHex, Wallet } from "ethers";
import { expect, it } from "vitest";
import { readPayment } from "../src/payments/payment.ts";
import { isSignedByPayer } from "../src/payments/signedByPayer.ts";

const chainId = 31_337n;
const [TOKEN, GATE] = [1, 2].map((n) => toBeHex(n, 20)) as [string, string];
const token = { name: "OPG", version: "1", chainId, verifyingContract: TOKEN };
const [victim, attacker] = [Wallet.createRandom(), Wallet.createRandom()];
const word = (digit: string) => `0x${digit.repeat(64)}`;
const salted = { salt: word("1"), saltNonce: word("2") };

const authorizationOf = (from: string) => ({
  ...{ from, to: GATE, value: "1000", validAfter: "0", validBefore: "99", nonce: word("5") },
});
const permitOf = (from: string) => ({
  ...{ from, spender: GATE, nonce: "5", deadline: "99" },
  permitted: { token: TOKEN, amount: "1000" },
  witness: { to: GATE, facilitator: GATE, validAfter: "0" },
});
const transferBy = async (wallet: typeof victim, types: typeof TRANSFER_TYPES) => {
  const authorization = authorizationOf(victim.address);
  return {
    signature: await wallet.signTypedData(token, types as never, authorization),
    authorization,
  };
};
const permitBy = async (wallet: typeof victim) => {
  const permit2Authorization = permitOf(victim.address);
  const domain = permit2Domain({ chainId, permit2: PERMIT2_ADDRESS });
  const { from: _from, ...signed } = permit2Authorization;
  const signature = await wallet.signTypedData(domain, UPTO_PERMIT_TYPES, signed);
  return { signature, permit2Authorization };
};

const isSigned = (payload: object, scheme: string): boolean => {
  const payment = readPayment(payload, scheme);
  return payment !== undefined && isSignedByPayer({ payment, payload, chainId, token });
};

it("a payment is signed by its payer's key, under its own scheme alone", async () => {
  const transfer = await transferBy(victim, TRANSFER_TYPES);
  const receive = { ...(await transferBy(victim, RECEIVE_TYPES as never)), ...salted };
  expect(isSigned(transfer, "exact")).toBe(true);
  expect(isSigned(await permitBy(victim), "upto")).toBe(true);
  expect(isSigned(receive, "auth-capture")).toBe(true);
  expect(isSigned(receive, "exact")).toBe(false);
  expect(isSigned({ ...transfer, ...salted }, "auth-capture")).toBe(false);
  expect(isSigned(await transferBy(attacker, TRANSFER_TYPES), "exact")).toBe(false);
  expect(isSigned(await permitBy(attacker), "upto")).toBe(false);
});

it("what somebody has signed once in another form vouches for nothing that is put beside it", async () => {
  const permit = await permitBy(victim);
  const transfer = await transferBy(victim, TRANSFER_TYPES);
  const authorization = authorizationOf(victim.address);
  const permit2Authorization = permitOf(victim.address);
  for (const [payload, scheme] of [
    [{ ...permit, authorization }, "exact"],
    [{ ...transfer, permit2Authorization }, "upto"],
    [{ ...permit, ...salted, authorization }, "auth-capture"],
    [{ ...transfer, permit2Authorization: null }, "exact"],
  ] as const) {
    expect(readPayment(payload, scheme)).toBeUndefined();
  }
  // Nor where it was read as a payment all the same.
  const payment = readPayment({ signature: permit.signature, authorization }, "exact");
  if (payment === undefined) throw new Error("is no payment");
  const payload = { ...permit, authorization };
  expect(isSignedByPayer({ payment, payload, chainId, token })).toBe(false);
});
