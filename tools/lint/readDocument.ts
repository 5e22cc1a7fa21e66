/** A line of a document with its number, and whether it stands in a fenced block. */
export type Line = { readonly number: number; readonly text: string; readonly isFenced: boolean };

const FENCE = /^\s*(```|~~~)/;
const HEADING = /^#{1,6}\s+(.*?)\s*#*$/;
const CODE_SPAN = /`([^`]+)`/g;

/** The lines of a Markdown text, without those that open or close a fenced block. */
export function linesOf(markdown: string): Line[] {
  const lines: Line[] = [];
  let isFenced = false;
  for (const [index, text] of markdown.split(/\r?\n/).entries()) {
    if (FENCE.test(text)) isFenced = !isFenced;
    else lines.push({ number: index + 1, text, isFenced });
  }
  return lines;
}

/** What stands between back-ticks in a line of prose. */
export function codeSpansOf(line: Line): string[] {
  return line.isFenced ? [] : [...line.text.matchAll(CODE_SPAN)].map(([, code]) => code ?? "");
}

/** The anchors that GitHub gives a document's headings; a heading that comes again is numbered. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const line of linesOf(markdown)) {
    const title = line.isFenced ? undefined : HEADING.exec(line.text)?.[1];
    if (title === undefined) continue;
    const anchor = slugOf(title);
    let numbered = anchor;
    for (let count = 1; anchors.has(numbered); count++) numbered = `${anchor}-${count}`;
    anchors.add(numbered);
  }
  return anchors;
}

/** Lower case, letters, digits, hyphens and underscores only, blanks as hyphens; a link counts by its words. */
function slugOf(title: string): string {
  return title
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}
