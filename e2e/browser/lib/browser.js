// A real Chromium, and what every page is held to: no error, no violation of the
// page's policy, no request to anywhere but where it came from.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const executablePath = process.env.CHROMIUM || "/usr/bin/chromium";
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

// missing says why there is no browser here, or nothing.
export function missing() {
  return existsSync(executablePath) ? "" : "there is no " + executablePath;
}

const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export class Browser {
  // open starts a browser with a profile of its own.
  static async open(options = {}) {
    const b = new Browser();
    b.profile = mkdtempSync(join(tmpdir(), "shelflife-chromium-"));
    b.context = await chromium.launchPersistentContext(b.profile, {
      executablePath, args, headless: true, viewport: { width: 1280, height: 860 }, ...options,
    });
    b.complaints = [];
    b.requests = [];
    b.context.on("request", (r) => b.requests.push(r.url()));
    return b;
  }

  async page() {
    const page = await this.context.newPage();
    page.on("console", (m) => { if (["error", "warning"].includes(m.type())) this.complaints.push(m.type() + ": " + m.text()); });
    page.on("pageerror", (e) => this.complaints.push("uncaught: " + e.stack));
    page.on("dialog", (d) => { this.complaints.push("dialog: " + d.message()); d.dismiss(); });
    return page;
  }

  // assertQuiet demands that no page complained and none asked anything of others.
  // expected are parts of messages that the test provokes.
  assertQuiet(origin, expected = []) {
    const complaints = this.complaints.filter((c) => !expected.some((e) => c.includes(e)));
    assert.deepEqual(complaints, [], "the console");
    const foreign = this.requests.filter((u) => !u.startsWith(origin) && !u.startsWith("data:"));
    assert.deepEqual(foreign, [], "requests to others");
  }

  async close() {
    await this.context.close();
    rmSync(this.profile, { recursive: true, force: true });
  }
}

// assertAccessible runs axe and demands no serious finding.
export async function assertAccessible(page, where) {
  const { readFileSync } = await import("node:fs");
  await page.evaluate(readFileSync(axe, "utf8"));
  const found = await page.evaluate(async () => {
    const result = await window.axe.run(document, { resultTypes: ["violations"] });
    return result.violations.map((v) => ({ id: v.id, impact: v.impact, nodes: v.nodes.slice(0, 3).map((n) => n.target.join(" ") + ": " + n.failureSummary) }));
  });
  const serious = found.filter((v) => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(serious, [], where);
}

// ready waits until a report has started.
export async function ready(page) {
  await page.waitForSelector("html[data-ready]");
}
