// Package client connects to a server and classifies its errors as temporary or permanent.
package client

import (
	"log"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	pb "openresponses-grpc/openresponses_grpc/v1"
)

// MaxMessageBytes is the size limit of a received message. Events may be larger than gRPC's default limit of 4 MiB.
const MaxMessageBytes = 64 << 20

const retryDelay = 500 * time.Millisecond

// Connect returns a client for the server at an address. The connection stays open until the program exits.
func Connect(address string) (pb.OpenResponsesStreamServiceClient, error) {
	connection, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessageBytes)),
		// Pings detect a server that disappeared without closing the connection.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
		// By default, gRPC waits up to two minutes before it reconnects. Until then, calls fail.
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

// Recover sleeps before a retry if the error is temporary. Otherwise it returns the error.
func Recover(err error) error {
	if !isTemporary(err) {
		return err
	}
	log.Printf("retrying after error: %s", status.Convert(err).Message())
	time.Sleep(retryDelay)
	return nil
}
