import { writeFileSync } from "node:fs";
import { addMonths } from "@haca/protocol/addMonths";
import { ALLOCATIONS, DEFAULT_TGE, OPG_UNIT, vestingPeriod } from "@haca/protocol/allocations";
import { vestedAt } from "@haca/protocol/vestingSchedule";

const WIDTH = 860;
const HEIGHT = 430;
const MARGIN = { left: 60, right: 170, top: 46, bottom: 40 };
const MONTHS = 96;
const LIMIT = 1_000_000_000;
/** Dark to light, told apart without colour too by their order, which the labels repeat. */
const COLOURS = ["#0b3954", "#087e8b", "#2a9d8f", "#8ab17d", "#e9c46a", "#f4a261", "#e76f51"];

const x = (month: number): number =>
  MARGIN.left + (month / MONTHS) * (WIDTH - MARGIN.left - MARGIN.right);
const y = (tokens: number): number =>
  HEIGHT - MARGIN.bottom - (tokens / LIMIT) * (HEIGHT - MARGIN.top - MARGIN.bottom);
const point = (month: number, tokens: number): string =>
  `${x(month).toFixed(1)},${y(tokens).toFixed(1)}`;

/** Tokens of each allocation that are out at the end of a month. */
function unlocked(tge: number, month: number): number[] {
  const time = addMonths({ time: tge, months: month });
  return ALLOCATIONS.map((allocation) => {
    const { amount: total, tgeAmount } = allocation;
    const period = vestingPeriod({ allocation, tge });
    const vested =
      period.end === period.start
        ? total
        : vestedAt({ schedule: { total, tgeAmount, tge, ...period }, time });
    return Number(vested / OPG_UNIT);
  });
}

/** An SVG of what is unlocked per allocation, stacked, over the 96 months from the token generation event. */
export function vestingChart(parameters: { tge: number }): string {
  const { tge } = parameters;
  const months = Array.from({ length: MONTHS + 1 }, (_, month) => month);
  const stacks = months.map((month) => {
    let sum = 0;
    return [0, ...unlocked(tge, month).map((tokens) => (sum += tokens))];
  });
  const edge = (layer: number): string[] =>
    months.map((month) => point(month, stacks[month]?.[layer] ?? 0));
  const areas = ALLOCATIONS.map(
    (_, layer) =>
      `<polygon fill="${COLOURS[layer]}" points="${[...edge(layer), ...edge(layer + 1).reverse()].join(" ")}"/>`,
  );
  const labels = ALLOCATIONS.map(({ name }, layer) => {
    const last = stacks[MONTHS] ?? [];
    const middle = ((last[layer] ?? 0) + (last[layer + 1] ?? 0)) / 2;
    return `<text x="${x(MONTHS) + 10}" y="${(y(middle) + 4).toFixed(1)}">${name}</text>`;
  });
  const rows = [0, 250, 500, 750, 1000].map((millions) => {
    const height = y(millions * 1e6).toFixed(1);
    return (
      `<line x1="${MARGIN.left}" x2="${x(MONTHS)}" y1="${height}" y2="${height}" stroke="#ccc" stroke-width="0.5"/>` +
      `<text x="${MARGIN.left - 8}" y="${Number(height) + 4}" text-anchor="end">${millions}M</text>`
    );
  });
  const years = Array.from({ length: MONTHS / 12 + 1 }, (_, year) => {
    const date = new Date(addMonths({ time: tge, months: 12 * year }) * 1000);
    const text = date.toISOString().slice(0, 7);
    return `<text x="${x(12 * year).toFixed(1)}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${text}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img">
<title>OPG unlocked per allocation</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${MARGIN.left}" y="24" font-size="15">OPG unlocked per allocation, from the token generation event</text>
${[...rows, ...areas, ...labels, ...years].join("\n")}
</svg>
`;
}

/** Writes the schedule of the default event as a picture. */
export function writeChart(file: string): void {
  writeFileSync(file, vestingChart({ tge: DEFAULT_TGE }));
  console.log(`written to ${file}`);
}
