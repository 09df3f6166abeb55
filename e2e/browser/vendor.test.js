// The chart library in the report is the published one: npm ci has held the package
// against the digest in the lock file, and here the files are held against it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { root } from "./lib/shelflife.js";

const pinned = ["LICENSE", "dist/uPlot.iife.min.js", "dist/uPlot.min.css"];

test("the bundled chart library is the pinned package's", () => {
  const lock = JSON.parse(readFileSync(join(root, "e2e/browser/package-lock.json"), "utf8"));
  const entry = lock.packages["node_modules/uplot"];
  const installed = JSON.parse(readFileSync(join(root, "e2e/browser/node_modules/uplot/package.json"), "utf8"));
  assert.equal(installed.version, entry.version);
  assert.match(entry.integrity, /^sha512-/);
  for (const name of pinned) {
    const theirs = readFileSync(join(root, "e2e/browser/node_modules/uplot", name));
    const ours = readFileSync(join(root, "internal/report/html/vendor/uplot", name.replace("dist/", "")));
    assert.ok(theirs.equals(ours), name);
  }
});

test("the lock file names no registry", () => {
  const text = readFileSync(join(root, "e2e/browser/package-lock.json"), "utf8");
  assert.ok(!text.includes("resolved") && !text.includes("http"), "set omit-lockfile-registry-resolved");
});
