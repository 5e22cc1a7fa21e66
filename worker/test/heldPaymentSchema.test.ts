import { commerceSalt } from "@haca/protocol/commercePayments";
import { getAddress } from "ethers";
import { expect, it } from "vitest";
import { catchError } from "../../protocol/test/catchError.ts";
import { heldPaymentSchema } from "../src/api/heldPaymentSchema.ts";
import { requireShape } from "../src/api/parseJson.ts";

const PAYER = getAddress(`0x${"ab".repeat(20)}`);
/** In mixed case, and none of a checksum's. */
const MISSPELT = `0x${"aB".repeat(20)}`;
const permit = { payer: PAYER, nonce: "1", validUntil: "2" };
const requestHash = `0x${"4".repeat(64)}`;
const jobOf = (payer: string) => ({
  payment: {
    ...{ operator: PAYER, payer, receiver: PAYER, token: PAYER, feeReceiver: PAYER },
    ...{ maxAmount: "5", preApprovalExpiry: "9", authorizationExpiry: "10", refundExpiry: "10" },
    ...{ minFeeBps: "0", maxFeeBps: "0" },
    salt: String(commerceSalt({ requestHash, saltNonce: 7n })),
  },
  ...{ requestHash, saltNonce: "7" },
});

it("a job whose addresses have a wrong checksum is read as any other, and stops nothing", () => {
  const read = (payer: string) => requireShape({ job: jobOf(payer) }, heldPaymentSchema);
  expect(read(MISSPELT)).toEqual(read(PAYER));
});

const refused: [string, unknown, string, string, string?][] = [
  ["an unknown field", { ...permit, x: 1 }, "request.unknownField", "x"],
  [
    "an unknown field of a job",
    { job: { ...jobOf(PAYER), x: 1 } },
    "request.unknownField",
    "job.x",
  ],
  ["a field less", { payer: PAYER, nonce: "1" }, "request.invalid", "validUntil", "is missing"],
  ["a number for text", { ...permit, nonce: 1 }, "request.invalid", "nonce"],
  ["a wrong checksum", { ...permit, payer: MISSPELT }, "request.invalid", "payer"],
  ["nothing", null, "request.invalid", "body"],
];
for (const [what, payment, code, field, reason = ""] of refused) {
  it(`with ${what} it is refused by the field's name`, () => {
    expect(catchError(() => requireShape(payment, heldPaymentSchema))).toMatchObject({
      ...{ code, field, message: expect.stringContaining(`${field}: ${reason}`) },
    });
  });
}
