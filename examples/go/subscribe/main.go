// Prints the events of a stream as the SDK's JSON: go run ./subscribe 127.0.0.1:50051 resp_1
package main

import (
	"bufio"
	"cmp"
	"context"
	"flag"
	"io"
	"log"
	"os"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"openresponses-grpc-example/client"
	"openresponses-grpc-example/event"
	pb "openresponses-grpc/openresponses/v1"
)

func main() {
	log.SetFlags(0)
	flag.Parse()
	service, err := client.Connect(cmp.Or(flag.Arg(0), "127.0.0.1:50051"))
	if err != nil {
		log.Fatal(err)
	}
	if err := subscribe(service, cmp.Or(flag.Arg(1), "resp_1"), printer(os.Stdout)); err != nil {
		log.Fatal(err)
	}
}

// handler takes the next events of a stream, as many as were ready.
type handler func([]*pb.OpenResponsesStreamEvent) error

// subscribe hands on every event of a stream once and in order, over as many connections as it takes.
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

// call hands on what one call brings until the stream ends. It moves the request on, so that it resumes after a break.
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
		if response.Epoch != 0 { // else nobody has published yet
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

// printer writes each event as a line, and lets none wait for the next ones.
func printer(to io.Writer) handler {
	lines := bufio.NewWriter(to)
	return func(events []*pb.OpenResponsesStreamEvent) error {
		for _, received := range events {
			text, err := event.ToJSON(received)
			if err != nil {
				return err
			}
			lines.WriteString(text + "\n") // Flush returns the error of any write
		}
		return lines.Flush()
	}
}
