import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { run } from "./run.ts";

/** What is taken of a repository: files and folders, and of its submodules the like, by their paths. */
export type Tree = { files: readonly string[]; libraries: Readonly<Record<string, Tree>> };

/**
 * Writes the files of a commit into a folder: those that it names of a checkout, and of the submodules' commits that it is
 * tied to. What is changed or checked out there does not matter.
 * @throws BaseError `x402.noSource` where the checkout or a submodule lacks the commit or a file
 */
export async function extract(parameters: {
  repository: string;
  commit: string;
  tree: Tree;
  folder: string;
}): Promise<void> {
  const { commit, folder, repository, tree } = parameters;
  mkdirSync(folder, { recursive: true });
  const archive = join(folder, ".archive.tar");
  try {
    const words = ["-C", repository, "archive", "--format=tar", "-o", archive, commit];
    await run("git", [...words, "--", ...tree.files]);
    await run("tar", ["-xf", archive, "-C", folder]);
    for (const [path, library] of Object.entries(tree.libraries)) {
      const found = await run("git", ["-C", repository, "rev-parse", `${commit}:${path}`]);
      await extract({
        ...{ repository: join(repository, path), commit: found.trim() },
        ...{ tree: library, folder: join(folder, path) },
      });
    }
  } catch (cause) {
    if (cause instanceof BaseError && cause.code === "x402.noSource") throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `--sources ${repository}: has not all of ${commit.slice(0, 8)}: must be a clone of x402 with its history and --recurse-submodules (${why})`;
    throw new BaseError({ code: "x402.noSource", message, cause });
  } finally {
    rmSync(archive, { force: true });
  }
}
