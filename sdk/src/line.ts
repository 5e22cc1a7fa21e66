/** What is looked at, in the order in which lines are printed; docs/sdk.md says what each is worth. */
export const CHECKS = [
  ...["form", "contract", "time", "request", "model", "coverage", "input", "output"],
  ...["key", "signature", "session", "attestation", "proof", "page"],
  ...["witness", "admitted"],
  ...["validWhenAnswered", "inGoodStanding", "settled"],
] as const;
export type Check = (typeof CHECKS)[number];

/** `unknown`: could not be looked at, or nobody said so. Whatever fails in a check refutes it. */
export type Status = "asserted" | "refuted" | "unknown";

/** As of when a line is so: a block, a second (unix), or always. */
export type AsOf =
  | { type: "always" }
  | { type: "time"; time: string }
  | { type: "block"; number: string; hash: string; time: string };

/** One line of a verification: what was checked, by what, as of when. */
export type Line = {
  check: Check;
  status: Status;
  /** "own computation", "pins", "2 RPCs that agree", "trusts 1 RPC", "witness", "nobody" */
  source: string;
  asOf: AsOf;
  /** a sentence for people */
  detail: string;
};

const ALWAYS: AsOf = { type: "always" };
export const COMPUTED = "own computation";
export const PINS = "pins";
export const NOBODY = "nobody";

/** A line that is so whenever it is looked at, unless something else is said. */
export const lineOf = (
  check: Check,
  status: Status,
  detail: string,
  rest: Partial<Pick<Line, "source" | "asOf">> = {},
): Line => ({
  ...{ check, status, detail },
  ...{ source: status === "unknown" ? NOBODY : COMPUTED, asOf: ALWAYS },
  ...rest,
});
