# The pinned generators of the stubs. generated/java/pom.xml pins those of Java.

# grpcio-tools contains the protoc for all languages. It determines the oldest protobuf and grpcio that the Python stubs
# support (see pyproject.toml), so it stays at an old version: 1.76 is the first whose stubs run on protobuf 6.31 to 7.x.
# mypy-protobuf generates the types, with the comments of the contract as docstrings. It requires protobuf; 6.33.6 is the
# newest version that grpcio-tools 1.76 permits.
GENERATORS_python := grpcio-tools==1.76.0 mypy-protobuf==5.1.0 protobuf==6.33.6
# 2.13 is the last version that runs on Node 20.
GENERATORS_typescript := @bufbuild/protoc-gen-es@2.13.0
GENERATORS_go := google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.11 google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2
GENERATORS_rust := protoc-gen-prost@0.5.0 protoc-gen-tonic@0.5.0
