# The web server and the worker; compose.yaml says which. The RUN lines call what `make` calls.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 DATA_DIR=/data
# The CPU build of torch; set it to nothing for the registry's own (CUDA) build.
ARG TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu

RUN useradd --system --create-home shop && install -d -o shop /app /data
WORKDIR /app
USER shop
COPY --chown=shop requirements.txt requirements.lock ./
COPY --chown=shop scripts scripts
RUN scripts/setup.sh
COPY --chown=shop . .

EXPOSE 8000
CMD [".venv/bin/python", "manage.py", "web", "--host", "0.0.0.0"]
