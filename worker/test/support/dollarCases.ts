import { endsOfRequest } from "@haca/protocol/commercePayments";
import type { PaymentRequirements } from "@x402/core/types";
import { wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import { hexlify, randomBytes, type Wallet } from "ethers";
import { describe, expect, it } from "vitest";
import { createOperator, OPERATOR_STATUS, offerOf, paidByHeader, signOffer } from "./commerce.ts";
import { CENTS, Dollars, pricesWith } from "./dollars.ts";
import { FEE_BPS } from "./escrow.ts";
import type { PaidBed } from "./paidBed.ts";
import { post } from "./paymentBed.ts";
import { waitFor } from "./processes.ts";
import { schemeClient } from "./schemeClient.ts";

const NETWORK = "eip155:31337" as const;
const FEE = (CENTS * FEE_BPS) / 10_000n;
const WINDOW = 6n * 86_400n;

type Answered = { haca: { message: { requester: string; price: string } } };

/** What stock clients pay in a second token of six decimals, and what others make of it. */
export function dollarCases(bedOf: () => PaidBed): void {
  /** A stock client that may spend dollars and nothing else, and the headers of its payments. */
  function paying(payer: Wallet) {
    const headers: string[] = [];
    const asset = bedOf().dollars.address;
    const allowedAssets = [{ network: NETWORK, asset, maxAmountPerPayment: String(CENTS) }];
    const through: typeof fetch = (input, init) => {
      const header = (input as Request).headers.get("payment-signature");
      if (header !== null) headers.push(header);
      return fetch(input, init);
    };
    const client = wrapFetchWithPaymentFromConfig(through, {
      schemes: [{ network: NETWORK, client: schemeClient(payer, "auth-capture") }],
      spendControls: { allowedAssets },
    });
    return { client, headers };
  }

  const captured = (header = "") =>
    waitFor(async () => {
      await bedOf().tee.chain.send("evm_mine");
      const { payment } = paidByHeader(header).job;
      const status = await bedOf().dollarOperator.statusOf(payment);
      return status === OPERATOR_STATUS.captured ? true : undefined;
    });

  describe("a stock client of x402 that pays in a token of six decimals", () => {
    it("chooses its own token of the offers, and has what the result costs in it captured", async () => {
      const bed = bedOf();
      const { dollars, seller } = bed;
      const payer = await dollars.payer(2n * CENTS);
      const [before, opg] = [await dollars.balanceOf(seller), await bed.balanceOf(seller)];
      const { client, headers } = paying(payer);
      const response = await bed.ask(client);
      expect(response.status).toBe(200);
      const { haca } = (await response.json()) as Answered;
      expect(haca.message).toMatchObject({
        ...{ requester: payer.address.toLowerCase(), price: String(CENTS) },
      });
      const { job } = paidByHeader(headers[0] ?? "");
      expect([job.payment.token, job.payment.maxAmount]).toEqual([dollars.address, CENTS]);
      await captured(headers[0]);
      expect(await dollars.balanceOf(seller)).toBe(before + CENTS - FEE);
      expect([await dollars.balanceOf(payer.address), await bed.balanceOf(seller)]).toEqual([
        ...[CENTS, opg],
      ]);
    });

    it("is captured from though the token's issuer has blocked the payee, who is owed it then", async () => {
      const bed = bedOf();
      const { dollars, dollarOperator, seller } = bed;
      await dollars.setBlocked(seller, true);
      const payer = await dollars.payer(CENTS);
      const { client, headers } = paying(payer);
      expect((await bed.ask(client)).status).toBe(200);
      await captured(headers[0]);
      expect(await dollarOperator.creditOf(dollars.address, seller)).toBe(CENTS - FEE);
      await dollars.setBlocked(seller, false);
    });
  });

  describe("a facilitator of payments in several tokens", () => {
    /** What it answers to a payment of an operator, in a token. */
    async function settle(operator: string, token: Dollars, payer: Wallet) {
      const { facilitatorUrl, pages } = bedOf();
      const captureDeadline = (await pages.now()) + WINDOW;
      const requestHash = hexlify(randomBytes(32));
      const of = { operator, token: token.address, amount: CENTS, requestHash, captureDeadline };
      const domain = { name: "Test Dollar", version: "2", ...endsOfRequest(requestHash) };
      const offer: PaymentRequirements = offerOf(of, {}, domain);
      const payload = await signOffer(payer, offer);
      const body = {
        paymentPayload: { x402Version: 2, accepted: offer, payload },
        paymentRequirements: offer,
      };
      return (await post(facilitatorUrl, "/settle", body, { "content-type": "application/json" }))
        .body as { success: boolean; errorMessage?: string };
    }

    it("opens no job in a token that it was not told of, though its operator is the payee's", async () => {
      const { escrow, seller: payee, tee } = bedOf();
      const strange = await Dollars.deploy(tee);
      const operators = tee.chain.book.contracts.CommerceOperators?.address ?? "";
      const node = await bedOf()
        .dollarOperator.terms()
        .then((terms) => terms.node);
      const token = strange.address;
      const made = await createOperator({ tee, escrow, operators, node, payee, token });
      const operator = String(made.target);
      const payer = await strange.payer(CENTS);
      expect(await settle(operator, strange, payer)).toMatchObject({
        ...{ success: false, errorMessage: expect.stringMatching(/^asset: must be /) },
      });
      const told = await fetch(`${bedOf().facilitatorUrl}/operators/${operator}`);
      expect(await told.json()).toMatchObject({
        ...{ token, isServed: false, decimals: null, domainSeparator: null },
      });
      expect(await strange.balanceOf(payer.address)).toBe(CENTS);
    });

    it("opens none in one of its tokens by an operator of another", async () => {
      const { dollars, operator, pages } = bedOf();
      const payer = await dollars.payer(CENTS);
      expect(await settle(String(operator.target), dollars, payer)).toMatchObject({
        success: false,
        errorMessage: `asset: must be ${pages.token.target}, which the operator is paid in`,
      });
    });
  });

  it("`check` compares the table's token with the chain's, by the operator", async () => {
    const { check, dollarOperator, dollars } = bedOf();
    const other = (changes: object) =>
      check({
        HACA_GATEWAY_PRICES: pricesWith({
          ...{ ...dollars.inTable(String(dollarOperator.target)), ...changes },
        }),
      });
    const place = "problem     HACA_GATEWAY_PRICES: tokens.USDX.";
    expect(await other({ decimals: 18 })).toContain(`${place}decimals: 18: the token has 6`);
    const good = await other({});
    expect(good).not.toContain("problem");
    expect(good).toContain(`paid in     USDX ${dollars.address}, 6 decimals, by commerce`);
  });
}
