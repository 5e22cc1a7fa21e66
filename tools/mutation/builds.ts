import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { isNode } from "./mutant.ts";

type Bytecode = { sourceMap: string };
type Output = {
  sources: Record<string, { id: number; ast: { nodes: unknown[] } }>;
  contracts: Record<
    string,
    Record<string, { evm: { bytecode: Bytecode; deployedBytecode: Bytecode } }>
  >;
};
type Build = {
  sources: Record<string, { content: string }>;
  settings: Record<string, unknown>;
  output: Output;
};

/** A compiled contract of the project, tests' included. */
export type Artifact = {
  /** the artifact's file, relative to the project */
  path: string;
  name: string;
  /** the compiler's name of its source */
  source: string;
  buildInfoId: string;
  bytecode: string;
};

/** The compiler's name of a project's file. */
const PREFIX = "project/";

const WANTED = [
  "evm.bytecode.object",
  "evm.bytecode.linkReferences",
  "evm.deployedBytecode.object",
  "evm.deployedBytecode.linkReferences",
  "evm.deployedBytecode.immutableReferences",
];

/** What Hardhat compiled: sources, syntax trees, and which contract holds code of which source. */
export class Builds {
  readonly #root: string;
  readonly #builds = new Map<string, Build>();
  readonly #artifacts: Artifact[] = [];

  constructor(root: string) {
    this.#root = root;
    const folder = join(root, "artifacts", "build-info");
    for (const name of readdirSync(folder).filter((file) => file.endsWith(".output.json"))) {
      const id = name.replace(/\.output\.json$/, "");
      const { input } = JSON.parse(readFileSync(join(folder, `${id}.json`), "utf8"));
      const { output } = JSON.parse(readFileSync(join(folder, name), "utf8"));
      this.#builds.set(id, { sources: input.sources, settings: input.settings, output });
    }
    for (const path of globSync("artifacts/{contracts,test,@openzeppelin}/**/*.json", {
      cwd: root,
    }).sort()) {
      const artifact = JSON.parse(readFileSync(join(root, path), "utf8"));
      if (artifact.bytecode === "0x") continue;
      const { contractName: name, inputSourceName: source, buildInfoId, bytecode } = artifact;
      this.#artifacts.push({ path, name, source, buildInfoId, bytecode });
    }
  }

  /** Sources in `contracts/` with their syntax trees, interfaces left out; what is on disk must be what is built. */
  contracts(): { file: string; source: string; ast: unknown }[] {
    const files = globSync("contracts/**/*.sol", { cwd: this.#root }).sort();
    return files
      .filter((file) => !file.startsWith("contracts/interfaces/"))
      .map((file) => {
        const source = readFileSync(join(this.#root, file), "utf8");
        for (const build of this.#builds.values()) {
          if (build.sources[PREFIX + file]?.content !== source) continue;
          return { file, source, ast: build.output.sources[PREFIX + file]?.ast };
        }
        throw new BaseError({
          code: "mutation.notBuilt",
          message: `${file} is not built as it stands: run npm run build:tests`,
        });
      });
  }

  /** Contracts whose code holds code of a file, be it inherited, inlined or created by them. */
  dependants(file: string): Artifact[] {
    return this.#artifacts.filter(({ buildInfoId, source, name }) => {
      const build = this.#builds.get(buildInfoId);
      return build !== undefined && touches(build, `${source}:${name}`, PREFIX + file, new Set());
    });
  }

  /** The compiler's input for some contracts of one build, with one file changed. */
  input(parameters: { artifacts: readonly Artifact[]; file: string; content: string }): string {
    const { artifacts, file, content } = parameters;
    const build = this.#builds.get(artifacts[0]?.buildInfoId ?? "");
    if (build === undefined) throw new Error("artifacts of no build");
    const sources: Build["sources"] = {};
    const outputSelection: Record<string, Record<string, string[]>> = {};
    for (const { source, name } of artifacts) {
      addImports(build, source, sources);
      outputSelection[source] = { ...outputSelection[source], [name]: WANTED };
    }
    sources[PREFIX + file] = { content };
    const settings = { ...build.settings, outputSelection };
    return JSON.stringify({ language: "Solidity", sources, settings });
  }
}

function addImports(build: Build, source: string, sources: Build["sources"]): void {
  const content = build.sources[source];
  if (content === undefined || source in sources) return;
  sources[source] = content;
  for (const node of build.output.sources[source]?.ast.nodes ?? []) {
    if (isNode(node) && node.nodeType === "ImportDirective") {
      addImports(build, String(node.absolutePath), sources);
    }
  }
}

/** By the maps from code to sources, and those of every contract that it creates. */
function touches(build: Build, contract: string, file: string, seen: Set<string>): boolean {
  if (seen.has(contract)) return false;
  seen.add(contract);
  const [source = "", name = ""] = contract.split(":");
  const evm = build.output.contracts[source]?.[name]?.evm;
  const id = build.output.sources[file]?.id;
  if (evm === undefined || id === undefined) return false;
  const isMapped = [evm.bytecode, evm.deployedBytecode].some(({ sourceMap }) =>
    sourceMap.split(";").some((entry) => entry.split(":")[2] === String(id)),
  );
  return (
    isMapped || created(build, source, name).some((other) => touches(build, other, file, seen))
  );
}

function created(build: Build, source: string, name: string): string[] {
  const contract = build.output.sources[source]?.ast.nodes.find(
    (node) => isNode(node) && node.nodeType === "ContractDefinition" && node.name === name,
  );
  if (!isNode(contract) || !Array.isArray(contract.contractDependencies)) return [];
  const ids = new Set(contract.contractDependencies);
  return Object.entries(build.output.sources).flatMap(([path, { ast }]) =>
    ast.nodes.flatMap((node) => (isNode(node) && ids.has(node.id) ? [`${path}:${node.name}`] : [])),
  );
}
