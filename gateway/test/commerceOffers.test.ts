import { endsOfRequest } from "@haca/protocol/commercePayments";
import { expect, it } from "vitest";
import { OPG_TOKEN, operatorOf, PaidBed, refusalIn } from "./support/paidBed.ts";

const DAY = 86_400;
const OPERATOR = `0x${"66".repeat(20)}`;
const STATE = operatorOf(OPG_TOKEN);
const { commerce } = STATE;

const offersIn = (response: Response) => {
  const header = response.headers.get("payment-required") ?? "";
  return JSON.parse(Buffer.from(header, "base64").toString()).accepts;
};

it("a payment into the public escrow is offered in both its forms, beside other routes and in none of their flows", async () => {
  const bed = await PaidBed.start({ routes: ["commerce", "exact"], operator: OPERATOR });
  bed.operators.set(OPERATOR, STATE);
  const offers = offersIn(await bed.post());
  const told = ({ extra, scheme }: { scheme: string; extra: Record<string, unknown> }) => [
    ...[scheme, extra.assetTransferMethod, extra.paymentFlow],
  ];
  expect(offers.map(told)).toEqual([
    ["auth-capture", "eip3009", "escrow"],
    ["auth-capture", "permit2", "escrow"],
    ["exact", "eip3009", "upfront"],
  ]);
  const [{ extra, payTo }] = offers;
  const { commerceEscrow, expiresAt, requestHash } = extra.haca;
  expect([payTo, commerceEscrow]).toEqual([OPERATOR, commerce]);
  expect(extra).toMatchObject({
    ...{ captureAuthorizer: OPERATOR, authCaptureEscrow: commerce, ...endsOfRequest(requestHash) },
    ...{ minFeeBps: 0, maxFeeBps: 0, refundDeadline: extra.captureDeadline },
    // The window is whole when a signature of the quote's last second can be used no more.
    captureDeadline: expiresAt + 600 + 6 * DAY,
  });
});

it("it is not offered, nor is anything else, where the operator is none of this gateway's", async () => {
  const bed = await PaidBed.start({ routes: ["exact", "commerce"], operator: OPERATOR });
  expect(await refusalIn(await bed.post())).toEqual([503, "payment.notTaken"]);
});
