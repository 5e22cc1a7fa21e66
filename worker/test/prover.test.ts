import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { circuitInput } from "@haca/model-runtime/circuitInput";
import { loadModel } from "@haca/model-runtime/loadModel";
import { quantiseInput } from "@haca/model-runtime/quantise";
import { runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { contextOf, settlementDomain } from "@haca/protocol/inferenceResult";
import { packWords } from "@haca/protocol/packedWords";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NonRetryableError, RetryableError } from "../src/errors.ts";
import { type NewJob, resultOf } from "../src/jobs/job.ts";
import type { ServedModel } from "../src/models/servedModel.ts";
import type { CircuitSignals, Proof, Prover } from "../src/prover/prover.ts";
import { SnarkjsPool } from "../src/prover/snarkjsPool.ts";
import { SnarkjsProver } from "../src/prover/snarkjsProver.ts";
import { proveJob } from "../src/roles/prove/proveJob.ts";
import { provingModelOf } from "../src/start/provingModelOf.ts";
import { compileDigits, digit } from "./support/digits.ts";
import { newJob } from "./support/newJob.ts";

const domain = settlementDomain({ chainId: 1n, settlement: `0x${"12".repeat(20)}` });
const prover = new SnarkjsProver({ onOutput: () => undefined });
let model: ServedModel;
let job: NewJob;
let signals: CircuitSignals;
let modelId: string;

beforeAll(async () => {
  const { folder } = await compileDigits();
  const loaded = await loadModel({ folder });
  const { manifest, integerModel } = loaded;
  modelId = manifest.hashes.zkey;
  const keyFile = join(folder, manifest.files.verificationKey);
  model = {
    ...loaded,
    slug: "digits",
    major: 1,
    minor: 0,
    version: "1.0",
    versionId: "0x01",
    provable: ["0x01"],
    status: "published",
    verifyingKey: JSON.parse(readFileSync(keyFile, "utf8")),
  };
  const input = quantiseInput({ manifest, values: digit(0) });
  const outputs = runIntegerModel({ integerModel, input });
  job = {
    ...newJob({ nonce: 0n }),
    inputWords: packWords({ layouts: [manifest.input.layout], integers: input }),
    outputWords: packWords({
      layouts: manifest.outputs.map(({ layout }) => layout),
      integers: outputs.flat(),
    }),
  };
  const context = contextOf({ domain, result: resultOf(job) });
  ({ signals } = circuitInput({ manifest, input, outputs, context }));
  await prover.load({ model: provingModelOf(model) });
});
afterAll(() => prover.close());

