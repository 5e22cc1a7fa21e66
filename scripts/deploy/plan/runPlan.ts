import { BaseError } from "@haca/protocol/baseError";
import { gasLimitFor } from "@haca/protocol/gasLimit";
import { getCreateAddress } from "ethers";
import { firstLine } from "../../lib/words.ts";
import { type Account, type ChainTransaction, isNonceInUse, type Receipt } from "./account.ts";
import { fingerprintOf, type Payload, type PlanEncoder } from "./encodePlan.ts";
import type { Intent, Journal, Mined } from "./journal.ts";
import type { Plan, Step } from "./plan.ts";

const POLL_MS = 500;
/** After so long without a block that takes the transaction, the command says what it waits for. */
const NOTICE_MS = 60_000;
/** How long an endpoint may lag behind what it has told before. */
const LAG_MS = 60_000;

type Report = (line: string) => void;

/**
 * Sends a plan's transactions one after another, or goes on where an earlier run stopped, and returns the transaction
 * of each step. What is mined already is not sent again: see `Journal`.
 *
 * Errors: `deploy.changed` (what was done was done with other code or parameters), `deploy.otherDeployer`,
 * `deploy.accountBusy` (the account has transactions of its own on the way), `deploy.refused` (a step would fail;
 * nothing was sent), `deploy.reverted` (it did), `deploy.interrupted` (chain or connection failed). Each says how far
 * the deployment is and how it goes on.
 */
export async function runPlan(parameters: {
  account: Account;
  plan: Plan;
  encoder: PlanEncoder;
  journal: Journal;
  /** first nonce of the account that may belong to a deployment which the journal does not know */
  adoptFrom?: number | undefined;
  report: Report;
}): Promise<ReadonlyMap<string, Mined>> {
  const { plan, journal, encoder, account, report } = parameters;
  const sender = new StepSender(parameters);
  const { steps } = plan;
  const done = new Map<string, Mined>();
  try {
    await sender.prepare(parameters.adoptFrom);
    for (const step of steps) {
      const before = journal.progressOf(step.id).mined;
      const mined = await sender.complete(step);
      done.set(step.id, mined);
      if (step.kind === "creation") {
        const address = getCreateAddress({ from: account.address, nonce: mined.nonce });
        encoder.setAddress(step.id, address);
      }
      if (before === undefined) report(`  ${done.size}/${steps.length} ${step.id} ${mined.hash}`);
    }
  } catch (cause) {
    if (cause instanceof BaseError && cause.code === "deploy.changed") throw cause;
    const { code, message } =
      cause instanceof BaseError
        ? cause
        : { code: "deploy.interrupted", message: firstLine(cause) };
    throw new BaseError({
      code,
      message: `${message}; ${done.size} of ${steps.length} transactions are done, and until the last one ${account.address} keeps its permissions; run the same command again to go on (journal ${journal.path})`,
      cause,
    });
  }
  return done;
}

class StepSender {
  readonly #account: Account;
  readonly #encoder: PlanEncoder;
  readonly #journal: Journal;
  readonly #report: Report;
  /** the account's transactions that no step is known to have made, by nonce */
  readonly #strangers = new Map<number, ChainTransaction>();
  #nextNonce = 0;

  constructor(parameters: {
    account: Account;
    encoder: PlanEncoder;
    journal: Journal;
    report: Report;
  }) {
    this.#account = parameters.account;
    this.#encoder = parameters.encoder;
    this.#journal = parameters.journal;
    this.#report = parameters.report;
  }

  /** Compares the journal with the chain. */
  async prepare(adoptFrom: number | undefined): Promise<void> {
    const { origin, lastNonce } = this.#journal;
    const { address } = this.#account;
    if (origin !== undefined && origin.deployer !== address) {
      throw new BaseError({
        code: "deploy.otherDeployer",
        message: `the deployment was begun by ${origin.deployer}, and HACA_DEPLOYER_KEY is that of ${address}`,
      });
    }
    const count = await this.#account.count("latest");
    const head = await this.#account.head();
    // A block that was taken back took its transactions with it; they are on the way again.
    for (const { step, nonce, dataHash, block } of this.#journal.minedSteps()) {
      if (nonce < count) continue;
      this.#journal.intend({ step, nonce, dataHash, afterBlock: Math.min(block, head) });
    }
    const first = lastNonce === undefined ? (adoptFrom ?? count) : lastNonce + 1;
    for (let nonce = first; nonce < count; nonce += 1) {
      this.#strangers.set(nonce, await this.#account.find({ nonce, after: 0 }));
    }
    this.#nextNonce = Math.max(first, count);
  }

