# The environment in which rules run; the code is that of the clone they run in. docs/slurm.md, In a
# container, says how to build and use it.
FROM python:3.11-slim-bookworm

# make sets up what it sets up elsewhere, too; g++ is for packages that come as sources. Versions of
# Debian's packages are not kept there, so none can be named.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ make \
    && rm -rf /var/lib/apt/lists/*

# Where pip finds other builds of torch and torchvision beside the ordinary ones.
ARG PIP_EXTRA_INDEX_URL=""
# An image is often read-only: nothing could be compiled later.
ENV PIP_COMPILE=1 \
    PIP_NO_CACHE_DIR=1

# Without ssr itself, or rules could import what was copied here in place of their clone's.
WORKDIR /opt/ssr
COPY LICENSE Makefile README.md pyproject.toml ./
COPY ssr/version.py ssr/
RUN make .venv/ready \
    && .venv/bin/pip uninstall --yes ssr-wsss \
    && rm -rf ssr

ENV PATH=/opt/ssr/.venv/bin:$PATH \
    PYTHONNOUSERSITE=1
CMD ["bash"]
