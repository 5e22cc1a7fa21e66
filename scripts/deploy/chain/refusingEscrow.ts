import { concat, id } from "ethers";

/** In the place of the public escrow: refuses every caller by its name for that, by which an operator knows it. */
export const REFUSING_ESCROW: string = concat([
  ...["0x63", id("InvalidSender(address,address)").slice(0, 10), "0x60e01b5f5260045ffd"],
]);
