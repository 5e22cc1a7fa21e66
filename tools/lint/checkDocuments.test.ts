import { describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { checkCommands } from "./checkCommands.ts";
import { checkComments } from "./checkComments.ts";
import { checkDocuments } from "./checkDocuments.ts";
import { checkExamples } from "./checkExamples.ts";
import { checkLinks } from "./checkLinks.ts";
import { checkPaths } from "./checkPaths.ts";
import { checkTests } from "./checkTests.ts";
import { foldersOf, type Project, readProject } from "./project.ts";
import { anchorsOf } from "./readDocument.ts";

const OTHER_FILES = ["scripts/run.ts", "test/contracts/Vault.test.ts", "worker/src/queue/lease.ts"];

/** A project with one source file more, `worker/src/cli.ts`. */
function projectWithSource(text: string): Project {
  const project = projectWith("");
  const file = "worker/src/cli.ts";
  const files = new Set([...project.files, file]);
  return { ...project, files, read: (path) => (path === file ? text : project.read(path)) };
}

/** A project with one document, `docs/page.md`, beside `docs/other.md` with the heading "Two words". */
function projectWith(text: string): Project {
  const texts = new Map([
    ["docs/page.md", text],
    ["docs/other.md", "# Two words\n"],
    ["scripts/run.ts", "first();\nsecond();\nthird();\n"],
    [
      "test/contracts/Vault.test.ts",
      'it("pays who is owed");\nit("test_RevertWhen_CallerIsPoor");\n',
    ],
  ]);
  const files = new Set([...texts.keys(), ...OTHER_FILES]);
  return {
    files,
    folders: foldersOf(files),
    scripts: new Map([
      ["", new Set(["demo", "bench:gas", "test"])],
      ["@haca/indexer", new Set(["start"])],
    ]),
    isIgnored: (path) => path.startsWith("docs/out"),
    read: (file) => texts.get(file) ?? "",
  };
}

const check = (
  checker: (document: string, project: Project) => string[],
  text: string,
): readonly string[] => checker("docs/page.md", projectWith(text));

describe("links", () => {
  it.each([
    "[a](other.md)",
    "[a](other.md#two-words)",
    "# Here\n[a](#here)",
    "[a](../scripts/run.ts)",
    "[a](../worker/src)",
    "[a](https://example.org/nothing.md)",
    "```\n[a](nothing.md)\n```",
    "`[a](nothing.md)`",
  ])("takes %j", (text) => expect(check(checkLinks, text)).toEqual([]));

  it.each([
    ["[a](nothing.md)", "docs/page.md:1: the link nothing.md leads to no file"],
    ["\n![a](nothing.svg)", "docs/page.md:2: the link nothing.svg leads to no file"],
    ["[a](other.md#three)", "the link other.md#three names a heading that docs/other.md does"],
    ["[a](#here)", "the link #here names a heading that docs/page.md does not have"],
    ["[a](../worker/src#here)", "names a heading of a folder"],
    ["[a](other.md) [b](nothing.md)", "the link nothing.md leads to no file"],
  ])("refuses %j", (text, fault) => {
    expect(check(checkLinks, text)).toEqual([expect.stringContaining(fault)]);
  });

  it("are compared with the anchors that GitHub makes", () => {
    const text = "# A `b` (c), d_e\n## Same\n## Same\n### [Link](x.md) it\n```\n# none\n```";
    expect([...anchorsOf(text)]).toEqual(["a-b-c-d_e", "same", "same-1", "link-it"]);
  });
});

describe("paths", () => {
  it.each([
    "`scripts/run.ts`",
    "`worker/src/`",
    "`other.md`",
    "`lease.ts`",
    "`queue/lease.ts`",
    "`worker/src/*/lease.ts`",
    "`{scripts/run,queue/lease}.ts`",
    "`out/figures.json`",
    "`deployments/<chainId>.json`",
    "`name/value`",
    "`a b/c`",
    "```\n`scripts/nothing.ts`\n```",
  ])("takes %j", (text) => expect(check(checkPaths, text)).toEqual([]));

  it.each([
    ["`scripts/nothing.ts`", "docs/page.md:1: `scripts/nothing.ts` is not in the repository"],
    ["`worker/test`", "`worker/test` is not in the repository"],
    ["`nothing.ts`", "`nothing.ts` is not in the repository"],
    ["`ease.ts`", "`ease.ts` is not in the repository"],
    ["`test/contracts/*.sol`", "`test/contracts/*.sol` is not in the repository"],
    ["`queue/{lease,gone}.ts`", "`queue/gone.ts` is not in the repository"],
  ])("refuses %j", (text, fault) => {
    expect(check(checkPaths, text)).toEqual([expect.stringContaining(fault)]);
  });
});

describe("commands", () => {
  it.each([
    "npm run demo -- --keep",
    "`npm run bench:*`",
    "npm test",
    "npm start -w @haca/indexer",
    "npm ci",
  ])("takes %j", (text) => expect(check(checkCommands, text)).toEqual([]));

  it.each([
    ["```\nnpm run nothing\n```", "docs/page.md:2: npm run nothing is not in package.json"],
    ["npm run gone:*", "npm run gone:* is not in package.json"],
    ["npm start", "npm run start is not in package.json"],
    ["npm run demo -w @haca/indexer", "is not in the package.json of @haca/indexer"],
  ])("refuses %j", (text, fault) => {
    expect(check(checkCommands, text)).toEqual([expect.stringContaining(fault)]);
  });
});

describe("tests", () => {
  it.each([
    '`Vault.test.ts` "pays who is owed", `test_RevertWhen_CallerIsPoor`',
    '`contracts/Vault.test.ts`: "pays…owed" and\n`…CallerIsPoor`',
    "`test_RevertWhen_…Poor`",
    'the vault "pays nobody"',
    '```\n`Vault.test.ts` "pays nobody"\n```',
  ])("takes %j", (text) => expect(check(checkTests, text)).toEqual([]));

  it.each([
    ['`Vault.test.ts` "pays nobody"', 'docs/page.md:1: Vault.test.ts has no test "pays nobody"'],
    ['`Vault.test.ts` "pays who…",\n"owed…pays"', 'Vault.test.ts has no test "owed…pays"'],
    ["`Vault.test.ts` `test_Pays`", 'Vault.test.ts has no test "test_Pays"'],
    ["\nby `invariant_Pays`", "docs/page.md:2: no test is named invariant_Pays"],
  ])("refuses %j", (text, fault) => {
    expect(check(checkTests, text)).toEqual([expect.stringContaining(fault)]);
  });
});

describe("examples", () => {
  it.each([
    "```ts scripts/run.ts\nfirst();\nsecond();\n```",
    "```ts scripts/run.ts\nthird();\n```",
    "```ts\nfourth();\n```",
  ])("takes %j", (text) => expect(check(checkExamples, text)).toEqual([]));

  it.each([
    ["```ts scripts/run.ts\nfirst();\nthird();\n```", "docs/page.md:1: is not the text of scr"],
    ["```ts scripts/run.ts\nfirst()\n```", "is not the text of scripts/run.ts"],
    ["```ts scripts/gone.ts\n```", "shows scripts/gone.ts, which is not in the repository"],
  ])("refuses %j", (text, fault) => {
    expect(check(checkExamples, text)).toEqual([expect.stringContaining(fault)]);
  });
});

describe("comments", () => {
  it.each([
    "// as scripts/run.ts does",
    "/** `lease.ts` has it, docs/other.md why. */",
    " * so does worker/src/queue/lease.ts",
    "// elsewhere/anything.ts is anybody's, <name>.ts a pattern",
    'const text = "scripts/nothing.ts";',
  ])("take %j", (text) => expect(checkComments(projectWithSource(text))).toEqual([]));

  it.each([
    ["a();\n// as scripts/nothing.ts does", "worker/src/cli.ts:2: scripts/nothing.ts is not in"],
    [" * A row of `lease.sql`. */", "lease.sql is not in the repository"],
    ["/// docs/nothing.md has it.", "docs/nothing.md is not in the repository"],
    ["a(); // `nothing.ts`", "nothing.ts is not in the repository"],
  ])("with %j are refused", (text, fault) => {
    expect(checkComments(projectWithSource(text))).toEqual([expect.stringContaining(fault)]);
  });
});

describe("this repository", () => {
  it("has what its documents speak of and show, and gas figures as its snapshot has them", () => {
    expect(checkDocuments(readProject(PROJECT_ROOT)).problems).toEqual([]);
  });
});
