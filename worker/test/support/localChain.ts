import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inferenceSettlementAbi, modelRegistryAbi } from "@haca/protocol/abi";
import { type AddressBook, writeAddressBook } from "@haca/protocol/addressBook";
import { encodeVerifyingKey } from "@haca/protocol/groth16";
import type { Manifest } from "@haca/protocol/manifest";
import { computeModelId, computeVersionId } from "@haca/protocol/modelIds";
import {
  Contract,
  ContractFactory,
  HDNodeWallet,
  JsonRpcProvider,
  keccak256,
  Mnemonic,
  NonceManager,
  ZeroHash,
} from "ethers";
import { Child } from "./processes.ts";

const ROOT = join(import.meta.dirname, "../../..");
const MNEMONIC = "test test test test test test test test test test test junk";
const CHAIN_ID = 31337;
const SETTLEMENT_WINDOW = 7 * 24 * 60 * 60;

/** Private keys of the development accounts. */
export function developmentKey(index: number): string {
  const path = `m/44'/60'/0'/0/${index}`;
  return HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(MNEMONIC), path).privateKey;
}

export type CompiledModel = { folder: string; manifest: Manifest };

/** An Anvil with the contracts on it. Account 0 deploys and owns the models. */
export class LocalChain {
  readonly #child: Child;
  readonly url: string;
  readonly provider: JsonRpcProvider;
  readonly #owner: NonceManager;
  #book: AddressBook | undefined;

  private constructor(child: Child, url: string) {
    this.#child = child;
    this.url = url;
    this.provider = new JsonRpcProvider(url, CHAIN_ID, {
      staticNetwork: true,
      cacheTimeout: -1,
      batchMaxCount: 1,
    });
    const key = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(MNEMONIC), "m/44'/60'/0'/0/0");
    this.#owner = new NonceManager(key.connect(this.provider));
  }

  static async start(): Promise<LocalChain> {
    const command = join(ROOT, "node_modules/.bin/anvil");
    const child = new Child({ command, args: ["--port", "0", "--hardfork", "osaka"] });
    const address = await child.waitForLine((line) => /^Listening on (\S+)/.exec(line)?.[1]);
    const chain = new LocalChain(child, `http://${address}`);
    await chain.#deploy();
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
      verifyingKey: key,
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

  get book(): AddressBook {
    if (this.#book === undefined) throw new Error("the chain is not deployed");
    return this.#book;
  }

  writeBook(path: string): string {
    writeAddressBook({ path, book: this.book });
    return path;
  }

  /** How often each request was settled, counted by events. */
  async countSettlements(): Promise<Map<string, number>> {
    const events = await this.settlement.queryFilter("InferenceSettled", 0);
    const counts = new Map<string, number>();
    for (const { topics } of events) {
      const requestId = topics[1] ?? "";
      counts.set(requestId, (counts.get(requestId) ?? 0) + 1);
    }
    return counts;
  }

  #contract(name: "InferenceSettlement" | "ModelRegistry"): Contract {
    const abi = name === "ModelRegistry" ? modelRegistryAbi : inferenceSettlementAbi;
    return new Contract(this.book.contracts[name].address, abi, this.#owner);
  }

  async #deploy(): Promise<void> {
    const owner = await this.#owner.getAddress();
    const create = async (path: string, ...values: unknown[]) => {
      const { abi, bytecode } = JSON.parse(
        readFileSync(join(ROOT, "artifacts", `${path}.json`), "utf8"),
      );
      const contract = await new ContractFactory(abi, bytecode, this.#owner).deploy(...values);
      await contract.waitForDeployment();
      const address = await contract.getAddress();
      const transaction = contract.deploymentTransaction()?.hash ?? ZeroHash;
      const receipt = await this.provider.getTransactionReceipt(transaction);
      return {
        address,
        block: receipt?.blockNumber ?? 0,
        transaction,
        constructorArguments: values.map(String),
        codeHash: keccak256(await this.provider.getCode(address)),
      };
    };
    const openzeppelin = "@openzeppelin/contracts/access/manager/AccessManager.sol/AccessManager";
    const AccessManager = await create(openzeppelin, owner);
    const ModelRegistry = await create("contracts/models/ModelRegistry.sol/ModelRegistry");
    const InferenceSettlement = await create(
      "contracts/settlement/InferenceSettlement.sol/InferenceSettlement",
      AccessManager.address,
      ModelRegistry.address,
      SETTLEMENT_WINDOW,
    );
    this.#book = {
      format: 1,
      chainId: CHAIN_ID,
      network: "test",
      gitCommit: "test",
      compiler: { version: "test", evmVersion: "osaka", optimizerRuns: 1 },
      contracts: { AccessManager, ModelRegistry, InferenceSettlement },
      parameters: { settlementWindow: SETTLEMENT_WINDOW },
      models: [],
    };
  }
}
