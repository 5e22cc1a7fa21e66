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

/** A fenced block: what stands behind its opening fence, the number of that line, and what is in it. */
export type Block = { readonly info: string; readonly number: number; readonly text: string };

/** The fenced blocks of a Markdown text. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { info: string; number: number; lines: string[] } | undefined;
  for (const [index, text] of markdown.split(/\r?\n/).entries()) {
    if (!FENCE.test(text)) open?.lines.push(text);
    else if (open === undefined) {
      open = { info: text.replace(FENCE, "").trim(), number: index + 1, lines: [] };
    } else {
      blocks.push({ info: open.info, number: open.number, text: open.lines.join("\n") });
      open = undefined;
    }
  }
  return blocks;
}

/** Lines of prose that follow each other, as one text, with the number of the first. */
export function paragraphsOf(
  markdown: string,
): { readonly number: number; readonly text: string }[] {
  const paragraphs: { number: number; text: string }[] = [];
  let last = Number.NaN;
  for (const { number, text, isFenced } of linesOf(markdown)) {
    if (isFenced || text.trim() === "") continue;
    const paragraph = number === last + 1 ? paragraphs.at(-1) : undefined;
    if (paragraph === undefined) paragraphs.push({ number, text });
    else paragraph.text += ` ${text.trim()}`;
    last = number;
  }
  return paragraphs;
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
