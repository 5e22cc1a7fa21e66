import { BATCH_SETTLEMENT_ADDRESS, ERC3009_COLLECTOR_ADDRESS } from "@haca/protocol/channelGates";
import { getAddress, keccak256, toUtf8Bytes } from "ethers";
import { describe, expect, it } from "vitest";
import { withOtherEnd } from "../../test/contracts/utils/otherEnd.ts";
import { parsePaymentRequest } from "../src/roles/facilitate/payments/paymentRequest.ts";

const address = (digit: string) => `0x${digit.repeat(40)}`;
const word = (digit: string) => `0x${digit.repeat(64)}`;
const signature = `0x${"ab".repeat(65)}`;
const [PAYER, DEPOSITOR, GATE, TOKEN] = ["1", "2", "3", "4"].map(address);

const transfer = {
  signature,
  authorization: {
    ...{ from: PAYER, to: GATE, value: "1000", validAfter: "0", validBefore: "99" },
    nonce: word("5"),
  },
};
const permit = {
  signature,
  permit2Authorization: {
    ...{ from: PAYER, spender: GATE, nonce: "5", deadline: "99" },
    permitted: { token: TOKEN, amount: "1000" },
    witness: { to: GATE, validAfter: "0" },
  },
};
const erc3009Authorization = { validAfter: "0", validBefore: "99", salt: word("6"), signature };
const deposit = {
  type: "deposit",
  channelConfig: {
    ...{ payer: DEPOSITOR, payerAuthorizer: DEPOSITOR, receiver: GATE, receiverAuthorizer: GATE },
    ...{ token: TOKEN, withdrawDelay: 900, salt: word("7") },
  },
  voucher: { channelId: word("8") },
  deposit: { amount: "1", authorization: { erc3009Authorization } },
};

const read = (scheme: string, payload: object, changes: object = {}) => {
  const accepted = {
    ...{ scheme, network: "eip155:1", asset: TOKEN, amount: "1000", payTo: GATE },
    ...{ maxTimeoutSeconds: 60, ...changes },
  };
  const paymentPayload = { x402Version: 2, accepted, payload };
  return parsePaymentRequest({ paymentPayload, paymentRequirements: accepted });
};

describe.each(["exact", "upto", "batch-settlement"])("a request under %s", (scheme) => {
  it.each([
    ["authorization and deposit", { ...transfer, ...deposit }],
    ["permit2Authorization and deposit", { ...permit, ...deposit }],
    ["authorization and permit2Authorization", { ...permit, ...transfer }],
    ["authorization and deposit", { ...transfer, ...deposit, deposit: null }],
    ["authorization and permit2Authorization", { ...transfer, permit2Authorization: {} }],
  ])("is refused where its payload has %s", (forms, payload) => {
    expect(() => read(scheme, payload)).toThrow(
      `paymentPayload.payload: has ${forms}: must have one of them`,
    );
  });

  it("has what its authorization names", () => {
    const what = { payer: PAYER, nonce: BigInt(word("5")), amount: 1_000n, receiver: GATE };
    expect(read(scheme, transfer)).toMatchObject({ ...what, method: "transfer" });
    expect(read(scheme, permit)).toMatchObject({ ...what, method: "permit2", nonce: 5n });
  });
});

describe("a payment into the public escrow", () => {
  const salted = { salt: word("a"), saltNonce: word("b") };
  const { witness: _witness, ...plain } = permit.permit2Authorization;
  const byPermit = { signature, permit2Authorization: plain, ...salted };

  it("is what its authorization names, by either form, until the same second", () => {
    const what = { payer: PAYER, amount: 1_000n, receiver: GATE, validUntil: 99n };
    const nonce = BigInt(word("5"));
    expect(read("auth-capture", { ...transfer, ...salted })).toMatchObject({
      ...{ ...what, method: "transfer", nonce },
    });
    expect(read("auth-capture", byPermit)).toMatchObject({ ...what, method: "permit2", nonce: 5n });
  });

  it.each([
    ["without a salt", transfer],
    ["that is a permit of upto", permit],
    ["that is a deposit", { ...deposit, ...salted }],
    [
      "above 120 bits",
      {
        ...transfer,
        ...salted,
        authorization: { ...transfer.authorization, value: String(1n << 120n) },
      },
    ],
    ["of two forms", { ...transfer, ...byPermit }],
  ])("is none %s", (_, payload) => {
    expect(() => read("auth-capture", payload)).toThrow("paymentPayload.payload: ");
  });

  it.each(["exact", "upto", "batch-settlement"])("is none under %s", (scheme) => {
    for (const payload of [{ ...transfer, ...salted }, { ...permit, ...salted }, byPermit]) {
      expect(() => read(scheme, payload)).toThrow("a salt is of auth-capture alone");
    }
  });

  it("is the same however it is written, and another with another signature", () => {
    const hashOf = (payload: object) => read("auth-capture", payload).contentHash;
    const written = { ...salted, x: 1, ...transfer, signature: signature.replace("ab", "AB") };
    expect(hashOf(written)).toBe(hashOf({ ...transfer, ...salted }));
    const other = { ...transfer, ...salted, signature: withOtherEnd(signature) };
    expect(hashOf(other)).not.toBe(hashOf(written));
  });
});

