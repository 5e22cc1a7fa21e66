import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { circuitInput } from "@haca/model-runtime/circuitInput";
import { loadModel } from "@haca/model-runtime/loadModel";
import { quantiseInput } from "@haca/model-runtime/quantise";
import { runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import type { VerifyingKeyJson } from "@haca/protocol/groth16";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { NonRetryableError, RetryableError, StartError } from "../src/errors.ts";
import { findNativeProver } from "../src/prover/createProver.ts";
import {
  type Greeting,
  NativeBroken,
  NativeProcess,
  NativeRefusal,
} from "../src/prover/nativeProcess.ts";
import { NativeProver } from "../src/prover/nativeProver.ts";
import type { CircuitSignals, Prover, ProvingModel } from "../src/prover/prover.ts";
import { builtProgram } from "./support/builtPrograms.ts";
import { compileDigits, digit } from "./support/digits.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";

const ROOT = join(import.meta.dirname, "../..");
const RELEASE = join(ROOT, "prover/target/release/haca-prover");
const BUILT = builtProgram("haca-prover") ?? RELEASE;
const SCRIPTED = join(import.meta.dirname, "support/scriptedProver.mjs");
/** Long enough for any answer that comes at all. */
const PATIENCE_MS = 60_000;

let model: ProvingModel;
let signals: CircuitSignals;
let opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  const { folder } = await compileDigits();
  const { manifest, integerModel } = await loadModel({ folder });
  const { hashes, files } = manifest;
  const verifyingKey: VerifyingKeyJson = JSON.parse(
    readFileSync(join(folder, files.verificationKey), "utf8"),
  );
  model = {
    id: hashes.zkey,
    zkeyPath: join(folder, files.zkey),
    planPath: join(folder, files.plan),
    verifyingKey,
  };
  const input = quantiseInput({ manifest, values: digit(0) });
  const outputs = runIntegerModel({ integerModel, input });
  ({ signals } = circuitInput({ manifest, input, outputs, context: 5n }));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(opened.map((each) => each.close()));
  opened = [];
});

function nativeProver(parameters: {
  program: string;
  parameters?: string[];
  script?: string[];
  timeoutMs?: number;
  onOutput?: (line: string) => void;
  onGreeting?: (greeting: Greeting) => void;
}): { prover: NativeProver; fallbacks: string[] } {
  vi.stubEnv("HACA_TEST_NATIVE_PROVER", JSON.stringify(parameters.script ?? []));
  const fallbacks: string[] = [];
  const prover = new NativeProver({
    timeoutMs: PATIENCE_MS,
    onOutput: () => undefined,
    ...parameters,
    onFallback: (reason) => fallbacks.push(reason),
  });
  opened.push(prover);
  return { prover, fallbacks };
}

async function proveAndVerify(prover: Prover): Promise<void> {
  const { proof, publicSignals, timings } = await prover.prove({ modelId: model.id, signals });
  expect(publicSignals).toHaveLength(4);
  expect(publicSignals.at(-1)).toBe("5");
  expect(timings.witnessMs).toBeGreaterThan(0);
  expect(await prover.verify({ modelId: model.id, proof, publicSignals })).toBe(true);
}

