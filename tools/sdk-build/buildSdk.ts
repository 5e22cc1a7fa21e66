import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { licencesOf } from "./licencesOf.ts";
import { writeTypes } from "./writeTypes.ts";

/** What users import, as `@haca/sdk/<name>`. */
export const ENTRIES = [
  ...["verify", "isVerified", "line", "pins", "readPins", "typedData"],
  ...["deployment", "readDeployment"],
  ...["receipt/receipt", "receipt/parseReceipt", "receipt/makeReceipt"],
  ...["receipt/serialiseReceipt", "receipt/receiptOfAnswer", "receipt/receiptOfInference"],
  ...["legacy/legacyReceipt", "legacy/receiptOfLegacyAnswer", "pay/channel/channelTypes"],
  ...["verifyMany", "many/verifyWorker", "client/createHaca", "client/seal", "wait", "readFeed"],
  ...["client/payer", "pay/createPayer", "pay/keySigner", "pay/paymentPins", "pay/journal"],
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
const SOURCES = JSON.parse(readFileSync(join(SDK, "package.json"), "utf8"));
const SOURCES_FIELDS = [
  ...["name", "version", "type", "license", "description"],
  ...["peerDependencies", "peerDependenciesMeta"],
] as const;

/** What is imported by a name of its own, as the sources' map has it, and where it is in the sources: the adapters. */
export const ADAPTERS: ReadonlyMap<string, string> = new Map(
  Object.entries<string>(SOURCES.exports).flatMap(([name, file]) => {
    const [, path] = /^\.\/src\/([^*]+)\.ts$/.exec(file) ?? [];
    return path === undefined ? [] : [[name.replace("./", ""), path]];
  }),
);
/** Packages of agents, which users of an adapter have, and nobody else needs: nothing of them is bundled. */
const PEERS: readonly string[] = Object.keys(SOURCES.peerDependencies);

/**
 * Makes the folder anew: modules with what they need of others in shared files, types, licences, and a `package.json` that asks for
 * no other package, but for what adapters are of, and runs nothing when it is installed.
 */
export async function buildSdk(folder: string): Promise<Metafile> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    entryPoints: [
      ...modules(),
      ...[...VARIANTS, THREAD, COMMAND].map((name) => [name] as const),
    ].map(([out = "", file = out]) => ({
      ...{ in: join(SDK, "src", `${file}.ts`), out },
    })),
    ...{ outdir: folder, absWorkingDir: PROJECT_ROOT, chunkNames: "shared/[hash]" },
    ...{ bundle: true, splitting: true, metafile: true, format: "esm", target: "es2023" },
    // Neither Node's nor browsers' variants of what is bundled; only the command and one way to send ask for modules of Node.
    ...{
      platform: "neutral",
      mainFields: ["module", "main"],
      external: [SEND, THEM, ...PEERS, ...builtins()],
    },
    ...{ logLevel: "warning", legalComments: "none", plugins: [WITHOUT_OLD_CRYPTO] },
  });
  const entries = modules().map(([name, file = name]) => file);
  writeTypes({ folder, entries, peers: PEERS });
  copyFileSync(join(SDK, "LICENSE"), join(folder, "LICENSE"));
  copyFileSync(join(SDK, "npm/README.md"), join(folder, "README.md"));
  writeFileSync(join(folder, "LICENSES-BUNDLED.txt"), licenceTexts(metafile));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
  return metafile;
}

/**
 * `@hpke/common` imports `crypto` where there is no WebCrypto, as in Node 18 and before, which nobody has here. Bundlers of pages look for
 * it all the same: it gets a module without anything, and says then that WebCrypto is missing.
 */
const WITHOUT_OLD_CRYPTO: Plugin = {
  name: "without-old-crypto",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^crypto$/ }, ({ importer, path }) =>
      importer.includes("/@hpke/common/") ? { path, namespace: "nothing" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "nothing" }, () => ({
      contents: "export const webcrypto = undefined;",
    }));
  },
};

/** Names by which modules are imported, with their files where these are called otherwise. */
const modules = (): (readonly [string, string?])[] => [
  ...ENTRIES.map((name) => [name] as const),
  ...ADAPTERS,
];

const variants = ({ browser, node }: { browser: string; node: string }): object => ({
  ...{ browser: `./${browser}.js`, node: `./${node}.js`, default: `./${browser}.js` },
});

const builtins = (): string[] => builtinModules.flatMap((name) => [name, `node:${name}`]);

function manifest(): object {
  const root = JSON.parse(readFileSync(join(PROJECT_ROOT, "package.json"), "utf8"));
  return {
    ...Object.fromEntries(SOURCES_FIELDS.map((name) => [name, SOURCES[name]])),
    engines: { node: root.engines.node },
    sideEffects: false,
    exports: Object.fromEntries(
      modules().map(([name, file = name]) => [
        `./${name}`,
        { types: `./types/sdk/src/${file}.d.ts`, default: `./${name}.js` },
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
