# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --wheel-dir /wheels '.[http,redis]'

FROM python:3.13-slim
RUN --mount=from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index /wheels/*.whl \
    && useradd --uid 10001 --create-home openresponses \
    && install -d -o openresponses -g openresponses /data
USER 10001
VOLUME /data
EXPOSE 50051 8080
# For `serve` without TLS on the default port. Override it for other commands.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD ["python", "-c", "import grpc; from grpc_health.v1.health_pb2 import HealthCheckRequest; from grpc_health.v1.health_pb2_grpc import HealthStub; exit(HealthStub(grpc.insecure_channel('127.0.0.1:50051')).Check(HealthCheckRequest(), timeout=2).status != 1)"]
ENTRYPOINT ["openresponses"]
CMD ["--help"]
