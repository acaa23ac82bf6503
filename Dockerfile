# The image of one program: nothing else is in it but what the program is linked with, no shell either.
#   docker build --tag bist --build-arg REVISION="$(git rev-parse HEAD)" \
#       --build-arg BUILT_AT="$(date -u -d "@$(git log -1 --format=%ct)" +%FT%TZ)" .
# The pages come first, for they are in the program.

FROM node:22-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY web ./
RUN npm run build

FROM rust:1.95-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1 AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock rust-toolchain.toml ./
COPY crates crates
COPY migrations migrations
COPY --from=web /src/web/dist web/dist
ENV CARGO_INCREMENTAL=0
# What `bist --version` tells; nothing where nothing is said.
ARG REVISION=
ARG BUILT_AT=
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    BIST_COMMIT="${REVISION}" BIST_BUILT_AT="${BUILT_AT}" cargo build --release --locked --bin bist \
    && install -D -m 755 target/release/bist /out/usr/bin/bist \
    && install -d -m 700 -o 65532 -g 65532 /out/var/lib/bist

# glibc, libgcc, the roots of certificates, and a user without rights: 65532.
FROM gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG BUILT_AT=
LABEL org.opencontainers.image.title="bist" \
      org.opencontainers.image.description="BIST AI Smart Trader: market data, forecasts and signals that say what they are worth" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.created="${BUILT_AT}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build --chown=65532:65532 /out/var/lib/bist /var/lib/bist
COPY --from=build /out/usr/bin/bist /usr/bin/bist
ENV BIST_DATA_DIR=/var/lib/bist
USER 65532:65532
VOLUME /var/lib/bist
EXPOSE 8080
STOPSIGNAL SIGTERM
# The program asks itself, for nothing else is here that could.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/usr/bin/bist", "doctor", "--ready", "http://127.0.0.1:8080"]
ENTRYPOINT ["/usr/bin/bist"]
CMD ["serve"]
