import type { PinnedSettlement, Pins } from "../pins.ts";
import { optionError } from "./optionError.ts";

/** The one settlement that is pinned on a client's chain. @throws BaseError `option.wrong` */
export function pinnedSettlement(pins: Pins): PinnedSettlement {
  const [settlement, another] = pins.settlements ?? [];
  if (settlement !== undefined && another === undefined) return settlement;
  const count = settlement === undefined ? "none" : "more than one";
  throw optionError("pins.settlements", `must pin one for this chain, has ${count}`);
}
