/** The compiler in a process of its own, kept alive between mutants; ends when its parent does. */
import { createRequire } from "node:module";

const { compile }: { compile: (input: string) => string } = createRequire(import.meta.url)("solc");

process.on("message", (input: string) => {
  process.send?.(compile(input));
});
process.on("disconnect", () => process.exit());
