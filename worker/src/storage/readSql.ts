import { readFileSync } from "node:fs";

/** The text of an SQL file that lies beside the module: `readSql(import.meta.url, "acceptJob.sql")`. */
export function readSql(moduleUrl: string, fileName: string): string {
  return readFileSync(new URL(fileName, moduleUrl), "utf8");
}
