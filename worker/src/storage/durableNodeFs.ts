import { closeSync, fsyncSync, openSync } from "node:fs";
import type { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";

type FileStream = { nfd?: number | null; node: unknown };
type FileSystemModule = {
  NODEFS: {
    stream_ops: { fsync?: (stream: FileStream) => number };
    realPath(node: unknown): string;
  };
};
type Options = Parameters<NodeFS["init"]>[1];

/**
 * PGlite's folder storage with a working `fsync`.
 *
 * The storage that comes with PGlite has none, which leaves every commit in the operating system's cache:
 * safe when the process is killed, lost when the machine loses power. Postgres calls fsync at each commit
 * and checkpoint; here that call reaches the disk.
 */
export class DurableNodeFs extends NodeFS {
  override async init(pglite: PGlite, options: Options): ReturnType<NodeFS["init"]> {
    const result = await super.init(pglite, options);
    const useFsync = (module: unknown): void => {
      const { NODEFS } = module as FileSystemModule;
      NODEFS.stream_ops.fsync = (stream) => {
        if (typeof stream.nfd === "number") {
          fsyncSync(stream.nfd);
          return 0;
        }
        // Directories have no descriptor of their own: Emscripten opens only files.
        const descriptor = openSync(NODEFS.realPath(stream.node), "r");
        fsyncSync(descriptor);
        closeSync(descriptor);
        return 0;
      };
    };
    const { emscriptenOpts } = result;
    emscriptenOpts.preRun = [...(emscriptenOpts.preRun ?? []), useFsync];
    return result;
  }
}
