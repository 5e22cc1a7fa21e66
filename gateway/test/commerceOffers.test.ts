import { COMMERCE_DEPLOYMENTS } from "@haca/protocol/commerceEscrows";
import { endsOfRequest } from "@haca/protocol/commercePayments";
import { nodeOfEnclave } from "@haca/protocol/requestId";
import { expect, it } from "vitest";
import { SIGNER } from "./support/bed.ts";
import { PAYEE, PaidBed, refusalIn, TOKEN } from "./support/paidBed.ts";

const DAY = 86_400;
const OPERATOR = `0x${"66".repeat(20)}`;
const commerce = String(COMMERCE_DEPLOYMENTS[0]?.escrow);
const STATE = {
  ...{ operator: OPERATOR, node: nodeOfEnclave(SIGNER.teeId), payee: PAYEE, token: TOKEN },
  ...{ feeBps: 0, kinds: 68, commerce, leastWindow: 5 * DAY, mostWindow: 30 * DAY },
};

const offersIn = (response: Response) => {
  const header = response.headers.get("payment-required") ?? "";
  return JSON.parse(Buffer.from(header, "base64").toString()).accepts;
};

it("a payment into the public escrow is offered in both its forms, beside other routes and in none of their flows", async () => {
  const bed = await PaidBed.start({ routes: ["commerce", "exact"], operator: OPERATOR });
  bed.operator = STATE;
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
