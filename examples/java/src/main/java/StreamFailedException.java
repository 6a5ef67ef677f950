import openresponses_grpc.v1.StreamFailure;

/** The stream ended in failure. */
final class StreamFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  StreamFailedException(StreamFailure failure) {
    super("the stream failed: " + failure.getReason() + ": " + failure.getMessage());
  }
}
