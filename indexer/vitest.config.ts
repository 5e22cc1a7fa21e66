import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Every file starts chains and indexers of its own: one at a time is faster on two cores.
    fileParallelism: false,
    globalSetup: "test/utils/globalSetup.ts",
    // A limit for a process that hangs, not an expectation: an indexer starts in about seven seconds, and in
    // half a minute on a busy machine.
    testTimeout: 900_000,
    hookTimeout: 600_000,
  },
});
