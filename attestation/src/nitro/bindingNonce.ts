import { dataSlice } from "ethers";
import { type Bound, bindingOf } from "../binding.ts";

/** What a document carries of a binding: its first 20 bytes, as the nonce. */
export const carriedBinding = (binding: string): string => dataSlice(binding, 0, 20);

/** The nonce that a document for `TEERegistry.register` must carry. */
export const bindingNonce = (bound: Bound): string => carriedBinding(bindingOf(bound));
