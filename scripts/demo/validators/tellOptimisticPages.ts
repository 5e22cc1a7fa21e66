import {
  hashWords,
  INFERENCE_RESULT_TYPES,
  type InferenceResult,
  settlementDomain,
} from "@haca/protocol/inferenceResult";
import {
  DEFAULT_PAGE_PARAMETERS,
  DEMAND_DEPOSIT,
  leafAt,
  PAGE_REASONS,
  PROVE_TIME,
} from "@haca/protocol/pageSettlement";
import { concat, toBeHex, Wallet } from "ethers";
import { z } from "zod";
import type { ProcessGroup } from "../../lib/processGroup.ts";
import { CHAIN_ID, developmentKey } from "../localChain.ts";
import { sendSamples } from "../sendSamples.ts";
import { startWorker } from "../startWorker.ts";
import { testSamples } from "../testSamples.ts";
import { type Answer, proposePage } from "./proposePage.ts";
import { eventsOf, gasUsedBy, leaveDeposit, pass, storyContracts } from "./storyContracts.ts";
import { gas, opg, type Story, stateName, tell } from "./tellTeePages.ts";

/** A node without an enclave, whose answers are proved only when somebody asks for that. */
const NODE = 12;
/** Somebody who doubts it without a reason. */
const DOUBTER = 13;
const TIMEOUT_MS = 120_000;
/** Of an answer, so that the settlement keeps what a version is admitted by. */
const PRICE = 1;

const decimal = z.string().transform(BigInt);
const jobSchema = z.object({
  proof: z.string().nullable(),
  receipt: z.object({
    message: z.object({
      ...{ modelVersion: z.string(), inputHash: z.string(), outputHash: z.string() },
      ...{ requester: z.string(), requestId: z.string(), teeId: z.string() },
      ...{ price: decimal, timestamp: decimal },
    }),
    signature: z.string(),
    inputWords: z.array(decimal),
    outputWords: z.array(decimal),
  }),
});

type Proved = { result: InferenceResult; signature: string; words: bigint[][]; proof: string };

/** Has the node answer and prove three samples, and opens the version to optimistic pages by the first. Returns the other two. */
export async function startClaims(parameters: {
  group: ProcessGroup;
  runFolder: string;
  rpcUrl: string;
  story: Story;
  /** the model's name, and the folder where it is compiled */
  model: string;
  folder: string;
}): Promise<Proved[]> {
  const { group, runFolder, rpcUrl, story, model, folder } = parameters;
  const name = "claiming-node";
  const url = await startWorker({
    ...{ group, name, account: NODE, roles: ["infer", "prove"], runFolder, rpcUrl },
    settings: { HACA_MODELS: folder, HACA_PRICE: String(PRICE) },
    timeoutMs: TIMEOUT_MS,
  });
  const samples = testSamples({ model, count: 3 });
  const answered = await sendSamples({ workerUrl: url, model, samples });
  const proved: Proved[] = [];
  for (const { requestId } of answered) {
    proved.push(
      await story.wait("the node's proofs", async () => {
        const response = await fetch(`${url}/v1/inferences/${requestId}`);
        const { proof, receipt } = jobSchema.parse(await response.json());
        const { inputWords, message: result, outputWords, signature } = receipt;
        return proof === null
          ? undefined
          : { proof, result, signature, words: [inputWords, outputWords] };
      }),
    );
  }
  const [first, ...others] = proved;
  if (first === undefined) throw new RangeError("three samples were sent");
  const node = new Wallet(developmentKey(NODE), story.provider);
  const { pages, settlement } = storyContracts(node);
  const { proof, result, signature, words } = first;
  await (await settlement.settleZkml(result, words.flat(), proof, signature)).wait();
  const admitted = await (await pages.admitVersion(result)).wait();
  tell(
    `one answer settled by its proof opens the version to claims: ${gas(admitted?.gasUsed ?? 0n)}`,
  );
  await leaveDeposit(story.provider, node.address, DEFAULT_PAGE_PARAMETERS.minimumDeposit);
  return others;
}

