// The real binary, on a simulated GitHub of its own.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../..", import.meta.url));
const binary = join(root, "bin", "shelflife");

const config = (keep) => `version: 1
mode: enforce
owners:
  - login: acme
    schedule: "0 3 * * *"
params: {keep_newest: ${JSON.stringify(keep)}}
limits: {percent_of_owner: 100, percent_of_package: 100}
`;

// firstLine waits for the first line of a process that has pattern.
function firstLine(child, pattern) {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
      const m = pattern.exec(text);
      if (m) resolve(m);
    });
    child.on("exit", (code) => reject(new Error("it ended with " + code + " and said: " + text)));
  });
}

export class World {
  // open starts a simulator; a seed is that of shelflife sim --seed, keep what the
  // policy keep_newest keeps.
  static async open(seed, keep = { tagged: 5, untagged: 1 }) {
    const w = new World();
    w.dir = mkdtempSync(join(tmpdir(), "shelflife-world-"));
    w.children = [];
    const args = ["sim"];
    if (seed) {
      writeFileSync(join(w.dir, "seed.json"), JSON.stringify(seed));
      args.push("--seed", join(w.dir, "seed.json"));
    }
    writeFileSync(join(w.dir, "shelflife.yaml"), config(keep));
    const sim = w.spawn(args, {});
    w.api = (await firstLine(sim, /listening on (\S+)\n/))[1];
    w.env = {
      PATH: process.env.PATH, HOME: w.dir, GITHUB_TOKEN: "sim-token", GITHUB_ACTOR: "tester", GITHUB_API_URL: w.api, SHELFLIFE_REGISTRY_URL: w.api,
      SHELFLIFE_STATE: join(w.dir, "state", "shelflife.db"), SHELFLIFE_CONFIG: join(w.dir, "shelflife.yaml"),
    };
    return w;
  }

  spawn(args, env) {
    const child = spawn(binary, args, { cwd: this.dir, env: { PATH: process.env.PATH, HOME: this.dir, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    child.log = "";
    child.stderr.on("data", (chunk) => { child.log += chunk; });
    this.children.push(child);
    return child;
  }

  // run runs one command line and returns what it printed.
  run(...args) {
    const r = spawnSync(binary, [...args, "--quiet"], { cwd: this.dir, env: this.env, encoding: "utf8", maxBuffer: 1 << 28 });
    if (r.status !== 0) throw new Error("shelflife " + args.join(" ") + " ended with " + r.status + ": " + r.stderr + r.stdout);
    return r.stdout;
  }

  // report runs a command with --format html and returns the address of the page.
  report(name, ...args) {
    const path = join(this.dir, name + ".html");
    writeFileSync(path, this.run(...args, "--format", "html"));
    return "file://" + path;
  }

  // serve starts shelflife serve and returns the address that it prints.
  async serve() {
    this.server = this.spawn(["serve", "--listen", "127.0.0.1:0"], this.env);
    const [, address] = await firstLine(this.server, /dashboard: (\S+) /);
    return new URL(address);
  }

  async calls() {
    return (await fetch(this.api + "/_sim/calls")).json();
  }

  // state maps each package's name to its versions by name.
  async state() {
    const s = await (await fetch(this.api + "/_sim/state")).json();
    return new Map(s.owners.flatMap((o) => o.packages.map((p) => [p.name, new Map(p.versions.map((v) => [v.name, v.state]))])));
  }

  async close() {
    for (const child of this.children.reverse()) {
      if (child.exitCode === null) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

// bigReport writes the report of a made-up plan and returns its address.
export function bigReport(rows, dir, ...more) {
  const path = join(dir, "big-" + rows + ".html");
  const page = execFileSync("go", ["run", "./e2e/browser/bigreport", String(rows), ...more], { cwd: root, maxBuffer: 1 << 28 });
  writeFileSync(path, page);
  return "file://" + path;
}
