import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { BaseError } from "@haca/protocol/baseError";
import { z } from "zod";

/** Longer than any contract here takes. */
const TIME_LIMIT_MS = 600_000;

const references = z.record(z.string(), z.unknown());
const bytecodeSchema = z.object({ object: z.string(), linkReferences: references });
const outputSchema = z.object({
  errors: z.array(z.object({ severity: z.string(), formattedMessage: z.string() })).default([]),
  contracts: z
    .record(
      z.string(),
      z.record(
        z.string(),
        z.object({
          evm: z.object({
            bytecode: bytecodeSchema,
            deployedBytecode: bytecodeSchema.extend({ immutableReferences: references }),
          }),
        }),
      ),
    )
    .default({}),
});
export type CompilerOutput = z.infer<typeof outputSchema>;

/** The project's compiler, loaded once. */
export class Compiler {
  #child: ChildProcess | undefined;

  /** The outputs, or the first error of a source that does not compile. */
  async compile(input: string): Promise<CompilerOutput | { error: string }> {
    const output = outputSchema.parse(JSON.parse(await this.#ask(input)));
    const error = output.errors.find(({ severity }) => severity === "error");
    return error === undefined ? output : { error: error.formattedMessage };
  }

  stop(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }

  #ask(input: string): Promise<string> {
    this.#child ??= fork(join(import.meta.dirname, "compilerChild.ts"), { stdio: "inherit" });
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const fail = (reason: string): void => {
        this.stop();
        reject(new BaseError({ code: "mutation.compiler", message: `the compiler ${reason}` }));
      };
      const timer = setTimeout(() => fail("did not answer"), TIME_LIMIT_MS);
      const onExit = (): void => fail("ended");
      child.once("exit", onExit);
      child.once("message", (output) => {
        clearTimeout(timer);
        child.off("exit", onExit);
        resolve(String(output));
      });
      child.send(input);
    });
  }
}
