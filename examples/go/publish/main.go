// Publishes lines of the SDK's JSON as a stream: go run ./publish 127.0.0.1:50051 resp_1 < events.ndjson
package main

import (
	"bufio"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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
	events := newOutbox()
	go func() {
		if err := addLines(os.Stdin, events); err != nil {
			log.Fatal(err)
		}
		events.end()
	}()
	if err := publish(service, cmp.Or(flag.Arg(1), "resp_1"), events); err != nil {
		log.Fatal(err)
	}
}

// addLines adds the event of each line as it comes.
func addLines(from io.Reader, events *outbox) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, math.MaxInt) // 64 KiB, the default, is too little for an image
	for number := 1; lines.Scan(); number++ {
		read, err := event.FromJSON(lines.Text())
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		events.add(read)
	}
	return lines.Err()
}

// publish stores each event once, over as many connections as it takes, and ends the stream.
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

// call asks where the stream stands, then sends what is not stored, until all is or the call breaks.
func call(service pb.OpenResponsesStreamServiceClient, streamID string, events *outbox) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	requests, err := service.Publish(ctx)
	if err != nil {
		return err
	}
	// Of a call that broke, Send only tells that it did, and Recv why.
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

// send sends all events from an offset on, and the end, unless the call breaks.
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
