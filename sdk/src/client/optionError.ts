import { BaseError } from "@haca/protocol/baseError";

/** What a caller asked for that cannot be: names the option, and says why. */
export const optionError = (option: string, reason: string): BaseError =>
  new BaseError({
    ...{ code: "option.wrong", message: `${option}: ${reason}` },
    details: { option },
  });

/** Refuses options that there are not: a mistyped one would silently do nothing. @throws BaseError `option.wrong` */
export function requireKnown(options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw optionError(unknown, `there is no such option; there are ${known.join(", ")}`);
}
