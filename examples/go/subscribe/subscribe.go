package main

import (
	"context"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"openresponses-grpc-example/client"
	pb "openresponses-grpc/openresponses_grpc/v1"
)

// handler processes the next events of a stream: all that were ready.
type handler func([]*pb.OpenResponsesStreamEvent) error

// subscribe passes each event of a stream to the handler, exactly once and in order. It reconnects and resumes.
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

// call handles the events of one call, until the stream ends. It advances the request, so that the next call resumes.
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
			return status.Error(codes.Unavailable, "the call ended early")
		}
		if err != nil {
			return err
		}
		if err := advance(request, response); err != nil {
			return err
		}
		if err := handle(response.Events); err != nil {
			return err
		}
		if response.EndOfStream {
			_, _ = responses.Recv() // waits for the status of the call
			if response.Failure != nil {
				return &client.StreamFailedError{Failure: response.Failure}
			}
			return nil
		}
	}
}

// advance makes the request resume after a response. Only the server computes checksums; a client sends them back.
func advance(request *pb.SubscribeRequest, response *pb.SubscribeResponse) error {
	if response.FirstOffset != request.GetStartOffset() {
		return status.Errorf(codes.DataLoss, "received offset %d; expected %d",
			response.FirstOffset, request.GetStartOffset())
	}
	*request.StartOffset += uint64(len(response.Events))
	if response.Epoch != 0 { // 0 means that the stream does not exist yet
		request.Epoch = &response.Epoch
	}
	if response.Checksum != nil {
		request.CheckedOffset, request.Checksum = &response.CheckedOffset, response.Checksum
	}
	return nil
}
