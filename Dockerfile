# syntax=docker/dockerfile:1
# Two images from one file:
#   docker build --target server .      the three processes on Kafka and a ClickHouse server (no native engine inside)
#   docker build --target embedded .    everything on one machine: `flowledger start` with the embedded log and engine
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS sources
WORKDIR /app
ENV NX_DAEMON=false
COPY package.json package-lock.json ./
COPY apps apps
COPY libs libs
COPY proto proto
COPY migrations migrations
COPY tools tools
COPY tsconfig.json tsconfig.base.json ./

# Optional packages stay in: compiler and lz4 bring their native parts that way. Only the engine is taken out again.
FROM sources AS build
RUN npm ci --no-audit --no-fund --ignore-scripts
RUN node_modules/.bin/tsc -b apps/ingestor apps/worker apps/api apps/flowledger \
  && find apps libs -name '*.tsbuildinfo' -delete \
  && rm -rf node_modules

FROM build AS embedded-packages
RUN npm ci --omit=dev --no-audit --no-fund

FROM embedded-packages AS server-packages
RUN rm -rf node_modules/chdb node_modules/@chdb

FROM ${NODE_IMAGE} AS base
ENV NODE_ENV=production FLOWLEDGER_DATA_DIR=/data
WORKDIR /app
RUN install -d -o 1000 -g 1000 /data
VOLUME /data
USER 1000:1000
# SIGTERM reaches our process itself, which stops in order.
STOPSIGNAL SIGTERM

FROM base AS embedded
COPY --from=embedded-packages --chown=0:0 /app /app
EXPOSE 7117
CMD ["node", "apps/flowledger/dist/main.js", "start"]

FROM base AS server
COPY --from=server-packages --chown=0:0 /app /app
EXPOSE 7117 7118 7119
CMD ["node", "apps/flowledger/dist/main.js", "help"]
