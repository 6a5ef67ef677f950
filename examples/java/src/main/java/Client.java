import static java.util.concurrent.TimeUnit.SECONDS;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.nio.channels.ClosedChannelException;
import java.util.Optional;
import openresponses_grpc.v1.OpenResponsesStreamServiceGrpc;
import openresponses_grpc.v1.OpenResponsesStreamServiceGrpc.OpenResponsesStreamServiceBlockingStub;
import openresponses_grpc.v1.OpenResponsesStreamServiceGrpc.OpenResponsesStreamServiceStub;

/** Connects to a server and decides whether to retry failed calls. */
final class Client {
  private final ManagedChannel channel;

  Client(String server) {
    channel =
        Grpc.newChannelBuilder(server, InsecureChannelCredentials.create())
            // Pings detect a server that disappeared without closing the connection.
            .keepAliveTime(20, SECONDS)
            .keepAliveTimeout(10, SECONDS)
            // Events may be larger than gRPC's default limit of 4 MiB.
            .maxInboundMessageSize(Integer.MAX_VALUE)
            .build();
  }

  /** Returns a stub whose calls block until the server replies. */
  OpenResponsesStreamServiceBlockingStub blocking() {
    return OpenResponsesStreamServiceGrpc.newBlockingStub(channel);
  }

  /** Returns a stub whose calls pass each reply to an observer. */
  OpenResponsesStreamServiceStub async() {
    return OpenResponsesStreamServiceGrpc.newStub(channel);
  }

  /** Sleeps before a retry if the error is temporary. Otherwise throws the error. */
  void recover(StatusRuntimeException error) {
    if (!isTransient(error)) throw error;
    String cause = error.getCause() == null ? "" : " (" + error.getCause() + ")";
    System.err.println("retrying after error: " + error.getMessage() + cause);
    try {
      Thread.sleep(500);
    } catch (InterruptedException interrupted) {
      throw Status.CANCELLED.withCause(interrupted).asRuntimeException();
    }
    // Otherwise the channel waits longer after each attempt, and calls fail in the meantime.
    channel.resetConnectBackoff();
  }

  private static boolean isTransient(StatusRuntimeException error) {
    Code code = error.getStatus().getCode();
    return code == Code.UNAVAILABLE
        || code == Code.CANCELLED
        // A call that starts just as its connection breaks fails with UNKNOWN.
        || error.getCause() instanceof ClosedChannelException
        || detail(error, RetryInfo.class).isPresent();
  }

  /** Returns the reason of an error, such as {@code STREAM_DIVERGED}, or the name of its code if it has none. */
  static String reason(StatusRuntimeException error) {
    return detail(error, ErrorInfo.class).map(ErrorInfo::getReason).orElse(error.getStatus().getCode().name());
  }

  private static <T extends Message> Optional<T> detail(StatusRuntimeException error, Class<T> type) {
    for (Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
      try {
        if (detail.is(type)) return Optional.of(detail.unpack(type));
      } catch (InvalidProtocolBufferException malformed) {
        return Optional.empty();
      }
    }
    return Optional.empty();
  }

  /**
   * Makes the program print the error and exit if any thread fails, with status 3 if the server returned the error or
   * the stream failed, otherwise with 1.
   */
  static void exitOnFailure() {
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, failure) -> {
          int status = 3;
          if (failure instanceof StatusRuntimeException error)
            System.err.println(reason(error) + ": " + error.getStatus().getDescription());
          else if (failure instanceof StreamFailedException) System.err.println(failure.getMessage());
          else {
            System.err.println(failure);
            status = 1;
          }
          System.exit(status);
        });
  }
}
