// Dark or light, as chosen here before or as the system has it; set before anything is drawn.

const THEME = "ssr theme";

function keptTheme() {
  try {
    return localStorage.getItem(THEME);
  } catch {
    return null; // the browser keeps nothing for this page
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(THEME, theme);
  } catch { /* it holds until the page is left */ }
}

const theme = keptTheme();
if (["dark", "light"].includes(theme)) document.documentElement.dataset.theme = theme;
addEventListener("DOMContentLoaded", () => {
  document.getElementById("theme").onclick = () =>
    setTheme(getComputedStyle(document.documentElement).colorScheme === "dark" ? "light" : "dark");
});
