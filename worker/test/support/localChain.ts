import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inferenceSettlementAbi, modelRegistryAbi } from "@haca/protocol/abi";
import { type AddressBook, writeAddressBook } from "@haca/protocol/addressBook";
import type { ListedName } from "@haca/protocol/contracts";
import { gasLimitFor } from "@haca/protocol/gasLimit";
import { encodeVerifyingKey } from "@haca/protocol/groth16";
import type { Manifest } from "@haca/protocol/manifest";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import { REGISTERED_INPUT_MODES, registeredModeOf } from "@haca/protocol/registeredInputMode";
import {
  type BaseContract,
  Contract,
  HDNodeWallet,
  type Interface,
  id,
  JsonRpcProvider,
  keccak256,
  Mnemonic,
  NonceManager,
  type TransactionRequest,
  toBeHex,
  ZeroHash,
} from "ethers";
import { coreModule } from "../../../scripts/deploy/modules/core.ts";
import { pollReceipts } from "../../../scripts/lib/receiptPolling.ts";
import { addressBookOf } from "../../../testing/addressBook.ts";
import { type Deployed, deployPlan } from "../../../testing/deployPlan.ts";
import { testModule } from "../../../testing/modules.ts";
import { pageInterface, settlementInterface } from "../../src/chain/chain.ts";
import { Child } from "./processes.ts";

const ROOT = join(import.meta.dirname, "../../..");
const MNEMONIC = "test test test test test test test test test test test junk";
const CHAIN_ID = 31337;
const POLLING_MS = 20;
const SETTLEMENT_WINDOW = 7 * 24 * 60 * 60;

/** Private keys of the development accounts. */
export function developmentKey(index: number): string {
  const path = `m/44'/60'/0'/0/${index}`;
  return HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(MNEMONIC), path).privateKey;
}

type Tee = Pick<Parameters<typeof testModule>[1], "attestation" | "holders">;

export type CompiledModel = { folder: string; manifest: Manifest };

/** The limits of the tests' own transactions have the margin that the worker's have. */
class EstimatingProvider extends JsonRpcProvider {
  override async estimateGas(call: TransactionRequest): Promise<bigint> {
    return gasLimitFor(await super.estimateGas(call));
  }
}

/** An Anvil with the contracts on it. Account 0 deploys and owns the models. */
export class LocalChain {
  readonly #child: Child;
  readonly url: string;
  readonly provider: JsonRpcProvider;
  readonly #owner: NonceManager;
  #book: AddressBook | undefined;

  readonly chainId: number;

