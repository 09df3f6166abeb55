// Elements. Whatever others wrote goes in as text, never as markup.

function el(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, run] of Object.entries(value)) node.addEventListener(event, run);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === "") continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

function number(n) {
  return n.toLocaleString("en-US");
}

function chip(text, tone) {
  return el("span", { class: tone ? "chip " + tone : "chip" }, text);
}

// A digest is shown by its first twelve digits, as everywhere else.
function short(name) {
  return /^sha256:[0-9a-f]{64}$/.test(name) ? name.slice(0, 19) : name;
}

// Seconds since 1970; 0 is not known.
function stamp(seconds) {
  return seconds ? new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ") + "Z" : "";
}

function age(seconds, now) {
  if (!seconds || !now) return "";
  const d = Math.max(0, now - seconds);
  if (d < 3600) return Math.floor(d / 60) + "m";
  if (d < 86400) return Math.floor(d / 3600) + "h";
  return Math.floor(d / 86400) + "d";
}
