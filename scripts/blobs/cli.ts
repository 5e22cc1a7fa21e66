/** `npm run blobs`: a folder that answers as a blob store. */
import { createProgram, runProgram } from "../lib/program.ts";

const program = createProgram({
  name: "blobs",
  summary: "A folder as a blob store: publisher and aggregator of Walrus, over HTTP.",
})
  .option("--folder <path>", "where blobs are kept (default: data/blobs of the project)")
  .option("--host <address>", "address to listen on; it asks nobody who they are", "127.0.0.1")
  .option("--port <number>", "port; 0: a free one", "8090")
  .option("--maximum-blob <bytes>", "largest blob", "16777216")
  .option("--maximum-total <bytes>", "all blobs together", "10737418240")
  .addHelpText(
    "after",
    `
  PUT /v1/blobs?epochs=N   stores the body; the answer has its id
  GET /v1/blobs/<id>       the content

An id is the SHA-256 of the content in base64url. Nothing is ever removed.`,
  )
  .action(async (options) => (await import("./serve.ts")).serve(options));

await runProgram(program);
