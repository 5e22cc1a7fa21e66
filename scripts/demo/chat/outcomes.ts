import { BaseError } from "@haca/protocol/baseError";
import { escrowInterface } from "@haca/protocol/escrowCalls";
import { DEFAULT_PAGE_PARAMETERS } from "@haca/protocol/pageSettlement";
import { type JsonRpcProvider, Wallet } from "ethers";
import type { ProcessGroup } from "../../lib/processGroup.ts";
import type { Report } from "../../lib/progress.ts";
import { developmentKey } from "../localChain.ts";
import { pass, storyContracts } from "../validators/storyContracts.ts";
import { answerClocks, type Clock, clockOf, endOf, heldJob, workerJob } from "./clocks.ts";
import type { ChatAnswer } from "./payer.ts";

/** Who gives money back at the deadline: anybody. */
const ANYBODY = 17;

/** Where the answers' payments are held, and the worker that is to capture them. */
type Outcome = {
  provider: JsonRpcProvider;
  group: ProcessGroup;
  /** address of InferenceEscrow */
  escrow: string;
  workerUrl: string;
  workerName: string;
  timeoutMs: number;
};

/** Waits until the answers are in a page, lets that become final, and waits for the captures. Returns each one's clocks. */
export async function tellCaptured(
  parameters: Outcome & { answers: readonly ChatAnswer[]; report: Report },
): Promise<Clock[][]> {
  const { answers, escrow, group, provider, report, workerName, workerUrl } = parameters;
  const wait = <T>(probe: () => Promise<T | undefined>): Promise<T> =>
    group.waitFor({
      ...{ name: workerName, timeoutMs: parameters.timeoutMs },
      // This chain has blocks only where somebody sends something.
      probe: async () => {
        await provider.send("evm_mine", []);
        return await probe();
      },
    });
  report("waiting for the page");
  const proposals = await wait(async () => {
    const jobs = await Promise.all(answers.map(({ requestId }) => workerJob(workerUrl, requestId)));
    const hashes = jobs.flatMap(({ state, transaction }) =>
      state === "pending" ? [transaction?.hash ?? ""] : [],
    );
    return hashes.length === answers.length ? hashes : undefined;
  });
  const finals = await Promise.all(proposals.map((hash) => endOfPage(provider, hash)));
  await pass(provider, DEFAULT_PAGE_PARAMETERS.longRoad + 1n);
  report("waiting for the captures");
  return await Promise.all(
    answers.map(async (answer, index) => {
      const { jobId } = await heldJob({ provider, escrow, paid: answer.paid });
      const transaction = await wait(async () => {
        const { status, transaction: hash } = await endOf({ provider, escrow, jobId });
        return status === "Captured" ? hash : undefined;
      });
      return [
        ...answerClocks(answer),
        await clockOf(provider, "paid", answer.paid),
        await clockOf(provider, "settled", proposals[index] ?? ""),
        { name: "final", at: finals[index] ?? 0, transaction: undefined } as const,
        await clockOf(provider, "captured", transaction),
      ];
    }),
  );
}

/** When the page that a transaction proposed is final, in unix seconds, if nobody challenges it. */
async function endOfPage(provider: JsonRpcProvider, hash: string): Promise<number> {
  const { pages } = storyContracts(new Wallet(developmentKey(ANYBODY), provider));
  const receipt = await provider.getTransactionReceipt(hash);
  const proposed = receipt?.logs
    .map((log) => pages.interface.parseLog(log))
    .find((log) => log?.name === "PageProposed");
  if (proposed == null) throw new RangeError(`${hash} proposed no page`);
  return Number((await pages.stateOfPage(proposed.args.pageId)).until);
}

/**
 * Lets the deadline of a payment come, and has anybody give it back, which was refused before. Returns its clocks.
 * @throws BaseError `demo.mismatch` where the payer has not all of it back
 */
export async function tellRefunded(
  parameters: Pick<Outcome, "provider" | "escrow"> & { answer: ChatAnswer },
): Promise<Clock[]> {
  const { answer, escrow, provider } = parameters;
  const runner = new Wallet(developmentKey(ANYBODY), provider);
  const { token } = storyContracts(runner);
  const { job, jobId } = await heldJob({ provider, escrow, paid: answer.paid });
  const before = await token.balanceOf(job.payer);
  const now = BigInt((await provider.getBlock("latest"))?.timestamp ?? 0);
  if (job.deadline > now) await pass(provider, job.deadline - now);
  const data = escrowInterface.encodeFunctionData("refund", [job]);
  const receipt = await (await runner.sendTransaction({ to: escrow, data })).wait();
  const { status } = await endOf({ provider, escrow, jobId });
  if (status !== "Refunded" || (await token.balanceOf(job.payer)) !== before + job.amount) {
    const message = `the payment of ${answer.requestId} is ${status}, and not given back whole`;
    throw new BaseError({ code: "demo.mismatch", message });
  }
  return [
    ...answerClocks(answer),
    await clockOf(provider, "paid", answer.paid),
    await clockOf(provider, "refunded", receipt?.hash ?? ""),
  ];
}
