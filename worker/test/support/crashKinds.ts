import type { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { type TransactionResponse, Wallet } from "ethers";
import { settlementInterface } from "../../src/chain/chain.ts";
import { proveJobs, settleByStranger } from "./batchSteps.ts";
import { infer } from "./client.ts";
import { developmentKey } from "./localChain.ts";
import { type Entry, postResults, ResultMaker } from "./signedResults.ts";
import type { TeeChain } from "./teeChain.ts";
import type { Testbed } from "./testbed.ts";
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
  /** of a worker with an account, a queue and a version of its own; jobs wait for each other for longer than a test lasts */
  settings(account: number): Promise<Settings>;
  /** what has the jobs that wait go soon, however few they are */
  hurried: Settings;
  /** gives a worker one job, and returns its request's id */
  ask(url: string, index: number): Promise<string>;
  /** lets a worker that does not settle take in as many jobs as share a transaction */
  makeReady(settings: Settings): Promise<Ready[]>;
};

/** By proofs, each by its own or two in a batch. */
function proofs(testbed: Testbed, share: number): CrashKind {
  return {
    ...{ name: share === 1 ? "zkml" : "zkmlBatch", share, shown: "inferences" },
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
  };
}

/** By signatures of an enclave, whose results are all under its nonces. */
function signatures(testbed: Testbed, tee: TeeChain, enclave: SimulatedEnclave): CrashKind {
  let nonce = 0n;
  let versionId = "";
  const make = (): Entry => {
    nonce += 1n;
    return new ResultMaker({ tee, enclave, versionId, nonce }).make();
  };
  const handIn = async (url: string, entry: Entry): Promise<string> => {
    const { status } = await postResults(url, entry);
    if (status !== 202) throw new Error(`refused with ${status}`);
    return entry.message.requestId;
  };
  const roles = ["collect", "settle"];
  return {
    ...{ name: "tee", share: 1, shown: "results", roles, hurried: {} },
    async settings(account) {
      const made = await testbed.manifestSettings({ account });
      versionId = made.versionId;
      return { ...made.settings, HACA_OPERATORS: tee.operator };
    },
    ask: (url) => handIn(url, make()),
    async makeReady(settings) {
      const worker = testbed.worker(settings, ["collect"]);
      const entry = make();
      const requestId = await handIn(await worker.url(), entry);
      await worker.child.stop();
      return [{ requestId, settle: () => settleSigned(testbed, entry) }];
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

/** Every kind, by the names in `CRASH_KINDS`. */
export function crashKinds(parameters: {
  testbed: Testbed;
  tee: TeeChain;
  enclave: SimulatedEnclave;
}): CrashKind[] {
  const { enclave, tee, testbed } = parameters;
  return [proofs(testbed, 1), proofs(testbed, 2), signatures(testbed, tee, enclave)];
}
export const CRASH_KINDS = [
  { kind: "zkml", share: 1, isProven: true },
  { kind: "zkmlBatch", share: 2, isProven: true },
  { kind: "tee", share: 1, isProven: false },
] as const;
