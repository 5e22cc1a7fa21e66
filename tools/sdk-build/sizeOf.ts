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
 * What is left of files of the SDK after bundling for browsers, minified and compressed, in bytes.
 * @param resolveDir from where the SDK is imported; this checkout if left out
 */
export async function sizeOf(
  files: readonly string[],
  resolveDir: string = PROJECT_ROOT,
): Promise<number> {
  const contents = files.map((file, index) => `export * as _${index} from "@haca/sdk/${file}";`);
  const { outputFiles } = await build({
    stdin: { contents: contents.join("\n"), resolveDir },
    ...{ bundle: true, minify: true, write: false, logLevel: "silent" },
    ...{ format: "esm", platform: "browser", target: "es2022" },
  });
  return gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
}
