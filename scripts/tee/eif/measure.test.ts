import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { measureEif } from "./measureEif.ts";
import { openEif } from "./openEif.ts";

const folder = mkdtempSync(join(tmpdir(), "haca-eif-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Section = { type: number; content: Buffer };
const [KERNEL, LINE, RAMDISK, SIGNATURE, METADATA] = [1, 2, 3, 4, 5] as const;
const file = (path: string, content: string): Buffer => {
  const name = Buffer.from(`${path}\0`);
  const fields = [7, 0o100644, 0, 0, 1, 1_700_000_000, content.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
  const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
  return Buffer.concat([
    padded(Buffer.concat([Buffer.from(header), name])),
    padded(Buffer.from(content)),
  ]);
};
const archive = (...files: Buffer[]) => Buffer.concat([...files, file("TRAILER!!!", "")]);
const CONTENT = {
  kernel: Buffer.from("a kernel"),
  line: Buffer.from("reboot=k panic=30"),
  init: archive(file("init", "the init")),
  app: gzipSync(archive(file("cmd", "node cli.ts"), file("env", "A=1"))),
  more: archive(file("more", "")),
};
const SECTIONS: readonly Section[] = [
  { type: KERNEL, content: CONTENT.kernel },
  { type: LINE, content: CONTENT.line },
  { type: METADATA, content: Buffer.from("{}") },
  { type: RAMDISK, content: CONTENT.init },
  { type: RAMDISK, content: CONTENT.app },
  { type: RAMDISK, content: CONTENT.more },
  { type: SIGNATURE, content: Buffer.from("signature") },
];

/** An image, written from the published description of the format. */
function image(
  sections: readonly Section[],
  options: { version?: number; flags?: number } = {},
): Buffer {
  const header = Buffer.alloc(548);
  header.write(".eif", 0, "latin1");
  header.writeUInt16BE(options.version ?? 4, 4);
  header.writeUInt16BE(options.flags ?? 0, 6);
  header.writeUInt16BE(sections.length, 26);
  const parts: Buffer[] = [];
  let at = 548;
  for (const [index, { content, type }] of sections.entries()) {
    const own = Buffer.alloc(12);
    own.writeUInt16BE(type, 0);
    own.writeBigUInt64BE(BigInt(content.length), 4);
    if (index < 32) header.writeBigUInt64BE(BigInt(at), 28 + index * 8);
    if (index < 32) header.writeBigUInt64BE(BigInt(content.length), 284 + index * 8);
    parts.push(own, content);
    at += own.length + content.length;
  }
  header.writeUInt32BE(crc32(Buffer.concat([header.subarray(0, 544), ...parts])), 544);
  return Buffer.concat([header, ...parts]);
}

const write = (bytes: Buffer): string => {
  const path = join(folder, `${createHash("sha256").update(bytes).digest("hex")}.eif`);
  writeFileSync(path, bytes);
  return path;
};
const measured = (bytes: Buffer) =>
  openEif(write(bytes), (eif) => measureEif(eif).pcrs.map((pcr) => pcr.toString("hex")));
/** Written out again from the published description. */
const pcr = (...contents: Buffer[]): string => {
  const inner = createHash("sha384").update(Buffer.concat(contents)).digest();
  return createHash("sha384")
    .update(Buffer.concat([Buffer.alloc(48), inner]))
    .digest("hex");
};
const run = (...options: string[]) => {
  const command = ["scripts/tee/cli.ts", "measure", ...options];
  const cwd = join(import.meta.dirname, "../../..");
  const { status, stderr, stdout } = spawnSync(process.execPath, command, {
    cwd,
    encoding: "utf8",
  });
  return { status, stderr, stdout };
};

describe("measureEif", () => {
  it("hashes kernel, command line and ramdisks, each into its measurements, in the file's order", () => {
    const { app, init, kernel, line, more } = CONTENT;
    expect(measured(image(SECTIONS))).toEqual([
      ...[pcr(kernel, line, init, app, more), pcr(kernel, line, init), pcr(app, more)],
    ]);
    const swapped = SECTIONS.with(0, SECTIONS[1] as Section).with(1, SECTIONS[0] as Section);
    expect(measured(image(swapped))[1]).toBe(pcr(line, kernel, init));
  });

  it("is the same whatever metadata and signature say, and another for any byte that is measured", () => {
    const sound = measured(image(SECTIONS));
    for (const [index, changes] of [
      [0, [0, 1]],
      [1, [0, 1]],
      [2, []],
      [3, [0, 1]],
      [4, [0, 2]],
      [5, [0, 2]],
      [6, []],
    ] as const) {
      const section = SECTIONS[index] as Section;
      const content = Buffer.concat([section.content, Buffer.from(" ")]);
      const other = measured(image(SECTIONS.with(index, { ...section, content })));
      const changed = [0, 1, 2].filter((number) => other[number] !== sound[number]);
      expect(changed, `section ${index}`).toEqual(changes);
    }
  });

  it("of a command line that is empty, and an image without an application", () => {
    const bare = [
      { type: KERNEL, content: CONTENT.kernel },
      { type: LINE, content: Buffer.alloc(0) },
    ];
    const [zero, one, two] = measured(image(bare, { version: 2 }));
    expect([zero, one, two]).toEqual([pcr(CONTENT.kernel), pcr(CONTENT.kernel), pcr()]);
  });
});

describe("openEif", () => {
  const sound = image(SECTIONS);
  const changed = (at: number, ...bytes: number[]) => {
    const copy = Buffer.from(sound);
    copy.set(bytes, at);
    return copy;
  };
  it.each<[string, Buffer, RegExp]>([
    ["an empty file", Buffer.alloc(0), /^image: header: the file has 0 bytes/],
    ["another file", Buffer.alloc(600), /^image: header: is not one of an EIF/],
    ["a version to come", image(SECTIONS, { version: 5 }), /^image: version: must be 2 to 4, is 5/],
    [
      "one section",
      image(SECTIONS.slice(0, 1)),
      /^image: number of sections: must be 2 to 32, is 1/,
    ],
    ["33 sections", image(Array(33).fill(SECTIONS[0])), /^image: number of sections: .* is 33/],
    ["an unknown kind", changed(548, 0, 6), /^image: section 0: is of no known kind/],
    ["the kind that is none", changed(548, 0, 0), /^image: section 0: is of no known kind/],
    ["a moved section", changed(35, 0), /^image: section 0: is at 548, the header says/],
    ["another size", changed(291, 1), /^image: section 0: has 8 bytes, the header says 1$/],
    ["a huge section", changed(552, 255), /^image: section 0: has no \d+ bytes/],
    ["a cut file", sound.subarray(0, -1), /^image: section 6: ends behind the file's end/],
    ["a file cut between sections", sound.subarray(0, 548), /^image: section 0: is behind the/],
    ["more behind it", Buffer.concat([sound, Buffer.alloc(2)]), /^image: file: has 2 bytes behind/],
    ["two kernels", image([...SECTIONS, SECTIONS[0] as Section]), /must have one kernel, have 2/],
    ["no command line", image(SECTIONS.toSpliced(1, 1)), /must have one command line, have 0/],
    [
      "a ramdisk first",
      image([SECTIONS[3] as Section, ...SECTIONS]),
      /a ramdisk before the kernel/,
    ],
    ["no metadata", image(SECTIONS.toSpliced(2, 1)), /must have metadata from version 4 on/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => measured(bytes)).toThrow(message);
  });
});

describe("npm run tee -- measure", () => {
  it("says which bytes make which PCR, and lists the files", () => {
    const path = write(image(SECTIONS, { flags: 1 }));
    const { status, stdout } = run(path, "--files");
    expect(status).toBe(0);
    expect(stdout).toContain("EIF          version 4, aarch64, checksum right\n");
    expect(stdout).toContain("kernel       bytes 560 to 568: PCR0, PCR1\n");
    expect(stdout).toMatch(/metadata {5}bytes \d+ to \d+: in no measurement\n/);
    expect(stdout).toContain(`PCR2         0x${measured(image(SECTIONS))[2]}\n`);
    expect(stdout).toMatch(/measurement {2}0x[0-9a-f]{64}\n/);
    const hash = createHash("sha256").update("node cli.ts").digest("hex");
    expect(stdout).toContain(`ramdisk 1, PCR0, PCR2, 2 files`);
    expect(stdout).toContain(`${hash} 0644 2023-11-14T22:13:20Z 11 cmd\n`);
  });

  it("fails for a damaged image, and says in one line what is none", () => {
    const damaged = image(SECTIONS);
    damaged.writeUInt8(damaged.readUInt8(560) ^ 1, 560);
    const { status, stdout } = run(write(damaged));
    expect(status).toBe(1);
    expect(stdout).toContain("checksum WRONG");
    for (const [path, words] of [
      [join(folder, "none"), "that can be read"],
      [folder, "is no file"],
      [write(Buffer.from("text")), "image: header: the file has 4 bytes"],
    ] as const) {
      const refused = run(path);
      expect(refused.status).toBe(1);
      expect(refused.stderr + refused.stdout).toMatch(/^error: [^\n]+\n$/);
      expect(refused.stderr + refused.stdout).toContain(words);
    }
    const broken = image(
      SECTIONS.with(4, { type: RAMDISK, content: Buffer.from([0x1f, 0x8b, 1]) }),
    );
    expect(run(write(broken), "--files").stderr).toContain("image: ramdisk 1: is no whole gzip");
  });
});
