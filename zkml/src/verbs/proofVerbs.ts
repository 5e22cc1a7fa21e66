import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadedModel, loadModel } from "@haca/model-runtime/loadModel";
import { BaseError } from "@haca/protocol/baseError";
import { drawSalt, saltText } from "@haca/protocol/inputCommitment";
import { modeOf } from "@haca/protocol/inputMode";
import type { Manifest } from "@haca/protocol/manifest";
import { userPath } from "@haca/protocol/userPath";
import type { VerificationKey } from "snarkjs";
import type { z } from "zod";
import { type Answer, answerInput, describeOutputs } from "../proving/answerInput.ts";
import { makeProof, makeWitness } from "../proving/makeProof.ts";
import { readInput } from "../proving/readInput.ts";
import { proofSchema, publicSignalsSchema, verifyProof } from "../proving/verifyProof.ts";
import { proverName } from "../setup/nativeProver.ts";
import { step } from "../setup/progress.ts";
import { releaseCurve } from "../setup/snarkjsResources.ts";
import { nativeProver, note, print, usage } from "./options.ts";

type InputOptions = { sample?: number; salt?: bigint };
type ProofFiles = { proof: string; public: string };

/** `zkml infer`: what a worker would answer, and the words of it. */
export async function infer(
  folder: string,
  input: string | undefined,
  options: InputOptions,
): Promise<void> {
  const { model, answer } = await answerOf({ folder, input, ...options, context: 0n });
  const { inputWords, outputWords } = answer.signals;
  const shown = hides(model) ? {} : { inputWords };
  print(
    json({ ...describe(model, answer), ...shown, ...describeHidden(model, answer), outputWords }),
  );
}

/** `zkml witness` */
export async function witness(
  folder: string,
  input: string | undefined,
  options: InputOptions & { context: bigint; out: string },
): Promise<void> {
  const { model, answer } = await answerOf({ folder, input, ...options });
  const bytes = makeWitness({ plan: pathOf(model, "plan"), signals: answer.signals });
  const out = userPath(options.out);
  writeFileSync(out, bytes);
  print(json({ ...describe(model, answer), ...describeHidden(model, answer) }));
  note(`written to ${out}`);
}

/** `zkml prove` */
export async function prove(
  folder: string,
  input: string | undefined,
  options: InputOptions & ProofFiles & { context: bigint },
): Promise<void> {
  const { model, answer } = await answerOf({ folder, input, ...options });
  const { prover } = nativeProver();
  const workFolder = mkdtempSync(join(tmpdir(), "haca-zkml-prove-"));
  try {
    const made = await step({
      name: `prove (${proverName(prover)})`,
      onProgress: note,
      run: () =>
        makeProof({
          zkey: pathOf(model, "zkey"),
          wtns: makeWitness({ plan: pathOf(model, "plan"), signals: answer.signals }),
          native:
            prover === undefined ? undefined : { program: prover, workFolder, onProgress: note },
        }),
    });
    const proof = proofSchema.parse(made.proof);
    const { publicSignals } = made;
    // what is written has to say what was answered, whoever made it
    await verifyProof({ ...model, verificationKey: keyOf(model), proof, publicSignals });
    requireEqualSignals(publicSignals, answer.publicSignals);
    const [proofFile, publicFile] = [userPath(options.proof), userPath(options.public)];
    writeFileSync(proofFile, `${json(proof)}\n`);
    writeFileSync(publicFile, `${json(publicSignals)}\n`);
    print(json({ ...describe(model, answer), ...describeHidden(model, answer) }));
    note(`written to ${proofFile} and ${publicFile}`);
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
    await releaseCurve();
  }
}

/** `zkml verify`: exit code 1 and the reason for a proof that is not valid. */
export async function verify(
  folder: string,
  options: InputOptions & ProofFiles & { input?: string },
): Promise<void> {
  if (options.salt !== undefined && options.input === undefined) {
    throw usage("verify: --salt belongs to --input");
  }
  const proof = readJson(options.proof, proofSchema);
  const publicSignals = readJson(options.public, publicSignalsSchema);
  const model = await loadModel({ folder: userPath(folder) });
  try {
    const result = await verifyProof({
      ...model,
      verificationKey: keyOf(model),
      proof,
      publicSignals,
    });
    if (options.input !== undefined) {
      const { input, salt, sample } = options;
      if (model.manifest.inputMode === "salted" && salt === undefined) {
        throw usage(`verify: ${model.manifest.name} takes salted inputs: give --salt with --input`);
      }
      const context = BigInt(result.context);
      const { answer } = await answerOf({
        ...{ folder, input, context },
        ...(sample === undefined ? {} : { sample }),
        ...(salt === undefined ? {} : { salt }),
      });
      requireEqualSignals(publicSignals, answer.publicSignals);
    }
    const { context, shownInput } = result;
    const shown = hides(model) ? { commitment: shownInput[0] } : { inputWords: shownInput };
    print(json({ valid: true, ...describe(model, result), ...shown, context }));
  } finally {
    await releaseCurve();
  }
}

async function answerOf(parameters: {
  folder: string;
  input: string | undefined;
  sample?: number;
  /** default: a fresh one, where the model takes one */
  salt?: bigint;
  context: bigint;
}): Promise<{ model: LoadedModel; answer: Answer }> {
  const { folder, input, context, sample } = parameters;
  const model = await loadModel({ folder: userPath(folder) });
  const path = input === undefined || input === "-" ? undefined : userPath(input);
  const values = await readInput({ path, sample, manifest: model.manifest });
  const drawn = model.manifest.inputMode === "salted" ? drawSalt() : undefined;
  const salt = parameters.salt ?? drawn;
  return { model, answer: answerInput({ ...model, values, context, salt }) };
}

const hides = ({ manifest }: LoadedModel): boolean => modeOf(manifest) !== "packed";

/** What the asker of a hidden input keeps: nobody can recover a salt. */
const describeHidden = (model: LoadedModel, { publicSignals, salt }: Answer) => ({
  ...(hides(model) ? { commitment: publicSignals[0] } : {}),
  ...(salt === undefined ? {} : { salt: saltText(salt) }),
});

function requireEqualSignals(signals: readonly string[], expected: readonly string[]): void {
  const index = signals.findIndex((signal, at) => signal !== expected[at]);
  if (index === -1) return;
  throw new BaseError({
    code: "proof.otherInput",
    message: `the proof is not of this input: public signal ${index} is ${signals[index]}, the input gives ${expected[index]}`,
  });
}

const describe = (
  { manifest }: LoadedModel,
  { outputs }: { outputs: readonly (readonly bigint[])[] },
) => ({ model: manifest.name, ...describeOutputs({ manifest, outputs }) });

const pathOf = ({ folder, manifest }: LoadedModel, file: keyof Manifest["files"]): string =>
  join(folder, manifest.files[file]);

const keyOf = (model: LoadedModel): VerificationKey =>
  JSON.parse(readFileSync(pathOf(model, "verificationKey"), "utf8"));

const json = (value: unknown): string => JSON.stringify(value, null, 2);

function readJson<Schema extends z.ZodType>(name: string, schema: Schema): z.infer<Schema> {
  const path = userPath(name);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BaseError({ code: "proof.unreadable", message: `${path}: ${reason}`, cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  throw new BaseError({ code: "proof.malformed", message: `${path}: ${place}${issue?.message}` });
}
