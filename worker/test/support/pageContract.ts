import { ACCESS_TABLE, selectorOf } from "@haca/protocol/accessTable";
import { blobIdFromWord } from "@haca/protocol/blobs/blobId";
import { createHttpBlobStore } from "@haca/protocol/blobs/httpBlobStore";
import { type CheckedPage, MAXIMUM_PAGE_BYTES, withPageRoot } from "@haca/protocol/blobs/pageBlob";
import { hashResult, type InferenceResult, settlementDomain } from "@haca/protocol/inferenceResult";
import {
  challengeCommitment,
  headerOfProposal,
  leafAt,
  type PageHeader,
  pageIdOf,
} from "@haca/protocol/pageSettlement";
import { decodeRequestId, requestIdAt } from "@haca/protocol/requestId";
import { resultLeaf } from "@haca/protocol/resultPage";
import { ROLES } from "@haca/protocol/roles";
import { type BaseContract, Contract, ContractFactory, id, parseEther, Wallet } from "ethers";
import { type ContractOf, contractAt } from "../../../scripts/lib/contracts.ts";
import { readArtifact } from "../../../testing/artifacts.ts";
import { pageInterface } from "../../src/chain/chain.ts";
import type { BlobFront } from "./blobFront.ts";
import { developmentKey, type LocalChain } from "./localChain.ts";
import type { Entry } from "./signedResults.ts";
import type { TeeChain } from "./teeChain.ts";

const nodeOf = ({ ledgerPage }: PageHeader): string =>
  decodeRequestId(requestIdAt({ ledgerPage, index: 0 })).node;

const HOUR = 3_600n;
const DAY = 24n * HOUR;
/** The account that has every role, as in `TeeChain`. */
const ADMINISTRATOR = 8;
export const PAGE_PARAMETERS = {
  longRoad: 2n * DAY,
  shortRoad: 6n * HOUR,
  resultWindow: 7n * DAY,
  minimumDeposit: parseEther("100"),
};
export const EVIDENCE_SECONDS = 7n * DAY;

/** `PageSettlement` with its token on a chain with a TEE registry, in its address book, and a writer of the ledger. */
export class PageContract {
  readonly contract: ContractOf<"PageSettlement">;
  /** as the account that has every role */
  readonly settlement: ContractOf<"InferenceSettlement">;
  readonly #chain: LocalChain;
  /** as the account that has every role, and all of it */
  readonly token: ContractOf<"OPG">;

  private constructor(chain: LocalChain, token: string, contract: string) {
    const runner = new Wallet(developmentKey(ADMINISTRATOR), chain.provider);
    this.#chain = chain;
    this.token = contractAt({ name: "OPG", address: token, runner });
    this.contract = contractAt({ name: "PageSettlement", address: contract, runner });
    const { address } = chain.book.contracts.InferenceSettlement;
    this.settlement = contractAt({ name: "InferenceSettlement", address, runner });
  }

  static async deploy({ chain }: TeeChain): Promise<PageContract> {
    const runner = new Wallet(developmentKey(ADMINISTRATOR), chain.provider);
    const { AccessManager, InferenceSettlement } = chain.book.contracts;
    const make = async (name: string, values: readonly unknown[]): Promise<BaseContract> => {
      const { abi, bytecode } = readArtifact(name);
      const factory = new ContractFactory(abi as [], bytecode, runner);
      return await (await factory.deploy(...values)).waitForDeployment();
    };
    const token = await make("OPG", [runner.address, runner.address]);
    const pages = await make("PageSettlement", [
      ...[AccessManager.address, InferenceSettlement.address, token.target],
      ...[DAY, PAGE_PARAMETERS],
    ]);
    const made = new PageContract(chain, String(token.target), String(pages.target));
    const { abi } = readArtifact("AccessManager");
    const manager = new Contract(AccessManager.address, abi as [], chain.owner);
    for (const { contract, role, functions } of ACCESS_TABLE) {
      if (contract !== "PageSettlement") continue;
      const values = [pages.target, functions.map(selectorOf), ROLES[role]];
      await chain.execute(manager, "setTargetFunctionRole", ...values);
    }
    await made.allow(true);
    await chain.list("PageSettlement", pages);
    return made;
  }

  /** Whether the ledger lets it hold requests: without that, every proposal reverts. */
  async allow(isWriter: boolean): Promise<void> {
    const { settlement } = this;
    const { target } = this.contract;
    if ((await settlement.isLedgerWriter(target)) === isWriter) return;
    await (await settlement.setLedgerWriter(target, isWriter)).wait();
  }

  /** A deposit for an account, in whole OPG. */
  async deposit(account: string, amount: number): Promise<void> {
    const units = parseEther(String(amount));
    await (await this.token.approve(this.contract.target, units)).wait();
    await (await this.contract.deposit(account, units)).wait();
  }

