import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { MANIFEST_FORMAT, type Manifest, manifestSchema } from "@haca/protocol/manifest";
import { z } from "zod";
import { type IntegerModel, integerModelSchema } from "./integerModel.ts";

/** A compiled model that is ready to run: paths in `manifest.files` are relative to `folder`. */
export type LoadedModel = { folder: string; manifest: Manifest; integerModel: IntegerModel };

export const MANIFEST_FILE = "manifest.json";

const formatSchema = z.object({ format: z.int() });

/**
 * Loads a compiled model and compares every file with its hash in the manifest.
 * Throws `model.missing`, `model.outdated`, `model.invalid`, `model.hashMismatch`, naming the file.
 */
export async function loadModel(parameters: { folder: string }): Promise<LoadedModel> {
  const { folder } = parameters;
  const manifestPath = join(folder, MANIFEST_FILE);
  requireFormat(manifestPath);
  const manifest = parseFile({ path: manifestPath, schema: manifestSchema });
  for (const [key, file] of Object.entries(manifest.files)) {
    const path = join(folder, file);
    requireFile(path);
    const expected = manifest.hashes[key as keyof Manifest["files"]];
    const actual = await hashFile({ path, algorithm: "sha256" });
    if (actual !== expected) {
      throw new BaseError({
        code: "model.hashMismatch",
        message: `${path}: SHA-256 is ${actual}, the manifest says ${expected}`,
        details: { path, expected, actual },
      });
    }
  }
  const integerModel = parseFile({
    path: join(folder, manifest.files.integerModel),
    schema: integerModelSchema,
  });
  return { folder, manifest, integerModel };
}

function requireFile(path: string): void {
  if (!existsSync(path)) {
    throw new BaseError({ code: "model.missing", message: `no file ${path}: compile the model` });
  }
}

/** A model of before is not wrong, but nothing here can run it: its user is told what to do. */
function requireFormat(path: string): void {
  const { success, data } = formatSchema.safeParse(readJson(path));
  if (!success || data.format === MANIFEST_FORMAT) return;
  throw new BaseError({
    code: "model.outdated",
    message: `${path}: format ${data.format}, expected ${MANIFEST_FORMAT}: compile the model again`,
  });
}

function readJson(path: string): unknown {
  requireFile(path);
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new BaseError({ code: "model.invalid", message: `${path} is not JSON`, cause });
  }
}

function parseFile<Schema extends z.ZodType>(parameters: {
  path: string;
  schema: Schema;
}): z.infer<Schema> {
  const { path, schema } = parameters;
  const parsed = schema.safeParse(readJson(path));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new BaseError({
      code: "model.invalid",
      message: `${path}: ${issue?.path.join(".")}: ${issue?.message}`,
    });
  }
  return parsed.data;
}

/** `0x` and the SHA-256 of bytes or text, in lower-case hex. */
export function sha256(content: Uint8Array | string): string {
  return `0x${createHash("sha256").update(content).digest("hex")}`;
}

/** Hash of a file of any size: `0x` and lower-case hex. */
export async function hashFile(parameters: {
  path: string;
  algorithm: "sha256" | "blake2b512";
}): Promise<string> {
  const hash = createHash(parameters.algorithm);
  for await (const chunk of createReadStream(parameters.path)) {
    hash.update(chunk as Buffer);
  }
  return `0x${hash.digest("hex")}`;
}
