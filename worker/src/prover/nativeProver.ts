import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Groth16ProofJson } from "@haca/protocol/groth16";
import { describeError, NonRetryableError, RetryableError } from "../errors.ts";
import { type Greeting, NativeProcess, NativeRefusal } from "./nativeProcess.ts";
import type { Proof, Prover, Proving, ProvingModel } from "./prover.ts";
import { SnarkjsPool } from "./snarkjsPool.ts";

/** Time for a proof or for loading a key; far above what the largest circuits take. */
const TIMEOUT_MS = 10 * 60_000;

/**
 * Proofs from the native prover, witnesses from the thread in which snarkjs is. Where the native prover breaks, snarkjs makes the proof: slower,
 * and just as good.
 *
 * `verify` is snarkjs' too: another implementation than the one that made the proof, against the model's own
 * verifying key and not the one inside the zkey.
 */
export class NativeProver implements Prover {
  readonly #native: NativeProcess;
  readonly #snarkjs: SnarkjsPool;
  readonly #models = new Map<string, ProvingModel>();
  readonly #timeoutMs: number;
  readonly #onFallback: (reason: string) => void;
  #folder: Promise<string> | undefined;

  /**
   * @param parameters.onOutput takes what snarkjs and the native prover print
   * @param parameters.onFallback is told why snarkjs makes a proof
   */
  constructor(parameters: {
    program: string;
    /** of `serve` */
    parameters?: readonly string[];
    timeoutMs?: number;
    /** snarkjs threads */
    threads?: number;
    onGreeting?: (greeting: Greeting) => void;
    onOutput: (line: string) => void;
    onFallback: (reason: string) => void;
  }) {
    this.#native = new NativeProcess(parameters);
    this.#snarkjs = new SnarkjsPool({ threads: 1, ...parameters });
    this.#timeoutMs = parameters.timeoutMs ?? TIMEOUT_MS;
    this.#onFallback = parameters.onFallback;
  }

  async load(parameters: { model: ProvingModel }): Promise<void> {
    const { model } = parameters;
    await this.#snarkjs.load(parameters);
    this.#models.set(model.id, model);
    try {
      await this.#ask({ op: "load", zkey: model.zkeyPath, sha256: model.id });
    } catch (error) {
      // The native prover is asked again with every proof.
      this.#onFallback(describeError(error));
    }
  }

  async prove(parameters: Proving): Promise<Proof> {
    const { modelId, signal } = parameters;
    const model = this.#models.get(modelId);
    if (model === undefined) {
      throw new RetryableError({
        code: "prover.modelNotLoaded",
        message: `model ${modelId} is not loaded`,
      });
    }
    let path: string | undefined;
    try {
      path = join(await this.#witnessFolder(), `${randomUUID()}.wtns`);
      const { witnessMs } = await this.#snarkjs.writeWitness({ ...parameters, path });
      const started = performance.now();
      const { proof, publicSignals } = await this.#proveNatively({ model, path, signal });
      const timings = { witnessMs, proveMs: performance.now() - started };
      return { backend: "native", proof, publicSignals, timings };
    } catch (error) {
      if (signal?.aborted) throw error;
      const isFinal = error instanceof NonRetryableError || error instanceof RetryableError;
      // snarkjs needs no file for its witness.
      if (isFinal && error.code !== "prover.witnessUnwritable") throw error;
      this.#onFallback(describeError(error));
      return await this.#snarkjs.prove(parameters);
    } finally {
      if (path !== undefined) await rm(path, { force: true });
    }
  }

  async verify(parameters: Parameters<Prover["verify"]>[0]): Promise<boolean> {
    return await this.#snarkjs.verify(parameters);
  }

  async close(): Promise<void> {
    await Promise.all([this.#native.close(), this.#snarkjs.close()]);
    const folder = await this.#folder?.catch(() => undefined);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }

  /** As `close`, but the next request starts the processes again. */
  async restart(): Promise<void> {
    await Promise.all([this.#native.kill(), this.#snarkjs.restart()]);
  }

  async #witnessFolder(): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), "haca-witness-"));
    try {
      return await this.#folder;
    } catch (error) {
      // Asked for again with the next proof: there may be room by then.
      this.#folder = undefined;
      throw error;
    }
  }

  async #proveNatively(parameters: {
    model: ProvingModel;
    path: string;
    signal: AbortSignal | undefined;
  }): Promise<Pick<Proof, "proof" | "publicSignals">> {
    const { path: witness, signal } = parameters;
    const { id, zkeyPath } = parameters.model;
    try {
      const request = { op: "prove", zkey: zkeyPath, sha256: id, witness };
      const result = await this.#ask(request, signal);
      return result as { proof: Groth16ProofJson; publicSignals: string[] };
    } catch (error) {
      if (!(error instanceof NativeRefusal)) throw error;
      if (error.code === "witness.unsatisfied") {
        throw new NonRetryableError({
          code: "prover.witnessRefused",
          message: `the signals break a constraint: ${error.message}`,
          cause: error,
        });
      }
      if (error.code === "queue.full") {
        throw new RetryableError({
          code: "prover.busy",
          message: error.message,
          cause: error,
        });
      }
      throw error;
    }
  }

  async #ask(
    request: { op: string } & Record<string, unknown>,
    signal?: AbortSignal,
  ): Promise<unknown> {
    return await this.#native.ask({ request, timeoutMs: this.#timeoutMs, signal });
  }
}
