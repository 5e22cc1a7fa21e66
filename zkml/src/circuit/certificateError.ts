import { BaseError } from "@haca/protocol/baseError";
import type { WireBlock } from "./circuitBuilder.ts";

/** A circuit for which something could not be shown. No model is compiled to it. */
export class CertificateError extends BaseError {
  constructor(parameters: {
    reason:
      | "undetermined"
      | "rangeUnknown"
      | "wraps"
      | "inexact"
      | "weightInProduct"
      | "fieldRow"
      | "choice"
      | "rank";
    message: string;
    details?: Record<string, unknown>;
  }) {
    const { reason, message, details } = parameters;
    super({
      code: `certificate.${reason}`,
      message,
      ...(details === undefined ? {} : { details }),
    });
    this.name = "CertificateError";
  }
}

/** A wire's name, for messages. */
export function wireName(blocks: readonly WireBlock[], wire: number): string {
  const block = blocks.find(({ first, count }) => wire >= first && wire < first + count);
  if (block === undefined) return `wire ${wire}`;
  return block.isArray ? `${block.name}[${wire - block.first}]` : block.name;
}
