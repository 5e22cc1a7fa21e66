import { documentHints } from "@haca/attestation/nitro/documentHints";
import { ATTESTATION_VENDORS } from "@haca/protocol/attestationVendors";
import { BaseError } from "@haca/protocol/baseError";
import { revertData } from "@haca/protocol/explainRevert";
import { gasLimitFor, TRANSACTION_GAS_LIMIT } from "@haca/protocol/gasLimit";
import { formatEther, hexlify, type Provider } from "ethers";
import type { ContractOf } from "../../lib/contracts.ts";
import { explainError } from "../../lib/explainError.ts";
import { grouped } from "../../lib/words.ts";
import type { TeeContracts } from "../teeContracts.ts";
import { FrontError } from "./frontError.ts";
import { soundDocument } from "./soundDocument.ts";

export type GateContext = {
  contracts: TeeContracts;
  /** the one that the registry asks; `account` sends its calls */
  verifier: ContractOf<"NitroAttestationVerifier">;
  /** certificates that the verifier has verified */
  store: ContractOf<"CertificateStore">;
  /** of the root that the store pins */
  rootFingerprint: string;
  provider: Provider;
  /** who pays */
  account: string;
  /** base URL of the enclave */
  enclave: string;
  /** most that all verifications together may cost, in wei */
  budget: bigint;
  /** begins when a document is asked for, and is aborted when the answer is due, whatever the chain does */
  deadline: () => AbortSignal;
  log: (line: string) => void;
};

/** After which a transaction that is not mined is given up; what it may have cost counts as spent. */
const MINING_MS = 600_000;

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
    if (this.#isBusy) {
      throw refused(503, "front.busy", "another document is being verified: ask again");
    }
    this.#isBusy = true;
    const deadline = this.#context.deadline();
    const late = new Promise<never>((_, reject) => {
      deadline.onabort = () => reject(tooLate());
    });
    const work = this.#verified(nonce, deadline).finally(() => {
      // One transaction of the account is in flight at most, whoever gave up on it.
      this.#isBusy = false;
    });
    try {
      return await Promise.race([work, late]);
    } catch (error) {
      throw this.#answerTo(error);
    } finally {
      deadline.onabort = null;
    }
  }

  async #verified(nonce: string, deadline: AbortSignal): Promise<Uint8Array> {
    const { document, teeId, result } = await soundDocument({ ...this.#context, nonce });
    if (await this.#isRegistered(teeId)) {
      this.#context.log(`node ${teeId} is registered: its document goes out without a transaction`);
      return document;
    }
    await this.#requireApproved(result.pcrHash);
    await this.#verify(document, deadline);
    return document;
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
      if (await registry.isImageApproved(pcrHash, type, ATTESTATION_VENDORS.nitro.verifierId))
        return;
    }
    throw refused(409, "front.notApproved", `image ${pcrHash} is not approved for any type`);
  }

  async #verify(document: Uint8Array, deadline: AbortSignal): Promise<void> {
    const { store, verifier, provider, account, budget, log } = this.#context;
    const isStored = (id: string): Promise<boolean> => store.isStored(id);
    const hints = await documentHints({ document, isStored });
    const values = [hexlify(document), hints.map((hint) => hexlify(hint))] as const;
    const gas = await verifier.verify.estimateGas(...values, { gasLimit: TRANSACTION_GAS_LIMIT });
    const gasLimit = gasLimitFor(gas);
    const { fees, ceiling } = await feesOf(provider);
    const worst = gasLimit * ceiling;
    if (this.#spent + worst > budget) {
      const [left, needed] = [budget - this.#spent, worst].map((amount) => formatEther(amount));
      const message = `${left} of the budget are left, and this verification may cost ${needed}`;
      throw refused(503, "front.budgetSpent", message);
    }
    const before = await provider.getBalance(account);
    // Nobody waits any more: it would be paid for nothing.
    if (deadline.aborted) throw tooLate();
    // Taken beforehand, so that what is never heard of again counts as spent.
    this.#spent += worst;
    const sent = await verifier.verify.send(...values, { gasLimit, ...fees });
    const receipt = await sent.wait(1, MINING_MS);
    // On a rollup a transaction costs more than its gas: the balance knows.
    const cost = before - (await provider.getBalance(account));
    this.#spent -= worst - (cost > 0n ? cost : (receipt?.fee ?? worst));
    log(
      `verified     ${sent.hash}, gas ${grouped(receipt?.gasUsed ?? 0n)}; ` +
        `${formatEther(this.#spent)} of ${formatEther(budget)} spent`,
    );
  }

  /** Who asks is told what concerns them; what the enclave's side and the chain said is the operator's to read. */
  #answerTo(error: unknown): FrontError {
    const known =
      error instanceof BaseError ? error : explainError({ error, action: "verification" });
    this.#context.log(`refused      ${known.code}: ${known.message}`);
    if (known instanceof FrontError) return known;
    const message = "the document could not be verified: the front's log says why";
    return new FrontError({ status: 502, code: known.code, message, cause: error });
  }
}

/** What to offer for gas, and the most that it can cost, in wei. */
async function feesOf(provider: Provider) {
  const { maxFeePerGas, maxPriorityFeePerGas, gasPrice } = await provider.getFeeData();
  if (maxFeePerGas === null) return { fees: { gasPrice }, ceiling: gasPrice ?? 0n };
  return { fees: { maxFeePerGas, maxPriorityFeePerGas }, ceiling: maxFeePerGas };
}

const refused = (status: number, code: string, message: string): FrontError =>
  new FrontError({ status, code, message });

const tooLate = (): FrontError =>
  refused(504, "front.late", "the verification takes too long: ask again later");
