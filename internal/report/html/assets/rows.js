// The items of a plan or run as they come in the data block: rows of numbers that
// point into lists of what repeats. Filtering looks at each distinct text once,
// and then at numbers only.

const PACKAGE = 0, ID = 1, VERSION = 2, TAGS = 3, ACTION = 4, WHOLE = 5, STATUS = 6, RULES = 7, OVERRULED = 8, NOTE = 9,
  CREATED = 10, UPDATED = 11, UNIT = 12, OUTCOME = 13, REQUEST = 14, DETAIL = 15;

class Rows {
  constructor(data) {
    Object.assign(this, data); // rows, words, packages, rules, sets, notes, now
    this.owners = [...new Set(this.packages.map((p) => p[0]))];
    this.all = Uint32Array.from(this.rows.keys());
    this.names = this.packages.map(([owner, type, name]) => owner + "/" + type + "/" + name);
  }

  // status is how an item ended, or else where it stands.
  status(row) {
    return this.words[row[OUTCOME] || row[STATUS]];
  }

  rulesOf(set) {
    return this.sets[set].map((i) => this.rules[i]);
  }

  // keepers are what stood against a row: policies that keep, and a guard.
  keepers(row) {
    const out = new Set(this.rulesOf(row[OVERRULED]).filter((r) => r.action === "keep").map((r) => r.policy));
    if (row[NOTE]) out.add(this.notes[row[NOTE]].code);
    return out;
  }

  // texts returns for each row what a search looks at besides the lists.
  texts() {
    this.lower ||= this.rows.map((r) => (r[VERSION] + " " + (r[TAGS] || []).join(" ") + " " + r[ID]).toLowerCase());
    return this.lower;
  }

  // match returns the numbers of the rows that all conditions hold for.
  match(wanted) {
    const tests = [...this.fields(wanted), ...this.searched(wanted.search)];
    if (tests.length === 0) return this.all;
    const out = new Uint32Array(this.rows.length);
    let n = 0;
    rows: for (let i = 0; i < this.rows.length; i++) {
      const row = this.rows[i];
      for (const test of tests) if (!test(row, i)) continue rows;
      out[n++] = i;
    }
    return out.subarray(0, n);
  }

  // fields makes a test of each filter that is set.
  fields(wanted) {
    const tests = [];
    const byPackage = (field, value) => {
      const ok = this.packages.map((p) => p[field] === value);
      tests.push((row) => ok[row[PACKAGE]]);
    };
    const bySet = (field, value) => {
      const ok = this.sets.map((_, s) => this.rulesOf(s).some((r) => r[field] === value));
      tests.push((row) => ok[row[RULES]]);
    };
    if (wanted.owner) byPackage(0, wanted.owner);
    if (wanted.type) byPackage(1, wanted.type);
    if (wanted.package) {
      const part = wanted.package.toLowerCase();
      const ok = this.packages.map((p) => p[2].toLowerCase().includes(part));
      tests.push((row) => ok[row[PACKAGE]]);
    }
    if (wanted.policy) bySet("policy", wanted.policy);
    if (wanted.severity) bySet("severity", wanted.severity);
    if (wanted.action) tests.push((row) => this.words[row[ACTION]] === wanted.action);
    if (wanted.status) tests.push((row) => this.status(row) === wanted.status);
    if (wanted.by) tests.push(this.keptBy(wanted.by));
    return tests;
  }

  keptBy(name) {
    const sets = this.sets.map((_, s) => this.rulesOf(s).some((r) => r.action === "keep" && r.policy === name));
    const notes = this.notes.map((n) => n.code === name);
    return (row) => sets[row[OVERRULED]] || notes[row[NOTE]];
  }

  // searched makes a test of each word that is searched for.
  searched(search) {
    return (search || "").toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
      const has = (text) => text.toLowerCase().includes(word);
      const names = this.names.map(has);
      const words = this.words.map(has);
      const rules = this.rules.map((r) => has(r.policy + " " + r.rule + " " + r.reason));
      const sets = this.sets.map((set) => set.some((i) => rules[i]));
      const notes = this.notes.map((n) => has(n.code + " " + n.detail));
      const texts = this.texts();
      return (row, i) => names[row[PACKAGE]] || sets[row[RULES]] || sets[row[OVERRULED]] || notes[row[NOTE]] ||
        words[row[ACTION]] || words[row[OUTCOME] || row[STATUS]] || (row[DETAIL] > 0 && words[row[DETAIL]]) || texts[i].includes(word);
    });
  }

  // counts says how many rows each value has; values(row) gives the row's.
  counts(values, order = this.all) {
    const out = new Map();
    for (const i of order) for (const v of values(this.rows[i])) if (v !== "") out.set(v, (out.get(v) || 0) + 1);
    return new Map([...out].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
  }
}
