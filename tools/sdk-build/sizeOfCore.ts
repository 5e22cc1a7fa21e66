import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";

/** What a page that verifies receipts imports. */
const CORE = ["verify", "isVerified", "receipt/receiptOfAnswer", "receipt/serialiseReceipt"];

/**
 * What is left of the core after bundling for browsers, minified and compressed, in bytes.
 * @param resolveDir from where the SDK is imported; this checkout if left out
 */
export async function sizeOfCore(resolveDir: string = PROJECT_ROOT): Promise<number> {
  const contents = CORE.map((file, index) => `export * as _${index} from "@haca/sdk/${file}";`);
  const { outputFiles } = await build({
    stdin: { contents: contents.join("\n"), resolveDir },
    ...{ bundle: true, minify: true, write: false, logLevel: "silent" },
    ...{ format: "esm", platform: "browser", target: "es2022" },
  });
  return gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
}
