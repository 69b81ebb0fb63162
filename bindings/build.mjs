// Builds dist/: the same sources as ES modules and as CommonJS, each with its types.
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const root = import.meta.dirname;
const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
const compile = (...options) => {
  const args = [compiler, "--noEmit", "false", "--rootDir", "src", "--declaration", "--declarationMap", "--sourceMap"];
  execFileSync(process.execPath, [...args, ...options], { cwd: root, stdio: "inherit" });
};

rmSync(join(root, "dist"), { recursive: true, force: true });
compile("--outDir", "dist/esm");
const commonjs = ["--module", "commonjs", "--moduleResolution", "bundler", "--verbatimModuleSyntax", "false"];
compile("--outDir", "dist/cjs", ...commonjs);
// What has Node.js and TypeScript take the files beside it for CommonJS, in a package of ES modules.
writeFileSync(join(root, "dist/cjs/package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
