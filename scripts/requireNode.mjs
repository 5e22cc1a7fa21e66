/**
 * Says in one line that Node is too old, and stops. Plain JavaScript, because a Node that is too old cannot
 * read TypeScript.
 */
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `error: Node 22.18 or newer is needed, this is ${process.versions.node}. ` +
      "Run the command as: npx -y -p node@22 -c '<command>'",
  );
  process.exit(1);
}
