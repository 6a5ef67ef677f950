// Package client connects to a server, and tells a call that broke from an answer that is final.
package client

import (
	"log"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	pb "openresponses-grpc/openresponses/v1"
)

const (
	retryDelay = 500 * time.Millisecond
	// What the server takes unless told otherwise; gRPC's own limit, 4 MiB, is less than an event may have.
	maxMessageBytes = 64 << 20
)

// Connect returns a client of the server at an address, whose connection lasts as long as the program.
func Connect(address string) (pb.OpenResponsesStreamServiceClient, error) {
	connection, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageBytes)),
		// The pings notice a server that is gone without a word.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
		// Else it connects again only after up to two minutes, and until then every call breaks at once.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: retryDelay, MaxDelay: retryDelay},
			MinConnectTimeout: 20 * time.Second,
		}),
	)
	if err != nil {
		return nil, err
	}
	return pb.NewOpenResponsesStreamServiceClient(connection), nil
}

// Recover waits for the next attempt after a call that broke; it returns an error that another attempt does not heal.
func Recover(err error) error {
	reason := status.Convert(err)
	// A connection that broke is Unavailable, too.
	if reason.Code() != codes.Unavailable && reason.Code() != codes.Canceled && !asksToRetry(reason) {
		return err
	}
	log.Printf("trying again after: %s", reason.Message())
	time.Sleep(retryDelay)
	return nil
}

func asksToRetry(reason *status.Status) bool {
	for _, detail := range reason.Details() {
		if _, ok := detail.(*errdetails.RetryInfo); ok {
			return true
		}
	}
	return false
}
