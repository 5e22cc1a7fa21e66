import { join } from "node:path";
import { PERMIT2_ADDRESS } from "@x402/evm";
import { wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import { type Contract, MaxUint256, parseEther, Wallet } from "ethers";
import { deployGates } from "./channels.ts";
import { deployOperators } from "./commerce.ts";
import { Dollars } from "./dollars.ts";
import { deployEscrow } from "./escrow.ts";
import { developmentKey } from "./localChain.ts";
import { PageContract } from "./pageContract.ts";
import { type PaidScheme, schemeClient } from "./schemeClient.ts";
import { startWorker } from "./startWorker.ts";
import { TeeChain } from "./teeChain.ts";
import { sharedFolder, sharedQueue } from "./temporaryFolder.ts";
import type { Settings } from "./worker.ts";

export const ETHER = "0x56bc75e2d63100000";
const NETWORK = "eip155:31337" as const;
const SELLER = 5;
export const PRICE = parseEther("2");

/** What a chain with the escrow consists of. */
export type PaidChainParts = {
  tee: TeeChain;
  pages: PageContract;
  escrow: Contract;
  /** a second token, which the facilitator takes */
  dollars: Dollars;
  /** has `book.json` */
  folder: string;
  facilitatorUrl: string;
  /** of every worker there */
  settings: Settings;
  /** what is to be ended, the first at first */
  closers: (() => unknown)[];
};

/** A chain with the escrow, OPG, and a facilitator that brings payments there. */
export class PaidChain {
  readonly tee: TeeChain;
  readonly pages: PageContract;
  readonly escrow: Contract;
  readonly dollars: Dollars;
  readonly folder: string;
  readonly facilitatorUrl: string;
  readonly settings: Settings;
  readonly closers: (() => unknown)[];

  constructor(parts: PaidChainParts) {
    this.tee = parts.tee;
    this.pages = parts.pages;
    this.escrow = parts.escrow;
    this.dollars = parts.dollars;
    this.folder = parts.folder;
    this.facilitatorUrl = parts.facilitatorUrl;
    this.settings = parts.settings;
    this.closers = parts.closers;
  }

  static async open(): Promise<PaidChain> {
    const tee = await TeeChain.start();
    const closers: (() => unknown)[] = [() => tee.stop()];
    const pages = await PageContract.deploy(tee);
    const escrow = await deployEscrow(tee, pages);
    const dollars = await Dollars.deploy(tee);
    const folder = sharedFolder();
    closers.unshift(() => folder.remove());
    const place = { ...tee.chain.book.contracts.AccessManager, address: pages.token.target };
    const gates = await deployGates(tee, escrow);
    const operators = await deployOperators(tee, escrow);
    Object.assign(tee.chain.book.contracts, {
      ...{ OPG: place, CommerceOperators: { ...place, address: operators } },
      ChannelGates: { ...place, address: gates },
    });
    const book = tee.writeBook(join(folder.path, "book.json"));
    const settings = {
      ...{ HACA_RPC_URL: tee.chain.url, HACA_CHAIN_ID: "31337", HACA_ADDRESS_BOOK: book },
      ...{ HACA_ESCROW: String(escrow.target), HACA_REORG_BLOCKS: "1" },
    };
    const facilitator = Wallet.createRandom();
    await tee.chain.send("anvil_setBalance", facilitator.address, ETHER);
    const chain = new PaidChain({
      ...{
        tee,
        pages,
        escrow,
        dollars,
        folder: folder.path,
        facilitatorUrl: "",
        settings,
        closers,
      },
    });
    const own = chain.facilitatorSettings(facilitator.privateKey);
    const facilitatorUrl = await chain.worker(["facilitate"], own);
    return new PaidChain({ ...chain, facilitatorUrl });
  }

  async stop(): Promise<void> {
    for (const close of this.closers) await close();
  }

  /** Starts a worker with a queue of its own. Returns its URL. */
  async worker(roles: readonly string[], settings: Settings): Promise<string> {
    const queue = sharedQueue();
    const worker = startWorker({
      ...{ roles, settings: { ...this.settings, HACA_DATA_DIR: queue.path, ...settings } },
    });
    this.closers.unshift(async () => {
      await worker.child.end();
      queue.remove();
    });
    return await worker.url();
  }

  /** Settings of a facilitator that pays with this key. */
  facilitatorSettings(key: string): Settings {
    return {
      ...{ ...this.settings, HACA_FACILITATOR_KEY: key, HACA_MIN_DEPOSIT: String(PRICE) },
      ...{ HACA_PAYMENT_RECEIVERS: this.seller, HACA_RELAY: String(this.tee.registry.target) },
      HACA_PAYMENT_TOKENS: this.dollars.address,
      // Nothing is stored here.
      HACA_BLOB_PUBLISHER: "http://127.0.0.1:9/v1/blobs",
      HACA_BLOB_AGGREGATOR: "http://127.0.0.1:9",
    };
  }

  /** Settings of the worker that collects, settles and captures. */
  get sellerSettings(): Settings {
    return { HACA_NODE_KEY: developmentKey(SELLER), HACA_OPERATORS: this.tee.operator };
  }

  /** Settings of a gateway whose answers of the model `chat` cost `PRICE`. */
  get gatewaySettings(): Settings {
    const models = { chat: { token: "OPG", amount: String(PRICE) } };
    return {
      HACA_GATEWAY_PRICES: JSON.stringify({ models }),
      ...{ HACA_GATEWAY_PAYEE: this.seller, HACA_GATEWAY_FACILITATOR: this.facilitatorUrl },
      HACA_ESCROW: String(this.escrow.target),
    };
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

  /** The stock client of x402, which pays by one scheme: of its offers by the first, or another. */
  client(payer: Wallet, scheme: PaidScheme, through: typeof fetch = fetch, offer = 0) {
    const client = schemeClient(payer, scheme);
    const asset = String(this.pages.token.target);
    const allowedAssets = [{ network: NETWORK, asset, maxAmountPerPayment: String(PRICE) }];
    return wrapFetchWithPaymentFromConfig(through, {
      schemes: [{ network: NETWORK, client }],
      spendControls: { allowedAssets },
      paymentRequirementsSelector: (_, offers) => offers[offer] as never,
    });
  }

  /** The jobs that were opened for a payer. */
  async jobsOf(payer: string): Promise<string[]> {
    const events = await this.escrow.queryFilter("JobOpened", 0);
    return events.flatMap((event) =>
      "args" in event && event.args.job.payer === payer ? [String(event.args.jobId)] : [],
    );
  }
}
