/** What only tests use: it has rows of its own, and no part in the cycles. */
const TEST = /(^|\/)(tests?|testing|examples)\/|\.(test\.ts|t\.sol)$|(^|\/)tests\.rs$/;
/** The command `npm test` is no test. */
const RUNS_TESTS = /^(scripts|tools)\/test\/(?!.*\.test\.ts$)/;

export const isTest = (path: string): boolean => TEST.test(path) && !RUNS_TESTS.test(path);

/** Folders whose folders are rooms of their own, the inner ones first. */
const DIVIDED = [
  "worker/src/roles",
  ...["contracts", "worker/src", "zkml/src", "prover/crates", "scripts", "tools"],
];

/** A room: a folder of the root, or of one that is divided into rooms. Files beside rooms are the outer room's. */
export function roomOf(path: string): string {
  for (const outer of DIVIDED) {
    const [inner, ...rest] = path.startsWith(`${outer}/`)
      ? path.slice(outer.length + 1).split("/")
      : [];
    if (inner !== undefined && rest.length > 0) return `${outer}/${inner}`;
  }
  return packageOf(path);
}

/** As `roomOf`, but each file beside rooms by itself: a command beside what all rooms use makes no cycle of them. */
export function nodeOf(path: string): string {
  const room = roomOf(path);
  return DIVIDED.some((outer) => path.startsWith(`${outer}/`)) &&
    !DIVIDED.some((outer) => room.startsWith(`${outer}/`))
    ? path
    : room;
}

/** The outermost room: what has a licence and dependencies. Crates are packages. */
export function packageOf(path: string): string {
  const [first = "", second, third, ...rest] = path.split("/");
  if (second === undefined) return "(root)";
  if (first === "prover" && rest.length > 0) return [first, second, third].join("/");
  return first;
}

const LIBRARIES = ["protocol", "attestation", "model-runtime", "sdk"];
const PROGRAMS = ["circuits", "zkml", "worker", "indexer", "enclave-simulator", "gateway"];

/** Which packages a package's own sources may import; its tests may import more. CONTRIBUTING.md says the same. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  clients: [],
  protocol: [],
  attestation: ["protocol"],
  "model-runtime": ["protocol"],
  circuits: ["protocol"],
  zkml: ["protocol", "model-runtime", "circuits"],
  worker: ["protocol", "attestation", "model-runtime"],
  "enclave-simulator": ["protocol", "attestation"],
  gateway: ["protocol", "attestation"],
  sdk: ["protocol", "attestation", "model-runtime"],
  indexer: ["protocol"],
  scripts: [...LIBRARIES, ...PROGRAMS],
  tools: [...LIBRARIES, ...PROGRAMS, "scripts", "testing", "test"],
};
