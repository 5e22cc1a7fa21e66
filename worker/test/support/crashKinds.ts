import { join } from "node:path";
import type { InferenceResult } from "@haca/protocol/inferenceResult";
import { id, type TransactionResponse, Wallet } from "ethers";
import { settlementInterface } from "../../src/chain/chain.ts";
import { proveJobs, settleByStranger } from "./batchSteps.ts";
import { BlobFront } from "./blobFront.ts";
import { infer, readJob } from "./client.ts";
import { developmentKey } from "./localChain.ts";
import { PageContract } from "./pageContract.ts";
import { type Entry, postResults, ResultMaker } from "./signedResults.ts";
import { TeeChain } from "./teeChain.ts";
import { sharedFolder } from "./temporaryFolder.ts";
import { Testbed } from "./testbed.ts";
import { TRANSITIONS, type Transition } from "./transitions.ts";
import type { Settings } from "./worker.ts";

const HOUR = "3600000";

/** A job that nothing but its settlement is left of, and how somebody else settles it. */
export type Ready = { requestId: string; settle(): Promise<TransactionResponse> };

/** What a worker that settles by one kind is given to do: every kind dies the same deaths. */
export type CrashKind = {
  name: string;
  roles: readonly string[];
  /** jobs that share a transaction */
  share: number;
  /** where a job is shown */
  shown: "inferences" | "results";
  /** what a transaction makes of its jobs; what else there is to come, `finish` brings */
  landed: "settled" | "pending";
  /** of a worker with an account, a queue and a version of its own; jobs wait for each other for longer than a test lasts */
  settings(account: number): Promise<Settings>;
  /** what has the jobs that wait go soon, however few they are */
  hurried: Settings;
  /** gives a worker one job, and returns its request's id */
  ask(url: string, index: number): Promise<string>;
  /**
   * Lets a worker that does not settle take in as many jobs as share a transaction, of results that the kind has dated
   * itself or of a second that is given.
   */
  makeReady(settings: Settings, timestamp?: bigint): Promise<Ready[]>;
  /** has the contract revert what was signed, from now on or until it is ended */
  refuse(): Promise<void>;
  /** ends that; absent: it is for good */
  relent?(): Promise<void>;
  /** lets the time go by after which what has landed is settled */
  finish(): Promise<void>;
  /** shows that something is wrong with the page that has this job */
  reject?(url: string, requestId: string): Promise<void>;
};

/** What kinds there are, and what never happens to jobs of each. */
export const CRASH_KINDS: readonly { kind: string; share: number; never: Transition[] }[] = [
  { kind: "zkml", share: 1, never: ["pending", "rejected", "undone", "setApart"] },
  { kind: "zkmlBatch", share: 2, never: ["pending", "rejected"] },
  { kind: "tee", share: 1, never: ["accepted", "pending", "rejected", "undone", "setApart"] },
  { kind: "page", share: 2, never: ["accepted"] },
];

/** Kinds that share a transition before one of them stands for the others. */
const MANY = 3;
/** Of those, how far apart the ones of a kind are. */
const APART = 4;

/**
 * The transitions after which workers of a kind are killed: in the deep run all that it can make, by default those that
 * few kinds make, and every fourth of the others, other ones from kind to kind.
 */
export function deathsOf(name: CrashKind["name"], isDeep: boolean): Transition[] {
  const place = CRASH_KINDS.findIndex(({ kind }) => kind === name);
  return TRANSITIONS.filter((transition, index) => {
    const making = CRASH_KINDS.filter(({ never }) => !never.includes(transition));
    if (!making.some(({ kind }) => kind === name)) return false;
    return isDeep || making.length < MANY || (index + place) % APART === 0;
  });
}

/** By proofs, each by its own or two in a batch. */
function proofs(testbed: Testbed, share: number): CrashKind {
  return {
    ...{ name: share === 1 ? "zkml" : "zkmlBatch", share, shown: "inferences", landed: "settled" },
    roles: ["infer", "prove", "settle"],
    settings: async (account) => ({
      ...(await testbed.settings({ account })),
      ...{ HACA_BATCH_SIZE: String(share), HACA_BATCH_MAX_AGE: HOUR },
    }),
    hurried: { HACA_BATCH_MAX_AGE: "500" },
    ask: async (url, image) => (await infer(url, image)).requestId,
    async makeReady(settings) {
      const proven = await proveJobs({ testbed, settings, count: share });
      return proven.map((job) => ({
        requestId: job.requestId,
        settle: () => settleByStranger(testbed, job),
      }));
    },
    refuse: () => testbed.deprecateBeforeAnswers(),
    finish: async () => undefined,
  };
}

/** Results of enclaves, one for each account that operates one. */
class Answers {
  readonly #tee: TeeChain;
  readonly #makers = new Map<number, { nonce: bigint; make: Make }>();
  readonly #entries = new Map<string, Entry>();
  #account = 0;
  #versionId = "";

  constructor(tee: TeeChain) {
    this.#tee = tee;
  }

