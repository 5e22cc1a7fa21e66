import { BaseError } from "@haca/protocol/baseError";

/**
 * Bytes that are not what the contracts read. `details.error` names the contracts' custom error for the same bytes,
 * `details.offset` is the byte, counted from the start of the document, its payload, or one certificate.
 */
export class EvidenceError extends BaseError {
  /** name of the contracts' error, as `Der_Truncated` */
  readonly error: string;

  constructor(parameters: { error: string; offset: number; reason: string }) {
    const { error, offset, reason } = parameters;
    const [part = ""] = error.split("_");
    super({
      code: CODES[part] ?? "document.invalid",
      message: `byte ${offset}: ${reason}`,
      details: { error, offset },
    });
    this.error = error;
  }
}

const CODES: Readonly<Record<string, string>> = {
  Cbor: "cbor.malformed",
  Der: "der.malformed",
  X509: "certificate.invalid",
};
