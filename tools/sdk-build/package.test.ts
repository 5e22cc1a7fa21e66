import { execFileSync, spawnSync } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Metafile } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import type { ReceiptVectors } from "../receipts/receiptVectors.ts";
import { ADAPTERS, buildSdk, ENTRIES } from "./buildSdk.ts";
import { licencesOf } from "./licencesOf.ts";
import { CORE, sizeOf } from "./sizeOf.ts";

const MOST_BYTES_OF_CORE = 45_000;
const VECTORS: ReceiptVectors = JSON.parse(
  readFileSync(join(PROJECT_ROOT, "docs/receipts/vectors/receipts.json"), "utf8"),
);
const COMPILER = join(PROJECT_ROOT, "node_modules/typescript-native/bin/tsc");
const USER = `
import { isVerified } from "@haca/sdk/isVerified";
import { readPins } from "@haca/sdk/readPins";
import { verify } from "@haca/sdk/verify";

export const look = async (text: string, pins: string): Promise<string> => {
  const lines = await verify(text, { pins: readPins(pins), now: ${VECTORS.now}n });
  const checks: string[] = lines.map(({ check }) => check);
  return \`\${isVerified(lines)} \${checks.length}\`;
};
`;

const AGENT = `
import { createHacaProvider } from "@haca/sdk/ai";
import { createHaca } from "@haca/sdk/client/createHaca";
import { ChatHaca } from "@haca/sdk/langchain";
import { createMcpServer } from "@haca/sdk/mcp";

const haca = createHaca({ chainId: 1 });
const { specificationVersion } = createHacaProvider({ haca })("m");
const kind: string = new ChatHaca({ haca, model: "m" })._llmType();
const makeServer = createMcpServer({ haca, pins: {} });
console.log(specificationVersion, kind, makeServer() !== makeServer());
`;

let folder = "";
let metafile: Metafile;
/** The folder that was built, and an empty one in which its archive was installed. */
let built = "";
let user = "";

