// The filters above the items. What is set stands in the address, so that a
// filtered report can be linked to.

const filterNames = ["search", "owner", "type", "package", "policy", "severity", "action", "status", "by"];

class Filters {
  constructor(host, rows, changed) {
    this.changed = changed;
    this.controls = {};
    const bar = el("form", { class: "filters", role: "search", "aria-label": "Filter the items", on: { submit: (e) => e.preventDefault() } });
    bar.append(this.text("search", "Search", "search", "name, tag, digest, reason…"));
    const of = (set, field) => [...new Set(rows.rulesOf(set).map((r) => r[field]))];
    this.choice(bar, "owner", "Owner", rows.counts((r) => [rows.packages[r[PACKAGE]][0]]));
    this.choice(bar, "type", "Type", rows.counts((r) => [rows.packages[r[PACKAGE]][1]]));
    if (rows.packages.length > 1) bar.append(this.packages(rows));
    this.choice(bar, "policy", "Policy", rows.counts((r) => of(r[RULES], "policy")));
    this.choice(bar, "severity", "Severity", rows.counts((r) => of(r[RULES], "severity")));
    this.choice(bar, "action", "Action", rows.counts((r) => [rows.words[r[ACTION]]]));
    this.choice(bar, "status", "Status", rows.counts((r) => [rows.status(r)]));
    this.choice(bar, "by", "Kept or stopped by", rows.counts((r) => rows.keepers(r)), 1);
    this.reset = el("button", { type: "button", on: { click: () => this.set({}) } }, "Show all");
    host.append(bar);
    addEventListener("hashchange", () => this.fromAddress());
  }

  text(name, label, cls, hint) {
    const input = el("input", { type: "search", placeholder: hint, autocomplete: "off", spellcheck: "false", on: { input: () => this.report() } });
    this.controls[name] = input;
    return el("label", { class: cls }, el("span", {}, label), input);
  }

  // packages is a text with suggestions: there may be ten thousand names.
  packages(rows) {
    const label = this.text("package", "Package", "", "its name");
    const names = [...new Set(rows.packages.map((p) => p[2]))].sort().slice(0, 300);
    label.append(el("datalist", { id: "package-names" }, names.map((n) => el("option", { value: n }))));
    this.controls.package.setAttribute("list", "package-names");
    return label;
  }

  // choice is left out where it would not choose anything.
  choice(bar, name, label, counts, least = 2) {
    if (counts.size < least) return;
    const options = [...counts].slice(0, 500).map(([value, n]) => el("option", { value }, value + " (" + number(n) + ")"));
    this.controls[name] = el("select", { on: { change: () => this.report() } }, el("option", { value: "" }, "all"), options);
    bar.append(el("label", {}, el("span", {}, label), this.controls[name]));
  }

  wanted() {
    const out = {};
    for (const [name, control] of Object.entries(this.controls)) if (control.value) out[name] = control.value;
    return out;
  }

  set(wanted) {
    for (const [name, control] of Object.entries(this.controls)) {
      control.value = wanted[name] || "";
      if (control.selectedIndex === -1) control.selectedIndex = 0; // a value that the report does not have
    }
    this.report();
  }

  report() {
    const wanted = this.wanted();
    this.reset.disabled = Object.keys(wanted).length === 0;
    const address = new URLSearchParams(wanted).toString();
    if (location.hash.slice(1) !== address) history.replaceState(null, "", "#" + address);
    this.changed(wanted);
  }

  fromAddress() {
    const given = new URLSearchParams(location.hash.slice(1));
    this.set(Object.fromEntries(filterNames.filter((n) => given.has(n)).map((n) => [n, given.get(n)])));
  }
}