  async admit(account: number): Promise<void> {
    const enclave = this.#tee.enclave("rsa");
    await this.#tee.admit(enclave, account);
    const make: Make = (nonce, versionId, changes) =>
      new ResultMaker({ tee: this.#tee, enclave, versionId, nonce }).make(changes);
    this.#makers.set(account, { nonce: 0n, make });
  }

  /** Whose results are made from now on, and of which version. */
  use(account: number, versionId: string): void {
    this.#account = account;
    this.#versionId = versionId;
  }

  async next(changes: Partial<InferenceResult> = {}): Promise<Entry> {
    const maker = this.#makers.get(this.#account);
    if (maker === undefined) throw new Error(`account ${this.#account} operates no enclave`);
    const block = await this.#tee.chain.provider.getBlock("pending");
    const timestamp = BigInt(block?.timestamp ?? 0);
    const entry = maker.make(maker.nonce, this.#versionId, { timestamp, ...changes });
    maker.nonce += 1n;
    this.#entries.set(entry.message.requestId, entry);
    return entry;
  }

  /** Another result for the request of one. */
  async contradict(requestId: string): Promise<{ entry: Entry; other: Entry }> {
    const entry = this.#entries.get(requestId);
    if (entry === undefined) throw new Error(`no result ${requestId}`);
    return { entry, other: await this.next({ requestId, outputHash: id("another answer") }) };
  }
}
type Make = (nonce: bigint, versionId: string, changes: Partial<InferenceResult>) => Entry;

async function handIn(url: string, entry: Entry): Promise<string> {
  const { body, status } = await postResults(url, entry);
  if (status !== 202) throw new Error(`refused: ${JSON.stringify(body)}`);
  return entry.message.requestId;
}

/** By signatures of an enclave of the account's, each by its own or two in a page. */
function signatures(parameters: {
  testbed: Testbed;
  answers: Answers;
  share: number;
  page?: { contract: PageContract; front: BlobFront };
}): CrashKind {
  const { answers, page, share, testbed } = parameters;
  const next = async (given?: bigint) => {
    const timestamp = given ?? (await page?.contract.past());
    return await answers.next(timestamp === undefined ? {} : { timestamp });
  };
  const refusal =
    page === undefined
      ? { refuse: () => testbed.deprecateBeforeAnswers() }
      : {
          refuse: () => page.contract.allow(false),
          relent: () => page.contract.allow(true),
        };
  return {
    ...{ name: page === undefined ? "tee" : "page", share, shown: "results" },
    landed: page === undefined ? "settled" : "pending",
    roles: ["collect", "settle"],
    async settings(account) {
      const { settings, versionId } = await testbed.manifestSettings({ account });
      answers.use(account, versionId);
      if (page === undefined) return settings;
      // A page that is rejected takes all that there is.
      await page.contract.deposit(new Wallet(settings.HACA_NODE_KEY ?? "").address, 1_000);
      return {
        ...{ ...settings, ...page.front.settings, HACA_REORG_BLOCKS: "2" },
        ...{ HACA_PAGE_SIZE: String(share), HACA_PAGE_MAX_AGE: HOUR },
      };
    },
    hurried: page === undefined ? {} : { HACA_PAGE_MAX_AGE: "500" },
    ask: async (url) => await handIn(url, await next()),
    async makeReady(settings, timestamp) {
      const worker = testbed.worker(settings, ["collect"]);
      const url = await worker.url();
      const ready: Ready[] = [];
      for (let count = 0; count < share; count++) {
        const entry = await next(timestamp);
        const requestId = await handIn(url, entry);
        ready.push({ requestId, settle: () => settleSigned(testbed, entry) });
      }
      await worker.child.stop();
      return ready;
    },
    ...refusal,
    finish: async () => await page?.contract.end(),
    async reject(url, requestId) {
      const { transaction } = await readJob(url, requestId, "results");
      if (page === undefined || transaction === null) throw new Error(`${requestId}: no page`);
      const { contract, front } = page;
      const { header } = await contract.headerIn(transaction.hash);
      await contract.reject({ header, front, ...(await answers.contradict(requestId)) });
      await contract.pass(1n);
    },
  };
}

async function settleSigned(testbed: Testbed, entry: Entry): Promise<TransactionResponse> {
  const stranger = new Wallet(developmentKey(9), testbed.chain.provider);
  const values = [entry.message, entry.signature];
  const data = settlementInterface.encodeFunctionData("settleTee", values);
  const to = testbed.chain.book.contracts.InferenceSettlement.address;
  const maxPriorityFeePerGas = 10n ** 12n;
  const fees = { maxFeePerGas: 2n * maxPriorityFeePerGas, maxPriorityFeePerGas };
  return await stranger.sendTransaction({ to, data, ...fees, gasLimit: 1_000_000n });
}

/** A chain for every kind, with an enclave of each account. */
export async function startCrashKinds(accounts: readonly number[]): Promise<{
  testbed: Testbed;
  kinds: readonly CrashKind[];
  stop(): Promise<void>;
}> {
  const tee = await TeeChain.start();
  const testbed = await Testbed.start(tee.chain);
  const contract = await PageContract.deploy(tee);
  const folder = sharedFolder();
  const front = await BlobFront.start(join(folder.path, "blobs"));
  const answers = new Answers(tee);
  for (const account of accounts) await answers.admit(account);
  return {
    testbed,
    kinds: [
      proofs(testbed, 1),
      proofs(testbed, 2),
      signatures({ testbed, answers, share: 1 }),
      signatures({ testbed, answers, share: 2, page: { contract, front } }),
    ],
    async stop() {
      await front.stop();
      await testbed.stop();
      folder.remove();
    },
  };
}
