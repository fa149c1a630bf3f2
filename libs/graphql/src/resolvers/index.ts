export const RESOLVERS = [] as const;
