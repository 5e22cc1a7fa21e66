import { defineConfig } from "vitest/config";

const TIMEOUT_MS = 300_000;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: TIMEOUT_MS,
    hookTimeout: TIMEOUT_MS,
    // The runner's second is over at once on a busy machine.
    expect: { poll: { timeout: TIMEOUT_MS } },
  },
});
