import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PaymentPayload, PaymentRequirements } from "@x402/core/types";
import { toClientEvmSigner } from "@x402/evm";
import { ExactEvmScheme as ExactClient } from "@x402/evm/exact/client";
import { ContractFactory, keccak256, Wallet } from "ethers";
import { privateKeyToAccount } from "viem/accounts";
import { type ContractOf, contractAt } from "../../../scripts/lib/contracts.ts";
import { readArtifact } from "../../../testing/artifacts.ts";
import { EndpointProxy } from "./endpointProxy.ts";
import { developmentKey } from "./localChain.ts";
import { waitFor } from "./processes.ts";
import { startWorker } from "./startWorker.ts";
import { TeeChain } from "./teeChain.ts";
import { type Settings, type TestWorker, WorkerProcess } from "./worker.ts";

const DEPLOYER = 1;
const TIP = "0x3b9aca00";
const ETHER = "0x56bc75e2d63100000";
export const NETWORK = "eip155:31337";
export const PRICE = 5n * 10n ** 18n;
export const RECEIVER = Wallet.createRandom().address;
export const STRANGER = "0x00000000000000000000000000000000000000aa";

/** A chain with OPG, an endpoint that can be taken away, and facilitators that settle payments for `RECEIVER`. */
export class PaymentBed {
  readonly tee: TeeChain;
  readonly proxy: EndpointProxy;
  readonly token: ContractOf<"OPG">;
  readonly wanted: PaymentRequirements;
  readonly #relay: string;

  private constructor(parts: {
    tee: TeeChain;
    proxy: EndpointProxy;
    token: ContractOf<"OPG">;
    relay: string;
  }) {
    this.tee = parts.tee;
    this.proxy = parts.proxy;
    this.token = parts.token;
    this.#relay = parts.relay;
    this.wanted = {
      ...{ scheme: "exact", network: NETWORK, asset: String(parts.token.target) },
      ...{ amount: String(PRICE), payTo: RECEIVER, maxTimeoutSeconds: 300 },
      extra: { name: "OPG", version: "1" },
    };
  }

  static async start(): Promise<PaymentBed> {
    const tee = await TeeChain.start();
    const deployer = new Wallet(developmentKey(DEPLOYER), tee.chain.provider);
    const deploy = async (name: string, ...values: unknown[]): Promise<string> => {
      const { abi, bytecode } = readArtifact(name);
      const factory = new ContractFactory(abi as [], bytecode, deployer);
      return String((await (await factory.deploy(...values)).waitForDeployment()).target);
    };
    const address = await deploy("OPG", deployer.address, deployer.address);
    const token = contractAt({ name: "OPG", address, runner: deployer });
    const relay = await deploy("LegacySettlement", tee.registry.target);
    const proxy = await EndpointProxy.start(tee.chain.url);
    // Else what strangers offer in a test is what the next one's facilitators are asked for.
    proxy.interfere = ({ method }) =>
      method === "eth_maxPriorityFeePerGas" ? { result: TIP } : undefined;
    return new PaymentBed({ tee, proxy, token, relay });
  }

  async stop(): Promise<void> {
    this.proxy.stop();
    await this.tee.stop();
  }

  send(method: string, ...values: unknown[]): Promise<unknown> {
    return this.tee.chain.send(method, ...values);
  }

  /** An account of a facilitator's own, with ether, and the settings of one with a queue in this folder. */
  async settings(queue: string): Promise<{ account: Wallet; settings: Settings }> {
    const account = new Wallet(Wallet.createRandom().privateKey, this.tee.chain.provider);
    await this.send("anvil_setBalance", account.address, ETHER);
    const path = this.tee.writeBook(join(queue, "book.json"));
    const book = JSON.parse(readFileSync(path, "utf8"));
    const address = String(this.token.target);
    const codeHash = keccak256(await this.tee.chain.provider.getCode(address));
    book.contracts.OPG = { ...book.contracts.AccessManager, address, codeHash };
    writeFileSync(path, JSON.stringify(book));
    const settings: Settings = {
      ...{ HACA_RPC_URL: this.proxy.url, HACA_CHAIN_ID: "31337", HACA_ADDRESS_BOOK: path },
      ...{ HACA_FACILITATOR_KEY: account.privateKey, HACA_RELAY: this.#relay },
      ...{ HACA_PAYMENT_RECEIVERS: `${STRANGER.replace("aa", "bb")},${RECEIVER}` },
      // Nothing is stored here.
      HACA_BLOB_PUBLISHER: "http://127.0.0.1:9/v1/blobs",
      ...{ HACA_BLOB_AGGREGATOR: "http://127.0.0.1:9", HACA_DATA_DIR: queue },
    };
    return { account, settings };
  }

  /** A facilitator that is not killed. */
  worker(settings: Settings): TestWorker {
    return startWorker({ settings, roles: ["facilitate"] });
  }

  /** As `worker`, in a process of its own. */
  process(settings: Settings): WorkerProcess {
    return new WorkerProcess({ settings, roles: ["facilitate"] });
  }

  /** An account without ether, with enough for `payments`. */
  async payerWith(payments: bigint): Promise<Wallet> {
    const payer = new Wallet(Wallet.createRandom().privateKey, this.tee.chain.provider);
    await (await this.token.transfer.send(payer.address, payments * PRICE)).wait();
    return payer;
  }

  /** What the stock client of x402 makes for requirements. */
  async payment(
    payer: Wallet,
    accepted: PaymentRequirements = this.wanted,
  ): Promise<PaymentPayload> {
    const signer = toClientEvmSigner(privateKeyToAccount(payer.privateKey as `0x${string}`));
    const made = await new ExactClient(signer).createPaymentPayload(2, accepted);
    return { x402Version: 2, accepted, payload: made.payload };
  }

  bodyOf(paymentPayload: unknown, paymentRequirements: unknown = this.wanted) {
    return { x402Version: 2, paymentPayload, paymentRequirements };
  }

  async balanceOf(address: string): Promise<bigint> {
    return await this.token.balanceOf(address);
  }

  sentCount(account: Wallet, block: "latest" | "pending" = "latest"): Promise<number> {
    return this.tee.chain.provider.getTransactionCount(account.address, block);
  }

  /** Waits until the endpoint has so many transactions of an account, mined or not. */
  async sent(account: Wallet, count: number): Promise<void> {
    await waitFor(async () =>
      (await this.sentCount(account, "pending")) >= count ? true : undefined,
    );
  }
}

/** Posts something to a facilitator; text as it is. */
export async function post(
  url: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers,
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared field by field
  return { status: response.status, body: (await response.json()) as any };
}

/** What a facilitator says of a payment's job. */
export async function getJob(url: string, jobId: string) {
  const response = await fetch(`${url}/settle/${jobId}`);
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared field by field
  return { status: response.status, body: (await response.json()) as any };
}

/** The job's result, when there is one. */
export const jobResult = (url: string, jobId: string) =>
  waitFor(async () => (await getJob(url, jobId)).body.result as Record<string, unknown>);
