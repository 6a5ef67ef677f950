package main

import (
	"bufio"
	"os"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"

	pb "openresponses-grpc/openresponses_grpc/v1"
)

var (
	stdout        = bufio.NewWriter(os.Stdout)
	deterministic = protodelim.MarshalOptions{MarshalOptions: proto.MarshalOptions{Deterministic: true}}
)

// write writes each event with its length as a prefix, then flushes.
func write(events []*pb.OpenResponsesStreamEvent) error {
	for _, event := range events {
		if _, err := deterministic.MarshalTo(stdout, event); err != nil {
			return err
		}
	}
	return stdout.Flush()
}
