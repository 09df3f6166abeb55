// The theme follows the system unless the button says otherwise.

const themes = ["automatic", "light", "dark"];
const themeListeners = [];

function storedTheme() {
  try {
    return localStorage.getItem("shelflife-theme");
  } catch {
    return null; // a browser that keeps nothing still shows the page
  }
}

function applyTheme(name) {
  if (name === "automatic") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.setAttribute("data-theme", name);
  const button = document.getElementById("theme");
  button.textContent = "Theme: " + name;
  for (const changed of themeListeners) changed();
}

function startTheme() {
  let at = Math.max(0, themes.indexOf(storedTheme()));
  const button = document.getElementById("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    at = (at + 1) % themes.length;
    try {
      localStorage.setItem("shelflife-theme", themes[at]);
    } catch {
      // it holds for this page, then
    }
    applyTheme(themes[at]);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => applyTheme(themes[at]));
  applyTheme(themes[at]);
}
