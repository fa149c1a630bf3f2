// Mounts the bundled GraphiQL on this server's own endpoint. The token is the one given on the start page; it can be
// replaced in the editor's Headers tab.
const { React, ReactDOM, GraphiQL } = globalThis;

const DEFAULT_QUERY = `# What was dropped in the last hour, by whom and why?
query WhoDropped {
  drops(
    window: { last: "1h" }
    groupBy: [{ dimension: DROP_REASON }, { dimension: WORKLOAD, side: CLIENT }, { dimension: WORKLOAD, side: SERVER }]
    limit: 10
  ) {
    total
    groups {
      text
      count
      firstSeen
      lastSeen
      remedy
    }
    coverage {
      status
      unaccounted
    }
  }
}
`;

const token = sessionStorage.getItem('flowledger-token');
const query = new URLSearchParams(location.search).get('query');
const fetcher = GraphiQL.createFetcher({
  url: '/graphql',
  headers: token === null ? {} : { authorization: `Bearer ${token}` },
});

ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultQuery: DEFAULT_QUERY,
    ...(query === null ? {} : { query }),
    shouldPersistHeaders: false,
  }),
);
