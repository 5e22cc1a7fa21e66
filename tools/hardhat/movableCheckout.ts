import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import type { SolidityHooks } from "hardhat/types/hooks";
import type { HardhatPlugin } from "hardhat/types/plugins";

/** What Hardhat keeps of each source: where it is, in absolute paths, and what was made of it. */
type Cache = Record<string, { artifactsDirectory?: string }>;

/**
 * Lets a checkout be moved or copied without compiling everything again. Hardhat's cache holds absolute paths, which
 * this takes along; and the hash of a compilation holds the compiler's path, which is therefore relative to the project
 * in `hardhat.config.ts` and made absolute only here.
 */
export const movableCheckout: HardhatPlugin = {
  id: "haca-movable-checkout",
  hookHandlers: { solidity: async () => ({ default: async () => handlers }) },
};

const handlers: Partial<SolidityHooks> = {
  getCompiler: (context, compiler, next) => {
    const { root } = context.config.paths;
    const { path } = compiler;
    return next(
      context,
      path === undefined ? compiler : { ...compiler, path: resolve(root, path) },
    );
  },
  build: (context, sources, options, next) => {
    const { root, cache } = context.config.paths;
    takeAlong({ file: join(cache, "compile-cache.json"), root });
    return next(context, sources, options);
  },
};

/** Rewrites the paths of what was compiled when the project was elsewhere. */
function takeAlong({ file, root }: { file: string; root: string }): void {
  if (!existsSync(file)) return;
  const cache: Cache = JSON.parse(readFileSync(file, "utf8"));
  const rootOf = ({ artifactsDirectory = join(root, "artifacts") }: Cache[string]) =>
    dirname(artifactsDirectory);
  const entries = Object.entries(cache);
  const [here, elsewhere] = [
    entries.filter(([, entry]) => rootOf(entry) === root),
    entries.filter(([, entry]) => rootOf(entry) !== root),
  ];
  if (elsewhere.length === 0) return;
  // What was compiled here is newer than what came along.
  const moved = elsewhere.map(([source, entry]) => move([source, entry], rootOf(entry), root));
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(Object.fromEntries([...moved, ...here])));
  renameSync(draft, file);
}

/** The value with every path in `from` put into `to`. */
function move<T>(value: T, from: string, to: string): T {
  const text = JSON.stringify(value, (_, item) =>
    typeof item === "string" && (item === from || item.startsWith(from + sep))
      ? to + item.slice(from.length)
      : item,
  );
  return JSON.parse(text);
}
