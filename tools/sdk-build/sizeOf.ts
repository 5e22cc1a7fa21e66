import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";

/** What a page that verifies receipts imports. */
export const CORE = ["verify", "isVerified", "receipt/receiptOfAnswer", "receipt/serialiseReceipt"];
/** What one imports that asks for answers, too. */
export const CLIENT = [...CORE, "client/createHaca"];
/** What one imports that pays for them. */
export const PAYING = [...CLIENT, "pay/createPayer"];

/**
 * What is left of files of the SDK after bundling for browsers, minified and compressed, in bytes: all that a page loads at first. Parts
 * that are loaded where they are needed (witnesses, the profile `legacy`) are not among it.
 * @param resolveDir from where the SDK is imported; this checkout if left out
 */
export async function sizeOf(
  files: readonly string[],
  resolveDir: string = PROJECT_ROOT,
): Promise<number> {
  const contents = files.map((file, index) => `export * as _${index} from "@haca/sdk/${file}";`);
  const { metafile, outputFiles } = await build({
    stdin: { contents: contents.join("\n"), resolveDir },
    ...{ bundle: true, minify: true, write: false, logLevel: "silent", metafile: true },
    ...{ format: "esm", platform: "browser", target: "es2022" },
    ...{ splitting: true, outdir: "out", absWorkingDir: PROJECT_ROOT },
  });
  const loaded = new Set(
    Object.keys(metafile.outputs).filter(
      (name) => metafile.outputs[name]?.entryPoint === "<stdin>",
    ),
  );
  for (const name of loaded) {
    for (const { kind, path } of metafile.outputs[name]?.imports ?? []) {
      if (kind === "import-statement") loaded.add(path);
    }
  }
  const contentsOf = (name: string): Uint8Array =>
    outputFiles.find(({ path }) => path === join(PROJECT_ROOT, name))?.contents ?? new Uint8Array();
  return [...loaded].reduce(
    (sum, name) => sum + gzipSync(contentsOf(name), { level: 9 }).length,
    0,
  );
}
