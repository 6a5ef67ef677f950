# What generates the stubs of each language, each pinned. Java is not here: generated/java/pom.xml pins its generators.

# grpcio-tools is the protoc of all languages here. It decides how old the protobuf and grpcio beside the Python stubs
# may be (see pyproject.toml), so that it stays old on purpose: 1.76 is the first whose messages run on protobuf 6.31 to
# 7.x. mypy-protobuf writes the types, with the sentences of the contract as docstrings; protobuf is its own, and the
# newest that grpcio-tools 1.76 allows.
GENERATORS_python := grpcio-tools==1.76.0 mypy-protobuf==5.1.0 protobuf==6.33.6
# 2.13 is the last that runs on Node 20.
GENERATORS_typescript := @bufbuild/protoc-gen-es@2.13.0
GENERATORS_go := google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.11 google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2
GENERATORS_rust := protoc-gen-prost@0.5.0 protoc-gen-tonic@0.5.0
