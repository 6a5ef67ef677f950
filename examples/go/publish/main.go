// Publishes length-delimited protobuf as a stream: go run ./publish 127.0.0.1:50051 resp_1 < events.binpb
package main

import (
	"bufio"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protodelim"

	"openresponses-grpc-example/client"
	pb "openresponses-grpc/openresponses_grpc/v1"
)

func main() {
	log.SetFlags(0)
	flag.Parse()
	service, err := client.Connect(cmp.Or(flag.Arg(0), "127.0.0.1:50051"))
	if err != nil {
		log.Fatal(err)
	}
	events := newOutbox()
	go func() {
		if err := read(bufio.NewReader(os.Stdin), events); err != nil {
			log.Fatal(err)
		}
		events.end()
	}()
	if err := publish(service, cmp.Or(flag.Arg(1), "resp_1"), events); err != nil {
		log.Fatal(err)
	}
}

// read adds each event to the outbox as soon as it is complete. A service adds the events that it makes or receives.
func read(input *bufio.Reader, events *outbox) error {
	limited := protodelim.UnmarshalOptions{MaxSize: client.MaxMessageBytes} // 4 MiB by default
	for number := 1; ; number++ {
		event := &pb.OpenResponsesStreamEvent{}
		err := limited.UnmarshalFrom(input, event)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("event %d: %w", number, err)
		}
		events.add(event)
	}
}

// publish stores each event once, and ends the stream. It reconnects as often as necessary.
func publish(service pb.OpenResponsesStreamServiceClient, streamID string, events *outbox) error {
	for {
		err := call(service, streamID, events)
		if err == nil {
			return nil
		}
		if err := client.Recover(err); err != nil {
			return err
		}
	}
}

// call sends the events that are not stored yet, until all are or the call breaks. The first reply, to a request without
// events, carries the stream's end offset.
func call(service pb.OpenResponsesStreamServiceClient, streamID string, events *outbox) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	requests, err := service.Publish(ctx)
	if err != nil {
		return err
	}
	// If the call breaks, Recv returns the reason; Send does not.
	_ = requests.Send(&pb.PublishRequest{StreamId: streamID, Epoch: events.epoch})
	for greeted := false; ; greeted = true {
		response, err := requests.Recv()
		if err == io.EOF && events.done() {
			return nil
		}
		if err == io.EOF {
			return status.Error(codes.Unavailable, "the call ended before the stream")
		}
		if err != nil {
			return err
		}
		if err := events.acknowledge(response); err != nil {
			return err
		}
		if !greeted {
			go send(ctx, requests, events, response.NextOffset)
		}
	}
}

// send sends all events from an offset on, then the end of the stream. It returns early if the call breaks.
func send(ctx context.Context, requests pb.OpenResponsesStreamService_PublishClient, events *outbox, offset uint64) {
	for {
		request := events.next(ctx, offset)
		if request == nil || requests.Send(request) != nil {
			return
		}
		if request.EndOfStream {
			_ = requests.CloseSend()
			return
		}
		offset = request.GetFirstOffset() + uint64(len(request.Events))
	}
}
