import static java.util.concurrent.TimeUnit.SECONDS;

import com.google.rpc.RetryInfo;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.nio.channels.ClosedChannelException;
import openresponses.v1.OpenResponsesStreamServiceGrpc;
import openresponses.v1.OpenResponsesStreamServiceGrpc.OpenResponsesStreamServiceBlockingStub;
import openresponses.v1.OpenResponsesStreamServiceGrpc.OpenResponsesStreamServiceStub;

/** The connection to a server, and what becomes of it when it breaks. */
final class Client {
  private final ManagedChannel channel;

  Client(String server) {
    channel =
        Grpc.newChannelBuilder(server, InsecureChannelCredentials.create())
            // The pings notice a server that is gone without a word.
            .keepAliveTime(20, SECONDS)
            .keepAliveTimeout(10, SECONDS)
            // An event may be larger than the 4 MiB that gRPC takes by default.
            .maxInboundMessageSize(Integer.MAX_VALUE)
            .build();
  }

  /** A stub whose calls wait for what the server says. */
  OpenResponsesStreamServiceBlockingStub blocking() {
    return OpenResponsesStreamServiceGrpc.newBlockingStub(channel);
  }

  /** A stub whose calls tell an observer what the server says. */
  OpenResponsesStreamServiceStub async() {
    return OpenResponsesStreamServiceGrpc.newStub(channel);
  }

  /** Waits for the next attempt after a call that broke; throws an error that another attempt does not heal. */
  void recover(StatusRuntimeException error) throws InterruptedException {
    if (!heals(error)) throw error;
    String cause = error.getCause() == null ? "" : " (" + error.getCause() + ")";
    System.err.println("trying again after: " + error.getMessage() + cause);
    Thread.sleep(500);
    // Else the channel waits for ever longer, and fails all calls meanwhile.
    channel.resetConnectBackoff();
  }

  private static boolean heals(StatusRuntimeException error) {
    Code code = error.getStatus().getCode();
    return code == Code.UNAVAILABLE
        || code == Code.CANCELLED
        // What gRPC says of a call over a connection that has just broken is UNKNOWN.
        || error.getCause() instanceof ClosedChannelException
        || StatusProto.fromThrowable(error).getDetailsList().stream().anyMatch(detail -> detail.is(RetryInfo.class));
  }

  /** Lets a failure in any thread end the program, with a line that says why. */
  static void exitOnFailure() {
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, failure) -> {
          System.err.println(failure);
          System.exit(1);
        });
  }
}
