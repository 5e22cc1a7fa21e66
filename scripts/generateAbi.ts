/** Writes protocol/generated/abi.ts from Hardhat's artifacts, as `npm run build` and the deployment do. */
import { writeAbi } from "./lib/writeAbi.ts";

writeAbi();
