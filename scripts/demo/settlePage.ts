import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { BaseError } from "@haca/protocol/baseError";
import { DEFAULT_PAGE_PARAMETERS } from "@haca/protocol/pageSettlement";
import { Wallet } from "ethers";
import { z } from "zod";
import type { ProcessGroup } from "../lib/processGroup.ts";
import type { Report } from "../lib/progress.ts";
import { signAnswer } from "./enclaveAnswers.ts";
import { developmentKey, withChain } from "./localChain.ts";
import { startWorker } from "./startWorker.ts";
import { leaveDeposit, pass } from "./validators/storyContracts.ts";

/** Who admitted the enclave, and so proposes its pages. */
const OPERATOR = 2;
/** First nonce of the enclave's second ledger page. */
const FIRST_NONCE = 256n;

const stateSchema = z.object({ state: z.string(), failure: z.string().nullish() });

/**
 * Has the operator leave a deposit, and a worker of theirs take in answers that the enclave signed and propose them as one page.
 * Returns the requests, which are pending then.
 */
export async function settlePage(parameters: {
  group: ProcessGroup;
  runFolder: string;
  rpcUrl: string;
  blobsUrl: string;
  enclave: SimulatedEnclave;
  count: number;
  report: Report;
  timeoutMs: number;
}): Promise<string[]> {
  const { group, runFolder, rpcUrl, blobsUrl, enclave, count, report, timeoutMs } = parameters;
  const answers = await withChain(rpcUrl, async (provider) => {
    const operator = new Wallet(developmentKey(OPERATOR)).address;
    await leaveDeposit(provider, operator, DEFAULT_PAGE_PARAMETERS.minimumDeposit);
    const signed = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        signAnswer({ provider, enclave, nonce: FIRST_NONCE + BigInt(index) }),
      ),
    );
    // A page waits for a block after its youngest result, and this chain makes none by itself.
    await pass(provider, 1n);
    return signed;
  });
  const name = "page-worker";
  const workerUrl = await startWorker({
    ...{
      group,
      name,
      account: OPERATOR,
      roles: ["collect", "settle"],
      runFolder,
      rpcUrl,
      timeoutMs,
    },
    settings: {
      HACA_PAGE_SIZE: String(count),
      HACA_BLOB_PUBLISHER: `${blobsUrl}/v1/blobs`,
      HACA_BLOB_AGGREGATOR: blobsUrl,
    },
  });
  await handIn({ workerUrl, answers });
  const requestIds = answers.map(({ result }) => result.requestId);
  await group.waitFor({
    ...{ name, timeoutMs },
    probe: async () => {
      const jobs = await Promise.all(requestIds.map((id) => readState({ workerUrl, id })));
      const pending = jobs.filter(({ state }) => state === "pending").length;
      report(`in a page ${pending}/${count}`);
      return pending === count ? true : undefined;
    },
  });
  return requestIds;
}

async function handIn(parameters: {
  workerUrl: string;
  answers: readonly Awaited<ReturnType<typeof signAnswer>>[];
}): Promise<void> {
  const { workerUrl, answers } = parameters;
  const results = answers.map(({ result, signature }) => ({
    message: { ...result, price: String(result.price), timestamp: String(result.timestamp) },
    signature,
  }));
  const response = await fetch(`${workerUrl}/v1/results`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ results }),
  });
  if (response.status === 202) return;
  throw new BaseError({
    code: "demo.notTaken",
    message: `the worker answered ${response.status} to the enclave's answers: ${(await response.text()).slice(0, 300)}`,
  });
}

async function readState(parameters: { workerUrl: string; id: string }) {
  const response = await fetch(`${parameters.workerUrl}/v1/results/${parameters.id}`);
  const job = stateSchema.parse(await response.json());
  if (job.state !== "failed") return job;
  throw new BaseError({
    code: "demo.jobFailed",
    message: `request ${parameters.id} failed: ${job.failure}`,
  });
}
