package client

import (
	"errors"
	"fmt"
	"log"
	"os"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "openresponses-grpc/openresponses_grpc/v1"
)

// StreamFailedError reports a stream that ended in failure.
type StreamFailedError struct{ Failure *pb.StreamFailure }

func (e *StreamFailedError) Error() string {
	return fmt.Sprintf("the stream failed: %s: %s", e.Failure.GetReason(), e.Failure.GetMessage())
}

// Reason returns the reason of an error from the server, such as STREAM_DIVERGED, or "" if it has none.
func Reason(err error) string {
	info, _ := detail[*errdetails.ErrorInfo](err)
	return info.GetReason()
}

// Fail prints an error and exits: with status 3 if the server returned it or the stream failed, otherwise with 1.
func Fail(err error) {
	var failed *StreamFailedError
	failure, fromCall := status.FromError(err)
	switch {
	case errors.As(err, &failed):
		log.Print(err)
	case fromCall && Reason(err) != "":
		log.Printf("%s: %s", Reason(err), failure.Message())
	case fromCall:
		log.Printf("%s: %s", failure.Code(), failure.Message())
	default:
		log.Fatal(err)
	}
	os.Exit(3)
}

// isTemporary reports whether a retry may succeed.
func isTemporary(err error) bool {
	// A broken connection also results in Unavailable.
	code := status.Code(err)
	_, hasRetryInfo := detail[*errdetails.RetryInfo](err)
	return code == codes.Unavailable || code == codes.Canceled || hasRetryInfo
}

// detail returns the first detail of a given type in an error from the server.
func detail[T any](err error) (found T, ok bool) {
	for _, any := range status.Convert(err).Details() {
		if found, ok = any.(T); ok {
			return found, true
		}
	}
	return found, false
}
