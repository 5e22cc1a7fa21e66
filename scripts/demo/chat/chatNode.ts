import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDevelopmentRoot } from "@haca/enclave-simulator/developmentRoot";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { startSimulatedEnclave } from "@haca/enclave-simulator/startSimulatedEnclave";
import { LOCAL_MODEL } from "@haca/gateway/localModel/localModel";
import { DEFAULT_PAGE_PARAMETERS } from "@haca/protocol/pageSettlement";
import { Wallet } from "ethers";
import { freePort } from "../../lib/freePort.ts";
import type { ProcessGroup } from "../../lib/processGroup.ts";
import { teeContracts } from "../../tee/teeContracts.ts";
import { admit, approve } from "../admitEnclaves.ts";
import { chatVersionId, publishModel } from "../enclaveAnswers.ts";
import { CHAIN_ID, developmentKey, withChain } from "../localChain.ts";
import { startWorker } from "../startWorker.ts";
import { leaveDeposit } from "../validators/storyContracts.ts";

const ADMINISTRATOR = 0;
/** Who runs the node, proposes its pages and is paid. */
const OPERATOR = 2;
/** Who brings payments to the chain. */
const FACILITATOR = 18;
const IMAGE = "demo-chat";
const LLM_PROXY = 0;
const RSA_BITS = 2048;
/** Results of a page, and how long one waits for others: longer than the demo. */
export const PAGE_SIZE = 3;
const PAGE_MAX_AGE_MS = 600_000;

export const OPERATOR_ADDRESS = new Wallet(developmentKey(OPERATOR)).address;

type Processes = {
  group: ProcessGroup;
  runFolder: string;
  rpcUrl: string;
  timeoutMs: number;
};

/**
 * Admits an enclave and leaves its key, as PEM, in the run's folder for the gateway, which would run inside it. Returns the file.
 * The chain's administrator has to be the deployer still.
 */
export async function admitChatEnclave(parameters: {
  rpcUrl: string;
  runFolder: string;
}): Promise<string> {
  const { rpcUrl, runFolder } = parameters;
  const now = BigInt(Math.floor(Date.now() / 1000));
  const keys = generateKeyPairSync("rsa", { modulusLength: RSA_BITS });
  const keyFile = join(runFolder, "attested-key.pem");
  const pem = keys.privateKey.export({ type: "pkcs8", format: "pem" });
  writeFileSync(keyFile, pem, { mode: 0o600 });
  const chain = makeSimulatedChain({ now, root: openDevelopmentRoot() });
  const measurements = measurementsOf(IMAGE);
  const enclave = new SimulatedEnclave({ chain, measurements, kind: "rsa", now, keys });
  await withChain(rpcUrl, async (provider) => {
    const administrator = new Wallet(developmentKey(ADMINISTRATOR), provider);
    const contracts = await teeContracts({ chainId: CHAIN_ID, runner: administrator });
    await approve(contracts, IMAGE);
    const running = await startSimulatedEnclave({ enclave, port: 0, publicPort: 0 });
    try {
      const operator = new Wallet(developmentKey(OPERATOR), provider);
      await admit({ contracts, operator, running, teeType: LLM_PROXY });
    } finally {
      await running.close();
    }
  });
  return keyFile;
}

/** Publishes the model, leaves the operator's deposit, and starts a facilitator. Returns its URL. */
export async function startFacilitator(
  parameters: Processes & { blobsUrl: string },
): Promise<string> {
  const { blobsUrl, rpcUrl } = parameters;
  await withChain(rpcUrl, async (provider) => {
    await publishModel(provider);
    await leaveDeposit(provider, OPERATOR_ADDRESS, DEFAULT_PAGE_PARAMETERS.minimumDeposit);
  });
  return await startWorker({
    ...{ ...parameters, name: "facilitator", account: OPERATOR, roles: ["facilitate"] },
    settings: {
      HACA_FACILITATOR_KEY: developmentKey(FACILITATOR),
      HACA_PAYMENT_RECEIVERS: OPERATOR_ADDRESS,
      ...blobSettings(blobsUrl),
    },
  });
}

const blobSettings = (blobsUrl: string) => ({
  HACA_BLOB_PUBLISHER: `${blobsUrl}/v1/blobs`,
  HACA_BLOB_AGGREGATOR: blobsUrl,
});

/** A machine of the node: a gateway over the local model, and the worker that settles what it signs. */
export type Machine = { url: string; workerUrl: string; names: readonly string[] };

/** Starts such a machine, with disks of its own. */
export async function startMachine(
  parameters: Processes & {
    name: string;
    keyFile: string;
    /** the folder of the local model */
    modelFolder: string;
    blobsUrl: string;
    facilitatorUrl: string;
    /** what an answer costs, in the smallest unit of OPG */
    price: bigint;
  },
): Promise<Machine> {
  const { blobsUrl, facilitatorUrl, group, keyFile, modelFolder, name } = parameters;
  const { price, runFolder, timeoutMs } = parameters;
  const [gateway, worker] = [`${name}-gateway`, `${name}-worker`];
  const workerUrl = await startWorker({
    ...{ ...parameters, name: worker, account: OPERATOR, roles: ["collect", "settle"] },
    settings: {
      HACA_PAGE_SIZE: String(PAGE_SIZE),
      HACA_PAGE_MAX_AGE: String(PAGE_MAX_AGE_MS),
      HACA_REORG_BLOCKS: "1",
      ...blobSettings(blobsUrl),
    },
  });
  const port = await freePort(8091);
  const url = `http://127.0.0.1:${port}`;
  const model = LOCAL_MODEL.name;
  group.start({
    name: gateway,
    command: process.execPath,
    arguments: ["gateway/src/cli.ts", "start"],
    environment: {
      ...{ HACA_CHAIN_ID: String(CHAIN_ID), HACA_GATEWAY_PORT: String(port) },
      ...{ HACA_GATEWAY_ATTESTED_KEY: keyFile, HACA_GATEWAY_QUEUE: workerUrl },
      ...{ HACA_GATEWAY_UPSTREAM: "local", HACA_GATEWAY_LOCAL_MODEL: modelFolder },
      HACA_GATEWAY_MODELS: `${model}=${chatVersionId()}`,
      HACA_GATEWAY_ANSWERS: join(runFolder, gateway),
      HACA_GATEWAY_PRICES: JSON.stringify({
        models: { [model]: { token: "OPG", amount: String(price) } },
      }),
      ...{ HACA_GATEWAY_PAYEE: OPERATOR_ADDRESS, HACA_GATEWAY_FACILITATOR: facilitatorUrl },
      HACA_GATEWAY_ROUTES: "escrow",
    },
  });
  await group.waitFor({
    ...{ name: gateway, timeoutMs },
    probe: async () => ((await fetch(`${url}/health`)).ok ? true : undefined),
  });
  return { url, workerUrl, names: [gateway, worker] };
}
