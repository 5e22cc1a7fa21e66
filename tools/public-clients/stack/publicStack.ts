import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pemOf } from "@haca/enclave-simulator/pemOf";
import { makeTls, type SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { type OhttpRecord, ohttpKeyDigest, teeRegistryDomain } from "@haca/protocol/teeMessages";
import { fetchOhttpKey } from "@haca/worker/roles/heartbeat/enclaveClient";
import type { ContractOf } from "../../../scripts/lib/contracts.ts";
import { BlobFront } from "../../../worker/test/support/blobFront.ts";
import { deployEscrow } from "../../../worker/test/support/escrow.ts";
import { freePorts } from "../../../worker/test/support/freePorts.ts";
import { developmentKey } from "../../../worker/test/support/localChain.ts";
import { PageContract } from "../../../worker/test/support/pageContract.ts";
import { Child } from "../../../worker/test/support/processes.ts";
import { TeeChain } from "../../../worker/test/support/teeChain.ts";
import { type Settings, WorkerProcess } from "../../../worker/test/support/worker.ts";
import { AlteringGateway } from "./alteringGateway.ts";
import { Door } from "./door.ts";
import { Relay } from "./relay.ts";
import { startUpstream } from "./upstream.ts";

const GATEWAY = join(import.meta.dirname, "../../../gateway/src/cli.ts");
/** Of the chain on which the public network's wallets pay, and on which a deployment for them would be. */
const CHAIN_ID = 8453;
/** What an answer of the gateway with prices costs. */
export const PRICE = 50_000_000_000_000_000n;
const LLM_PROXY = 0;
/** Accounts of the relaying contract's deployer, of the facilitator and of the node that collects. */
const [DEPLOYER, FACILITATOR, COLLECTOR] = [1, 2, 3] as const;
const OPERATOR = 8;

/** Whom the node's address leads to. */
export type Leads = "gateway" | "exact" | "escrow" | "altering" | "stranger";

/**
 * What an operator of a node runs: a chain with our contracts, an admitted enclave, a worker, a facilitator with its blob store, and
 * a gateway that ends TLS under the attested certificate; and around it what the public network has: a relay, and attackers.
 */
export class PublicStack {
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "haca-public-clients-"));
  readonly #ports = { gateway: 0, exact: 0, escrow: 0, altering: 0, stranger: 0 };
  #escrow = "";
  #tee: TeeChain | undefined;
  #enclave: SimulatedEnclave | undefined;
  #settlement: ContractOf<"LegacySettlement"> | undefined;
  #token: ContractOf<"OPG"> | undefined;
  #door: Door | undefined;
  #relay: Relay | undefined;
  #altering: AlteringGateway | undefined;
  #operatorUrl = "";
  #blobsUrl = "";

  /** @param models names that the gateway serves */
  static async start(models: readonly string[]): Promise<PublicStack> {
    const stack = new PublicStack();
    try {
      await stack.#open(models);
      return stack;
    } catch (error) {
      await stack.close();
      throw error;
    }
  }

  get tee(): TeeChain {
    return started(this.#tee);
  }
  get teeId(): string {
    return started(this.#enclave).teeId;
  }
  /** where batches are anchored, and signatures verified for clients */
  get settlement(): ContractOf<"LegacySettlement"> {
    return started(this.#settlement);
  }
  get token(): ContractOf<"OPG"> {
    return started(this.#token);
  }
  get relay(): Relay {
    return started(this.#relay);
  }
  get door(): Door {
    return started(this.#door);
  }
  get blobsUrl(): string {
    return this.#blobsUrl;
  }

  lead(to: Leads): void {
    this.door.lead(this.#ports[to]);
  }

  /** Has the registry show the key for oblivious requests of the genuine gateway, or the attacker's, signed by the enclave either way. */
  async useOhttpKey(of: "gateway" | "altering"): Promise<void> {
    const { registry } = this.tee;
    const { teeId } = this;
    const latest = await this.tee.chain.provider.getBlock("latest");
    const deadline = BigInt(latest?.timestamp ?? 0) + 3_600n;
    const counter = (await registry.ohttpCounter(teeId)) + 1n;
    const statement = {
      chainId: BigInt(CHAIN_ID),
      registry: String(registry.target),
      deadline,
      counter,
    };
    const signed =
      of === "gateway"
        ? await fetchOhttpKey({ url: this.#operatorUrl, statement })
        : this.#signed(started(this.#altering).keys.current, statement);
    const { signature, teeId: _, ...record } = { teeId, ...signed };
    const key = { ...record, registeredAt: 0n };
    await (await registry.setOhttpConfig(teeId, key, deadline, counter, signature)).wait();
  }

  async close(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      await close();
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  #signed(
    record: OhttpRecord,
    statement: { chainId: bigint; registry: string; deadline: bigint; counter: bigint },
  ) {
    const { chainId, counter, deadline, registry } = statement;
    const domain = teeRegistryDomain({ chainId, registry });
    const digest = ohttpKeyDigest({ domain, teeId: this.teeId, record, deadline, counter });
    return { ...record, signature: started(this.#enclave).sign(digest) };
  }

  async #open(models: readonly string[]): Promise<void> {
    const upstream = await startUpstream();
    this.#closers.push(() => upstream.stop());
    const tee = await TeeChain.start(CHAIN_ID);
    this.#tee = tee;
    this.#closers.push(() => tee.stop());
    this.#settlement = await tee.deployRelay(DEPLOYER);
    await this.#deployPayments(tee);
    const versionId = await tee.chain.publishManifest("chat");
    const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const enclave = tee.enclave("rsa", keys);
    this.#enclave = enclave;
    const door = await Door.start();
    this.#door = door;
    this.#closers.push(() => door.stop());
    await tee.admit(enclave, OPERATOR, LLM_PROXY, door.url);

    const facilitator = await this.#startFacilitator();
    const queue = await this.#startWorker(["collect", "settle"], {
      HACA_NODE_KEY: developmentKey(COLLECTOR),
      HACA_OPERATORS: tee.operator,
    });
    const certificate = pemOf(enclave.tlsCertificate);
    const [operatorPort = 0] = await freePorts(1);
    this.#operatorUrl = `http://127.0.0.1:${operatorPort}`;
    const settings = {
      HACA_GATEWAY_ATTESTED_KEY: this.#write(
        "attested.pem",
        keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      ),
      HACA_GATEWAY_TLS_CERTIFICATE: this.#write("tls.pem", certificate),
      HACA_GATEWAY_TLS_KEY: this.#write("tls-key.pem", enclave.tlsKey),
      HACA_GATEWAY_UPSTREAM: `${upstream.url}/v1`,
      HACA_GATEWAY_MODELS: models.map((model) => `${model}=${versionId}`).join(","),
      ...{ HACA_GATEWAY_QUEUE: queue, HACA_GATEWAY_LEGACY_FACILITATOR: facilitator },
    };
    const port = String(operatorPort);
    const url = await this.#startGateway("free", { ...settings, HACA_GATEWAY_OPERATOR_PORT: port });
    this.#ports.gateway = Number(new URL(url).port);
    const row = { token: "OPG", amount: String(PRICE) };
    const rows = Object.fromEntries(models.map((model) => [model, row]));
    for (const route of ["exact", "escrow"] as const) {
      const priced = await this.#startGateway(route, {
        ...{ ...settings, HACA_GATEWAY_PRICES: JSON.stringify({ models: rows }) },
        ...{ HACA_GATEWAY_PAYEE: tee.operator, HACA_GATEWAY_FACILITATOR: facilitator },
        HACA_GATEWAY_ROUTES: route,
      });
      this.#ports[route] = Number(new URL(priced).port);
    }
    await this.#startAttackers({ url, certificate });
    this.lead("gateway");
    await this.useOhttpKey("gateway");
    const relay = await Relay.start({ url: door.url, certificate });
    this.#relay = relay;
    this.#closers.push(() => relay.stop());
  }

  /** OPG and the escrow. Pages are none of this deployment's: results are settled singly, and at once. */
  async #deployPayments(tee: TeeChain): Promise<void> {
    const pages = await PageContract.deploy(tee);
    const escrow = await deployEscrow(tee, pages);
    this.#escrow = String(escrow.target);
    this.#token = pages.token;
    const { contracts } = tee.chain.book;
    Object.assign(contracts, { OPG: { ...contracts.AccessManager, address: pages.token.target } });
    delete contracts.PageSettlement;
  }

  async #startAttackers(gateway: { url: string; certificate: string }): Promise<void> {
    const { tlsCertificate: certificate, tlsKey: key } = started(this.#enclave);
    const altering = await AlteringGateway.start({ gateway, tls: { certificate, key } });
    this.#closers.push(() => altering.stop());
    this.#altering = altering;
    this.#ports.altering = altering.port;
    const now = BigInt(Math.floor(Date.now() / 1000));
    const stranger = await AlteringGateway.start({ gateway, tls: makeTls(now) });
    this.#closers.push(() => stranger.stop());
    this.#ports.stranger = stranger.port;
  }

  async #startFacilitator(): Promise<string> {
    const front = await BlobFront.start(join(this.#folder, "blobs"));
    this.#closers.push(() => front.stop());
    this.#blobsUrl = front.url;
    return await this.#startWorker(["facilitate"], {
      HACA_FACILITATOR_KEY: developmentKey(FACILITATOR),
      HACA_RELAY: String(this.settlement.target),
      HACA_PAYMENT_RECEIVERS: this.tee.operator,
      // Whatever has come is settled as soon as nothing more comes.
      ...{ HACA_RELAY_SIZE: "100", HACA_RELAY_IDLE_SECONDS: "1" },
      ...front.settings,
    });
  }

  async #startWorker(roles: readonly string[], settings: Settings): Promise<string> {
    const worker = new WorkerProcess({
      settings: {
        ...this.#common,
        ...{ HACA_RPC_URL: this.tee.chain.url, HACA_DATA_DIR: join(this.#folder, roles.join()) },
        ...settings,
      },
      roles,
    });
    this.#closers.push(() => worker.child.stop());
    return await worker.url();
  }

  async #startGateway(name: string, settings: Settings): Promise<string> {
    const gateway = new Child({
      command: process.execPath,
      args: [GATEWAY, "start"],
      env: {
        ...this.#common,
        ...{ HACA_GATEWAY_PORT: "0", HACA_GATEWAY_ANSWERS: join(this.#folder, name) },
        ...settings,
      },
    });
    this.#closers.push(() => gateway.stop());
    return await gateway.waitForLine((line) =>
      line.includes('"listening"') ? (JSON.parse(line) as { url: string }).url : undefined,
    );
  }

  get #common(): Settings {
    const book = this.tee.writeBook(join(this.#folder, "book.json"));
    return {
      ...{ HACA_CHAIN_ID: String(CHAIN_ID), HACA_ADDRESS_BOOK: book },
      ...{ HACA_ESCROW: this.#escrow, HACA_REORG_BLOCKS: "1" },
    };
  }

  #write(name: string, content: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  }
}

function started<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new Error("the stack has not started");
  return part;
}
