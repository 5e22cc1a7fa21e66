/** Writes the generated ABIs from Hardhat's artifacts, as `npm run build` and the deployment do; the tests' own besides. */
import { writeAbi } from "../../scripts/lib/writeAbi.ts";
import { writeMockAbis } from "./writeMockAbis.ts";

writeAbi();
writeMockAbis();
