import { endsOfRequest } from "@haca/protocol/commercePayments";
import type { PaymentRequirements } from "@x402/core/types";
import { decodePaymentResponseHeader } from "@x402/fetch";
import { hexlify, randomBytes, Wallet } from "ethers";
import { describe, expect, it } from "vitest";
import { withOtherEnd } from "../../../test/contracts/utils/otherEnd.ts";
import {
  copyOf,
  createOperator,
  DEPLOYMENT,
  OPERATOR_STATUS,
  OTHER_DEPLOYMENT,
  offerOf,
  openAsStranger,
  paidBy,
  paidByHeader,
  signOffer,
} from "./commerce.ts";
import { FEE, type PaidBed, QUESTION } from "./paidBed.ts";
import { ETHER, PRICE } from "./paidChain.ts";
import { post } from "./paymentBed.ts";
import { waitFor } from "./processes.ts";
import { untilTestEnds } from "./startWorker.ts";
import { temporaryQueue } from "./temporaryFolder.ts";
import { WorkerProcess } from "./worker.ts";

const WINDOW = 6n * 86_400n;

type Answered = { haca: { message: { requester: string; price: string } } };
type Signed = { payload: Record<string, unknown>; offer: PaymentRequirements };

const withOtherCase = (text: string): string =>
  text.replace(/[a-f]/gi, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
const transactionIn = (response: Response) =>
  decodePaymentResponseHeader(response.headers.get("payment-response") ?? "").transaction;

/** What stock clients pay by the scheme `auth-capture`, and what others make of it. */
export function commerceCases(bedOf: () => PaidBed): void {
  const statusOf = async (header: string) =>
    await bedOf().operator.statusOf(paidByHeader(header).job.payment);
  const until = (header: string, status: bigint) =>
    waitFor(async () => {
      await bedOf().tee.chain.send("evm_mine");
      return (await statusOf(header)) === status ? true : undefined;
    });

  /** A stock client of the scheme, and the headers of the payments that it makes. */
  function paying(payer: Wallet, offer = 0, before: (header: string) => unknown = () => undefined) {
    const headers: string[] = [];
    const client = bedOf().client(
      payer,
      "auth-capture",
      async (input, init) => {
        const header = (input as Request).headers.get("payment-signature");
        if (header !== null) {
          headers.push(header);
          await before(header);
        }
        return await fetch(input, init);
      },
      offer,
    );
    return { client, headers };
  }

  describe("a stock client of x402 that pays into the public escrow", () => {
    for (const [method, offer] of [
      ["EIP-3009", 0],
      ["Permit2", 1],
    ] as const) {
      it(`by ${method} has its money held for an answer, and captured when the result is settled`, async () => {
        const bed = bedOf();
        const payer = await bed.payer(PRICE);
        const before = await bed.balanceOf(bed.seller);
        const { client, headers } = paying(payer, offer);
        const response = await bed.ask(client);
        expect(response.status).toBe(200);
        const { haca } = (await response.json()) as Answered;
        expect(haca.message).toMatchObject({
          ...{ requester: payer.address.toLowerCase(), price: String(PRICE) },
        });
        expect(headers).toHaveLength(1);
        await until(headers[0] ?? "", OPERATOR_STATUS.captured);
        expect(await bed.balanceOf(bed.seller)).toBe(before + PRICE - FEE);
        expect(await bed.balanceOf(payer.address)).toBe(0n);
        // Shown again, and charged no more.
        const again = { "payment-signature": headers[0] ?? "" };
        const repeated = await bed.ask(fetch, QUESTION, again);
        expect([repeated.status, transactionIn(repeated)]).toEqual([200, transactionIn(response)]);
      });
    }

    it("is answered once where three requests bring one payment, of which one opens the job", async () => {
      const bed = bedOf();
      const payer = await bed.payer(2n * PRICE);
      const asked = bed.gateway.asked;
      const { client, headers } = paying(payer, 0, () => Promise.reject(new Error("held back")));
      await expect(bed.ask(client)).rejects.toThrow("held back");
      const paid = { "payment-signature": headers[0] ?? "" };
      const responses = await Promise.all([1, 2, 3].map(() => bed.ask(fetch, QUESTION, paid)));
      const answers = await Promise.all(responses.map((response) => response.text()));
      expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect([new Set(answers).size, bed.gateway.asked]).toEqual([1, asked + 1]);
      // And where the client pays again, as clients do by themselves: nobody brings that one.
      const again = await bed.ask(paying(payer).client);
      expect([again.status, await again.text()]).toEqual([200, answers[0]]);
      expect(await bed.balanceOf(payer.address)).toBe(PRICE);
    });

    it("is served, and captured from, though a stranger has opened the job", async () => {
      const bed = bedOf();
      const payer = await bed.payer(PRICE);
      let opened = "";
      const { client, headers } = paying(payer, 0, async (header) => {
        opened = await openAsStranger(bed.tee, header);
      });
      const response = await bed.ask(client);
      expect([response.status, transactionIn(response)]).toEqual([200, opened]);
      await until(headers[0] ?? "", OPERATOR_STATUS.captured);
    });

    it("gets its money back when the upstream fails", async () => {
      const bed = bedOf();
      const payer = await bed.payer(PRICE);
      const { client, headers } = paying(payer);
      bed.gateway.upstreamStatus = 500;
      const response = await bed.ask(client);
      bed.gateway.upstreamStatus = 200;
      expect([response.status, await response.text()]).toEqual([
        ...[406, expect.stringContaining("goes back to the payer")],
      ]);
      await until(headers[0] ?? "", OPERATOR_STATUS.returned);
      expect(await bed.balanceOf(payer.address)).toBe(PRICE);
    });

    it("is refused at the gateway for another scheme, operator, deadline or request than was quoted, and nothing is asked", async () => {
      const bed = bedOf();
      const payer = await bed.payer(PRICE);
      const asked = bed.gateway.asked;
      const { client, headers } = paying(payer, 0, () => Promise.reject(new Error("held back")));
      await expect(bed.ask(client)).rejects.toThrow("held back");
      const text = Buffer.from(headers[0] ?? "", "base64").toString();
      const changed = async (change: (payment: ReturnType<typeof JSON.parse>) => void) => {
        const payment = JSON.parse(text);
        change(payment);
        const header = Buffer.from(JSON.stringify(payment)).toString("base64");
        const response = await bed.ask(fetch, QUESTION, { "payment-signature": header });
        const { error } = (await response.json()) as { error: { code: string } };
        return [response.status, error.code];
      };
      const unfit = [402, "payment.doesNotFit"];
      expect([
        await changed(({ accepted }) => {
          accepted.scheme = "exact";
        }),
        await changed(({ accepted }) => {
          accepted.scheme = "upto";
        }),
        await changed(({ payload }) => {
          payload.permit2Authorization = {};
        }),
        await changed(({ payload: { authorization } }) => {
          authorization.nonce = withOtherEnd(authorization.nonce);
        }),
        await changed(({ payload: { authorization } }) => {
          authorization.validBefore = String(BigInt(authorization.validBefore) + 1n);
        }),
        await changed(({ payload }) => {
          payload.saltNonce = withOtherEnd(payload.saltNonce);
        }),
        await changed(({ payload: { authorization } }) => {
          authorization.value = String(PRICE - 1n);
        }),
        // Signed is what was offered, and told is something else: the library compares it with the offers.
        await changed(({ accepted }) => {
          accepted.extra.captureDeadline += 1;
        }),
        await changed(({ accepted }) => {
          accepted.payTo = bed.seller;
        }),
      ]).toEqual([
        unfit,
        [400, "payment.malformed"],
        [400, "payment.malformed"],
        ...[unfit, unfit, unfit, unfit],
        ...[1, 2].map(() => [402, "payment.refused"]),
      ]);
      expect([bed.gateway.asked, await bed.balanceOf(payer.address)]).toEqual([asked, PRICE]);
    });
  });

  describe("a facilitator of payments into the public escrow", () => {
    /** An offer for some request, otherwise than a gateway makes it. */
    async function offer(changes: Partial<PaymentRequirements> = {}, extra: object = {}) {
      const { operator, pages } = bedOf();
      const captureDeadline = (await pages.now()) + WINDOW;
      const of = { operator: String(operator.target), token: String(pages.token.target) };
      const requestHash = hexlify(randomBytes(32));
      return offerOf({ ...of, amount: PRICE, requestHash, captureDeadline }, changes, extra);
    }
    const settle = async (
      accepted: object,
      payload: object,
      url: string = bedOf().facilitatorUrl,
    ) => {
      const paymentPayload = { x402Version: 2, accepted, payload };
      const body = { x402Version: 2, paymentPayload, paymentRequirements: accepted };
      return await post(url, "/settle", body);
    };
    const sentCount = async () => {
      const response = await fetch(`${bedOf().facilitatorUrl}/supported`);
      const { signers } = (await response.json()) as { signers: Record<string, string[]> };
      const [account = ""] = Object.values(signers).flat();
      return await bedOf().tee.chain.provider.getTransactionCount(account);
    };

    it("opens a job once, and tells of it once", async () => {
      const payer = await bedOf().payer(PRICE);
      const made = await offer();
      const payload = await signOffer(payer, made);
      const before = await sentCount();
      expect((await settle(made, payload)).body).toMatchObject({ success: true });
      expect((await settle(made, payload)).body).toMatchObject({
        ...{ success: false, errorReason: "duplicate_settlement" },
      });
      expect(await sentCount()).toBe(before + 1);
      const { payment } = paidBy(made, payload).job;
      expect(await bedOf().operator.statusOf(payment)).toBe(OPERATOR_STATUS.open);
    });

    it("that is killed right after it has sent an opening leaves it to a successor, which tells of that one", async () => {
      const bed = bedOf();
      const payer = await bed.payer(2n * PRICE);
      const made = await offer();
      const payload = await signOffer(payer, made);
      const account = Wallet.createRandom();
      await bed.tee.chain.send("anvil_setBalance", account.address, ETHER);
      const settings = {
        ...bed.facilitatorSettings(account.privateKey),
        HACA_DATA_DIR: temporaryQueue(),
      };
      const start = (crashAfter?: "broadcast") => {
        const roles = ["facilitate"];
        return untilTestEnds(
          new WorkerProcess({ settings, roles, ...(crashAfter && { crashAfter }) }),
        );
      };
      const dying = start("broadcast");
      const asked = settle(made, payload, await dying.url()).catch(() => undefined);
      expect(await dying.child.exited).toMatchObject({ signal: "SIGKILL" });
      await asked;
      const url = await start().url();
      const { body } = await settle(made, payload, url);
      const receipt = await bed.tee.chain.provider.getTransactionReceipt(body.transaction);
      expect([body.success, receipt?.from]).toEqual([true, account.address]);
      expect(await bed.balanceOf(payer.address)).toBe(PRICE);
      expect(await bed.tee.chain.provider.getTransactionCount(account.address)).toBe(1);
    });

    it("opens none that was opened before, and has ended", async () => {
      const bed = bedOf();
      const payer = await bed.payer(PRICE);
      const made = await offer();
      const payload = await signOffer(payer, made);
      const { collector, job, signature } = paidBy(made, payload);
      await (await bed.operator.open(job, collector, signature)).wait();
      const { node: from } = await bed.operator.terms();
      const data = bed.operator.interface.encodeFunctionData("cancel", [job.payment]);
      const { chain } = bed.tee;
      await chain.send("anvil_impersonateAccount", from);
      await chain.send("anvil_setBalance", from, ETHER);
      await chain.send("eth_sendTransaction", { from, to: bed.operator.target, data });
      await chain.send("anvil_stopImpersonatingAccount", from);
      expect((await settle(made, payload)).body).toMatchObject({
        ...{ success: false, errorReason: "invalid_auth_capture_evm_transaction_failed" },
      });
      expect(await bed.balanceOf(payer.address)).toBe(PRICE);
    });

    /** What a payer signs, and what is told instead; for each what is said of it. */
    const cases: Record<
      string,
      { signed?: () => Promise<PaymentRequirements>; told?: (of: Signed) => void; says: string }
    > = {
      "another payee's operator": {
        async signed() {
          const { escrow, pages, tee } = bedOf();
          const node = Wallet.createRandom().address;
          const others = await createOperator({
            ...{ tee, escrow, node, payee: node, token: String(pages.token.target) },
            operators: tee.chain.book.contracts.CommerceOperators?.address ?? "",
          });
          const captureAuthorizer = String(others.target);
          return await offer({ payTo: captureAuthorizer }, { captureAuthorizer });
        },
        says: "opens no jobs of",
      },
      "no operator": {
        signed: () => offer({ payTo: bedOf().seller }, { captureAuthorizer: bedOf().seller }),
        says: "opens no jobs of",
      },
      "a copy of an operator": {
        async signed() {
          const captureAuthorizer = await copyOf(bedOf().tee, String(bedOf().operator.target));
          return await offer({ payTo: captureAuthorizer }, { captureAuthorizer });
        },
        says: "opens no jobs of",
      },
      "another receiver": {
        signed: () => offer({ payTo: bedOf().seller }),
        says: "would not open",
      },
      "a deadline that is too near": {
        async signed() {
          const captureDeadline = Number((await bedOf().pages.now()) + WINDOW / 5n);
          return await offer({}, { captureDeadline });
        },
        says: "would not open",
      },
      "a fee of the public escrow's": {
        signed: () => offer({}, { minFeeBps: 1, maxFeeBps: 100 }),
        says: "would not open",
      },
      "a signature that is over": {
        async signed() {
          const made = await offer({ maxTimeoutSeconds: 1 });
          await bedOf().tee.chain.send("evm_increaseTime", 2);
          await bedOf().tee.chain.send("evm_mine");
          return made;
        },
        says: "would not open",
      },
      "a signature that is good for long, and would wait as long for its end": {
        signed: () => offer({ maxTimeoutSeconds: 3_600 }),
        says: "preApprovalExpiry: must be 900 seconds ahead at most",
      },
      "the other version of the public escrow": {
        signed: () => offer({}, { authCaptureEscrow: OTHER_DEPLOYMENT.escrow }),
        says: "extra.authCaptureEscrow: must be",
      },
      "a charge at once": {
        signed: () => offer({}, { paymentFlow: "upfront" }),
        says: "extra.paymentFlow",
      },
      "no request": {
        signed: () => offer({}, { policy: bedOf().seller }),
        says: "extra.policy",
      },
      "another request": {
        told({ offer: { extra } }) {
          Object.assign(extra, endsOfRequest(hexlify(randomBytes(32))));
        },
        says: "salt: ",
      },
      "another salt": {
        told({ payload }) {
          payload.saltNonce = withOtherEnd(String(payload.saltNonce));
        },
        says: "salt: ",
      },
      "a number of the payer's that pays nothing": {
        told({ payload }) {
          const signed = payload.authorization as { nonce: string };
          signed.nonce = withOtherEnd(signed.nonce);
        },
        says: "nonce: ",
      },
      "a part of what was signed": {
        told({ offer: made }) {
          made.amount = String(PRICE - 1n);
        },
        says: "amount: ",
      },
      "another operator than was signed": {
        told({ offer: made }) {
          made.extra.captureAuthorizer = bedOf().seller;
        },
        says: "nonce: ",
      },
      "another collector": {
        told({ payload }) {
          (payload.authorization as { to: string }).to = DEPLOYMENT.permit2Collector;
        },
        says: "collector: ",
      },
      "a signature of somebody else": {
        told({ payload }) {
          const [, start = "", end = ""] = /^(.*)(..)$/.exec(String(payload.signature)) ?? [];
          payload.signature = `${withOtherEnd(start)}${end}`;
        },
        says: "would not open",
      },
      "a signature that has a wallet deployed": {
        told({ payload }) {
          payload.signature = `${payload.signature}${"6492".repeat(16)}`;
        },
        says: "ERC-6492",
      },
      "the form of another scheme": {
        told({ offer: made }) {
          made.scheme = "exact";
          made.payTo = DEPLOYMENT.erc3009Collector;
        },
        says: "a salt is of auth-capture alone",
      },
      "two forms": {
        told({ payload }) {
          payload.permit2Authorization = {};
        },
        says: "must have one of them",
      },
    };
    it.each(Object.entries(cases))("opens none for %s, and sends nothing", async (_, one) => {
      const payer = await bedOf().payer(PRICE);
      const before = await sentCount();
      const made = (await one.signed?.()) ?? (await offer());
      const signed = { offer: made, payload: await signOffer(payer, made) };
      one.told?.(signed);
      const { body } = await settle(signed.offer, signed.payload);
      expect(JSON.stringify(body)).toContain(one.says);
      expect(body.success ?? false).toBe(false);
      expect([await sentCount(), await bedOf().balanceOf(payer.address)]).toEqual([before, PRICE]);
    });

    it("reads what is signed under other schemes as nothing of this one", async () => {
      const payer = await bedOf().payer(PRICE);
      const made = await offer();
      const payload = await signOffer(payer, made, "exact");
      expect(await settle(made, payload)).toMatchObject({
        status: 400,
        body: { error: "paymentPayload.payload: is no payment under auth-capture" },
      });
    });

    it("says whose an operator is, and of which bounds", async () => {
      const { facilitatorUrl, operator, seller } = bedOf();
      const answer = async (address: string) => {
        const response = await fetch(`${facilitatorUrl}/operators/${address}`);
        return { status: response.status, body: await response.json() };
      };
      expect(await answer(String(operator.target))).toMatchObject({
        ...{ status: 200, body: { payee: seller, commerce: DEPLOYMENT.escrow } },
      });
      const misspelt = `0x${withOtherCase(String(operator.target).slice(2))}`;
      expect((await answer(misspelt)).body).toMatchObject({ operator: operator.target });
      expect(await answer(seller)).toMatchObject({ status: 404 });
      expect(await answer("0x12")).toMatchObject({
        ...{ status: 400, body: { error: "operator: must be an address" } },
      });
      expect(await bedOf().check({ HACA_GATEWAY_CAPTURE_WINDOW: "3600" })).toContain(
        "problem     HACA_GATEWAY_CAPTURE_WINDOW: 3600: must be from ",
      );
    });
  });
}
