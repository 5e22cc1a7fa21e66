import { type KnownVendor, VENDORS } from "@haca/attestation/vendors";
import { BaseError } from "@haca/protocol/baseError";
import { getAddress, isAddress } from "ethers";

/** Options of every verb that reads a chain. */
export type ChainOptions = { network: string; account?: string };
/** Options of every verb that sends. */
export type SendOptions = ChainOptions & { account: string; yes?: boolean };

/** The question before a transaction, where the answer was not given beforehand. */
export const asked = ({ yes }: SendOptions, question: string): string | undefined =>
  yes === true ? undefined : question;

export function badOption(message: string, cause?: unknown): BaseError {
  return new BaseError({ code: "tee.badOption", message, cause });
}

/** An integer in a range. Error: `tee.badOption`. */
export function integerOption(parameters: {
  name: string;
  text: string;
  minimum: number;
  maximum: number;
}): number {
  const { name, text, minimum, maximum } = parameters;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
  throw badOption(`--${name} must be an integer from ${minimum} to ${maximum}, got ${text}`);
}

export function addressOption(name: string, text: string | undefined): string {
  if (text !== undefined && isAddress(text)) return getAddress(text);
  throw badOption(`--${name} must be an address, got ${text}`);
}

export function addressArgument(name: string, text: string): string {
  if (isAddress(text)) return getAddress(text);
  throw badOption(`expected the address of a ${name}, got ${text}`);
}

/** An http or https URL. Error: `tee.badOption`. */
export function urlOption(name: string, text: string | undefined): string {
  if (text !== undefined && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) {
    return text;
  }
  throw badOption(`--${name} must be an http or https URL, got ${text}`);
}

/** The https URL under which clients reach a node: 256 bytes at most, as the registry wants it. */
export function endpointOption(text: string | undefined): string {
  const url = urlOption("endpoint", text);
  if (!url.startsWith("https://")) throw badOption(`--endpoint must be an https URL, got ${url}`);
  const length = Buffer.byteLength(url);
  if (length > 256) throw badOption(`--endpoint must be 256 bytes at most, got ${length}`);
  return url;
}

export function teeIdArgument(text: string): string {
  if (/^0x[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase();
  throw badOption(`expected a teeId, 0x and 64 hex digits, got ${text}`);
}

/** A vendor of evidence by its name. Error: `tee.badOption`. */
export function vendorOption(text: string): KnownVendor {
  const vendor = VENDORS.find(({ name }) => name === text);
  if (vendor !== undefined) return vendor;
  throw badOption(`--vendor must be ${VENDORS.map(({ name }) => name).join(", ")}, got ${text}`);
}
