/** Writes protocol/generated/abi.ts from Hardhat's artifacts, as `npm run build` and the deployment do. */
import { writeAbi } from "../../scripts/lib/writeAbi.ts";

writeAbi();
