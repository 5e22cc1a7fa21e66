import { BaseError } from "@haca/protocol/baseError";
import { type Ezkl, ezklAt } from "./ezklAt.ts";
import { EZKL_MODELS, type EzklModel } from "./ezklModels.ts";

/** A day: longer is a slip of the pen. */
const MAXIMUM_SECONDS = 86_400;

/** What the command line says of EZKL. */
export type EzklOptions = {
  ezkl?: string;
  ezklModels: string;
  ezklSeconds: string;
  ezklExports?: boolean;
};

/** What is measured beside EZKL, with what. */
export type EzklTask = {
  ezkl: Ezkl;
  models: EzklModel[];
  /** the longest that EZKL may take for one model */
  limitSeconds: number;
  prover: string;
  /** the folder of exports, where these are to be tried */
  exports?: string;
};

/** Checks everything before anything is measured; undefined without `--ezkl`. Throws `bench.option` and `bench.noProver`. */
export function readEzklOptions(parameters: {
  options: EzklOptions;
  prover: string | undefined;
  /** folder of the exports of common tools, where there is one */
  exports: string | undefined;
}): EzklTask | undefined {
  const { options, prover, exports } = parameters;
  const models = options.ezklModels.split(",").map((name) => {
    const model = EZKL_MODELS.find((one) => one.name === name);
    if (model !== undefined) return model;
    const names = EZKL_MODELS.map((one) => one.name).join(", ");
    throw refused(`--ezkl-models ${JSON.stringify(name)}: none of ${names}`);
  });
  const limitSeconds = Number(options.ezklSeconds);
  if (!Number.isInteger(limitSeconds) || limitSeconds < 1 || limitSeconds > MAXIMUM_SECONDS) {
    throw refused(
      `--ezkl-seconds ${options.ezklSeconds}: not a whole number from 1 to ${MAXIMUM_SECONDS}`,
    );
  }
  const hasExports = options.ezklExports === true;
  if (hasExports && options.ezkl === undefined) throw refused("--ezkl-exports: needs --ezkl");
  if (hasExports && exports === undefined) {
    throw refused("--ezkl-exports: HACA_FIXTURES names no folder of fixtures");
  }
  if (options.ezkl === undefined) return undefined;
  const ezkl = ezklAt(options.ezkl);
  if (prover === undefined) {
    const message = "--ezkl compares with the native prover: run `npm run build:prover` first";
    throw new BaseError({ code: "bench.noProver", message });
  }
  return {
    ...{ ezkl, models, limitSeconds, prover },
    ...(hasExports && exports !== undefined ? { exports } : {}),
  };
}

const refused = (message: string): BaseError => new BaseError({ code: "bench.option", message });