/** An answer that is right: its proof is demanded, and given. */
export async function tellAnsweredDemand(story: Story, claim: Proved): Promise<void> {
  const { provider } = story;
  const node = new Wallet(developmentKey(NODE), provider);
  const page = await propose(story, claim);
  const doubter = new Wallet(developmentKey(DOUBTER), provider);
  await leaveDeposit(provider, doubter.address, DEMAND_DEPOSIT);
  const leaf = leafAt(page.content, page.content.results[0]?.index ?? 0);
  if (leaf === undefined) throw new RangeError("the page has one result");
  const theirs = storyContracts(doubter).pages;
  const demand = await (await theirs.demandProof(page.header, leaf.index)).wait();
  tell(`somebody demands its proof for ${opg(DEMAND_DEPOSIT)}: ${gas(demand?.gasUsed ?? 0n)}`);
  const { pages, settlement } = storyContracts(node);
  const proved = await (
    await pages.proveLeaf(page.header, leaf, claim.words.flat(), claim.proof)
  ).wait();
  const isSettled = await settlement.isSettled(claim.result.requestId);
  tell(
    `the node gives it and gets the deposit: ${gas(proved?.gasUsed ?? 0n)}; the answer is ` +
      `${isSettled ? "settled by its proof" : "not settled"}`,
  );
}

/** An answer that the model does not give: the watcher runs the model again, and nobody can prove it. */
export async function tellUnansweredDemand(
  story: Story & { watcher: Wallet },
  claim: Proved,
): Promise<void> {
  const { provider, wait, watcher } = story;
  await leaveDeposit(provider, watcher.address, DEMAND_DEPOSIT);
  const [input = [], output = []] = claim.words;
  const wrong = output.map((word, index) => (index === output.length - 1 ? word ^ 1n : word));
  const page = await propose(story, { ...claim, words: [input, wrong] });
  const contract = storyContracts(watcher).pages;
  const values = [page.pageId];
  const demanded = await wait("the watcher's demand", async () => {
    const [event] = await eventsOf({ provider, contract, name: "ProofDemanded", values });
    return event;
  });
  const demand = await gasUsedBy(provider, demanded.transactionHash);
  tell(
    `the watcher runs the model again, finds another answer and demands a proof: ${gas(demand)}`,
  );
  await pass(provider, PROVE_TIME + 1n);
  const refuted = await wait("the page's rejection", async () => {
    const [event] = await eventsOf({ provider, contract, name: "PageRefuted", values });
    return event;
  });
  const { reason, reward } = refuted.args;
  const rejected = await gasUsedBy(provider, refuted.transactionHash);
  const { state } = await contract.stateOfPage(page.pageId);
  tell(
    `a day later there is none (${PAGE_REASONS[Number(reason)]}): ${stateName(state)} for ${gas(rejected)}, ` +
      `and the watcher gets ${opg(reward)} and the deposit`,
  );
}

/** A page of one answer, which the node signs as it is given here. */
async function propose(story: Story, claim: Proved) {
  const { blobsUrl, provider } = story;
  const node = new Wallet(developmentKey(NODE), provider);
  const [input = [], output = []] = claim.words;
  const { settlement } = storyContracts(node);
  const domain = settlementDomain({
    chainId: BigInt(CHAIN_ID),
    settlement: await settlement.getAddress(),
  });
  const result = { ...claim.result, inputHash: hashWords(input), outputHash: hashWords(output) };
  const answer: Answer = {
    result,
    signature: await node.signTypedData(domain, INFERENCE_RESULT_TYPES, result),
    words: concat([...input, ...output].map((word) => toBeHex(word, 32))),
  };
  await pass(provider, 1n);
  const proposing = { blobsUrl, kind: 3, proposer: node, operator: node, fee: 0n } as const;
  const page = await proposePage({ ...proposing, answers: [answer] });
  tell(`the node claims an answer in a page, without a proof: ${gas(page.gas)}`);
  return page;
}
