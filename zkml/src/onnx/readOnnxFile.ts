import { readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import { OnnxError } from "./onnxGraph.ts";
import { externalLocations, MAXIMUM_BYTES } from "./parseOnnx.ts";

/** A model as it lies on disk: the ONNX file, and the files of weights that it names, by the name it gives them. */
export type OnnxFile = { onnx: Uint8Array; external: ReadonlyMap<string, Uint8Array> };

/**
 * Reads an ONNX file and the files of weights beside it (external data). A file that is named by an absolute path, or
 * lies outside the model's folder, also through a link, is refused: a model must not read what is not its own.
 *
 * Throws `onnx.malformed`, `onnx.tooLarge`, `onnx.externalData`, and what the file system says of the model's own path.
 */
export function readOnnxFile(path: string): OnnxFile {
  let total = checkSize({ path, total: 0 });
  const onnx = readFileSync(path);
  const folder = realpathSync(dirname(path));
  const external = new Map<string, Uint8Array>();
  for (const [location, tensor] of externalLocations(onnx)) {
    const fail = (why: string) =>
      new OnnxError({
        reason: "externalData",
        message: `tensor ${tensor}: external data ${JSON.stringify(location)} ${why}`,
      });
    if (location === "" || isAbsolute(location)) throw fail("is no path relative to the model");
    const inside = relative(folder, join(folder, location));
    if (inside === ".." || inside.startsWith(`..${sep}`))
      throw fail("is outside the model's folder");
    let real: string;
    try {
      real = realpathSync(join(folder, location));
    } catch {
      throw fail("does not exist beside the model");
    }
    const linked = relative(folder, real);
    if (linked === ".." || linked.startsWith(`..${sep}`) || isAbsolute(linked)) {
      throw fail("leads outside the model's folder");
    }
    if (!statSync(real).isFile()) throw fail("is not a file");
    total = checkSize({ path: real, total });
    external.set(location, readFileSync(real));
  }
  return { onnx, external };
}

function checkSize(parameters: { path: string; total: number }): number {
  const total = parameters.total + statSync(parameters.path).size;
  if (total > MAXIMUM_BYTES) {
    throw new OnnxError({
      reason: "tooLarge",
      message: `the model and its weights have ${total} bytes, at most ${MAXIMUM_BYTES} are read`,
    });
  }
  return total;
}
