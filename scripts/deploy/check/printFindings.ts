import { BaseError } from "@haca/protocol/baseError";
import { type Finding, isMatch } from "./finding.ts";

/** Prints what was found, what is to be judged by a person first. Error `deployCheck.different` if anything is wrong. */
export function printFindings(findings: readonly Finding[], isVerbose: boolean): void {
  const of = (kind: Finding["kind"]): Finding[] => findings.filter((found) => found.kind === kind);
  const print = (title: string, lines: readonly string[]): void => {
    if (lines.length > 0) console.log([title, ...lines.map((line) => `  ${line}`)].join("\n"));
  };
  print(
    "chosen by the deployment, for you to judge:",
    of("parameter").map(({ subject, actual }) => `${subject}: ${actual}`),
  );
  print(
    "since the deployment, or to be known:",
    of("notice").map(({ subject, actual }) => `• ${subject}: ${actual}`),
  );
  if (isVerbose) {
    print(
      "as it should be:",
      of("equal").map(({ subject, actual }) => `✔ ${subject}: ${actual}`),
    );
  }
  const different = findings.filter((found) => !isMatch(found));
  print(
    "not as it should be:",
    different.map(({ subject, expected, actual }) => `✘ ${subject}: ${expected}, but ${actual}`),
  );
  const compared = of("equal").length + different.length;
  if (different.length > 0) {
    throw new BaseError({
      code: "deployCheck.different",
      message: `${different.length} of ${compared} comparisons differ`,
    });
  }
  console.log(`${compared} comparisons of the chain with this repository, all equal`);
}
