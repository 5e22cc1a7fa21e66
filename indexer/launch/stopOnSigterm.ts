/**
 * Makes SIGTERM stop the process as SIGINT does, from now on. Ponder embeds Vite, whose own SIGTERM listener ends
 * the process at once, before Ponder has released its lock on the tables: the next start would have to wait until
 * that lock has expired. So no other listener is let stay.
 */
export function stopOnSigterm(): void {
  process.on("SIGTERM", () => process.kill(process.pid, "SIGINT"));
  process.on("newListener", (event, listener) => {
    if (event === "SIGTERM") {
      // The listener is added only after this call.
      queueMicrotask(() => process.off("SIGTERM", listener));
    }
  });
}
