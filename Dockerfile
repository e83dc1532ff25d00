# The image of postscan: one static binary, certificate authorities, an account without rights. Nothing to start a shell with.
#
#   docker build --build-arg VERSION=v0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" -t postscan .
#
# The same source and the same GO_IMAGE give the same binary: no paths, no build id, no time in it. For a release, pin the
# builder by digest: --build-arg GO_IMAGE=docker.io/library/golang@sha256:… (no digest stands here, since a digest that nobody has
# checked is worth no more than a tag). The image that is shipped has no base image.
ARG GO_IMAGE=docker.io/library/golang:1.26.8-bookworm

FROM --platform=$BUILDPLATFORM $GO_IMAGE AS build
ARG TARGETOS=linux
ARG TARGETARCH
ARG VERSION=devel
# Seconds since 1970, the time of every file in the image.
ARG SOURCE_DATE_EPOCH=0
WORKDIR /src
ENV CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOWORK=off

# The modules change less often than the code; this layer is kept.
COPY go.mod go.sum ./
RUN go mod download && go mod verify

COPY checks checks
COPY cmd cmd
COPY policies policies
COPY scanner scanner
COPY testdata testdata
RUN umask 022 \
 && mkdir -p /root-fs/usr/bin /root-fs/etc/ssl/certs /root-fs/home/postscan \
 && GOOS=$TARGETOS GOARCH=$TARGETARCH go build -mod=readonly -trimpath -ldflags "-s -w -buildid= -X main.version=$VERSION" \
      -o /root-fs/usr/bin/postscan ./cmd/postscan \
 && cp /etc/ssl/certs/ca-certificates.crt /root-fs/etc/ssl/certs/ \
 && echo 'postscan:x:65532:65532::/home/postscan:/sbin/nologin' >/root-fs/etc/passwd \
 && echo 'postscan:x:65532:' >/root-fs/etc/group \
 && chown -R 65532:65532 /root-fs/home/postscan \
 && mkdir /root-fs/tmp && chmod 1777 /root-fs/tmp \
 && find /root-fs -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

FROM scratch
ARG VERSION=devel
ARG REVISION=unknown
LABEL org.opencontainers.image.title="postscan" \
      org.opencontainers.image.description="How well are containers, VMs and clusters isolated, and what would break it?" \
      org.opencontainers.image.source="https://github.com/postscan/postscan" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /root-fs/ /
# Databases and results of layers are kept under the home folder: mount a volume there to keep them from run to run.
ENV HOME=/home/postscan PATH=/usr/bin
WORKDIR /home/postscan
# A number, so that Kubernetes can prove runAsNonRoot.
USER 65532:65532
# No HEALTHCHECK: postscan is a command that ends, and its exit code says how it went.
ENTRYPOINT ["/usr/bin/postscan"]
CMD ["--help"]