  private constructor(child: Child, url: string, chainId: number) {
    this.#child = child;
    this.url = url;
    this.chainId = chainId;
    this.provider = new EstimatingProvider(url, chainId, {
      staticNetwork: true,
      cacheTimeout: -1,
      batchMaxCount: 1,
    });
    pollReceipts(this.provider, POLLING_MS);
    const key = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(MNEMONIC), "m/44'/60'/0'/0/0");
    this.#owner = new NonceManager(key.connect(this.provider));
  }

  /** @param tee a TEE registry as well, with its root and every role for an account */
  static async start(tee?: Tee, chainId = CHAIN_ID): Promise<LocalChain> {
    const command = join(ROOT, "node_modules/.bin/anvil");
    const args = ["--port", "0", "--hardfork", "osaka", "--chain-id", String(chainId)];
    const child = new Child({ command, args });
    const address = await child.waitForLine((line) => /^Listening on (\S+)/.exec(line)?.[1]);
    const chain = new LocalChain(child, `http://${address}`, chainId);
    await chain.#deploy(tee);
    return chain;
  }

  async stop(): Promise<void> {
    this.provider.destroy();
    await this.#child.stop("SIGKILL");
  }

  get settlement(): Contract {
    return this.#contract("InferenceSettlement");
  }

  get registry(): Contract {
    return this.#contract("ModelRegistry");
  }

  send(method: string, ...values: unknown[]): Promise<unknown> {
    return this.provider.send(method, values);
  }

  /** Who deployed everything, and owns the models. */
  get owner(): NonceManager {
    return this.#owner;
  }

  /** Sends a transaction of the owner; mined unless automatic mining is off. */
  async execute(contract: Contract, name: string, ...values: unknown[]) {
    return await contract.getFunction(name).send(...values);
  }

  /** Publishes a compiled model as one more version; returns the version's id. */
  async publish(parameters: { model: CompiledModel; minor: number }): Promise<string> {
    const { model, minor } = parameters;
    const { folder, manifest } = model;
    const book = this.book;
    const owner = await this.#owner.getAddress();
    const modelId = computeModelId({ owner, slug: manifest.name });
    const versionId = computeVersionId({ modelId, major: 1, minor });
    const key = encodeVerifyingKey(
      JSON.parse(readFileSync(join(folder, manifest.files.verificationKey), "utf8")),
    );
    if (!book.models.some(({ slug }) => slug === manifest.name)) {
      await this.execute(this.registry, "registerModel", manifest.name);
    }
    await this.execute(this.registry, "publishVersion", modelId, {
      major: 1,
      minor,
      modelHash: manifest.hashes.model,
      blobId: ZeroHash,
      circuitHash: manifest.hashes.r1cs,
      csHash: `0x${manifest.setup.csHash}`,
      transcriptHash: manifest.setup.transcript,
      verifyingKey: key,
      inputMode: REGISTERED_INPUT_MODES.indexOf(registeredModeOf(manifest)),
      inputLayout: [manifest.input.layout],
      outputLayout: manifest.outputs.map(({ layout }) => layout),
    });
    book.models.push({
      slug: manifest.name,
      owner,
      modelId,
      versionId,
      major: 1,
      minor,
      modelHash: manifest.hashes.model,
      circuitHash: manifest.hashes.r1cs,
      verifyingKeyHash: keccak256(key),
    });
    return versionId;
  }

  /** Publishes a model without a circuit; returns the id of its version 1.0. */
  async publishManifest(slug: string): Promise<string> {
    const owner = await this.#owner.getAddress();
    const modelId = computeModelId({ owner, slug });
    await this.execute(this.registry, "registerModel", slug);
    await this.execute(this.registry, "publishManifest", modelId, 1, 0, id(slug), ZeroHash);
    return computeVersionId({ modelId, major: 1, minor: 0 });
  }

  get book(): AddressBook {
    if (this.#book === undefined) throw new Error("the chain is not deployed");
    return this.#book;
  }

  /** Adds a contract that was created on the chain to the address book. */
  async list(name: ListedName, made: BaseContract): Promise<void> {
    const receipt = await made.deploymentTransaction()?.wait();
    if (!receipt) throw new Error(`nobody has created ${name}`);
    const address = String(made.target);
    const codeHash = keccak256(await this.provider.getCode(address));
    const { blockNumber: block, hash: transaction } = receipt;
    const place = { address, block, transaction, constructorArguments: [], codeHash };
    Object.assign(this.book.contracts, { [name]: place });
  }

  writeBook(path: string): string {
    writeAddressBook({ path, book: this.book });
    return path;
  }

  /** By how many transactions each request was settled, or taken by a page, counted by events. */
  async countSettlements(): Promise<Map<string, number>> {
    const topic = (abi: Interface, name: string) => abi.getEvent(name)?.topicHash ?? "";
    const topics = [
      topic(settlementInterface, "InferenceSettled"),
      topic(settlementInterface, "ZkmlBatchItemSettled"),
    ];
    const { InferenceSettlement, PageSettlement } = this.book.contracts;
    const { address } = InferenceSettlement;
    const logs = await this.provider.getLogs({ address, topics: [topics], fromBlock: 0 });
    const found = logs.map(
      ({ topics: [, id = ""], transactionHash }) => `${id} ${transactionHash}`,
    );
    if (PageSettlement !== undefined) {
      const pages = { address: PageSettlement.address, fromBlock: 0 };
      const proposed = { ...pages, topics: [topic(pageInterface, "PageProposed")] };
      for (const log of await this.provider.getLogs(proposed)) {
        const { args } = pageInterface.parseLog(log) ?? { args: { bitmap: 0n, ledgerPage: 0n } };
        for (let bit = 0n; bit < 256n; bit++) {
          if (((args.bitmap >> bit) & 1n) === 0n) continue;
          found.push(`${toBeHex(args.ledgerPage * 256n + bit, 32)} ${log.transactionHash}`);
        }
      }
    }
    const counts = new Map<string, number>();
    for (const one of new Set(found)) {
      const [requestId = ""] = one.split(" ");
      counts.set(requestId, (counts.get(requestId) ?? 0) + 1);
    }
    return counts;
  }

  #contract(name: "InferenceSettlement" | "ModelRegistry"): Contract {
    const abi = name === "ModelRegistry" ? modelRegistryAbi : inferenceSettlementAbi;
    return new Contract(this.book.contracts[name].address, abi, this.#owner);
  }

  async #deploy(tee: Tee | undefined): Promise<void> {
    const { provider } = this;
    const settlementWindow = SETTLEMENT_WINDOW;
    const contracts: Record<string, Deployed> = await deployPlan({
      deployer: await this.#owner.getAddress(),
      send: async (payload) => {
        const receipt = await (await this.#owner.sendTransaction(payload)).wait();
        if (receipt === null) throw new Error("no receipt");
        const { hash, blockNumber, contractAddress } = receipt;
        return { transaction: hash, block: blockNumber, created: contractAddress ?? undefined };
      },
      call: (payload) => provider.call(payload),
      build: (module) =>
        tee === undefined
          ? coreModule(module, { settlementWindow })
          : testModule(module, { ...tee, settlementWindow }),
    });
    this.#book = await addressBookOf({
      ...{ chainId: this.chainId, network: "test", contracts: Object.values(contracts) },
      getCode: (address) => provider.getCode(address),
      parameters: {
        settlementWindow,
        ...(tee === undefined ? {} : { attestation: withoutCertificate(tee.attestation) }),
      },
    });
  }
}

const withoutCertificate = ({ rootCertificate: _, ...rest }: Tee["attestation"]) => rest;
