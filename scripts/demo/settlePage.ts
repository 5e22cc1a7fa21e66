import { join } from "node:path";
import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { addressBookPath, readAddressBook } from "@haca/protocol/addressBook";
import { BaseError } from "@haca/protocol/baseError";
import { DEFAULT_PAGE_PARAMETERS } from "@haca/protocol/pageSettlement";
import { type Provider, Wallet } from "ethers";
import { z } from "zod";
import { contractAt } from "../lib/contracts.ts";
import { freePort } from "../lib/freePort.ts";
import type { ProcessGroup } from "../lib/processGroup.ts";
import type { Report } from "../lib/progress.ts";
import { signAnswer } from "./enclaveAnswers.ts";
import { CHAIN_ID, developmentKey, withChain } from "./localChain.ts";
import { startWorker } from "./startWorker.ts";

/** Who admitted the enclave, and so proposes its pages. */
const OPERATOR = 2;
/** Who the token's liquidity went to. */
const LIQUIDITY = 3;
/** First nonce of the enclave's second ledger page. */
const FIRST_NONCE = 256n;

const stateSchema = z.object({ state: z.string(), failure: z.string().nullish() });

/** Starts a folder that answers as a blob store, and returns its URL. */
export async function startBlobs(parameters: {
  group: ProcessGroup;
  runFolder: string;
  timeoutMs: number;
}): Promise<string> {
  const { group, runFolder, timeoutMs } = parameters;
  const port = await freePort(8090);
  const url = `http://127.0.0.1:${port}`;
  group.start({
    name: "blobs",
    command: process.execPath,
    arguments: [
      "scripts/blobs/cli.ts",
      ...["--folder", join(runFolder, "blobs"), "--port", String(port)],
    ],
  });
  await group.waitFor({
    name: "blobs",
    timeoutMs,
    // It answers 404 to what it does not have.
    probe: async () => ((await fetch(url)).status < 500 ? true : undefined),
  });
  return url;
}

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
    await leaveDeposit(provider);
    return await Promise.all(
      Array.from({ length: count }, (_, index) =>
        signAnswer({ provider, enclave, nonce: FIRST_NONCE + BigInt(index) }),
      ),
    );
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

/** The deposit that answers for the operator's pages. */
async function leaveDeposit(provider: Provider): Promise<void> {
  const { contracts } = readAddressBook(addressBookPath(CHAIN_ID));
  const { OPG, PageSettlement } = contracts;
  if (OPG === undefined || PageSettlement === undefined) {
    throw new BaseError({ code: "demo.noToken", message: "the address book has no token" });
  }
  const holder = new Wallet(developmentKey(LIQUIDITY), provider);
  const operator = new Wallet(developmentKey(OPERATOR)).address;
  const token = contractAt({ name: "OPG", address: OPG.address, runner: holder });
  const pages = contractAt({
    ...{ name: "PageSettlement", address: PageSettlement.address, runner: holder },
  });
  const { minimumDeposit } = DEFAULT_PAGE_PARAMETERS;
  await (await token.approve(PageSettlement.address, minimumDeposit)).wait();
  await (await pages.deposit(operator, minimumDeposit)).wait();
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
