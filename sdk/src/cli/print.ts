import { styleText } from "node:util";
import type { WitnessTaken } from "../client/takeWitness.ts";
import {
  LEGACY_MEDIA_TYPE,
  type LegacyCore,
  type LegacyReceipt,
  legacyReceiptId,
} from "../legacy/legacyReceipt.ts";
import type { AsOf, Line, Status } from "../line.ts";
import type { Receipt } from "../receipt/receipt.ts";
import { receiptId } from "../typedData.ts";

const COLUMNS = 80;
const INDENT = "    ";
const COLOURS = { asserted: "green", refuted: "red", unknown: "yellow" } as const;
const SHOWN_CHARACTERS = 2000;
/** Whatever is no plain character: controls, what changes the direction of writing, line separators, unused code points. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Whether a stream is a person's terminal, who has not said that they want no colours (https://no-color.org). */
export const isColoured = (stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean =>
  stream.isTTY === true && (env.NO_COLOR ?? "") === "";

/** A stranger's text for a terminal: what it would not show, or would obey, stands there by its number. */
export const printable = (text: string): string =>
  text.replaceAll(UNPRINTABLE, (character) => {
    const number = character.codePointAt(0) ?? 0;
    return `\\u{${number.toString(16)}}`;
  });

/** Text in lines of 80 columns, indented; what has no space is cut. */
export function wrapped(text: string, indent = INDENT): string[] {
  const width = COLUMNS - indent.length;
  const lines: string[] = [];
  let line = "";
  // By characters: half of one is none.
  for (let word of text.split(" ")) {
    for (let characters = [...word]; characters.length > width; characters = [...word]) {
      if (line !== "") lines.push(line);
      lines.push(characters.slice(0, width).join(""));
      [line, word] = ["", characters.slice(width).join("")];
    }
    const next = line === "" ? word : `${line} ${word}`;
    if ([...next].length > width) {
      lines.push(line);
      line = word;
    } else line = next;
  }
  return [...lines, line].map((part) => indent + part);
}

/** A verification for people. */
export function printLines(lines: readonly Line[], options: { isColoured: boolean }): string[] {
  return lines.flatMap(({ check, status, source, asOf, detail }) => {
    const head = [check, `(${source}${asOfText(asOf)})`].join(" ");
    return [
      `${colour(status, options.isColoured)}${" ".repeat(10 - status.length)}${head}`,
      ...wrapped(printable(detail)),
    ];
  });
}

const colour = (status: Status, isColoured: boolean): string =>
  isColoured ? styleText(COLOURS[status], status, { validateStream: false }) : status;

/** `, ` and the time or block of which something is true. */
export function asOfText(asOf: AsOf): string {
  if (asOf.type === "always") return "";
  return asOf.type === "time" ? `, ${timeText(asOf.time)}` : `, block ${asOf.number}`;
}

/** What became of a witness that was wanted: its block's hash is to be kept, since the receipt cannot vouch for it. */
export const witnessWords = (witness: WitnessTaken): string =>
  "block" in witness
    ? `witness: of block ${witness.block.number}, ${witness.block.hash}`
    : `no witness: ${printable(witness.missing)}`;

/** Any value for programs: numbers without end as their digits. */
export const toJson = (value: unknown): string =>
  `${JSON.stringify(value, (_name, part) => (typeof part === "bigint" ? String(part) : part), 2)}\n`;

/** A time of unix seconds for people; its number where no calendar has it. */
export function timeText(seconds: string): string {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return seconds;
  return date.toISOString().replace(".000Z", "Z");
}

const coreFields = (core: Receipt["core"]): [string, string][] => [
  ["receipt", receiptId(core)],
  ["chain", core.chainId],
  ["settlement", core.settlement],
  ["model version", core.message.modelVersion],
  ["request", core.message.requestId],
  ["requester", core.message.requester],
  ["price", core.message.price],
  ["answered", timeText(core.message.timestamp)],
  ["enclave", core.key === null ? "none" : core.message.teeId],
  ["session", core.session ?? "none"],
];

const legacyFields = (core: LegacyCore): [string, string][] => [
  ["receipt", legacyReceiptId(core)],
  ["profile", "legacy"],
  ["answered", timeText(core.message.timestamp)],
  ["enclave", core.message.teeId],
];

function contentText(part: Receipt["core"]["input"] | Receipt["core"]["output"]): string {
  if (part === null) return "not in the receipt";
  if (part.type === "words") return part.words.join(" ");
  const characters = [...part.text];
  const shown = characters.slice(0, SHOWN_CHARACTERS).join("");
  return characters.length > SHOWN_CHARACTERS ? `${shown} …` : shown;
}

/** What a receipt says, for people; nothing of it was checked. */
export function printReceipt(receipt: Receipt | LegacyReceipt): string[] {
  const { evidence, hints } = receipt;
  const fields: (readonly [string, string])[] = [
    ...(receipt.mediaType === LEGACY_MEDIA_TYPE
      ? legacyFields(receipt.core)
      : coreFields(receipt.core)),
    ["input", contentText(receipt.core.input)],
    ["output", contentText(receipt.core.output)],
    ["evidence", evidence.map(({ type }) => type).join(", ") || "none"],
    ...Object.entries(hints).map(([name, hint]) => [`hint ${name}`, hint] as const),
  ];
  return fields.flatMap(([name, value]) => [printable(name), ...wrapped(printable(value))]);
}
