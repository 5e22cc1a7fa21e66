import type { Logger } from "pino";
import { readConfig, type Settings } from "../config/readConfig.ts";
import { readDataNodeConfig } from "../roles/dataNode/readDataNodeConfig.ts";
import { readFacilitatorConfig } from "../roles/facilitate/readFacilitatorConfig.ts";
import { readHeartbeatConfig } from "../roles/heartbeat/readHeartbeatConfig.ts";
import { readWatchConfig } from "../roles/watch/readWatchConfig.ts";
import type { RunningWorker } from "./startWorker.ts";

type Start = (parameters: { logger: Logger; signal: AbortSignal }) => Promise<RunningWorker>;

/** Reads the configuration; what needs the built contracts is loaded after that, so that help never does. */
export function prepareRoles(
  roles: readonly string[],
  settings: Settings,
): { start: Start; logLevel: string } {
  if (roles.length === 1 && roles[0] === "heartbeat") {
    const config = readHeartbeatConfig(settings);
    return {
      logLevel: config.logLevel,
      async start(parts) {
        const { startHeartbeat } = await import("./startHeartbeat.ts");
        return await startHeartbeat({ config, ...parts });
      },
    };
  }
  if (roles.length === 1 && roles[0] === "facilitate") {
    const config = readFacilitatorConfig(settings);
    return {
      logLevel: config.logLevel,
      async start(parts) {
        const { startFacilitator } = await import("./startFacilitator.ts");
        return await startFacilitator({ config, ...parts });
      },
    };
  }
  const watching = (["watch", "validate"] as const).filter((role) => roles.includes(role));
  if (watching.length > 0 && watching.length === roles.length) {
    const config = readWatchConfig({ roles: watching, settings });
    return {
      logLevel: config.logLevel,
      async start(parts) {
        const { startWatcher } = await import("./startWatcher.ts");
        return await startWatcher({ config, ...parts });
      },
    };
  }
  if (roles.length === 1 && roles[0] === "data-node") {
    const config = readDataNodeConfig(settings);
    return {
      logLevel: config.logLevel,
      async start(parts) {
        const { startDataNode } = await import("./startDataNode.ts");
        return await startDataNode({ config, ...parts });
      },
    };
  }
  const config = readConfig({ roles, settings });
  return {
    logLevel: config.logLevel,
    async start(parts) {
      const { startWorker } = await import("./startWorker.ts");
      return await startWorker({ config, ...parts });
    },
  };
}
