// Light or dark: as the system says, until the person chooses. Runs before the page is drawn, so it is no module.

(() => {
  const KEY = "manymesh-theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem(KEY);
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
      localStorage.setItem(KEY, dark ? "dark" : "light");
      apply(dark);
    });
  });
})();
