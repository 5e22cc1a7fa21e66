import { hexlify } from "ethers";
import { ByteCursor } from "../ByteCursor.ts";
import { DER, enter, readContent } from "./der.ts";

const SET = 0x31;
/** 2.5.4.3. */
const COMMON_NAME = "550403";

/** The last commonName of a certificate's name (DER), for a person; the name in hex where there is none. */
export function commonNameOf(name: Uint8Array): string {
  let found: string | undefined;
  try {
    const parts = enter(new ByteCursor(name), DER.sequence);
    while (parts.remaining > 0) {
      const attributes = enter(parts, SET);
      while (attributes.remaining > 0) {
        const attribute = enter(attributes, DER.sequence);
        const type = Buffer.from(readContent(attribute, DER.objectIdentifier)).toString("hex");
        const text = readContent(attribute, attribute.next ?? 0);
        if (type === COMMON_NAME) found = new TextDecoder().decode(text);
      }
    }
  } catch {
    // The contracts compare names byte for byte and read nothing in them: any bytes may be there.
  }
  return found ?? hexlify(name);
}
