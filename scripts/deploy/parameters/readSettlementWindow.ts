import { InvalidArgumentError } from "commander";

/** The contract keeps it in 64 bits; more than a year is a slip. */
const MAXIMUM = 365 * 24 * 60 * 60;

/** Seconds, from the command line. */
export function readSettlementWindow(text: string): number {
  const seconds = Number(text);
  if (!/^[0-9]+$/.test(text) || seconds < 1 || seconds > MAXIMUM) {
    throw new InvalidArgumentError(`It must be a number of seconds from 1 to ${MAXIMUM}.`);
  }
  return seconds;
}
