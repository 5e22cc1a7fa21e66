import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";

const COMPILER = join(PROJECT_ROOT, "node_modules/typescript-native/bin/tsc");
const SPECIFIER = /((?:from|import)\s*\(?\s*)"([^"]+)"/g;

/**
 * Writes the types that the entries reach to `types/`, those of the rooms that it imports among them: everything is named by its
 * path there, so that they need no other package than the peers, which users of these types have.
 * @throws BaseError `sdk.typesFailed`, `sdk.typeMissing`
 */
export function writeTypes(parameters: {
  folder: string;
  entries: readonly string[];
  peers: readonly string[];
}): void {
  const { folder, entries, peers } = parameters;
  const made = mkdtempSync(join(tmpdir(), "haca-types-"));
  try {
    compile(made);
    const seen = new Set<string>();
    const waiting = entries.map((name) => `sdk/src/${name}.d.ts`);
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const target = join(folder, "types", path);
      mkdirSync(dirname(target), { recursive: true });
      const { text, reached } = rewritten({
        ...{ path, text: readFileSync(join(made, path), "utf8"), peers },
      });
      writeFileSync(target, text);
      waiting.push(...reached);
    }
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function compile(folder: string): void {
  const project = join(PROJECT_ROOT, "sdk/tsconfig.build.json");
  const { status, stdout } = spawnSync(
    process.execPath,
    [COMPILER, "-p", project, "--outDir", folder],
    { encoding: "utf8" },
  );
  if (status === 0) return;
  throw new BaseError({ code: "sdk.typesFailed", message: `the types do not compile: ${stdout}` });
}

/** A file of types with paths for names of ours, and the files that it names. */
function rewritten(parameters: { path: string; text: string; peers: readonly string[] }): {
  text: string;
  reached: string[];
} {
  const { path, peers, text } = parameters;
  const isPeers = (specifier: string): boolean =>
    peers.some((peer) => specifier === peer || specifier.startsWith(`${peer}/`));
  const reached: string[] = [];
  const written = text.replaceAll(SPECIFIER, (whole, before: string, specifier: string) => {
    if (isPeers(specifier)) return whole;
    const target = targetOf(path, specifier);
    reached.push(target.replace(/\.js$/, ".d.ts"));
    const relative = posix.relative(posix.dirname(path), target);
    return `${before}"${relative.startsWith(".") ? relative : `./${relative}`}"`;
  });
  return { text: written, reached };
}

function targetOf(path: string, specifier: string): string {
  if (specifier.startsWith(".")) {
    return posix.join(posix.dirname(path), specifier.replace(/\.ts$/, ".js"));
  }
  const [, room, name] =
    /^@haca\/(protocol|attestation|model-runtime)\/(.+)$/.exec(specifier) ?? [];
  if (room !== undefined) return `${room}/src/${name}.js`;
  const message = `${path} names a type of ${specifier}, which the SDK does not bring`;
  throw new BaseError({ code: "sdk.typeMissing", message });
}
