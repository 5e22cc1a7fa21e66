import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { openDevelopmentRoot } from "@haca/enclave-simulator/developmentRoot";
import { measurementsOf, pcrHashOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import {
  type RunningEnclave,
  startSimulatedEnclave,
} from "@haca/enclave-simulator/startSimulatedEnclave";
import { readAddressBook } from "@haca/protocol/addressBook";
import { isVerified } from "@haca/sdk/isVerified";
import type { Pins } from "@haca/sdk/pins";
import { verify } from "@haca/sdk/verify";
import { ContractFactory, type JsonRpcProvider, sha256, Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admit, approve } from "../../scripts/demo/admitEnclaves.ts";
import { chatVersionId, publishModel } from "../../scripts/demo/enclaveAnswers.ts";
import { CHAIN_ID, developmentKey, withChain } from "../../scripts/demo/localChain.ts";
import { startWorker } from "../../scripts/demo/startWorker.ts";
import { freePort } from "../../scripts/lib/freePort.ts";
import { teeContracts } from "../../scripts/tee/teeContracts.ts";
import { tradingDaysUntil } from "../../sdk/test/support/tradingDays.ts";
import { Command } from "./command.ts";
import { BOOK, LocalDeployment, ROOT, success } from "./localDeployment.ts";

const FORECASTER = "brent-volatility";
/** 66 returns of 12 bits, 20 of them in a word. */
const INPUT_WORDS = 4;
const LANGUAGE = "reviewer";
const IMAGE = "agent-chat";
const PAST_CLOSES = join(ROOT, "artifacts/test/contracts/mocks/PastCloses.sol/PastCloses.json");
const DAY = 86_400;
const TIMEOUT_MS = 120_000;
const [ADMINISTRATOR, NODE, OPERATOR, POSTER] = [0, 1, 2, 9];
const LLM_PROXY = 0;

/** A language model's API that approves of everything. */
async function startUpstream(): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      const content = JSON.stringify({ approve: true, reason: "within the mandate" });
      const choice = { index: 0, message: { role: "assistant", content }, finish_reason: "stop" };
      const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify({
          ...{ id: "x", object: "chat.completion", created: 1, model: LANGUAGE },
          ...{ choices: [choice], usage },
        }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

describe.runIf(process.env.HACA_DEEP === "1")("the portfolio agent on a local chain", () => {
  let chain: LocalDeployment;
  let upstream: Server;
  let running: RunningEnclave;
  let pins: Pins;
  let settings = "";
  const urls = { worker: "", gateway: "" };

  beforeAll(async () => {
    chain = await LocalDeployment.start();
    await success(chain.deploy({}, "--part", "tee"));
    upstream = await startUpstream();
    const keyFile = join(chain.folder, "key.pem");
    const root = openDevelopmentRoot();
    const now = BigInt(Math.floor(Date.now() / 1000));
    const vendor = makeSimulatedChain({ now, root });
    await withChain(chain.url, async (provider) => {
      running = await startEnclave(provider, vendor, keyFile);
      await publishModel(provider);
    });
    await startNodes(await registerForecaster(), keyFile);
    await writeSettings(sha256(vendor.root));
  });
  afterAll(async () => {
    await chain?.stop();
    await running?.close();
    upstream?.close();
  });

  /** Compiles and registers it, as its publisher does. Returns its folder. */
  async function registerForecaster(): Promise<string> {
    const folder = join(ROOT, "data", "models", FORECASTER);
    const file = (name: string): string => join(ROOT, "models", FORECASTER, name);
    await success(
      chain.run([
        ...["zkml/src/cli.ts", "compile", file(`${FORECASTER}.onnx`), "--out", folder],
        ...["--calibration", file("calibration.json"), "--test", file("test.json")],
      ]),
    );
    const key = { HACA_DEPLOYER_KEY: developmentKey(ADMINISTRATOR) };
    await success(chain.run(["scripts/models/cli.ts", "register", "--folder", folder], key));
    return folder;
  }

  /** An enclave of the registry, whose key the gateway has. */
  async function startEnclave(
    provider: JsonRpcProvider,
    vendor: ReturnType<typeof makeSimulatedChain>,
    keyFile: string,
  ): Promise<RunningEnclave> {
    const now = BigInt(Math.floor(Date.now() / 1000));
    const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
    writeFileSync(keyFile, keys.privateKey.export({ type: "pkcs8", format: "pem" }));
    const measurements = measurementsOf(IMAGE);
    const enclave = new SimulatedEnclave({ chain: vendor, measurements, kind: "rsa", now, keys });
    const started = await startSimulatedEnclave({ enclave, port: 0, publicPort: 0 });
    const administrator = new Wallet(developmentKey(ADMINISTRATOR), provider);
    const contracts = await teeContracts({ chainId: CHAIN_ID, runner: administrator });
    await approve(contracts, IMAGE);
    const operator = new Wallet(developmentKey(OPERATOR), provider);
    await admit({ contracts, operator, running: started, teeType: LLM_PROXY });
    return started;
  }

  async function startNodes(folder: string, keyFile: string): Promise<void> {
    const { group } = chain;
    const common = { group, runFolder: chain.folder, rpcUrl: chain.url, timeoutMs: TIMEOUT_MS };
    urls.worker = await startWorker({
      ...{ ...common, name: "worker", account: NODE, settings: { HACA_MODELS: folder } },
    });
    const queue = await startWorker({
      ...{ ...common, name: "collector", account: OPERATOR, roles: ["collect", "settle"] },
      settings: {},
    });
    const port = await freePort(8091);
    urls.gateway = `http://127.0.0.1:${port}`;
    group.start({
      ...{ name: "gateway", command: process.execPath, arguments: ["gateway/src/cli.ts", "start"] },
      environment: {
        ...{ HACA_CHAIN_ID: String(CHAIN_ID), HACA_GATEWAY_PORT: String(port) },
        ...{ HACA_GATEWAY_ATTESTED_KEY: keyFile, HACA_GATEWAY_QUEUE: queue },
        HACA_GATEWAY_ENCLAVE: running.publicUrl,
        HACA_GATEWAY_UPSTREAM: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`,
        HACA_GATEWAY_MODELS: `${LANGUAGE}=${chatVersionId()}`,
        HACA_GATEWAY_ANSWERS: join(chain.folder, "answers"),
      },
    });
    await group.waitFor({
      ...{ name: "gateway", timeoutMs: TIMEOUT_MS },
      probe: async () => ((await fetch(`${urls.gateway}/health`)).ok ? true : undefined),
    });
  }

  /** The last closes of Brent, as if a feed had had them in the last days. */
  async function postCloses(): Promise<string> {
    const file = join(ROOT, "models", FORECASTER, "brent-daily.csv");
    const closes = readFileSync(file, "utf8").trim().split("\n").slice(-67);
    return await withChain(chain.url, async (provider) => {
      const { abi, bytecode } = JSON.parse(readFileSync(PAST_CLOSES, "utf8"));
      const now = (await provider.getBlock("latest"))?.timestamp ?? 0;
      const times = tradingDaysUntil(now, closes.length).reverse();
      const owner = new Wallet(developmentKey(POSTER), provider);
      const deployed = await new ContractFactory(abi, bytecode, owner).deploy(
        closes.map((line) => Math.round(100 * Number(line.split(",")[1]))),
        times,
      );
      return await deployed.getAddress();
    });
  }

  async function writeSettings(attestationRoot: string): Promise<void> {
    const { contracts, models } = readAddressBook(BOOK);
    const forecaster = models.find(({ slug }) => slug === FORECASTER);
    const settlement = contracts.InferenceSettlement.address.toLowerCase();
    pins = {
      ...{ attestationRoot, images: [pcrHashOf(measurementsOf(IMAGE))] },
      settlements: [{ chainId: String(CHAIN_ID), settlement }],
      models: {
        [FORECASTER]: {
          ...{ version: forecaster?.versionId ?? "", inputWords: INPUT_WORDS },
          verifyingKeyHash: forecaster?.verifyingKeyHash ?? "",
        },
        [LANGUAGE]: { version: chatVersionId() },
      },
    };
    writeFileSync(join(chain.folder, "pins.json"), JSON.stringify(pins));
    settings = join(chain.folder, "settings.json");
    const written = {
      ...{ chainId: String(CHAIN_ID), rpcs: [chain.url], pins: "pins.json", receipts: "receipts" },
      feed: { reader: await postCloses(), maxAge: 2 * DAY, rounds: 200 },
      forecaster: { model: FORECASTER, nodes: [urls.worker], days: 66, returnLimit: 1_000 },
      language: { model: LANGUAGE, nodes: [urls.gateway] },
      portfolio: { mandate: "Oil up to half of the portfolio.", held: 0.1, targetVolatility: 100 },
    };
    writeFileSync(settings, JSON.stringify(written));
  }

  it("acts on a proved forecast and an enclave's review, and on neither alone", async () => {
    const agent = new Command(["examples/portfolio-agent/cli.ts", settings]);
    expect(await agent.exit(), agent.output).toBe(0);
    expect(agent.output).toMatch(/^price 95\.29, round 67 /m);
    expect(agent.output).toMatch(/^would buy [1-9][\d.]* %: within the mandate$/m);
    const receipts = join(chain.folder, "receipts");
    const kept = readdirSync(receipts).filter((name) => name.startsWith("0x"));
    expect(kept).toHaveLength(2);
    for (const name of kept) {
      const lines = await verify(readFileSync(join(receipts, name)), { pins, rpcs: [chain.url] });
      expect(isVerified(lines), JSON.stringify(lines)).toBe(true);
    }

    await chain.group.kill("gateway");
    const alone = new Command(["examples/portfolio-agent/cli.ts", settings]);
    expect(await alone.exit()).toBe(1);
    expect(alone.output).toMatch(/^forecast [\d.]+ basis points a day, proved;/m);
    expect(alone.output).toMatch(/^refuses to act: /m);
    expect(alone.output).not.toContain("would");
  });
});
