import { id } from "ethers";
import {
  authorise,
  type CommerceFixture,
  commerceJob,
  deployCommerce,
} from "../utils/commerceFixture.ts";
import { KIND, paidResult, settleAlone } from "../utils/escrowFixture.ts";
import { gasOf, type Measure } from "./measurement.ts";

const SAMPLES = 2;

/**
 * Payments in the public escrow, version 1.1, by EIP-3009: opened, captured by a result alone, and given back. The stand-in keeps
 * all tokens itself; the genuine one calls a store of each operator's besides.
 */
export const measureCommerce: Measure = async (connection) => {
  const f = await deployCommerce(connection, "1.1");
  const samples: Record<string, bigint[]> = {
    "commerce.open": [],
    "commerce.capture": [],
    "commerce.refund": [],
  };
  const add = (key: string, gas: bigint) => samples[key]?.push(gas);
  const by = f.commerceOperator.connect(f.attacker);
  const open = async (index: number) => {
    const job = await commerceJob(f, {
      ...{ requestHash: id(`question ${index}`), saltNonce: BigInt(id(`nonce ${index}`)) },
    });
    const signature = await authorise(f, job);
    const gas = await gasOf(by.open(job, f.addresses.erc3009Collector, signature));
    return { job, gas };
  };
  const capture = async (f: CommerceFixture, index: number) => {
    const { gas, job } = await open(index);
    const result = await paidResult(f, index, { inputHash: job.requestHash });
    await settleAlone(f, result);
    return { opened: gas, captured: await gasOf(by.capture(job, result, KIND.TEE)) };
  };
  // The first of the token, of the payee, of the receiver of the fee and of the ledger page.
  await capture(f, 0);
  for (let index = 1; index <= SAMPLES; index++) {
    const { opened, captured } = await capture(f, index);
    add("commerce.open", opened);
    add("commerce.capture", captured);
  }
  const { job } = await open(SAMPLES + 1);
  await f.networkHelpers.time.increaseTo(job.payment.authorizationExpiry);
  add("commerce.refund", await gasOf(by.refund(job.payment)));
  return {
    samples,
    notes: {
      "commerce.open":
        "a payment by EIP-3009 into a stand-in of the public escrow, which held some of the token before",
      "commerce.capture":
        "by a result that was settled alone: price to the payee, fee to its receiver, the rest back",
      "commerce.refund": "the whole amount back to the payer, after the deadline",
    },
  };
};
