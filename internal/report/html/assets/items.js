// The items of a plan or run: overview, filters and table.

const actionTones = { delete: "bad", restore: "good" };
const statusTones = {
  done: "good", failed: "bad", unknown: "bad", gone: "", planned: "", observed: "", kept: "",
  held: "doubt", blocked: "doubt", conflict: "doubt", incomplete: "doubt", changed: "doubt",
};

function startItems(section, data) {
  const rows = new Rows(data);
  const overview = el("div", { class: "overview" });
  section.append(overview);
  const filterHost = el("div");
  const count = el("span", { role: "status", "aria-live": "polite" });
  const line = el("p", { class: "count" }, count);
  section.append(filterHost, line);
  const table = new PagedTable(section, { caption: "Items", columns: itemColumns(rows), details: (i) => itemDetails(rows, i) });
  const filters = new Filters(filterHost, rows, (wanted) => {
    const started = performance.now();
    const found = rows.match(wanted);
    table.set(found);
    const all = number(rows.rows.length);
    count.replaceChildren(el("strong", {}, found.length === rows.rows.length ? all : number(found.length) + " of " + all),
      rows.rows.length === 1 ? " item" : " items", found.length === 0 ? " — nothing matches" : "");
    section.dataset.took = (performance.now() - started).toFixed(1);
  });
  line.append(filters.reset);
  startOverview(overview, rows, (wanted) => {
    filters.set(wanted);
    filterHost.scrollIntoView({ block: "start" });
  });
  startTiles(filters, filterHost);
  filters.fromAddress();
}

// startTiles makes the numbers of the summary lead to what they count.
function startTiles(filters, filterHost) {
  for (const tile of document.querySelectorAll(".tile[data-filter]")) {
    const wanted = Object.fromEntries(new URLSearchParams(tile.dataset.filter));
    const button = el("button", { type: "button", on: { click: () => { filters.set(wanted); filterHost.scrollIntoView({ block: "start" }); } } });
    button.append(...tile.childNodes);
    tile.append(button);
  }
}

function itemColumns(rows) {
  const at = (i) => rows.rows[i];
  const by = (value) => (a, b) => {
    const x = value(at(a)), y = value(at(b));
    return x < y ? -1 : x > y ? 1 : a - b;
  };
  const columns = [
    { name: "Action", cell: (i) => chip(rows.words[at(i)[ACTION]], at(i)[STATUS] ? actionTones[rows.words[at(i)[ACTION]]] : ""), compare: by((r) => rows.words[r[ACTION]]) },
    { name: "Package", class: "package", cell: (i) => packageCell(rows, at(i)), compare: by((r) => rows.names[r[PACKAGE]]) },
    { name: "Version", class: "version", cell: (i, td, toggle) => versionCell(at(i), td, toggle), compare: by((r) => r[VERSION]) },
    { name: "Tags", cell: (i) => tagsCell(at(i)) },
    { name: "Age", right: true, cell: (i) => age(at(i)[CREATED], rows.now), compare: by((r) => -r[CREATED]) },
    { name: "Status", cell: (i) => statusCell(rows, at(i)), compare: by((r) => rows.status(r)) },
    { name: "Why", class: "why", cell: (i) => whyCell(rows, at(i)), compare: by((r) => whyText(rows, r)) },
  ];
  const empty = (name, has) => !rows.rows.some(has) && columns.splice(columns.findIndex((c) => c.name === name), 1);
  empty("Tags", (r) => r[TAGS] && r[TAGS].length > 0);
  empty("Age", (r) => r[CREATED]);
  return columns;
}

function packageCell(rows, row) {
  const [owner, type, name] = rows.packages[row[PACKAGE]];
  return [el("span", {}, name), el("span", { class: "more" }, " " + type + (rows.owners.length > 1 ? ", " + owner : ""))];
}

function versionCell(row, td, toggle) {
  if (row[UNIT] !== row[ID] && row[ID]) td.classList.add("child");
  const text = row[WHOLE] ? "whole package" : short(row[VERSION]);
  return el("button", { type: "button", "aria-expanded": "false", title: row[VERSION], on: { click: toggle } }, text);
}

function tagsCell(row) {
  const tags = row[TAGS] || [];
  const shown = tags.slice(0, 4).map((t) => el("span", { class: "tag" }, t));
  return tags.length > 4 ? [shown, el("span", { class: "more" }, "and " + (tags.length - 4) + " more")] : shown;
}

function statusCell(rows, row) {
  const status = rows.status(row);
  const keepers = row[OUTCOME] ? [] : status === "kept" || row[NOTE] ? [...rows.keepers(row)] : [];
  return [chip(status, statusTones[status]), keepers.length > 0 ? el("div", { class: "more" }, "by " + keepers.join(", ")) : ""];
}

function whyText(rows, row) {
  const first = rows.sets[row[RULES]][0];
  return first === undefined ? "" : rows.rules[first].policy + " " + rows.rules[first].reason;
}

function whyCell(rows, row) {
  const rules = rows.rulesOf(row[RULES]);
  if (rules.length === 0) return "";
  const more = rules.length > 1 ? el("span", { class: "more" }, " and " + (rules.length - 1) + " more") : "";
  return [el("span", { class: "policy" }, ruleName(rules[0])), ": ", rules[0].reason, more];
}

function ruleName(rule) {
  return rule.rule ? rule.policy + "/" + rule.rule : rule.policy;
}
