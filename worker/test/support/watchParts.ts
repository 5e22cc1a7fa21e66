import { createHttpBlobStore } from "@haca/protocol/blobs/httpBlobStore";
import { MAXIMUM_PAGE_BYTES } from "@haca/protocol/blobs/pageBlob";
import { type JsonRpcProvider, Wallet } from "ethers";
import { pino } from "pino";
import { Registry } from "prom-client";
import { connectChain } from "../../src/chain/connectChain.ts";
import { createMetrics } from "../../src/metrics/createMetrics.ts";
import type { Peer } from "../../src/roles/validate/peer.ts";
import { createSignPass } from "../../src/roles/validate/signPages.ts";
import type { ValidateContext } from "../../src/roles/validate/validateContext.ts";
import { makeChallenge } from "../../src/roles/watch/challenges.ts";
import { createActPass } from "../../src/roles/watch/createWatchPass.ts";
import type { Step } from "../../src/roles/watch/watchContext.ts";
import type { Database } from "../../src/storage/database.ts";
import { databaseStore } from "../../src/transactions/databaseStore.ts";
import { FeeGate } from "../../src/transactions/fees.ts";
import { GasLimits } from "../../src/transactions/gasLimits.ts";
import { createSender } from "../../src/transactions/sender.ts";
import { createFollowPass } from "../../src/verifier/followPages.ts";
import { createInspectPass } from "../../src/verifier/inspectPages.ts";
import { KeyRing } from "../../src/verifier/keyRing.ts";
import { createVerifierMetrics } from "../../src/verifier/verifierMetrics.ts";
import { developmentKey } from "./localChain.ts";
import type { StakingContract } from "./stakingContract.ts";
import type { WatchBed } from "./watchBed.ts";

const CEILING = 10n ** 15n;

/** Answers of an endpoint as they are changed on their way; an error that is thrown is the endpoint's. */
export type Meddling = (request: { data: string; answer: string }) => string | Promise<string>;

/** The parts of a process of both roles, run pass by pass. */
export type WatchParts = {
  context: ValidateContext;
  /** lines of the log, as objects */
  lines: Record<string, unknown>[];
  /** what the endpoint answers to calls of contracts is changed by this */
  meddle: (meddling: Meddling | undefined) => void;
  follow: () => Promise<boolean>;
  /** looks at every page, also at those that are not due */
  inspect: () => Promise<void>;
  sign: () => Promise<void>;
  act: (steps: readonly Step[]) => Promise<boolean>;
  logged: (message: string) => Record<string, unknown>[];
  close: () => void;
};

export async function makeWatchParts(parameters: {
  bed: WatchBed;
  staking: StakingContract;
  database: Database;
  /** of the account that pays */
  account: number;
  key: Wallet;
  peers?: readonly Peer[];
}): Promise<WatchParts> {
  const { account, bed, database, key, peers = [], staking } = parameters;
  const { book, url } = bed.tee.chain;
  const connected = await connectChain({
    ...{ rpcUrl: url, timeoutMs: 20_000, chainId: 31337, addressBook: book },
  });
  let meddling: Meddling | undefined;
  const provider = meddled(connected.provider, () => meddling);
  const { PageSettlement } = book.contracts;
  const pageSettlement = PageSettlement?.address ?? "";
  const chain = { ...connected, provider, pageSettlement };
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: "info" }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const metrics = createMetrics({ database });
  const wallet = new Wallet(developmentKey(account));
  const sender = createSender({
    ...{ chain, wallet, metrics, logger, confirmations: 1 },
    ...{ rebroadcastMs: 30_000, replaceMs: 60_000, gasLimits: new GasLimits() },
    store: databaseStore(database),
    gate: new FeeGate({ ceiling: CEILING, metrics, logger }),
  });
  const context: ValidateContext = {
    ...{ database, chain, logger, key, peers, payMinimum: 1n },
    staking: String(staking.contract.target),
    blobs: createHttpBlobStore({
      ...{ publisher: bed.front.url, aggregator: bed.front.url, ids: "walrus", epochs: 1 },
      ...{ timeoutMs: 5_000, maximumBytes: MAXIMUM_PAGE_BYTES },
    }),
    keys: new KeyRing({ chain, registry: String(bed.tee.registry.target) }),
    ...{ firstBlock: 1, reorgBlocks: 2, confirmations: 1, recheckSeconds: 600 },
    metrics: createVerifierMetrics({ database, registers: [new Registry()] }),
    senders: { calm: sender, urgent: sender, urgentSeconds: 0n },
    ...{
      requestLeaves: 8,
      requestBudget: 10n ** 21n,
      requestAfterSeconds: 0,
      demandProofs: 4,
      answersRequests: false,
    },
  };
  const looking = {
    ...{ ...context, models: [] },
    async onBad({ bad, pageId }: Parameters<Parameters<typeof createInspectPass>[0]["onBad"]>[0]) {
      await makeChallenge({ database, pageId, bad, challenger: wallet.address });
    },
    onDoubted: async () => undefined,
  };
  const inspectDue = createInspectPass(looking);
  return {
    context,
    lines,
    meddle: (next) => {
      meddling = next;
    },
    follow: createFollowPass(looking),
    async inspect() {
      await database.query("UPDATE watched_pages SET look_after = now(), sign_after = now()");
      while (await inspectDue());
    },
    async sign() {
      await database.query("UPDATE watched_pages SET sign_after = now()");
      await createSignPass(context)();
    },
    act: (steps) => createActPass(context, steps, [])(),
    logged: (message) => lines.filter(({ msg }) => msg === message),
    close: () => connected.provider.destroy(),
  };
}

/** The same provider, whose calls of contracts are answered as somebody else likes. */
function meddled(provider: JsonRpcProvider, current: () => Meddling | undefined): JsonRpcProvider {
  const changed = (params: unknown, answer: unknown): unknown => {
    const meddling = current();
    const [call] = params as [{ data?: string }];
    if (meddling === undefined || typeof answer !== "string") return answer;
    return meddling({ data: call.data ?? "", answer });
  };
  const send = provider._send.bind(provider);
  provider._send = async (payload) => {
    const all = Array.isArray(payload) ? payload : [payload];
    const answers = await send(payload);
    return await Promise.all(
      answers.map(async (answer) => {
        const asked = all.find(({ id }) => id === answer.id);
        if (asked?.method !== "eth_call" || !("result" in answer)) return answer;
        return { ...answer, result: await changed(asked.params, answer.result) };
      }),
    );
  };
  return provider;
}
