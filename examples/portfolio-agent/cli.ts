/** `node examples/portfolio-agent/cli.ts <settings.json>`: says what it would do, or why it does nothing. */
import { runAgent } from "./runAgent.ts";
import { readSettings, SettingsError } from "./settings.ts";

const [path, ...others] = process.argv.slice(2);
try {
  if (path === undefined || others.length > 0) {
    throw new SettingsError("usage: node examples/portfolio-agent/cli.ts <settings.json>");
  }
  const { action, reason, share } = await runAgent(readSettings(path), (line) =>
    console.error(line),
  );
  const trade = action === "hold" ? "hold" : `${action} ${(100 * share).toFixed(1)} %`;
  console.log(`would ${trade}: ${reason}`);
} catch (error) {
  const why = error instanceof Error ? error.message : String(error);
  console.error(error instanceof SettingsError ? why : `refuses to act: ${why}`);
  process.exitCode = error instanceof SettingsError ? 2 : 1;
}