  async complete(step: Step): Promise<Mined> {
    const payload = await this.#encoder.encode(step);
    const dataHash = fingerprintOf(payload);
    const { mined, intent: earlier } = this.#journal.progressOf(step.id);
    if (mined !== undefined) {
      if (mined.dataHash !== dataHash) throw this.#changed(step);
      return mined;
    }
    if (earlier !== undefined && earlier.dataHash !== dataHash) await this.#giveUp(step, earlier);
    const adopted = await this.#adopt(step, dataHash);
    if (adopted !== undefined) return adopted;
    for (;;) {
      const intent =
        this.#journal.progressOf(step.id).intent ?? (await this.#intend(step, dataHash));
      if ((await this.#account.count("latest")) <= intent.nonce) {
        await this.#send({ step, intent, payload });
        await this.#wait(intent);
      }
      const result = await this.#settle(step, intent);
      if (result !== undefined) return result;
    }
  }

  /** Binds the step to the account's next nonce. */
  async #intend(step: Step, dataHash: string): Promise<Intent> {
    const nonce = this.#nextNonce;
    const deadline = Date.now() + LAG_MS;
    let pending = await this.#account.count("pending");
    while (pending < nonce && Date.now() < deadline) {
      await pause();
      pending = await this.#account.count("pending");
    }
    if (pending !== nonce) {
      throw new BaseError({
        code: "deploy.accountBusy",
        message:
          pending > nonce
            ? `${this.#account.address} has ${pending - nonce} transactions on the way that are not this deployment's: wait until they are mined, and let nothing else use the account`
            : `the endpoint knows ${pending} transactions of ${this.#account.address}, ${nonce} are mined: it lags behind`,
      });
    }
    const intent = { step: step.id, nonce, dataHash, afterBlock: await this.#account.head() };
    this.#journal.intend(intent);
    this.#nextNonce = nonce + 1;
    return intent;
  }

  /** A lost answer does not matter where the chain has the transaction. */
  async #send(parameters: { step: Step; intent: Intent; payload: Payload }): Promise<void> {
    const { step, intent, payload } = parameters;
    const { nonce } = intent;
    const gas = await this.#gasOf(step, payload);
    try {
      const hash = await this.#account.send({ ...payload, nonce, gas });
      this.#journal.sent({ step: step.id, nonce, hash });
    } catch (error) {
      if (isNonceInUse(error)) return;
      if ((await this.#account.count("pending")) <= nonce) throw error;
    }
  }

  async #gasOf(step: Step, payload: Payload): Promise<bigint> {
    try {
      return gasLimitFor(await this.#account.estimate(payload));
    } catch (cause) {
      throw new BaseError({
        code: "deploy.refused",
        message: `${step.id} would fail and was not sent: ${firstLine(cause)}`,
        cause,
      });
    }
  }

  async #wait({ step, nonce }: Intent): Promise<void> {
    let notice = Date.now() + NOTICE_MS;
    while ((await this.#account.count("latest")) <= nonce) {
      if (Date.now() > notice) {
        this.#report(
          `  waiting until transaction ${nonce} of ${this.#account.address} (${step}) is mined; the command may be stopped and run again, which offers the fee of that time`,
        );
        notice = Number.POSITIVE_INFINITY;
      }
      await pause();
    }
  }

  /** What became of the transaction with the intent's nonce; undefined if the step is still to be done. */
  async #settle(step: Step, intent: Intent): Promise<Mined | undefined> {
    const { hashes } = this.#journal.progressOf(step.id);
    let receipt: Receipt | null = null;
    for (const hash of hashes) receipt ??= await this.#account.receipt(hash);
    if (receipt === null) {
      const found = await this.#account.find({ nonce: intent.nonce, after: intent.afterBlock });
      if (fingerprintOfMined(found) !== intent.dataHash) {
        this.#journal.void(step.id, intent.nonce);
        this.#nextNonce = Math.max(this.#nextNonce, intent.nonce + 1);
        return undefined;
      }
      receipt = await this.#account.receipt(found.hash);
    }
    if (receipt === null) throw new Error(`no receipt for transaction ${intent.nonce}, ${step.id}`);
    return this.#record(intent, receipt);
  }

  #record(intent: Intent, receipt: Receipt): Mined {
    const { step, nonce, dataHash } = intent;
    if (BigInt(receipt.status) !== 1n) {
      this.#journal.void(step, nonce);
      throw new BaseError({
        code: "deploy.reverted",
        message: `${step} failed in transaction ${receipt.transactionHash} and changed nothing`,
      });
    }
    const { transactionHash: hash } = receipt;
    const mined = { step, nonce, hash, block: Number(receipt.blockNumber), dataHash };
    this.#journal.mined(mined);
    return mined;
  }

  /** A step that was sent by a run whose journal is not this one. */
  async #adopt(step: Step, dataHash: string): Promise<Mined | undefined> {
    for (const [nonce, transaction] of this.#strangers) {
      if (fingerprintOfMined(transaction) !== dataHash) continue;
      const receipt = await this.#account.receipt(transaction.hash);
      if (receipt === null || BigInt(receipt.status) !== 1n) continue;
      this.#strangers.delete(nonce);
      const intent = { step: step.id, nonce, dataHash, afterBlock: Number(receipt.blockNumber) };
      this.#journal.intend(intent);
      return this.#record(intent, receipt);
    }
    return undefined;
  }

  /** Leaves a transaction that was meant to be sent with other parameters, if the chain never got it. */
  async #giveUp(step: Step, earlier: Intent): Promise<void> {
    if ((await this.#account.count("pending")) > earlier.nonce) {
      if ((await this.#account.count("latest")) <= earlier.nonce) throw this.#changed(step);
      const found = await this.#account.find({ nonce: earlier.nonce, after: earlier.afterBlock });
      const known = this.#journal.progressOf(step.id).dataHashes;
      if (known.has(fingerprintOfMined(found))) throw this.#changed(step);
    } else {
      this.#nextNonce = earlier.nonce;
    }
    this.#journal.void(step.id, earlier.nonce);
  }

  #changed(step: Step): BaseError {
    const commit = this.#journal.origin?.gitCommit ?? "an unknown commit";
    return new BaseError({
      code: "deploy.changed",
      message: `${step.id} was sent with other code or parameters than these: use the parameters of that time and, if the contracts have changed since, commit ${commit}; nothing was changed now (journal ${this.#journal.path})`,
    });
  }
}

const fingerprintOfMined = ({ to, input }: ChainTransaction): string =>
  fingerprintOf({ ...(to === null ? {} : { to }), data: input });

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, POLL_MS));