describe.skipIf(!existsSync(BUILT))("NativeProver with the built native prover", () => {
  it("makes proofs that snarkjs verifies, and leaves no witness behind", async () => {
    // A folder of its own: other provers of this machine have their witnesses beside each other.
    const own = temporaryFolder();
    vi.stubEnv("TMPDIR", own);
    const { prover, fallbacks } = nativeProver({ program: BUILT });
    await prover.load({ model });
    await proveAndVerify(prover);
    expect(readdirSync(own)).toEqual([expect.stringMatching(/^haca-witness-/)]);
    await prover.close();
    expect(fallbacks).toEqual([]);
    expect(readdirSync(own)).toEqual([]);
  });

  it("refuses signals that the circuit refuses, for good", async () => {
    const { prover } = nativeProver({ program: BUILT });
    await prover.load({ model });
    const wrong = { ...signals, outputWords: ["1"] };
    const proving = prover.prove({ modelId: model.id, signals: wrong });
    await expect(proving).rejects.toThrow(NonRetryableError);
  });

  it("makes proofs after its processes were killed", async () => {
    const { prover } = nativeProver({ program: BUILT });
    await prover.load({ model });
    await prover.restart();
    await proveAndVerify(prover);
  });

  it("bounds the native prover's keys, and is told what the native prover has", async () => {
    const greetings: Greeting[] = [];
    const { fallbacks, prover } = nativeProver({
      program: BUILT,
      parameters: ["--cache-mb", "1"],
      onGreeting: (greeting) => greetings.push(greeting),
    });
    await prover.load({ model });
    expect(fallbacks).toEqual([]);
    expect(greetings).toEqual([
      expect.objectContaining({ cacheBytes: 2 ** 20, threads: expect.any(Number) }),
    ]);
  });

  it("proves several inputs at once", async () => {
    const { prover, fallbacks } = nativeProver({ program: BUILT });
    await prover.load({ model });
    await Promise.all([1, 2, 3, 4].map(() => proveAndVerify(prover)));
    expect(fallbacks).toEqual([]);
  });
});

describe("NativeProver with a native prover that misbehaves", () => {
  const withScript = async (script: string[], timeoutMs = PATIENCE_MS) => {
    const opened = nativeProver({ program: SCRIPTED, script, timeoutMs });
    await opened.prover.load({ model });
    return opened;
  };

  it.each([
    ["exit", /ended with status 3/],
    ["key.unknown", /refused: key.unknown/],
    ["internal", /refused: internal/],
  ])("snarkjs makes the proof after %s", async (step, reason) => {
    const { prover, fallbacks } = await withScript([step]);
    await proveAndVerify(prover);
    expect(fallbacks).toHaveLength(1);
    expect(fallbacks[0]).toMatch(reason);
  });

  it("snarkjs makes the proof that a killed native prover was making", async () => {
    const { fallbacks, prover } = nativeProver({
      program: SCRIPTED,
      script: ["hang"],
      onOutput(line) {
        const [, pid] = /^(\d+) is proving$/.exec(line) ?? [];
        if (pid !== undefined) process.kill(Number(pid), "SIGKILL");
      },
    });
    await prover.load({ model });
    await proveAndVerify(prover);
    expect(fallbacks).toEqual([expect.stringMatching(/ended with SIGKILL/)]);
  });

  it("ends at a signal, without snarkjs, and the next proof is made by another process at once", async () => {
    const own = temporaryFolder();
    const released = join(own, "released");
    const interruption = new AbortController();
    const { fallbacks, prover } = nativeProver({
      program: SCRIPTED,
      script: [`hang until ${released}`],
      onOutput(line) {
        if (line.endsWith("is proving")) interruption.abort();
      },
    });
    await prover.load({ model });
    const { signal } = interruption;
    const proving = prover.prove({ modelId: model.id, signals, signal });
    await expect(proving).rejects.toMatchObject({ code: "prover.nativeBroken" });
    await expect(prover.prove({ modelId: model.id, signals, signal })).rejects.toThrow();
    expect(fallbacks).toEqual([]);
    writeFileSync(released, "");
    await proveAndVerify(prover);
    expect(fallbacks).toEqual([expect.stringMatching(/refused: released/)]);
  });

  it("snarkjs makes the proof while no witness can be written, and only then", async () => {
    const { fallbacks, prover } = await withScript(["key.unknown"]);
    const own = temporaryFolder();
    vi.stubEnv("TMPDIR", join(own, "missing"));
    for (let i = 0; i < 2; i++) await proveAndVerify(prover);
    vi.stubEnv("TMPDIR", own);
    await proveAndVerify(prover);
    expect(fallbacks).toEqual([
      expect.stringMatching(/ENOENT.*mkdtemp/),
      expect.stringMatching(/ENOENT.*mkdtemp/),
      expect.stringMatching(/refused: key.unknown/),
    ]);
    for (const name of readdirSync(own)) rmSync(join(own, name), { recursive: true });
    await proveAndVerify(prover);
    expect(fallbacks.at(-1)).toMatch(/the witness could not be written: ENOENT/);
  });

  it.each(["hang", "garbage"])("ends a native prover that does not answer: %s", async (step) => {
    const { prover, fallbacks } = await withScript([step], 500);
    await proveAndVerify(prover);
    expect(fallbacks[0]).toMatch(/no answer within 500 ms/);
  });

  it("does not use a native prover of another protocol", async () => {
    const { prover, fallbacks } = await withScript(["oldProtocol"]);
    expect(fallbacks[0]).toMatch(/speaks protocol 0, not 1/);
    await proveAndVerify(prover);
    expect(fallbacks[1]).toMatch(/rests for|speaks protocol 0/);
  });

  it("snarkjs makes the proof where there is no native prover at all", async () => {
    const { prover, fallbacks } = nativeProver({ program: join(ROOT, "no-such-program") });
    await prover.load({ model });
    await proveAndVerify(prover);
    expect(fallbacks[0]).toMatch(/ENOENT/);
  });

  it("a full queue is for later, not for snarkjs", async () => {
    const { prover, fallbacks } = await withScript(["queue.full"]);
    const proving = prover.prove({ modelId: model.id, signals });
    await expect(proving).rejects.toThrow(RetryableError);
    await expect(proving).rejects.toMatchObject({ code: "prover.busy" });
    expect(fallbacks).toEqual([]);
  });

  it("a witness that breaks a constraint fails for good", async () => {
    const { prover } = await withScript(["witness.unsatisfied"]);
    const proving = prover.prove({ modelId: model.id, signals });
    await expect(proving).rejects.toThrow(NonRetryableError);
  });

  it("does not know a model that was not loaded", async () => {
    const { prover } = nativeProver({ program: SCRIPTED });
    const proving = prover.prove({ modelId: "0xff", signals });
    await expect(proving).rejects.toMatchObject({ code: "prover.modelNotLoaded" });
  });
});

