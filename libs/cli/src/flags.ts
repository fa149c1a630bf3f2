import { AppError } from '@flowledger/platform';

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

/** Takes a flag without a value out of a list of words. */
export function takeSwitch(args: readonly string[], name: string): { on: boolean; rest: string[] } {
  return { on: args.includes(name), rest: args.filter((word) => word !== name) };
}

/** Takes the one word that is neither a flag nor a flag's value. Throws INVALID_ARGUMENT without it or with two. */
export function takeWord(args: readonly string[], what: string): { word: string; rest: string[] } {
  const words: string[] = [];
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (!arg.startsWith('--')) words.push(arg);
    else {
      rest.push(arg);
      const value = args[i + 1];
      if (!arg.includes('=') && takesValue(arg) && value !== undefined) rest.push(args[++i] ?? '');
    }
  }
  const [word] = words;
  if (word === undefined || words.length > 1)
    throw new AppError('INVALID_ARGUMENT', `name ${what}, and only that`, { retry: false });
  return { word, rest };
}
