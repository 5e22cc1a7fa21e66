import { describeCrashes } from "./support/describeCrashes.ts";

describeCrashes("page");