describe("NativeProcess", () => {
  const nativeProcess = (script: string[], rest = 0): NativeProcess => {
    vi.stubEnv("HACA_TEST_NATIVE_PROVER", JSON.stringify(script));
    const restMs = { first: rest, longest: rest };
    const native = new NativeProcess({ program: SCRIPTED, restMs, onOutput: () => undefined });
    opened.push(native);
    return native;
  };
  const prove = (native: NativeProcess) =>
    native.ask({ request: { op: "prove" }, timeoutMs: PATIENCE_MS });

  it("tells a refusal from a broken process", async () => {
    const native = nativeProcess(["some.code", "exit"]);
    await expect(prove(native)).rejects.toThrow(NativeRefusal);
    await expect(prove(native)).rejects.toThrow(NativeBroken);
  });

  it("fails everything that was asked when the process ends", async () => {
    const native = nativeProcess(["hang", "hang", "exit"]);
    const asked = await Promise.allSettled([prove(native), prove(native), prove(native)]);
    expect(asked.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  });

  it("starts another process after one ended", async () => {
    const native = nativeProcess(["some.code"]);
    await expect(prove(native)).rejects.toThrow(NativeRefusal);
    await native.kill();
    await expect(prove(native)).rejects.toThrow(NativeRefusal);
  });

  it("rests after a failure before it starts another", async () => {
    const native = nativeProcess(["exit"], PATIENCE_MS);
    await expect(prove(native)).rejects.toThrow(/ended with status 3/);
    await expect(prove(native)).rejects.toThrow(/rests for 60 s after a failure/);
  });

  it("stays closed", async () => {
    const native = nativeProcess(["some.code"]);
    await native.close();
    await expect(prove(native)).rejects.toThrow(/it is closed/);
  });
});

describe("findNativeProver", () => {
  it("takes a path that exists, none, or what was built", () => {
    expect(findNativeProver({ setting: SCRIPTED })).toBe(SCRIPTED);
    expect(findNativeProver({ setting: "none" })).toBeUndefined();
    expect(findNativeProver({ setting: undefined })).toBe(
      existsSync(RELEASE) ? RELEASE : undefined,
    );
  });

  it("names a configured program that is not there", () => {
    expect(() => findNativeProver({ setting: "/no/such/prover" })).toThrow(StartError);
    expect(() => findNativeProver({ setting: "/no/such/prover" })).toThrow(
      /HACA_PROVER: \/no\/such/,
    );
  });
});
