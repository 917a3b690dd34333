// Questions to the server. Each takes one mapping and answers with one.

export async function ask(name, data) {
  const answer = await fetch(new URL(`page/${name}`, document.baseURI), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(data),
  });
  if (!answer.ok) throw new Error(`the server answered ${name} with ${answer.status}`);
  return answer.json();
}