/** Of a user: without the settings of the npm or npx that runs these tests, `--call` among them. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith("npm_")),
);
const npm = (cwd: string, ...parameters: string[]): string =>
  execFileSync("npm", parameters, {
    ...{ cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
  });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "haca-sdk-"));
  [built, user] = [join(folder, "built"), mkdtempSync(join(folder, "user-"))];
  metafile = await buildSdk(built);
  npm(built, "pack", "--silent", "--pack-destination", folder);
  const archive = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
  writeFileSync(join(user, "package.json"), '{ "type": "module" }\n');
  npm(user, "install", "--offline", "--no-audit", "--no-fund", "--silent", join(folder, archive));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string): void => writeFileSync(join(user, name), text);
const good = (name: string): string =>
  VECTORS.good.find((vector) => vector.name === name)?.receipt ?? "";

describe("the SDK's archive, installed in an empty folder", () => {
  it("asks for no other package and runs nothing when it is installed", () => {
    expect(readdirSync(join(user, "node_modules")).filter((name) => !name.startsWith("."))).toEqual(
      ["@haca"],
    );
    const manifest = JSON.parse(
      readFileSync(join(user, "node_modules/@haca/sdk/package.json"), "utf8"),
    );
    expect(Object.keys(manifest).sort()).toEqual(
      [
        ...["name", "version", "type", "license", "description", "engines"],
        ...["sideEffects", "exports", "imports", "bin", "publishConfig"],
        ...["peerDependencies", "peerDependenciesMeta"],
      ].sort(),
    );
    expect(manifest.license).toBe("MIT");
  });

  it("compiles and verifies where it is imported", () => {
    write("user.ts", USER);
    const options = ["--strict", "--module", "nodenext", "--target", "es2023"];
    const types = ["--lib", "es2023", "--types", "", "--skipLibCheck", "false"];
    execFileSync(process.execPath, [COMPILER, ...options, ...types, "user.ts"], { cwd: user });
    const receipt = good("teeP256");
    write(
      "run.js",
      `import { look } from "./user.js";
console.log(await look(${JSON.stringify(receipt)}, ${JSON.stringify(JSON.stringify(VECTORS.pins))}));`,
    );
    const printed = execFileSync(process.execPath, ["run.js"], { cwd: user, encoding: "utf8" });
    expect(printed).toBe("true 14\n");
  });

  it("verifies many in a thread of its own", () => {
    write(
      "many.js",
      `import { verifyMany } from "@haca/sdk/verifyMany";
const options = { pins: ${JSON.stringify(VECTORS.pins)}, now: ${VECTORS.now}n };
const receipt = ${JSON.stringify(good("zkml"))};
const lines = await verifyMany([receipt, "{}", receipt], options);
console.log(lines.map(({ length }) => length).join());`,
    );
    const printed = execFileSync(process.execPath, ["many.js"], { cwd: user, encoding: "utf8" });
    expect(printed).toMatch(/^(\d\d),1,\1\n$/);
  });

  it("has every entry of the map, without a default export", () => {
    write(
      "entries.js",
      `for (const name of ${JSON.stringify(ENTRIES)}) {
  if ("default" in (await import("@haca/sdk/" + name))) throw new Error(name);
}`,
    );
    execFileSync(process.execPath, ["entries.js"], { cwd: user });
  });

  it("says what of others its command mcp needs, and has the adapters where they are", () => {
    write("pins.json", JSON.stringify(VECTORS.pins));
    const args = ["mcp", "--node", "http://127.0.0.1:1", "--pins", "pins.json", "--chain", "1"];
    const options = { cwd: user, env, input: "", encoding: "utf8" } as const;
    expect(spawnSync("node_modules/.bin/haca", args, options)).toMatchObject({
      ...{ status: 2, stdout: "" },
      stderr: "mcp: needs the package @modelcontextprotocol/server installed beside\n",
    });
    for (const scope of ["@ai-sdk", "@langchain", "@modelcontextprotocol"]) {
      symlinkSync(join(PROJECT_ROOT, "node_modules", scope), join(user, "node_modules", scope));
    }
    write("agent.ts", AGENT);
    const types = ["--module", "nodenext", "--target", "es2023", "--types", "", "--skipLibCheck"];
    execFileSync(process.execPath, [COMPILER, "--strict", ...types, "agent.ts"], { cwd: user });
    const printed = execFileSync(process.execPath, ["agent.js"], { cwd: user, encoding: "utf8" });
    expect(printed).toBe("v4 haca true\n");
    expect(spawnSync("node_modules/.bin/haca", args, options)).toMatchObject({
      ...{ status: 0, stdout: "", stderr: "" },
    });
  });

  it("brings the command haca", () => {
    write("pins.json", JSON.stringify(VECTORS.pins));
    write("good.json", good("zkml"));
    write("bad.json", good("vanilla"));
    const rest = ["--pins", "pins.json", "--now", VECTORS.now];
    const haca = (program: string, ...parameters: string[]) =>
      spawnSync(program, [...parameters, ...rest], { cwd: user, env, encoding: "utf8" });
    const verified = haca("npx", "--offline", "haca", "receipt", "verify", "good.json");
    expect([verified.status, verified.stderr]).toEqual([0, ""]);
    expect(verified.stdout).toMatch(/\nverified\n$/);
    expect(haca("node_modules/.bin/haca", "receipt", "verify", "bad.json")).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/\nnot verified, for: proof\n$/),
    });
  });

  it("costs a page no more than its budget, as small as of the sources", async () => {
    const size = await sizeOf(CORE, user);
    expect(size).toBeLessThanOrEqual(MOST_BYTES_OF_CORE);
    expect(size).toBeLessThan(1.02 * (await sizeOf(CORE)));
  });
});

it("has all that the example of an agent imports of ours", () => {
  const example = join(PROJECT_ROOT, "examples/portfolio-agent");
  const ours = readdirSync(example)
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => [...readFileSync(join(example, name), "utf8").matchAll(/"(@haca\/[^"]+)"/g)])
    .map(([, specifier = ""]) => specifier);
  expect(ours).toContain("@haca/sdk/client/createHaca");
  const names = new Set(ENTRIES.map((name) => `@haca/sdk/${name}`));
  expect(ours.filter((specifier) => !names.has(specifier))).toEqual([]);
});

describe("what is bundled", () => {
  it("is under permissive licences, whose texts are in the archive", () => {
    const bundled = licencesOf(metafile);
    expect(bundled.map(({ name }) => name)).toEqual([
      ...["@hpke/common", "@hpke/core", "@noble/ciphers"],
      ...["@noble/curves", "@noble/hashes", "@noble/hashes", "commander"],
    ]);
    expect(new Set(bundled.map(({ licence }) => licence))).toEqual(new Set(["MIT"]));
    const texts = readFileSync(join(built, "LICENSES-BUNDLED.txt"), "utf8");
    for (const { text } of bundled) expect(texts).toContain(text.trim());
    expect(readFileSync(join(built, "LICENSE"), "utf8")).toMatch(/^MIT License/);
  });

  it("has modules of Node in the command alone", () => {
    const isOfNode = (name: string): boolean =>
      name.startsWith("node:") || builtinModules.includes(name);
    const asking = Object.entries(metafile.outputs).flatMap(([path, { imports }]) =>
      imports.some(({ path: name, external }) => external && isOfNode(name)) ? [path] : [],
    );
    const reached = new Set<string>();
    const walk = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const { path: next, external } of metafile.outputs[path]?.imports ?? []) {
        if (external !== true) walk(next);
      }
    };
    const outputs = Object.entries(metafile.outputs);
    for (const name of [...ENTRIES, ...ADAPTERS.values()]) {
      const [found] = outputs.find(([, out]) => out.entryPoint === `sdk/src/${name}.ts`) ?? [];
      walk(found ?? expect.fail(`no ${name}`));
    }
    expect(asking.length).toBeGreaterThan(0);
    expect(asking.filter((path) => reached.has(path))).toEqual([]);
  });
});
