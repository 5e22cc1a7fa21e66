import { Wallet } from "ethers";
import { settlementInterface } from "../../src/chain/chain.ts";
import { type Answer, infer, jobIn } from "./client.ts";
import { developmentKey } from "./localChain.ts";
import { openQueue } from "./queues.ts";
import type { Testbed } from "./testbed.ts";
import type { Settings } from "./worker.ts";

/** A job with a proof, and what anybody needs to settle it. */
export type Proven = { requestId: string; proof: string | null; receipt: Answer["receipt"] };

/** Lets a worker without the role `settle` answer and prove requests. */
export async function proveJobs(parameters: {
  testbed: Testbed;
  settings: Settings;
  count: number;
}): Promise<Proven[]> {
  const { count, settings, testbed } = parameters;
  const prover = testbed.worker(settings, ["infer", "prove"]);
  const url = await prover.url();
  const proven: Proven[] = [];
  for (let image = 0; image < count; image++) {
    const { receipt, requestId } = await infer(url, image);
    const { proof } = await jobIn(url, requestId, "proven");
    proven.push({ requestId, proof, receipt });
  }
  await prover.child.stop();
  return proven;
}

/** Somebody else sends the settlement of a proven job, and offers more than a worker does at the moment. */
export async function settleByStranger(testbed: Testbed, proven: Proven) {
  const { inputWords, message, outputWords, signature } = proven.receipt;
  const stranger = new Wallet(developmentKey(9), testbed.chain.provider);
  const { address } = testbed.chain.book.contracts.InferenceSettlement;
  const words = [...inputWords, ...outputWords];
  const data = settlementInterface.encodeFunctionData("settleZkml", [
    ...[message, words, proven.proof, signature],
  ]);
  const asked = (await testbed.chain.send("eth_maxPriorityFeePerGas")) as string;
  const tip = 2n * BigInt(asked) + 10n ** 9n;
  const fees = { maxFeePerGas: 10n * tip, maxPriorityFeePerGas: tip };
  return await stranger.sendTransaction({ to: address, data, ...fees, gasLimit: 1_000_000n });
}

/** Puts the proof of another job in a job's place, as a broken disk or a broken prover might. */
export async function swapProof(settings: Settings, job: Proven, other: Proven): Promise<void> {
  const database = await openQueue(settings);
  await database.query("UPDATE jobs SET proof = $2 WHERE request_id = $1", [
    job.requestId,
    other.proof,
  ]);
  await database.close();
}
