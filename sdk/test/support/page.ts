/** What the tests' page in a browser does, with the SDK alone. */
import { createHaca } from "@haca/sdk/client/createHaca";
import { isVerified } from "@haca/sdk/isVerified";
import type { Line } from "@haca/sdk/line";
import type { PageWorker } from "@haca/sdk/many/pageWorker";
import { createPayer } from "@haca/sdk/pay/createPayer";
import { keySigner } from "@haca/sdk/pay/keySigner";
import type { PaymentPins } from "@haca/sdk/pay/paymentPins";
import type { Pins } from "@haca/sdk/pins";
import { serialiseReceipt } from "@haca/sdk/receipt/serialiseReceipt";
import { verify } from "@haca/sdk/verify";
import { verifyMany } from "@haca/sdk/verifyMany";

type Asked = {
  url: string;
  pins: Pins;
  chainId: string;
  question: string;
  isStream: boolean;
  release?: "channel";
  channel?: "oblivious";
  /** with which key an answer is paid for, and how much of this token */
  paid?: { key: string; pins: Omit<PaymentPins, "chainId">; most: string };
};
/** What came of asking: the verified text and its receipt, or the error's code; how much was released before. */
type Outcome = { released: number; text?: string; receipt?: string; route?: string; code?: string };

type Made = PageWorker & { terminate: () => void };
const { Worker: WebWorker } = globalThis as unknown as {
  Worker: new (url: string, options: { type: "module" }) => Made;
};

const inPage = {
  async linesOf(given: {
    receipts: string[];
    pins: Pins;
    now: string;
    blockHashes?: string[];
  }): Promise<(readonly Line[])[]> {
    const options = {
      ...{ pins: given.pins, now: BigInt(given.now) },
      ...(given.blockHashes && { blockHashes: given.blockHashes }),
    };
    return await Promise.all(given.receipts.map((receipt) => verify(receipt, options)));
  },

  /** Whether each of many holds, and how often something else of the page had its turn meanwhile; by a worker at this address. */
  async manyOf(given: { receipts: string[]; pins: Pins; now: string; worker?: string }) {
    let turns = 0;
    const timer = setInterval(() => (turns += 1));
    const options = { pins: given.pins, now: BigInt(given.now) };
    const worker = given.worker && new WebWorker(given.worker, { type: "module" });
    try {
      // Two at once, of which neither hears the other's.
      const [lines, others] = await Promise.all([
        verifyMany(given.receipts, options, worker || undefined),
        verifyMany(given.receipts.slice(0, 2).reverse(), options, worker || undefined),
      ]);
      const verified = [lines, others].map((all) => all.map((of) => isVerified(of)));
      return { turns, verified: verified[0], others: verified[1] };
    } catch (error) {
      return { turns, failure: String(error) };
    } finally {
      clearInterval(timer);
      if (worker) worker.terminate();
    }
  },

  async chat(given: Asked): Promise<Outcome> {
    const { channel, isStream, paid, pins, question, release, url } = given;
    const chainId = BigInt(given.chainId);
    const payer = paid && {
      payer: createPayer({
        ...{ signer: keySigner(paid.key), pins: { ...paid.pins, chainId } },
        ...{ maxPerCall: BigInt(paid.most), maxPerSession: BigInt(paid.most) },
      }),
    };
    const haca = createHaca({ chainId, pins, nodes: [url], ...payer });
    const request = {
      ...{ model: "m", messages: [{ role: "user", content: question }] },
      ...{ ...(release && { release }), ...(channel && { channel }) },
    };
    let released = 0;
    try {
      const stream = async () => {
        const frames = haca.streamChat(request);
        let next = await frames.next();
        for (; next.done !== true; next = await frames.next()) released += 1;
        return next.value;
      };
      const reply = isStream ? await stream() : await haca.chat(request);
      const { payment, receipt, text } = reply;
      return {
        ...{ released, text, ...(payment && { route: payment.route }) },
        ...(receipt && { receipt: serialiseReceipt(receipt) }),
      };
    } catch (error) {
      const { code, message } = error as { code?: unknown; message?: unknown };
      return { released, code: String(code ?? message) };
    }
  },
};

export type InPage = typeof inPage;
Object.assign(globalThis, { inPage });
