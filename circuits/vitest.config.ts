import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // compiling circuits fills a core; two at once only wait for each other
    fileParallelism: false,
    // Files share a process: to load what they import for each anew takes as long as all their tests.
    isolate: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
