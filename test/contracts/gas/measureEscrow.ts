import { id } from "ethers";
import { now } from "../utils/attestationFixture.ts";
import {
  deployEscrow,
  type EscrowFixture,
  type Job,
  KIND,
  paidResult,
  permit,
  settleAlone,
  termsOf,
} from "../utils/escrowFixture.ts";
import { leafOf, makePage, PARAMETERS, propose, sign } from "../utils/pageFixture.ts";
import { gasOf, type Measure } from "./measurement.ts";

const SAMPLES = 3;
/** Places in the node's ledger page of the results that are captured alone and from a page. */
const [ALONE, IN_PAGE] = [3, 100];

/** Payments that wait for a result: opened, captured by a result alone and in a final page, and given back. */
export const measureEscrow: Measure = async (connection) => {
  const f = await deployEscrow(connection);
  const samples: Record<string, bigint[]> = {};
  const add = (key: string, gas: bigint) => {
    samples[key] = [...(samples[key] ?? []), gas];
  };
  const jobs: Job[] = [];
  for (let index = 0; index < 1 + 3 * SAMPLES; index++) {
    const { gas, job } = await open(f, index);
    add(index === 0 ? "escrow.open.first" : "escrow.open", gas);
    jobs.push(job);
  }
  const [first, ...others] = jobs as [Job, ...Job[]];
  add("escrow.capture.first", await captureAlone(f, first, ALONE));
  for (const [index, job] of others.slice(0, SAMPLES).entries()) {
    add("escrow.capture", await captureAlone(f, job, ALONE + 1 + index));
  }
  for (const gas of await captureFromPage(f, others.slice(SAMPLES, 2 * SAMPLES))) {
    add("escrow.captureFromPage", gas);
  }
  await f.networkHelpers.time.increaseTo(jobs.at(-1)?.deadline ?? 0n);
  for (const job of others.slice(2 * SAMPLES)) {
    add("escrow.refund", await gasOf(f.escrow.connect(f.attacker).refund(job)));
  }
  return {
    samples,
    notes: {
      "escrow.open":
        "a job under terms of its own, so that its facilitator is created, by a nonce as stock clients choose it",
      "escrow.open.first": "the same, when the escrow held nothing of the token before",
      "escrow.capture":
        "by a result that was settled alone: price to the payee, fee to its receiver, the rest back",
      "escrow.capture.first":
        "the same, the first of 256 requests, and payee and receiver had nothing of the token",
      "escrow.captureFromPage": "by a result in a final page",
      "escrow.refund": "the whole amount back to the payer, after the deadline",
    },
  };
};

/** Opens a job for a request of its own. */
async function open(f: EscrowFixture, index: number): Promise<{ gas: bigint; job: Job }> {
  const terms = await termsOf(f, { requestHash: id(`question ${index}`) });
  // Far apart, as random ones are: none finds a word of Permit2's bitmap that another one has paid for.
  const nonce = BigInt(id(`nonce ${index}`));
  const payment = await permit(f, terms, { nonce });
  const gas = await gasOf(f.escrow.connect(f.attacker).open(terms, payment));
  const { amount, payer } = payment;
  const deadline = (await now(f)) + terms.captureWindow;
  const feeReceiver = f.feeReceiver.address;
  return { gas, job: { terms, payer, nonce, amount, deadline, feeReceiver } };
}

const resultFor = (f: EscrowFixture, { terms }: Job, index: number) =>
  paidResult(f, index, { inputHash: terms.requestHash });

async function captureAlone(f: EscrowFixture, job: Job, index: number): Promise<bigint> {
  const result = await resultFor(f, job, index);
  await settleAlone(f, result);
  return gasOf(f.escrow.connect(f.attacker).capture(job, result, KIND.TEE));
}

async function captureFromPage(f: EscrowFixture, jobs: readonly Job[]): Promise<bigint[]> {
  const content = await Promise.all(
    jobs.map(async (job, place) => {
      const result = await resultFor(f, job, IN_PAGE + place);
      return [IN_PAGE + place, { result, signature: sign(f, result) }] as const;
    }),
  );
  const page = makePage(f, Object.fromEntries(content));
  await propose(f, page);
  await f.networkHelpers.time.increase(PARAMETERS.longRoad + 1n);
  const gas: bigint[] = [];
  for (const [place, job] of jobs.entries()) {
    const leaf = leafOf(page, IN_PAGE + place);
    gas.push(await gasOf(f.escrow.connect(f.attacker).captureFromPage(job, page.header, leaf)));
  }
  return gas;
}
