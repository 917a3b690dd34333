// Light or dark: as the system says, until the person chooses.

const KEY = "manymesh-theme";

export function startTheme(button) {
  const apply = (dark) => {
    document.body.classList.toggle("dark", dark);
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
    button.setAttribute("aria-pressed", String(dark));
  };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem(KEY);
  apply(chosen() ? chosen() === "dark" : system.matches);
  system.addEventListener("change", () => chosen() || apply(system.matches));
  button.addEventListener("click", () => {
    const dark = !document.body.classList.contains("dark");
    localStorage.setItem(KEY, dark ? "dark" : "light");
    apply(dark);
  });
}
