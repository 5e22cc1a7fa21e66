import { decodePaymentResponseHeader } from "@x402/fetch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { STATUS } from "./support/escrow.ts";
import { FEE, PaidBed, QUESTION } from "./support/paidBed.ts";
import { PRICE } from "./support/paidChain.ts";

let bed: PaidBed;
beforeAll(async () => {
  bed = await PaidBed.start();
});
afterAll(() => bed?.stop());

type Answered = {
  choices: object[];
  haca: { message: { requester: string; price: string; requestId: string } };
};

/** What a response says of its payment. */
const paidBy = (response: Response) =>
  decodePaymentResponseHeader(response.headers.get("payment-response") ?? "");

describe("a stock client of x402", () => {
  it("has its money held for an answer, and captured when the result is settled", async () => {
    const payer = await bed.payer(PRICE);
    const before = await bed.balanceOf(bed.seller);
    const response = await bed.ask(bed.client(payer, "upto"));
    expect(response.status).toBe(200);
    const { haca } = (await response.json()) as Answered;
    expect(haca.message).toMatchObject({
      requester: payer.address.toLowerCase(),
      price: String(PRICE),
    });
    expect(paidBy(response)).toMatchObject({ success: true, payer: payer.address.toLowerCase() });
    const [jobId = ""] = await bed.jobsOf(payer.address);
    await bed.until(jobId, STATUS.captured);
    expect(await bed.balanceOf(bed.seller)).toBe(before + PRICE - FEE);
    expect(await bed.balanceOf(payer.address)).toBe(0n);
  });

  it("pays a stream, and at once where that is what it can", async () => {
    const payer = await bed.payer(PRICE);
    const before = await bed.balanceOf(bed.seller);
    const response = await bed.ask(bed.client(payer, "exact"), { ...QUESTION, stream: true });
    expect(response.status).toBe(200);
    expect(paidBy(response)).toMatchObject({ success: true });
    expect(await response.text()).toContain(`"price":"${PRICE}"`);
    expect(await bed.balanceOf(bed.seller)).toBe(before + PRICE);
    expect(await bed.jobsOf(payer.address)).toEqual([]);
  });

  it("is served, and captured from, though a stranger who saw the permit has opened the job", async () => {
    const payer = await bed.payer(PRICE);
    const asked = bed.gateway.asked;
    let opened = "";
    const client = bed.client(payer, "upto", async (input, init) => {
      const header = (input as Request).headers.get("payment-signature");
      if (header !== null) opened = await bed.openAsStranger(header);
      return await fetch(input, init);
    });
    const response = await bed.ask(client);
    expect([response.status, paidBy(response).transaction]).toEqual([200, opened]);
    expect(bed.gateway.asked).toBe(asked + 1);
    const [jobId = ""] = await bed.jobsOf(payer.address);
    await bed.until(jobId, STATUS.captured);
  });

  it("gets its money back when the upstream fails, and no answer that makes clients ask again", async () => {
    const payer = await bed.payer(PRICE);
    bed.gateway.upstreamStatus = 500;
    const response = await bed.ask(bed.client(payer, "upto"));
    bed.gateway.upstreamStatus = 200;
    expect([response.status, await response.json()]).toEqual([
      422,
      { error: expect.objectContaining({ message: expect.stringContaining("goes back") }) },
    ]);
    const [jobId = ""] = await bed.jobsOf(payer.address);
    await bed.until(jobId, STATUS.cancelled);
    expect(await bed.balanceOf(payer.address)).toBe(PRICE);
  });
});
