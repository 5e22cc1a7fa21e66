import { getAddress } from "ethers";
import { expect, it } from "vitest";
import { commerceJobOfText, commerceJobTextSchema } from "../src/commerceJobText.ts";
import { readCommercePayload } from "../src/commercePayload.ts";
import { commerceHash, commerceSalt } from "../src/commercePayments.ts";

const ADDRESS = getAddress(`0x${"ab".repeat(20)}`);
/** In mixed case, and none of a checksum's. */
const MISSPELT = `0x${"aB".repeat(20)}`;
const word = (digit: string) => `0x${digit.repeat(64)}`;
const salted = { signature: "0xab", salt: word("1"), saltNonce: word("2") };

it.each([
  ["as it came from a library", ADDRESS],
  ["in small letters", ADDRESS.toLowerCase()],
  ["in capital letters", `0x${"AB".repeat(20)}`],
  ["with a wrong checksum", MISSPELT],
])("addresses of a payload are read %s, and are the same", (_, from) => {
  const transfer = {
    ...{ from, to: from, value: "5", validAfter: "0", validBefore: "99", nonce: word("3") },
  };
  expect(readCommercePayload({ ...salted, authorization: transfer })).toMatchObject({
    ...{ payer: ADDRESS, collector: ADDRESS },
  });
  const permit = { from, spender: from, nonce: "3", deadline: "99" };
  const permitted = { token: from, amount: "5" };
  const payload = { ...salted, permit2Authorization: { ...permit, permitted } };
  expect(readCommercePayload(payload)).toMatchObject({
    ...{ payer: ADDRESS, collector: ADDRESS, token: ADDRESS },
  });
});

it("a job whose text has addresses in any letters is read, and is the same job", () => {
  const requestHash = word("4");
  const job = (address: string) =>
    commerceJobOfText(
      commerceJobTextSchema.parse({
        payment: {
          ...{ operator: address, payer: address, receiver: address, token: address },
          ...{ maxAmount: "5", preApprovalExpiry: "9", authorizationExpiry: "10" },
          ...{ refundExpiry: "10", minFeeBps: "0", maxFeeBps: "0", feeReceiver: address },
          salt: String(commerceSalt({ requestHash, saltNonce: 7n })),
        },
        ...{ requestHash, saltNonce: "7" },
      }),
    );
  expect(job(MISSPELT)).toEqual(job(ADDRESS));
  const domain = { chainId: 1n, escrow: ADDRESS };
  expect(commerceHash(domain, job(MISSPELT).payment)).toMatch(/^0x/);
});
