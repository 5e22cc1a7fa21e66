import { FIELD_ORDER } from "@haca/model-runtime/witness/field";
import { BaseError } from "@haca/protocol/baseError";
import { shownInputWords } from "@haca/protocol/inputMode";
import type { Manifest } from "@haca/protocol/manifest";
import { unpackWords, wordCount } from "@haca/protocol/packedWords";
import { requireSoundVerifyingKey } from "@haca/protocol/verifyingKey";
import { groth16, type VerificationKey } from "snarkjs";
import { z } from "zod";

const decimal = z.string().regex(/^(0|[1-9]\d{0,77})$/, "must be a decimal number in a string");

/** `public.json` of snarkjs. */
export const publicSignalsSchema = z.array(
  decimal.refine((text) => BigInt(text) < FIELD_ORDER, "must be below the field's order"),
);

/** `proof.json` of snarkjs, with points as they are when they are finite. */
export const proofSchema = z.object({
  pi_a: z.tuple([decimal, decimal, z.literal("1")]),
  pi_b: z.tuple([
    z.tuple([decimal, decimal]),
    z.tuple([decimal, decimal]),
    z.tuple([z.literal("1"), z.literal("0")]),
  ]),
  pi_c: z.tuple([decimal, decimal, z.literal("1")]),
  protocol: z.literal("groth16"),
  curve: z.literal("bn128"),
});

/** What a valid proof says. */
export type ProvedResult = {
  /** the input's words, or one commitment to them */
  shownInput: string[];
  /** integers of every output tensor */
  outputs: bigint[][];
  context: string;
};

/**
 * Verifies a proof against a model's verifying key, and reads its public signals by the manifest's layouts.
 *
 * Throws `proof.invalid` with the reason, and `verifyingKey.*` for a key under which anybody could forge proofs.
 */
export async function verifyProof(parameters: {
  manifest: Pick<Manifest, "name" | "input" | "outputs" | "inputMode">;
  verificationKey: VerificationKey;
  proof: z.infer<typeof proofSchema>;
  publicSignals: readonly string[];
}): Promise<ProvedResult> {
  const { manifest, verificationKey, proof, publicSignals } = parameters;
  requireSoundVerifyingKey(verificationKey);
  const layouts = manifest.outputs.map(({ layout }) => layout);
  const { inputMode } = manifest;
  const inputCount = shownInputWords({ inputMode, layout: manifest.input.layout });
  const outputCount = wordCount(layouts);
  const expected = inputCount + outputCount + 1;
  if (publicSignals.length !== expected) {
    throw invalid(
      `${manifest.name} has ${expected} public signals, the proof's are ${publicSignals.length}: it is of another model`,
    );
  }
  const input = publicSignals.slice(0, inputCount);
  const words = publicSignals.slice(inputCount, -1).map(BigInt);
  let isValid: boolean;
  let outputs: bigint[][];
  try {
    isValid = await groth16.verify(verificationKey, publicSignals, proof);
    outputs = unpackWords({ layouts, words });
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (!isValid) throw invalid(`it is no proof of these public signals by ${manifest.name}`);
  return { shownInput: input, outputs, context: publicSignals.at(-1) ?? "" };
}

function invalid(reason: string, cause?: unknown): BaseError {
  return new BaseError({
    code: "proof.invalid",
    message: `the proof is not valid: ${reason}`,
    cause,
  });
}
