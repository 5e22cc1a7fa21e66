import { GAS_CLAIMS, GAS_SNAPSHOT, GAS_TABLES } from "./gasClaims.ts";
import type { Project } from "./project.ts";
import { linesOf } from "./readDocument.ts";

type Figures = Readonly<Record<string, number>>;

const PLACE = /\{([\w.]+)( M)?\}/g;
const FIGURE = /\d{1,3}(?:,\d{3})+|\d+/g;
const MILLION = 1_000_000;

/** The figures of gas in the documents that are not the snapshot's, and those of the snapshot that none tells. */
export function checkGas(
  project: Pick<Project, "read">,
  claims: Readonly<Record<string, readonly string[]>> = GAS_CLAIMS,
  tables: readonly string[] = GAS_TABLES,
): string[] {
  const figures: Figures = JSON.parse(project.read(GAS_SNAPSHOT));
  const told = Object.entries(claims).flatMap(([document, list]) => {
    const text = inOneLine(project.read(document));
    return list
      .map((claim) => fill(claim, figures))
      .filter((claim) => !text.includes(claim))
      .map((claim) => `${document}: by ${GAS_SNAPSHOT} it must say "${claim}"`);
  });
  const named = new Set([...Object.values(claims).flat().join().matchAll(PLACE)].map(([, k]) => k));
  const untold = Object.keys(figures)
    .filter((key) => !named.has(key))
    .map((key) => `${GAS_SNAPSHOT}: no document tells ${key}`);
  return [
    ...told,
    ...untold,
    ...tables.flatMap((document) => unknownIn(document, project, figures)),
  ];
}

function fill(claim: string, figures: Figures): string {
  return claim.replace(PLACE, (_, key: string, isMillions?: string) => {
    const figure = figures[key];
    if (figure === undefined) return `no figure ${key}`;
    return isMillions ? (figure / MILLION).toFixed(1) : figure.toLocaleString("en-US");
  });
}

/** The rows of a document's tables whose column "gas" holds a figure that the snapshot does not have. */
function unknownIn(document: string, project: Pick<Project, "read">, figures: Figures): string[] {
  const known = new Set(Object.values(figures).map((figure) => figure.toLocaleString("en-US")));
  const problems: string[] = [];
  let column = -1;
  for (const { number, text } of linesOf(project.read(document))) {
    const cells = text.startsWith("|") ? text.split("|").map((cell) => cell.trim()) : [];
    if (cells.length === 0) column = -1;
    else if (column === -1) column = cells.indexOf("gas");
    for (const [figure] of (cells[column] ?? "").matchAll(FIGURE)) {
      if (known.has(figure)) continue;
      problems.push(`${document}:${number}: ${figure} gas is in no figure of ${GAS_SNAPSHOT}`);
    }
  }
  return problems;
}

const inOneLine = (text: string) => text.replace(/\s+/g, " ");
