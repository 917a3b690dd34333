// Light or dark: as the system says, until the person chooses. Runs before the page is drawn, so it is no module.

(() => {
  const KEY = "manymesh-theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  // Where the browser keeps nothing for pages, the choice lasts until the page is left.
  let choice = null;
  const chosen = () => {
    try {
      return choice ?? localStorage.getItem(KEY);
    } catch {
      return choice;
    }
  };
  const choose = (value) => {
    choice = value;
    try {
      localStorage.setItem(KEY, value);
    } catch {
      // not kept
    }
  };
  const apply = (dark) => {
    root.classList.toggle("dark", dark);
    root.style.colorScheme = dark ? "dark" : "light";
    document.getElementById("mm-theme")?.setAttribute("aria-pressed", String(dark));
  };
  const follow = () => apply(chosen() ? chosen() === "dark" : system.matches);
  follow();
  system.addEventListener("change", follow);
  document.addEventListener("DOMContentLoaded", () => {
    follow();
    document.getElementById("mm-theme").addEventListener("click", () => {
      const dark = !root.classList.contains("dark");
      choose(dark ? "dark" : "light");
      apply(dark);
    });
  });
})();
