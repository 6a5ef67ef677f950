import static java.nio.charset.StandardCharsets.UTF_8;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.BufferedWriter;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.util.Iterator;
import openresponses.v1.OpenResponsesStreamEvent;
import openresponses.v1.SubscribeRequest;
import openresponses.v1.SubscribeResponse;

/** Prints a stream's events as the SDK's JSON: {@code java -cp target/example.jar Subscribe 127.0.0.1:50051 resp_1} */
final class Subscribe {
  private Subscribe() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    Client.exitOnFailure();
    Client client = new Client(args.length > 0 ? args[0] : "127.0.0.1:50051");
    String streamId = args.length > 1 ? args[1] : "resp_1";
    // Not System.out, which keeps to itself that nobody reads any more.
    try (Writer out = new BufferedWriter(new OutputStreamWriter(new FileOutputStream(FileDescriptor.out), UTF_8))) {
      subscribe(client, streamId, out);
    }
  }

  /** Prints every event of a stream once and in order, over as many connections as it takes. */
  private static void subscribe(Client client, String streamId, Writer out) throws IOException, InterruptedException {
    SubscribeRequest.Builder request = SubscribeRequest.newBuilder().setStreamId(streamId);
    long offset = 0;
    while (true) {
      try {
        Iterator<SubscribeResponse> responses = client.blocking().subscribe(request.setStartOffset(offset).build());
        while (responses.hasNext()) {
          SubscribeResponse response = responses.next();
          if (response.getFirstOffset() != offset) {
            String jump = Long.toUnsignedString(response.getFirstOffset()) + " instead of " + offset;
            throw Status.DATA_LOSS.withDescription("offset " + jump).asRuntimeException();
          }
          if (response.getEpoch() != 0) request.setEpoch(response.getEpoch()); // 0: nobody has published yet
          for (OpenResponsesStreamEvent event : response.getEventsList()) {
            out.append(Event.toJson(event)).append('\n');
            offset++;
          }
          out.flush();
          if (response.getEndOfStream()) return;
        }
      } catch (StatusRuntimeException error) {
        client.recover(error);
      }
    }
  }
}