it("addresses are read with a checksum, in whatever letters they come, and what it is of does not change", () => {
  const misspelt = `0x${"aB".repeat(20)}`;
  const address = getAddress(misspelt.toLowerCase());
  const { authorization } = transfer;
  const of = (from: string) => ({ ...transfer, authorization: { ...authorization, from } });
  const extra = { haca: { node: misspelt }, captureAuthorizer: misspelt, name: misspelt.slice(2) };
  const { payer, payload, requirements } = read("exact", of(misspelt), { extra });
  expect([payer, payload.payload]).toEqual([address, of(address)]);
  expect(requirements.extra).toEqual({
    ...{ haca: { node: address }, captureAuthorizer: address, name: misspelt.slice(2) },
  });
  // What stands in the queue has come as it was written.
  const content = ["exact", "1000", GATE, of(misspelt)];
  expect(read("exact", of(misspelt)).contentHash).toBe(
    keccak256(toUtf8Bytes(JSON.stringify(content))),
  );
});

describe("a deposit by Permit2", () => {
  const permit2Authorization = {
    ...{ from: DEPOSITOR, spender: GATE, nonce: "5", deadline: "99", signature },
    ...{ permitted: { token: TOKEN, amount: "1" }, witness: { channelId: word("8") } },
  };
  const permitted = (authorization: object) => ({
    ...{ ...deposit, deposit: { amount: "1", authorization } },
  });

  it("is of the payer's number there until the end of its deadline, and goes to the contract of channels", () => {
    expect(read("batch-settlement", permitted({ permit2Authorization }))).toMatchObject({
      ...{ method: "permit2", payer: DEPOSITOR, amount: 1n, nonce: 5n, validUntil: 100n },
      receiver: BATCH_SETTLEMENT_ADDRESS,
    });
  });

  it("is none where there is an authorization of EIP-3009 beside it", () => {
    const both = permitted({ permit2Authorization, erc3009Authorization });
    expect(() => read("batch-settlement", both)).toThrow("paymentPayload.payload");
  });
});

describe("a deposit", () => {
  it("is one under the scheme of channels alone", () => {
    expect(read("batch-settlement", deposit)).toMatchObject({
      ...{ payer: DEPOSITOR, amount: 1n, receiver: ERC3009_COLLECTOR_ADDRESS },
    });
    for (const scheme of ["exact", "upto"]) {
      expect(() => read(scheme, deposit)).toThrow(
        "paymentPayload.payload: a deposit is settled under batch-settlement alone",
      );
    }
  });

  it("is the same request however it is written and whatever stands beside it, and another with another amount", () => {
    const hashOf = (payload: object) => read("batch-settlement", payload).contentHash;
    const { authorization } = deposit.deposit;
    const same = { ...erc3009Authorization, x: 1 };
    const written = { salt: String(BigInt(word("6"))), signature: signature.replace("ab", "AB") };
    const later = { ...erc3009Authorization, validBefore: "98" };
    const withDeposit = (change: object) => ({
      ...deposit,
      deposit: { ...deposit.deposit, ...change },
    });
    for (const payload of [
      { ...deposit, x: 1, voucher: { ...deposit.voucher, signature: "0x" } },
      withDeposit({ x: 1 }),
      withDeposit({ amount: "01", authorization: { ...authorization, x: 1 } }),
      withDeposit({ authorization: { erc3009Authorization: same } }),
      withDeposit({ authorization: { erc3009Authorization: { ...same, ...written } } }),
    ]) {
      expect(hashOf(payload)).toBe(hashOf(deposit));
    }
    for (const payload of [
      withDeposit({ amount: "2" }),
      withDeposit({ authorization: { erc3009Authorization: later } }),
    ]) {
      expect(hashOf(payload)).not.toBe(hashOf(deposit));
    }
  });
});