  /** Lets so much time go by, and as many blocks as any worker of these tests watches. */
  async pass(seconds: bigint): Promise<void> {
    await this.#chain.send("evm_increaseTime", Number(seconds));
    await this.#chain.send("anvil_mine", "0x4");
  }

  /** Lets every page that is pending become final. */
  async end(): Promise<void> {
    await this.pass(PAGE_PARAMETERS.longRoad + 1n);
  }

  /** Now, as the chain has it, in unix seconds. */
  async now(): Promise<bigint> {
    return BigInt((await this.#chain.provider.getBlock("pending"))?.timestamp ?? 0);
  }

  /** The second before the latest block: a page does not wait for a result of then, which a later block says nothing of. */
  async past(): Promise<bigint> {
    return BigInt((await this.#chain.provider.getBlock("latest"))?.timestamp ?? 0) - 1n;
  }

  /** The page that a transaction proposed. */
  async headerIn(hash: string | undefined): Promise<{ header: PageHeader; pageId: string }> {
    const receipt = await this.#chain.provider.getTransactionReceipt(hash ?? "");
    const log = receipt?.logs.find(({ address }) => address === this.contract.target);
    const args = log === undefined ? undefined : pageInterface.parseLog(log)?.args;
    if (args === undefined) throw new Error(`${hash} proposed no page`);
    return { pageId: args.pageId, header: headerOfProposal(args as unknown as PageHeader) };
  }

  /** The page as everybody reads it: from the blob, by its header. */
  async readBlob(header: PageHeader, front: BlobFront): Promise<CheckedPage> {
    const store = createHttpBlobStore({
      ...{ publisher: front.settings.HACA_BLOB_PUBLISHER, aggregator: front.url, ids: "sha256" },
      ...{ epochs: 1, timeoutMs: 60_000, maximumBytes: MAXIMUM_PAGE_BYTES },
    });
    const check = withPageRoot({
      ...{ domain: this.#domain, root: header.root, node: nodeOf(header) },
      ...{ page: header.ledgerPage & ((1n << 88n) - 1n), bitmap: header.bitmap },
    });
    return await store.read({ id: blobIdFromWord(header.blobId), check });
  }

  /** Shows that the enclave signed another result for a request of the page. */
  async reject(parameters: {
    header: PageHeader;
    front: BlobFront;
    entry: Entry;
    other: Entry;
  }): Promise<void> {
    const { entry, front, header, other } = parameters;
    const challenger = new Wallet(developmentKey(ADMINISTRATOR)).address;
    const index = Number(decodeRequestId(entry.message.requestId).nonce % 256n);
    const salt = id("salt");
    const hashOf = (made: Entry): string =>
      resultLeaf({
        digest: hashResult({ domain: this.#domain, result: resultIn(made) }),
        signature: made.signature,
      });
    const pageSettlement = String(this.contract.target);
    const commitment = challengeCommitment({
      pageId: pageIdOf({ chainId: 31337n, pageSettlement, header }),
      ...{ index, salt, challenger, leafHash: hashOf(entry), otherLeafHash: hashOf(other) },
    });
    await (await this.contract.commitChallenge(commitment)).wait();
    const leaf = leafAt(await this.readBlob(header, front), index);
    if (leaf === undefined) throw new Error(`the page has no result at place ${index}`);
    const values = [header, leaf, resultIn(other), other.signature, challenger, salt] as const;
    await (await this.contract.challengeConflict(...values)).wait();
  }

  /** Shows that a leaf of a page is wrong by itself. */
  async challenge(parameters: {
    header: PageHeader;
    page: CheckedPage;
    index: number;
  }): Promise<void> {
    const { header, index, page } = parameters;
    const challenger = new Wallet(developmentKey(ADMINISTRATOR)).address;
    const leaf = leafAt(page, index);
    if (leaf === undefined) throw new Error(`the page has no result at place ${index}`);
    const digest = hashResult({ domain: this.#domain, result: leaf.result });
    const salt = id("salt");
    const pageSettlement = String(this.contract.target);
    const commitment = challengeCommitment({
      pageId: pageIdOf({ chainId: 31337n, pageSettlement, header }),
      leafHash: resultLeaf({ digest, signature: leaf.signature }),
      ...{ index, salt, challenger },
    });
    await (await this.contract.commitChallenge(commitment)).wait();
    await (await this.contract.challenge(header, leaf, challenger, salt)).wait();
  }

  get #domain() {
    const { address } = this.#chain.book.contracts.InferenceSettlement;
    return settlementDomain({ chainId: 31337n, settlement: address });
  }
}

const resultIn = ({ message }: Entry): InferenceResult => ({
  ...message,
  price: BigInt(message.price),
  timestamp: BigInt(message.timestamp),
});
