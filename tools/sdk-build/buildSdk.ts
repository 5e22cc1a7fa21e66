import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { licencesOf } from "./licencesOf.ts";
import { writeTypes } from "./writeTypes.ts";

/** What users import, as `@haca/sdk/<name>`. */
export const ENTRIES = [
  ...["verify", "isVerified", "line", "pins", "readPins", "typedData"],
  ...["deployment", "readDeployment"],
  ...["receipt/receipt", "receipt/parseReceipt", "receipt/makeReceipt"],
  ...["receipt/serialiseReceipt", "receipt/receiptOfAnswer", "receipt/receiptOfInference"],
  ...["verifyMany", "client/createHaca", "client/seal", "wait"],
] as const;

/** What sends requests to nodes, by where it runs: `#send` of the sources and of the package. */
const SEND = "#send";
const BY_HTTP = "client/node/sendByHttp";
const BY_FETCH = "client/sendByFetch";

/** Where many receipts are verified, by the same. */
const THEM = "#verifyThem";
const THEM_IN_THREAD = "many/node/verifyThem";
const THEM_IN_PARTS = "many/verifyThem";
const THREAD = "many/node/verifyThread";

const SDK = join(PROJECT_ROOT, "sdk");
const COMMAND = "cli/cli";
const VARIANTS = [BY_HTTP, BY_FETCH, THEM_IN_THREAD, THEM_IN_PARTS];
const SOURCES_FIELDS = ["name", "version", "type", "license", "description"] as const;

/**
 * Makes the folder anew: modules with what they need of others in shared files, types, licences, and a `package.json` that asks for
 * no other package and runs nothing when it is installed.
 */
export async function buildSdk(folder: string): Promise<Metafile> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    entryPoints: [...ENTRIES, ...VARIANTS, THREAD, COMMAND].map((name) => ({
      in: join(SDK, "src", `${name}.ts`),
      out: name,
    })),
    ...{ outdir: folder, absWorkingDir: PROJECT_ROOT, chunkNames: "shared/[hash]" },
    ...{ bundle: true, splitting: true, metafile: true, format: "esm", target: "es2023" },
    // Neither Node's nor browsers' variants of what is bundled; only the command and one way to send ask for modules of Node.
    ...{
      platform: "neutral",
      mainFields: ["module", "main"],
      external: [SEND, THEM, ...builtins()],
    },
    ...{ logLevel: "warning", legalComments: "none" },
  });
  writeTypes({ folder, entries: ENTRIES });
  copyFileSync(join(SDK, "LICENSE"), join(folder, "LICENSE"));
  copyFileSync(join(SDK, "npm/README.md"), join(folder, "README.md"));
  writeFileSync(join(folder, "LICENSES-BUNDLED.txt"), licenceTexts(metafile));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
  return metafile;
}

const variants = ({ browser, node }: { browser: string; node: string }): object => ({
  ...{ browser: `./${browser}.js`, node: `./${node}.js`, default: `./${browser}.js` },
});

const builtins = (): string[] => builtinModules.flatMap((name) => [name, `node:${name}`]);

function manifest(): object {
  const sources = JSON.parse(readFileSync(join(SDK, "package.json"), "utf8"));
  const root = JSON.parse(readFileSync(join(PROJECT_ROOT, "package.json"), "utf8"));
  return {
    ...Object.fromEntries(SOURCES_FIELDS.map((name) => [name, sources[name]])),
    engines: { node: root.engines.node },
    sideEffects: false,
    exports: Object.fromEntries(
      ENTRIES.map((name) => [
        `./${name}`,
        { types: `./types/sdk/src/${name}.d.ts`, default: `./${name}.js` },
      ]),
    ),
    imports: {
      [SEND]: variants({ browser: BY_FETCH, node: BY_HTTP }),
      [THEM]: variants({ browser: THEM_IN_PARTS, node: THEM_IN_THREAD }),
    },
    bin: { haca: `${COMMAND}.js` },
    publishConfig: { access: "public" },
  };
}

const licenceTexts = (metafile: Metafile): string =>
  licencesOf(metafile)
    .map(
      ({ name, version, licence, text }) => `${name} ${version} (${licence})\n\n${text.trim()}\n`,
    )
    .join(`\n${"-".repeat(80)}\n\n`);
