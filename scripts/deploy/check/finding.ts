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
