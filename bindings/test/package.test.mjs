// The package as npm packs it: which files, and whether every kind of consumer finds them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = dirname(import.meta.dirname);
const programs = join(root, "node_modules/.bin");
/** The other tests install it from here. */
const packed = join(root, "test/packed");
const tarball = join(packed, "rollbook-client.tgz");

const modules = ["client", "errors", "index", "jsonRpcLink", "jsonRpcSubscription", "renewing", "router"];
const built = modules.flatMap((module) => ["d.ts", "d.ts.map", "js", "js.map"].map((kind) => `${module}.${kind}`));
const expected = [
  "LICENSE",
  "README.md",
  "package.json",
  ...built.map((file) => `dist/esm/${file}`),
  ...built.map((file) => `dist/cjs/${file}`),
  "dist/cjs/package.json",
  // For source maps and for "go to definition".
  ...modules.map((module) => `src/${module}.ts`),
];

describe("the package", () => {
  let report;

  before(async () => {
    await rm(packed, { recursive: true, force: true });
    await mkdir(packed, { recursive: true });
    // Built again by `prepack`, so that what is tested is what would be published.
    const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", packed], { cwd: root });
    [report] = JSON.parse(stdout.slice(stdout.indexOf("[\n")));
    await rename(join(packed, report.filename), tarball);
  });

  test("it has these files, and no others", () => {
    assert.deepEqual(report.files.map(({ path }) => path).sort(), expected.sort());
  });

  test("publint has nothing to say", async () => {
    await run(join(programs, "publint"), ["run", tarball, "--strict"]);
  });

  test("the types are right for every module resolution there is", async () => {
    const { stdout } = await run(join(programs, "attw"), [tarball, "--format", "json"]);
    const { analysis } = JSON.parse(stdout);
    assert.deepEqual(analysis.problems, []);
    assert.deepEqual(Object.keys(analysis.entrypoints["."].resolutions).sort(), [
      "bundler",
      "node10",
      "node16-cjs",
      "node16-esm",
    ]);
  });

  test("nothing in it speaks of a registry, or of the machine it was built on", async () => {
    const { stdout } = await run("tar", ["--extract", "--to-stdout", "--file", tarball], { maxBuffer: 1 << 24 });
    assert.doesNotMatch(stdout, /registry|file:\/\/|\/home\/|\/tmp\//);
    assert.ok(!stdout.includes(root));
  });

  test("the licence is the repository's", async () => {
    const [ours, repositorys] = await Promise.all(
      [join(root, "LICENSE"), join(root, "../LICENSE")].map((file) => readFile(file, "utf8")),
    );
    assert.equal(ours, repositorys);
  });
});
