package main

import (
	"context"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"openresponses-grpc-example/client"
	pb "openresponses-grpc/openresponses_grpc/v1"
)

// publish publishes each event exactly once, and ends the stream. It reconnects and resumes until a newer publisher
// claims the stream.
func publish(service pb.OpenResponsesStreamServiceClient, events *outbox) error {
	for {
		err := call(service, events)
		if err == nil {
			return nil
		}
		if err := client.Recover(err); err != nil {
			return err
		}
	}
}

// call claims the stream and sends the unacknowledged events, until all are stored or the call fails.
func call(service pb.OpenResponsesStreamServiceClient, events *outbox) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	requests, err := service.Publish(ctx)
	if err != nil {
		return err
	}
	// If the call fails, Recv returns the error; Send does not.
	_ = requests.Send(&events.claim)
	for sending := false; ; {
		response, err := requests.Recv()
		if err == io.EOF && events.done() {
			return nil
		}
		if err == io.EOF {
			return status.Error(codes.Unavailable, "the call ended early")
		}
		if err != nil {
			return err
		}
		if err := events.acknowledge(response); err != nil {
			return err
		}
		switch {
		case response.Publisher != nil: // the first request drew the number; now claim the stream with it
			_ = requests.Send(&events.claim)
		case !sending:
			go send(ctx, requests, events, response.NextOffset)
			sending = true
		}
	}
}

// send sends all events from an offset on, then the end of the stream. It returns early if the call fails.
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
