FROM python:3.11.11-slim-bookworm

# LightGBM's wheel takes OpenMP from the system.
RUN apt-get update && apt-get install --no-install-recommends --yes libgomp1 && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/fraudstream
COPY constraints.txt ./
RUN python -m pip install --no-cache-dir --require-hashes --requirement constraints.txt

COPY pyproject.toml README.md ./
COPY models models
COPY producers producers
COPY stream_app stream_app
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation .

RUN useradd --create-home fraudstream && mkdir /data && chown fraudstream /data
USER fraudstream
WORKDIR /home/fraudstream
VOLUME /data
CMD ["fraudstream", "--help"]
