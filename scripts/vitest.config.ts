import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    // Files share a process: to load what they import for each anew takes as long as all their tests.
    isolate: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
