import { sha256 } from "ethers";
import { z } from "zod";
import { BaseError } from "./baseError.ts";

const text = z.string().trim().min(1).max(256);

const schema = z
  .strictObject({
    /** of this file */
    format: z.literal(1),
    /** the model's name among its owner's */
    slug: z.string().regex(/^[a-z0-9-]{1,64}$/, "must be 1 to 64 characters of a-z, 0-9 and -"),
    /** what the model is called where it runs */
    model: text,
    /** who runs it, for a model behind somebody's interface */
    provider: text.optional(),
    /** SHA-256 of its file, for a model that the enclave runs itself */
    file: z
      .string()
      .regex(/^[0-9a-f]{64}$/, "must be 64 hex digits in lower case")
      .optional(),
    /** what its node promises: sampling, what is logged, what is kept */
    policy: text,
  })
  .refine(({ provider, file }) => (provider === undefined) !== (file === undefined), {
    message: "must name a provider or a file, and not both",
    path: ["provider"],
  });

/** What a version without a circuit is: who runs which model how. Its hash is the version's model hash. */
export type ModelManifest = z.infer<typeof schema>;

/**
 * Reads a manifest; `hash` is SHA-256 of its bytes as they are.
 * Error: `modelManifest.invalid`, which names the field.
 */
export function parseModelManifest(bytes: Uint8Array): { manifest: ModelManifest; hash: string } {
  const parsed = schema.safeParse(readJson(bytes));
  if (parsed.success) return { manifest: parsed.data, hash: sha256(bytes) };
  const [issue] = parsed.error.issues;
  throw invalid(`${issue?.path.join(".") || "the manifest"}: ${issue?.message}`);
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw invalid("the manifest is no JSON in UTF-8");
  }
}

const invalid = (message: string): BaseError =>
  new BaseError({ code: "modelManifest.invalid", message });
