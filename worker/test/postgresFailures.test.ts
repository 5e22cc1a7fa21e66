import { Pool } from "pg";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import type { Database } from "../src/storage/database.ts";
import { DatabaseAwayError } from "../src/storage/databaseFailure.ts";
import { openPostgres } from "../src/storage/openPostgres.ts";
import { newDatabase } from "./support/newDatabase.ts";

describe.skipIf(inject("postgresUrl") === undefined)("a PostgreSQL server", () => {
  /** A database, the connection that it loses, and what nobody heard of: that would end a worker. */
  async function open() {
    const url = await newDatabase();
    let onError = (_: Error): void => undefined;
    let onUnheard = (_: Error): void => undefined;
    const unheard: Error[] = [];
    const lost = new Promise<Error>((resolve, reject) => {
      onError = resolve;
      onUnheard = (error) => {
        unheard.push(error);
        reject(error);
      };
    });
    lost.catch(() => undefined);
    process.on("uncaughtException", onUnheard);
    const database = await openPostgres({ url, poolSize: 2, onError });
    onTestFinished(async () => {
      process.off("uncaughtException", onUnheard);
      await database.close();
    });
    return { database, lost, unheard, url };
  }
  /** Ends every connection of the worker, as a restart of the server or an administrator does. */
  async function endConnections(url: string): Promise<void> {
    const pool = new Pool({ connectionString: url, application_name: "haca-tests" });
    await pool.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'haca-worker'",
    );
    await pool.end();
  }
  const countNotes = async (database: Database) =>
    (await database.query("SELECT count(*)::integer AS notes FROM notes"))[0]?.notes;

  it("that ends a connection within a transaction ends nothing else", async () => {
    const { database, lost, unheard, url } = await open();
    await database.query("CREATE TABLE notes (note text)");
    const broken = database.transaction(async (tx) => {
      await tx.query("INSERT INTO notes VALUES ('lost')");
      await endConnections(url);
      // Heard of by the connection itself, which is neither idle nor asked at this moment.
      expect((await lost).message).toMatch(/terminating connection/);
      await tx.query("INSERT INTO notes VALUES ('lost')");
    });
    await expect(broken).rejects.toThrow(DatabaseAwayError);
    expect(await countNotes(database)).toBe(0);
    expect(unheard).toEqual([]);
  });

  it("that ends an idle connection is asked over another one", async () => {
    const { database, lost, unheard, url } = await open();
    await database.query("CREATE TABLE notes (note text)");
    await endConnections(url);
    await lost;
    expect(await countNotes(database)).toBe(0);
    expect(unheard).toEqual([]);
  });

  it("whose disk is full is away, not wrong", async () => {
    const { database } = await open();
    const raise = (code: string) =>
      database.execute(`DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '${code}'; END $$`);
    await expect(raise("53100")).rejects.toThrow(DatabaseAwayError);
    await expect(raise("58030")).rejects.toThrow(DatabaseAwayError);
    await expect(raise("23505")).rejects.not.toThrow(DatabaseAwayError);
  });
});
