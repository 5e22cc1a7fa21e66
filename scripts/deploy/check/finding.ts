import { BaseError } from "@haca/protocol/baseError";

/**
 * One thing that was looked at. `different`: not as this repository would have it, and nothing that was decided since
 * explains it. `notice`: a legitimate change since the deployment, or something that a person should know.
 * `parameter`: what a deployment may choose freely, for a person to judge.
 */
export type Finding = {
  kind: "equal" | "different" | "notice" | "parameter";
  /** what was looked at, in words */
  subject: string;
  expected: string;
  actual: string;
};

export const isMatch = ({ kind }: Finding): boolean => kind !== "different";

/** Compares values as text: addresses and hashes without regard to case. */
export function finding(subject: string, expected: unknown, actual: unknown): Finding {
  const [left, right] = [String(expected), String(actual)];
  const kind = left.toLowerCase() === right.toLowerCase() ? "equal" : "different";
  return { kind, subject, expected: left, actual: right };
}

/** Something that should not be there at all, or not as it is. */
export const unexpected = (subject: string, expected: string, actual: string): Finding => ({
  ...{ kind: "different", subject, expected, actual },
});

export const notice = (subject: string, text: string): Finding => ({
  ...{ kind: "notice", subject, expected: "", actual: text },
});

export const parameter = (subject: string, text: string): Finding => ({
  ...{ kind: "parameter", subject, expected: "", actual: text },
});

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
