# One image for every process. Everything is a wheel, so neither stage holds a compiler; `fraudstream` runs as a user
# without rights and writes to /data and /tmp only.
FROM python:3.11.11-slim-bookworm AS build

RUN python -m venv /opt/fraudstream
ENV PATH=/opt/fraudstream/bin:$PATH
WORKDIR /build
COPY constraints.runtime.txt ./
RUN pip install --no-cache-dir --no-compile --only-binary=:all: --require-hashes --requirement constraints.runtime.txt
COPY pyproject.toml README.md ./
COPY models models
COPY producers producers
COPY stream_app stream_app
RUN pip install --no-cache-dir --no-compile --no-deps --no-build-isolation . \
    && pip uninstall --yes pip \
    && python -m compileall -q -j 0 -x '/tests?/' /opt/fraudstream/lib

FROM python:3.11.11-slim-bookworm

# LightGBM's wheel takes OpenMP from the system.
RUN apt-get update \
    && apt-get install --no-install-recommends --yes libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home fraudstream \
    && install --directory --owner=fraudstream --group=fraudstream --mode=0750 /data
COPY --from=build /opt/fraudstream /opt/fraudstream

# The kernels are compiled at the first start on a kind of CPU and kept in the volume for the next ones.
ENV PATH=/opt/fraudstream/bin:$PATH \
    FRAUDSTREAM_DATA=/data \
    NUMBA_CACHE_DIR=/data/numba-cache \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /
VOLUME /data
CMD ["fraudstream", "--help"]
