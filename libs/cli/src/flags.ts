/** Takes a flag with a value out of a list of words. */
export function takeFlag(
  args: readonly string[],
  name: string,
): { value: string | undefined; rest: string[] } {
  const rest: string[] = [];
  let value: string | undefined;
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? '';
    if (word === name) value = args[++i];
    else if (word.startsWith(`${name}=`)) value = word.slice(name.length + 1);
    else rest.push(word);
  }
  return { value, rest };
}

/** False for the settings that are complete without a value. */
export function takesValue(flag: string): boolean {
  return flag !== '--no-demo' && flag !== '--insecure';
}
