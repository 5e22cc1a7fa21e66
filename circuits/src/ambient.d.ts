/** The part of circom2 (circom as WebAssembly) that this package uses. */
declare module "circom2" {
  import type fs from "node:fs";

  type Bindings = { fs: typeof fs | null } & Record<string, unknown>;

  export const bindings: Bindings;

  export class CircomRunner {
    constructor(options: {
      args: string[];
      env: Record<string, string>;
      /** path inside the compiler -> path on this machine */
      preopens: Record<string, string>;
      bindings: Bindings;
    });
    execute(wasm: Uint8Array): Promise<unknown>;
  }
}
