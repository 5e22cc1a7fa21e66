import { dataSlice } from "ethers";
import { type Bound, bindingOf } from "../binding.ts";

/** The nonce that a document for `TEERegistry.register` must carry: the binding's first 20 bytes. */
export const bindingNonce = (bound: Bound): string => dataSlice(bindingOf(bound), 0, 20);
