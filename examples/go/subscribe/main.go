// Shows a response as it streams: go run ./subscribe 127.0.0.1:50051 resp_1
// With --events, it writes the events as length-delimited protobuf instead.
package main

import (
	"cmp"
	"context"
	"flag"
	"io"
	"log"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"openresponses-grpc-example/client"
	pb "openresponses-grpc/openresponses_grpc/v1"
)

func main() {
	log.SetFlags(0)
	events := flag.Bool("events", false, "write the events as length-delimited protobuf")
	flag.Parse()
	service, err := client.Connect(cmp.Or(flag.Arg(0), "127.0.0.1:50051"))
	if err != nil {
		log.Fatal(err)
	}
	handle := show
	if *events {
		handle = write
	}
	if err := subscribe(service, cmp.Or(flag.Arg(1), "resp_1"), handle); err != nil {
		log.Fatal(err)
	}
}

// handler receives the next events of a stream, as many as were ready.
type handler func([]*pb.OpenResponsesStreamEvent) error

// subscribe passes on every event of a stream, once and in order. It reconnects as often as necessary.
func subscribe(service pb.OpenResponsesStreamServiceClient, streamID string, handle handler) error {
	request := &pb.SubscribeRequest{StreamId: streamID, StartOffset: proto.Uint64(0)}
	for {
		err := call(service, request, handle)
		if err == nil {
			return nil
		}
		if err := client.Recover(err); err != nil {
			return err
		}
	}
}

// call passes on the events of one call until the stream ends. It advances the request, so that the next call resumes.
func call(service pb.OpenResponsesStreamServiceClient, request *pb.SubscribeRequest, handle handler) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	responses, err := service.Subscribe(ctx, request)
	if err != nil {
		return err
	}
	for {
		response, err := responses.Recv()
		if err == io.EOF {
			return status.Error(codes.Unavailable, "the call ended before the stream")
		}
		if err != nil {
			return err
		}
		if response.FirstOffset != request.GetStartOffset() {
			return status.Errorf(codes.DataLoss, "offset %d instead of %d", response.FirstOffset, request.GetStartOffset())
		}
		*request.StartOffset += uint64(len(response.Events))
		if response.Epoch != 0 { // 0 means that the stream does not exist yet
			request.Epoch = &response.Epoch
		}
		if err := handle(response.Events); err != nil {
			return err
		}
		if response.EndOfStream {
			return nil
		}
	}
}
