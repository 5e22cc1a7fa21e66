import { spawnSync } from "node:child_process";
import { BaseError } from "@haca/protocol/baseError";
import { programAt } from "../prover/programAt.ts";

/** A Python that has EZKL's package, and the package's version. */
export type Ezkl = { python: string; version: string };

/** What `--ezkl` names. Throws `bench.option` where it is no program, or one that is no Python with EZKL. */
export function ezklAt(path: string): Ezkl {
  const option = "--ezkl";
  const python = programAt({ option, path });
  const program = "import ezkl; print('ezkl', ezkl.__version__)";
  const { status, signal, error, stdout, stderr } = spawnSync(python, ["-c", program], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 60_000,
  });
  const version = /^ezkl (\S+)$/m.exec(stdout ?? "")?.[1];
  if (status === 0 && version !== undefined) return { python, version };
  const lastLine = (stderr ?? "").trim().split("\n").at(-1);
  const why = error?.message ?? (lastLine || `it ended with ${signal ?? `status ${status}`}`);
  const message = `${option} ${python}: not a Python that has the package ezkl: ${why}`;
  throw new BaseError({ code: "bench.option", message });
}
