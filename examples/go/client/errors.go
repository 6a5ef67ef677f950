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

// StreamFailedError reports a stream that ended before its response was complete.
type StreamFailedError struct{ Failure *pb.StreamFailure }

func (e *StreamFailedError) Error() string {
	return fmt.Sprintf("the stream failed: %s: %s", e.Failure.GetReason(), e.Failure.GetMessage())
}

// Reason returns the reason of a server's error, such as STREAM_DIVERGED; "" if the server gave none.
func Reason(err error) string {
	info, _ := detail[*errdetails.ErrorInfo](err)
	return info.GetReason()
}

// Fail prints an error and ends the program: with status 3 if the server refused or the stream failed, else with 1.
func Fail(err error) {
	var failed *StreamFailedError
	reason, refused := status.FromError(err)
	switch {
	case errors.As(err, &failed):
		log.Print(err)
	case refused && Reason(err) != "":
		log.Printf("%s: %s", Reason(err), reason.Message())
	case refused:
		log.Printf("%s: %s", reason.Code(), reason.Message())
	default:
		log.Fatal(err)
	}
	os.Exit(3)
}

// isTemporary reports whether a retry can heal the error.
func isTemporary(err error) bool {
	// A broken connection is Unavailable, too.
	code := status.Code(err)
	_, asked := detail[*errdetails.RetryInfo](err)
	return code == codes.Unavailable || code == codes.Canceled || asked
}

// detail returns the first detail of a type that a server's error carries.
func detail[T any](err error) (found T, ok bool) {
	for _, any := range status.Convert(err).Details() {
		if found, ok = any.(T); ok {
			return found, true
		}
	}
	return found, false
}
