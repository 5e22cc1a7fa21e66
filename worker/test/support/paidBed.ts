import { join } from "node:path";
import { escrowInterface } from "@haca/protocol/escrowCalls";
import { decodePaymentSignatureHeader } from "@x402/core/http";
import { PERMIT2_ADDRESS, toClientEvmSigner } from "@x402/evm";
import { ExactEvmScheme } from "@x402/evm/exact/client";
import { UptoEvmScheme } from "@x402/evm/upto/client";
import { wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import { type Contract, MaxUint256, parseEther, Wallet } from "ethers";
import { privateKeyToAccount } from "viem/accounts";
import { deployEscrow, FEE_BPS } from "./escrow.ts";
import { GatewayProcess } from "./gatewayProcess.ts";
import { developmentKey } from "./localChain.ts";
import { PageContract } from "./pageContract.ts";
import { waitFor } from "./processes.ts";
import { TeeChain } from "./teeChain.ts";
import { sharedFolder, sharedQueue } from "./temporaryFolder.ts";
import { type Settings, WorkerProcess } from "./worker.ts";

const ETHER = "0x56bc75e2d63100000";
const NETWORK = "eip155:31337" as const;
const SELLER = 5;
export const PRICE = parseEther("2");
export const FEE = (PRICE * FEE_BPS) / 10_000n;
/** A question that costs `PRICE`. */
export const QUESTION = { model: "chat", messages: [{ role: "user", content: "hello" }] };

/** A chain with the escrow, a worker that settles and captures, a facilitator, and a gateway whose answers are paid for. */
export class PaidBed {
  readonly tee: TeeChain;
  readonly pages: PageContract;
  readonly escrow: Contract;
  readonly gateway: GatewayProcess;
  readonly facilitatorUrl: string;
  readonly #closers: (() => unknown)[];

  private constructor(parts: {
    tee: TeeChain;
    pages: PageContract;
    escrow: Contract;
    gateway: GatewayProcess;
    facilitatorUrl: string;
    closers: (() => unknown)[];
  }) {
    this.tee = parts.tee;
    this.pages = parts.pages;
    this.escrow = parts.escrow;
    this.gateway = parts.gateway;
    this.facilitatorUrl = parts.facilitatorUrl;
    this.#closers = parts.closers;
  }

  static async start(gatewaySettings: Settings = {}): Promise<PaidBed> {
    const tee = await TeeChain.start();
    const closers: (() => unknown)[] = [() => tee.stop()];
    const pages = await PageContract.deploy(tee);
    const escrow = await deployEscrow(tee, pages);
    const folder = sharedFolder();
    closers.unshift(() => folder.remove());
    const place = { ...tee.chain.book.contracts.AccessManager, address: pages.token.target };
    Object.assign(tee.chain.book.contracts, { OPG: place });
    const book = tee.writeBook(join(folder.path, "book.json"));
    const chain = {
      ...{ HACA_RPC_URL: tee.chain.url, HACA_CHAIN_ID: "31337", HACA_ADDRESS_BOOK: book },
      ...{ HACA_ESCROW: String(escrow.target), HACA_REORG_BLOCKS: "1" },
    };
    const start = async (roles: readonly string[], settings: Settings): Promise<string> => {
      const queue = sharedQueue();
      const worker = new WorkerProcess({
        ...{ roles, settings: { ...chain, HACA_DATA_DIR: queue.path, ...settings } },
      });
      closers.unshift(async () => {
        await worker.child.stop("SIGKILL");
        queue.remove();
      });
      return await worker.url();
    };
    const seller = new Wallet(developmentKey(SELLER)).address;
    const facilitator = Wallet.createRandom();
    await tee.chain.send("anvil_setBalance", facilitator.address, ETHER);
    const facilitatorUrl = await start(["facilitate"], {
      HACA_FACILITATOR_KEY: facilitator.privateKey,
      ...{ HACA_PAYMENT_RECEIVERS: seller, HACA_RELAY: String(tee.registry.target) },
      // Nothing is stored here.
      HACA_BLOB_PUBLISHER: "http://127.0.0.1:9/v1/blobs",
      HACA_BLOB_AGGREGATOR: "http://127.0.0.1:9",
    });
    const workerUrl = await start(["collect", "settle"], {
      ...{ HACA_NODE_KEY: developmentKey(SELLER), HACA_OPERATORS: tee.operator },
    });
    const enclave = tee.enclave("secp256k1");
    await tee.admit(enclave);
    const gateway = await GatewayProcess.start({
      ...{ enclave, session: await tee.certifySession(enclave, true), url: workerUrl },
      ...{ versionId: await tee.chain.publishManifest("chat"), folder: folder.path },
      settings: {
        HACA_GATEWAY_PRICES: JSON.stringify({
          models: { chat: { token: "OPG", amount: String(PRICE) } },
        }),
        ...{ HACA_GATEWAY_PAYEE: seller, HACA_GATEWAY_FACILITATOR: facilitatorUrl },
        ...{ HACA_GATEWAY_ROUTES: "escrow,exact", HACA_ESCROW: String(escrow.target) },
        ...gatewaySettings,
      },
    });
    closers.unshift(() => gateway.stop());
    return new PaidBed({ tee, pages, escrow, gateway, facilitatorUrl, closers });
  }

  async stop(): Promise<void> {
    for (const close of this.#closers) await close();
  }

  get seller(): string {
    return new Wallet(developmentKey(SELLER)).address;
  }

  balanceOf(account: string): Promise<bigint> {
    return this.pages.token.balanceOf(account);
  }

  /** An account with so much OPG, which lets Permit2 have it. */
  async payer(amount: bigint): Promise<Wallet> {
    const payer = new Wallet(Wallet.createRandom().privateKey, this.tee.chain.provider);
    await this.tee.chain.send("anvil_setBalance", payer.address, ETHER);
    await (await this.pages.token.transfer.send(payer.address, amount)).wait();
    const data = this.pages.token.interface.encodeFunctionData("approve", [
      PERMIT2_ADDRESS,
      MaxUint256,
    ]);
    const to = String(this.pages.token.target);
    await (await payer.sendTransaction({ to, data, gasLimit: 100_000n })).wait();
    return payer;
  }

  /** The stock client of x402, which pays by one scheme. */
  client(payer: Wallet, scheme: "upto" | "exact", through: typeof fetch = fetch) {
    const signer = toClientEvmSigner(privateKeyToAccount(payer.privateKey as `0x${string}`));
    const client = scheme === "upto" ? new UptoEvmScheme(signer) : new ExactEvmScheme(signer);
    const asset = String(this.pages.token.target);
    const allowedAssets = [{ network: NETWORK, asset, maxAmountPerPayment: String(PRICE) }];
    return wrapFetchWithPaymentFromConfig(through, {
      schemes: [{ network: NETWORK, client }],
      spendControls: { allowedAssets },
    });
  }

  /** Asks the gateway with such a client. */
  ask(paying: typeof fetch, body: object = QUESTION, headers: Record<string, string> = {}) {
    return paying(`${this.gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  }

  /** Opens the job of a payment, as somebody who has seen its header. Returns the transaction. */
  async openAsStranger(header: string): Promise<string> {
    const { accepted, payload } = decodePaymentSignatureHeader(header);
    const { permit2Authorization: permit, signature } = payload as {
      permit2Authorization: {
        permitted: { amount: string };
        witness: { validAfter: string };
      } & Record<"from" | "nonce" | "deadline", string>;
      signature: string;
    };
    const payment = {
      ...{ payer: permit.from, amount: permit.permitted.amount, nonce: permit.nonce, signature },
      ...{ validAfter: permit.witness.validAfter, validUntil: permit.deadline },
    };
    const data = escrowInterface.encodeFunctionData("open", [accepted.extra.haca, payment]);
    const stranger = new Wallet(Wallet.createRandom().privateKey, this.tee.chain.provider);
    await this.tee.chain.send("anvil_setBalance", stranger.address, ETHER);
    const sent = await stranger.sendTransaction({ to: String(this.escrow.target), data });
    await sent.wait();
    return sent.hash;
  }

  /** The jobs that were opened for a payer. */
  async jobsOf(payer: string): Promise<string[]> {
    const events = await this.escrow.queryFilter("JobOpened", 0);
    return events.flatMap((event) =>
      "args" in event && event.args.job.payer === payer ? [String(event.args.jobId)] : [],
    );
  }

  /** Waits until a job stands so; makes blocks, for those who wait for them. */
  async until(jobId: string, status: bigint): Promise<void> {
    await waitFor(async () => {
      await this.tee.chain.send("evm_mine");
      return (await this.escrow.statusOf?.(jobId)) === status ? true : undefined;
    });
  }
}
