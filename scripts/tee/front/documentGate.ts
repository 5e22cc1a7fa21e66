import { setTimeout as delay } from "node:timers/promises";
import { documentHints } from "@haca/attestation/nitro/documentHints";
import { VERIFIER_IDS } from "@haca/protocol/attestationVendors";
import { BaseError } from "@haca/protocol/baseError";
import { revertData } from "@haca/protocol/explainRevert";
import { formatEther, hexlify, type Provider } from "ethers";
import type { ContractOf } from "../../lib/contracts.ts";
import { explainError, TRANSACTION_GAS_LIMIT } from "../../lib/explainError.ts";
import { gasLimitFor } from "../../lib/sendCall.ts";
import { grouped } from "../../lib/words.ts";
import type { TeeContracts } from "../teeContracts.ts";
import { FrontError } from "./frontError.ts";
import { soundDocument } from "./soundDocument.ts";

export type GateContext = {
  contracts: TeeContracts;
  /** the one that the registry asks; `account` sends its calls */
  verifier: ContractOf<"NitroAttestationVerifier">;
  provider: Provider;
  /** who pays */
  account: string;
  /** base URL of the enclave */
  enclave: string;
  /** most that all verifications together may cost, in wei */
  budget: bigint;
  /** after which a request gets its answer, whatever the chain does */
  deadlineMs: number;
  log: (line: string) => void;
};

type Fees = { maxFeePerGas: bigint; maxPriorityFeePerGas: bigint };

/**
 * Lets out an enclave's documents once the verifier has them on record, one at a time: a document is fetched, judged here,
 * verified on-chain, and given when that is mined. For a node that is registered it is given without a transaction,
 * because nothing is to be registered by it any more.
 */
export class DocumentGate {
  readonly #context: GateContext;
  #spent = 0n;
  #isBusy = false;

  constructor(context: GateContext) {
    this.#context = context;
  }

  /**
   * The document for a nonce of 20 bytes, 0x and hex.
   * @throws FrontError, and never a document whose verification failed or is not known to have passed
   */
  async open(nonce: string): Promise<Uint8Array> {
    if (this.#isBusy)
      throw refused(503, "front.busy", "another document is being verified: ask again");
    this.#isBusy = true;
    let mined: Promise<void> | undefined;
    try {
      const { document, teeId, verdict } = await soundDocument({ ...this.#context, nonce });
      if (await this.#isRegistered(teeId)) {
        this.#context.log(
          `node ${teeId} is registered: its document goes out without a transaction`,
        );
        return document;
      }
      await this.#requireApproved(verdict.pcrHash);
      const deadline = delay(this.#context.deadlineMs, undefined, { ref: false });
      ({ mined } = await this.#send(document));
      const isMined = await Promise.race([mined.then(() => true), deadline.then(() => false)]);
      if (isMined) return document;
      throw refused(504, "front.notMined", "the verification is not mined yet: ask again later");
    } catch (error) {
      throw frontError(error);
    } finally {
      // One transaction of the account is in flight at most: the next document waits for it, whoever gave up on it.
      const settled = mined?.catch(() => undefined) ?? Promise.resolve();
      void settled.then(() => {
        this.#isBusy = false;
      });
    }
  }

  async #isRegistered(teeId: string): Promise<boolean> {
    try {
      await this.#context.contracts.registry.nodeOf(teeId);
      return true;
    } catch (error) {
      if (revertData(error) !== undefined) return false;
      throw error;
    }
  }

  /** A registration would fail on another image, so its verification would be paid for nothing. */
  async #requireApproved(pcrHash: string): Promise<void> {
    const { registry } = this.#context.contracts;
    const [types] = await registry.getTEETypes();
    for (const type of types) {
      if (await registry.isImageApproved(pcrHash, type, VERIFIER_IDS.nitro)) return;
    }
    throw refused(409, "front.notApproved", `image ${pcrHash} is not approved for any type`);
  }

  /** Sends the verification. `mined` settles when it is mined, or is known not to be. */
  async #send(document: Uint8Array): Promise<{ mined: Promise<void> }> {
    const { contracts, verifier, provider, account, budget, log } = this.#context;
    const isStored = (id: string): Promise<boolean> => contracts.store.isStored(id);
    const hints = await documentHints({ document, isStored });
    const values = [hexlify(document), hints.map((hint) => hexlify(hint))] as const;
    const gas = await verifier.verify.estimateGas(...values, { gasLimit: TRANSACTION_GAS_LIMIT });
    const gasLimit = gasLimitFor(gas);
    const fees = await feesOf(provider);
    const worst = gasLimit * fees.maxFeePerGas;
    if (this.#spent + worst > budget) {
      const [left, needed] = [budget - this.#spent, worst].map((amount) => formatEther(amount));
      const message = `${left} of the budget are left, and this verification may cost ${needed}`;
      log(`${message}: nothing is sent any more`);
      throw refused(503, "front.budgetSpent", message);
    }
    const before = await provider.getBalance(account);
    // Taken off beforehand, so that what is never heard of again counts as spent.
    this.#spent += worst;
    const sent = await verifier.verify.send(...values, { gasLimit, ...fees }).catch((error) => {
      this.#spent -= worst;
      throw error;
    });
    const mined = (async () => {
      const receipt = await sent.wait();
      // On a rollup a transaction costs more than its gas: the balance knows.
      const cost = before - (await provider.getBalance(account));
      this.#spent -= worst - (cost > 0n ? cost : (receipt?.fee ?? 0n));
      log(
        `verified     ${sent.hash}, gas ${grouped(receipt?.gasUsed ?? 0n)}; ` +
          `${formatEther(this.#spent)} of ${formatEther(budget)} spent`,
      );
    })();
    return { mined };
  }
}

async function feesOf(provider: Provider): Promise<Fees> {
  const { maxFeePerGas, maxPriorityFeePerGas, gasPrice } = await provider.getFeeData();
  const ceiling = maxFeePerGas ?? gasPrice ?? 0n;
  return { maxFeePerGas: ceiling, maxPriorityFeePerGas: maxPriorityFeePerGas ?? ceiling };
}

const refused = (status: number, code: string, message: string): FrontError =>
  new FrontError({ status, code, message });

/** Whatever failed, as an answer: the enclave's and the chain's failures are not those of who asked. */
function frontError(error: unknown): FrontError {
  if (error instanceof FrontError) return error;
  const known = error instanceof BaseError ? error : explainError({ error, action: "verify" });
  const { code, message } = known;
  return new FrontError({ status: 502, code, message, cause: error });
}