describe("SnarkjsProver", () => {
  it("proves, verifies, and refuses a proof for other signals", async () => {
    const { proof, publicSignals, timings } = await prover.prove({ modelId, signals });
    expect(timings.proveMs).toBeGreaterThan(0);
    expect(await prover.verify({ modelId, proof, publicSignals })).toBe(true);
    const [first, ...rest] = publicSignals;
    const others = [String(BigInt(first ?? 0) + 1n), ...rest];
    expect(await prover.verify({ modelId, proof, publicSignals: others })).toBe(false);
  });

  it("refuses signals that the circuit refuses, for good", async () => {
    const wrong = { ...signals, outputWords: ["1"] };
    const proving = prover.prove({ modelId, signals: wrong });
    await expect(proving).rejects.toThrow(NonRetryableError);
    await expect(proving).rejects.toMatchObject({ code: "prover.witnessRefused" });
  });

  it("calculates one witness after the other, also after a refusal, as if each were the first", async () => {
    const folder = mkdtempSync(join(tmpdir(), "haca-witnesses-"));
    const read = async (name: string, of: CircuitSignals): Promise<Buffer> => {
      const path = join(folder, name);
      await prover.writeWitness({ modelId, signals: of, path });
      return readFileSync(path);
    };
    try {
      const first = await read("first", signals);
      const other = await read("other", { ...signals, context: "7" });
      expect(other).not.toEqual(first);
      const refused = read("refused", { ...signals, outputWords: ["1"] });
      await expect(refused).rejects.toMatchObject({ code: "prover.witnessRefused" });
      expect(await read("again", signals)).toEqual(first);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("does not know a model that was not loaded", async () => {
    const proving = prover.prove({ modelId: "0xff", signals });
    await expect(proving).rejects.toMatchObject({ code: "prover.modelNotLoaded" });
  });

  it("leaves the event loop free", async () => {
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 1);
    await prover.prove({ modelId, signals });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(1);
  });

  it("fails what a thread was asked when it ends, and starts another with the same models", async () => {
    const mortal = new SnarkjsProver({ onOutput: () => undefined });
    await mortal.load({ model: provingModelOf(model) });
    const proving = mortal.prove({ modelId, signals });
    await mortal.restart();
    await expect(proving).rejects.toThrow(RetryableError);
    expect((await mortal.prove({ modelId, signals })).publicSignals).toHaveLength(4);
    const last = mortal.prove({ modelId, signals });
    await mortal.close();
    await expect(last).rejects.toMatchObject({ code: "prover.threadEnded" });
    await expect(mortal.prove({ modelId, signals })).rejects.toThrow(/the prover is closed/);
  });

  it("ends a proof at a signal, and makes the next one in another thread", async () => {
    const mortal = new SnarkjsProver({ onOutput: () => undefined });
    await mortal.load({ model: provingModelOf(model) });
    const interruption = new AbortController();
    const { signal } = interruption;
    const proving = mortal.prove({ modelId, signals, signal });
    const next = mortal.prove({ modelId, signals });
    setImmediate(() => interruption.abort());
    await expect(proving).rejects.toMatchObject({ code: "prover.threadEnded" });
    await expect(next).rejects.toMatchObject({ code: "prover.threadEnded" });
    const late = mortal.prove({ modelId, signals, signal });
    await expect(late).rejects.toThrow("interrupted");
    expect((await mortal.prove({ modelId, signals })).publicSignals).toHaveLength(4);
    await mortal.close();
  });
});

describe("SnarkjsPool", () => {
  it("starts a thread when all are busy, never more than it may, each with every model", async () => {
    const pool = new SnarkjsPool({ threads: 2, onOutput: () => undefined });
    await pool.load({ model: provingModelOf(model) });
    const prove = async () => {
      const { proof, publicSignals } = await pool.prove({ modelId, signals });
      return await pool.verify({ modelId, proof, publicSignals });
    };
    expect(await prove()).toBe(true);
    expect(pool.size).toBe(1);
    expect(await Promise.all([prove(), prove(), prove()])).toEqual([true, true, true]);
    expect(pool.size).toBe(2);
    await pool.close();
  });
});

describe("proveJob", () => {
  const withProver = (replaced: Partial<Prover>) =>
    proveJob({
      job,
      model,
      domain,
      prover: {
        load: (parameters) => prover.load(parameters),
        prove: (parameters) => prover.prove(parameters),
        verify: (parameters) => prover.verify(parameters),
        close: async () => undefined,
        ...replaced,
      },
    });

  it("returns a proof of the job's own words and context", async () => {
    const { publicSignals } = await withProver({});
    const context = contextOf({ domain, result: resultOf(job) });
    expect(publicSignals).toEqual([...job.inputWords, ...job.outputWords, context].map(String));
  });

  it("refuses a proof of something else", async () => {
    const lie = async (parameters: Parameters<Prover["prove"]>[0]): Promise<Proof> => {
      const honest = await prover.prove(parameters);
      return { ...honest, publicSignals: honest.publicSignals.with(3, "5") };
    };
    await expect(withProver({ prove: lie })).rejects.toMatchObject({
      code: "prover.signalsDiffer",
    });
  });

  it("refuses a proof that does not verify", async () => {
    const spoil = async (parameters: Parameters<Prover["prove"]>[0]): Promise<Proof> => {
      const honest = await prover.prove(parameters);
      return { ...honest, proof: { ...honest.proof, pi_a: honest.proof.pi_c } };
    };
    await expect(withProver({ prove: spoil })).rejects.toMatchObject({
      code: "prover.proofInvalid",
    });
  });

  it("cannot prove a wrong answer", async () => {
    const lie = { ...job, outputWords: job.outputWords.map((word) => word ^ 1n) };
    await expect(proveJob({ job: lie, model, prover, domain })).rejects.toMatchObject({
      code: "prover.witnessRefused",
    });
  });
});
