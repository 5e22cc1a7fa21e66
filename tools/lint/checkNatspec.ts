import type { Project } from "./project.ts";

const INTERFACES = /^contracts\/interfaces\/.*\.sol$/;
/** A declaration with the comment above it. Functions and events are solhint's to look at (use-natspec). */
const DECLARATION = /((?: *\/\/\/[^\n]*\n)*) *(error|struct) (\w+)\s*(?:\(([^)]*)\)|\{([^}]*)\})/g;

/** Errors and structs of the interfaces that do not say when they come, or what each of their parts means. */
export function checkNatspec(project: Pick<Project, "files" | "read">): string[] {
  const files = [...project.files].filter((file) => INTERFACES.test(file)).sort();
  return files.flatMap((file) =>
    [...project.read(file).matchAll(DECLARATION)].flatMap(
      ([, comment = "", kind = "", name = "", parameters, fields]) => {
        const told = [...comment.matchAll(/@param (\w+) \S/g)].map(([, part]) => part);
        const parts = parameters === undefined ? fieldsOf(fields ?? "") : partsOf(parameters);
        const missing = parts.filter((part) => !told.includes(part));
        return [
          ...(comment.includes("@notice ") ? [] : [`${file}: ${kind} ${name} has no @notice`]),
          ...missing.map((part) => `${file}: ${kind} ${name} has no @param for ${part}`),
        ];
      },
    ),
  );
}

const lastWord = (text: string): string => text.trim().split(/\s+/).at(-1) ?? "";

const partsOf = (parameters: string): string[] =>
  parameters.split(",").flatMap((part) => (part.trim() === "" ? [] : lastWord(part)));

const fieldsOf = (fields: string): string[] =>
  [...fields.replaceAll(/\/\/[^\n]*/g, "").matchAll(/(\w+)\s*;/g)].map(([, field = ""]) => field);
