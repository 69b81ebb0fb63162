// Programs that have the packed package installed: their types, with every tRPC and TypeScript that it is said to work
// with. Run after `package.test.mjs`, which packs it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { before, describe, test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = dirname(import.meta.dirname);
const tarball = join(root, "test/packed/rollbook-client.tgz");

/**
 * Each kind of module resolution, and the formats that a program may have with it. The declaration files, everybody
 * else's included, are checked by the first; the second has the same ones.
 */
const nodenext = { options: { module: "nodenext", moduleResolution: "nodenext" }, formats: ["esm", "cjs"] };
const bundler = {
  options: { module: "preserve", moduleResolution: "bundler", skipLibCheck: true },
  formats: ["esm"],
};

/**
 * Each is a directory with its own lockfile. The libraries for React want the one version of tRPC that they were
 * released with: in `newest` that is overridden, `tanstack` and `classic` are as npm has them. In those two not all
 * declaration files can be checked: tRPC's want Node.js's, and others of `ws` than there are.
 */
const consumers = {
  oldest: [nodenext, bundler],
  newest: [nodenext, bundler],
  tanstack: [bundler],
  classic: [bundler],
};

/** By the names that `package.json` gives them. */
const compilers = ["typescript-5.7", "typescript-5.9", "typescript-6.0", "typescript"];

/** What the programs are made of. Some of it is for a library that not every consumer has. */
const sources = ["accepts.ts", "client.ts", "errors.ts", "refuses.ts", "setup.ts", "subscriptions.ts"];
const libraries = { "tanstack.ts": "@trpc/tanstack-react-query", "classic.ts": "@trpc/react-query" };

const directory = (consumer) => join(root, "test/consumers", consumer);
const checked = (consumer) => join(directory(consumer), "checked");

describe("the package is installed", { concurrency: 2 }, () => {
  for (const consumer of Object.keys(consumers)) {
    test(consumer, async () => {
      const npm = (...args) => run("npm", [...args, "--no-audit", "--no-fund"], { cwd: directory(consumer) });
      await npm("ci");
      // Not in the lockfile, which would change with every build. Its peers must be met by what is there.
      await npm("install", tarball, "--no-save", "--no-package-lock", "--strict-peer-deps");
    });
  }
});

describe("the types are right", { concurrency: 2 }, () => {
  before(() => Promise.all(Object.keys(consumers).map(write)));

  for (const compiler of compilers) {
    test(compiler, async () => {
      const files = await compile(compiler);
      for (const [consumer, programs] of Object.entries(consumers)) {
        const installed = join(directory(consumer), "node_modules/@rollbook/client");
        const count = (file) => files.filter((one) => one === join(installed, file)).length;
        for (const format of ["esm", "cjs"]) {
          const expected = programs.filter(({ formats }) => formats.includes(format)).length;
          assert.equal(count(`dist/${format}/index.d.ts`), expected, `${consumer} ${format}`);
        }
        // A declaration file's errors may be passed over; the same types as sources are checked in full.
        assert.equal(count("src/router.ts"), programs.length);
      }
    });
  }
});

test("a lockfile names no registry", async () => {
  for (const place of [root, ...Object.keys(consumers).map(directory)]) {
    const { packages } = JSON.parse(await readFile(join(place, "package-lock.json"), "utf8"));
    for (const [path, { resolved }] of Object.entries(packages)) assert.equal(resolved, undefined, path);
  }
});

/** Writes a consumer's programs: the sources, once for each format, and a project for each kind of resolution. */
async function write(consumer) {
  const here = checked(consumer);
  await rm(here, { recursive: true, force: true });
  const installed = (library) => existsSync(join(directory(consumer), "node_modules", library));
  const own = Object.keys(libraries).filter((source) => installed(libraries[source]));
  for (const [format, type] of [["esm", "module"], ["cjs", "commonjs"]]) {
    await mkdir(join(here, format), { recursive: true });
    await writeFile(join(here, format, "package.json"), JSON.stringify({ type }));
    for (const source of [...sources, ...own]) await cp(join(root, "test/types", source), join(here, format, source));
  }
  for (const [name, example] of await examples()) {
    const [, library] = /"(@trpc\/[a-z-]*react-query)"/.exec(example) ?? [];
    if (!library || installed(library)) await writeFile(join(here, "esm", name), example);
  }
  for (const { options, formats } of consumers[consumer]) {
    const project = {
      extends: relative(here, join(root, "test/consumers/tsconfig.json")),
      compilerOptions: options,
      files: ["../node_modules/@rollbook/client/src/index.ts"],
      include: formats,
    };
    await writeFile(join(here, `${options.moduleResolution}.json`), JSON.stringify(project));
  }
}

/** The README's examples, which are to be right as well. */
async function examples() {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const found = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)];
  assert.ok(found.length > 0);
  return found.map(([, example], place) => [`readme-${place + 1}.ts`, example]);
}

/** Compiles all programs of all consumers, and answers with the files that they are of. */
async function compile(compiler) {
  const projects = Object.entries(consumers).flatMap(([consumer, programs]) =>
    programs.map(({ options }) => join(checked(consumer), `${options.moduleResolution}.json`)),
  );
  // In one process, which then is warm.
  const args = ["--build", "--force", "--listFiles", ...projects];
  const program = join(root, "node_modules", compiler, "bin/tsc");
  const ran = await run(process.execPath, [program, ...args], { maxBuffer: 1 << 24 }).catch((failure) => failure);
  const lines = ran.stdout.split("\n");
  const said = lines.filter((line) => line.trim() !== "" && !line.startsWith("/"));
  assert.deepEqual([said, ran.stderr], [[], ""]);
  return lines;
}
