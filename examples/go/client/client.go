// Package client connects to a server, and tells errors that a retry heals from final ones.
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

// MaxMessageBytes is the server's default limit. An event may be larger than gRPC's own default, 4 MiB.
const MaxMessageBytes = 64 << 20

const retryDelay = 500 * time.Millisecond

// Connect returns a client of the server at an address. Its connection lasts as long as the program.
func Connect(address string) (pb.OpenResponsesStreamServiceClient, error) {
	connection, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessageBytes)),
		// Pings detect a server that disappeared without closing the connection.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
		// By default gRPC waits for up to two minutes before it reconnects, and calls fail until then.
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

// Recover waits before the next attempt if the error is temporary. It returns any other error.
func Recover(err error) error {
	if !isTemporary(err) {
		return err
	}
	log.Printf("trying again after: %s", status.Convert(err).Message())
	time.Sleep(retryDelay)
	return nil
}
