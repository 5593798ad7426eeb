# All programs in one image: envoy-scraper, envoy-receiver, envoy-scrape and envoy-simulator.
#
#   docker build --tag envoy-scrape .
#
# BuildKit builds it (the default since Docker 23; before that, docker-buildx). What was compiled is kept
# in cache mounts: after a change of the sources only they are compiled again, not the dependencies.
#
# For a Raspberry Pi on another machine (cross-compiled, nothing is emulated):
#
#   docker build --platform linux/arm64 --tag envoy-scrape:arm64 .
#
# Labels for what is given to others: --build-arg REVISION="$(git rev-parse HEAD)" --build-arg SOURCE=URL.

ARG RUST_IMAGE=rust:1.95-slim-bookworm
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM --platform=$BUILDPLATFORM ${RUST_IMAGE} AS build
ARG BUILDARCH TARGETARCH
WORKDIR /src

# A linker, a C compiler and the standard library for the other architecture, where it is another: SQLite
# and the cryptography are C.
RUN set -eu; \
    if [ "$TARGETARCH" = "$BUILDARCH" ]; then exit 0; fi; \
    case $TARGETARCH in \
      amd64) gcc=x86-64-linux-gnu rust=x86_64-unknown-linux-gnu ;; \
      arm64) gcc=aarch64-linux-gnu rust=aarch64-unknown-linux-gnu ;; \
      *) echo "no build for $TARGETARCH: amd64 or arm64" >&2; exit 1 ;; \
    esac; \
    apt-get update --quiet --quiet; \
    apt-get install --quiet --quiet --yes --no-install-recommends "gcc-$gcc" "libc6-dev-$TARGETARCH-cross"; \
    rm -rf /var/lib/apt/lists/*; \
    rustup target add "$rust"

COPY . .

# One file is all four programs: which one it is follows from the name by which it is called.
#
# The cache mounts are no part of the image, so it is copied out of them. All sources are made
# newer than what is in the cache: cargo goes by time, and another clone's sources may be older than what
# was compiled last, but others.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/target,id=target-$TARGETARCH,sharing=locked \
    set -eu; \
    case $TARGETARCH in \
      amd64) target=x86_64-unknown-linux-gnu ;; \
      arm64) target=aarch64-unknown-linux-gnu ;; \
    esac; \
    if [ "$TARGETARCH" != "$BUILDARCH" ]; then \
      export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc; \
      export CC_x86_64_unknown_linux_gnu=x86_64-linux-gnu-gcc; \
      export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc; \
      export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=x86_64-linux-gnu-gcc; \
    fi; \
    find . -type f -exec touch {} +; \
    cargo build --locked --release --target "$target" --target-dir /target --package standalone; \
    mkdir --parents /image/bin /image/state; \
    mkdir --mode 0770 /image/state/data; \
    cd /image/bin; \
    cp "/target/$target/release/envoy-scrape" .; \
    for program in envoy-scraper envoy-receiver envoy-simulator; do ln --symbolic envoy-scrape "$program"; done

# The programs alone, for what is no image: docker build --target programs --output DIR .
FROM scratch AS programs
COPY --from=build /image/bin/ /

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="envoy-scrape" \
      org.opencontainers.image.description="Every reading of an Enphase Envoy, by MQTT, into InfluxDB" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image/bin/ /usr/local/bin/
# Where a daemon keeps its state. The group is root's, which is also that of a user id that the image does
# not know (docker run --user 1234): a new volume belongs to either.
COPY --from=build --chown=65532:0 /image/state/ /
VOLUME /data
ENV STATE_DIR=/data
USER 65532:0
# No ENTRYPOINT: a command begins with the name of its program. No HEALTHCHECK: the four programs have
# different ones, or none, so whoever starts them says which. Without a command it is all in one process,
# with a simulated Envoy unless one is named.
CMD ["envoy-scrape"]
