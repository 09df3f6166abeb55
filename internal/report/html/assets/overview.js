// The overview above the items: what asks, where it goes, and what stood against it.

const guardWords = {
  completeness: "not everything of the package could be read", policy_failed: "a policy failed, so nothing of the package is deleted",
  lost_access: "the listing shrank: access may be lost", reference_closure: "something that stays needs it",
  young_version: "too young to be sure that no push is in flight", last_version: "GitHub does not delete a package's last version",
  last_tagged_version: "GitHub does not delete a package's last tagged version", downloads: "GitHub refuses: more than 5,000 downloads",
  deletes_per_run: "the run's budget is used up", deletes_per_day: "the day's budget is used up",
  percent_of_package: "too large a part of the package; a person decides", percent_of_owner: "too large a part of the owner; a person decides",
  restore_window: "GitHub's 30 days are over", undone_by_next_plan: "the next plan would undo it",
};

function startOverview(host, rows, choose) {
  const keepers = new Map(), stopped = new Map(), policies = new Map(), refused = new Map();
  const add = (map, key, tone, say) => {
    const entry = map.get(key) || { n: 0, tone, say };
    entry.n++;
    map.set(key, entry);
  };
  for (const row of rows.rows) {
    const action = rows.words[row[ACTION]];
    for (const policy of new Set(rows.rulesOf(row[RULES]).map((r) => r.policy))) add(policies, policy, actionTones[action]);
    const status = rows.status(row);
    if (status === "kept") {
      const keeps = new Map(rows.rulesOf(row[OVERRULED]).filter((r) => r.action === "keep").map((r) => [r.policy, r.reason]));
      for (const [policy, reason] of keeps) add(keepers, policy, "good", reason);
    }
    if (row[NOTE]) {
      const note = rows.notes[row[NOTE]];
      add(stopped, note.code, "doubt", guardWords[note.code] || note.detail);
    }
    if (row[OUTCOME] && status !== "done" && status !== "gone") add(refused, status, statusTones[status], row[DETAIL] ? rows.words[row[DETAIL]] : "");
  }
  const panel = (heading, map, name) => {
    if (map.size > 0) host.append(el("div", {}, el("h3", {}, heading), bars(map, (key) => choose({ [name]: key }))));
  };
  panel("Asked for, by policy", policies, "policy");
  panel("Kept by a policy", keepers, "by");
  panel("Stopped by a guard", stopped, "by");
  panel("Not done", refused, "status");
  const packages = rows.counts((r) => [rows.packages[r[PACKAGE]][2]]);
  if (packages.size > 1) panel("Most, by package", new Map([...packages].slice(0, 6).map(([name, n]) => [name, { n, tone: "faint" }])), "package");
}

function bars(map, choose) {
  const entries = [...map].sort((a, b) => b[1].n - a[1].n).slice(0, 12);
  const most = Math.max(...entries.map(([, e]) => e.n));
  return el("div", { class: "bars" }, entries.map(([key, e]) => {
    const fill = el("span", { class: "fill " + (e.tone || "") });
    fill.style.width = (100 * e.n) / most + "%";
    return [el("button", { type: "button", class: "link", title: "Show these", on: { click: () => choose(key) } }, key),
      el("span", { class: "track", "aria-hidden": "true" }, fill), el("span", { class: "right" }, number(e.n)), e.say ? el("span", { class: "say" }, e.say) : ""];
  }));
}
