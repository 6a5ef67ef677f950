import java.io.IOException;
import java.io.UncheckedIOException;
import openresponses_grpc.v1.OpenResponsesStreamEvent;

/**
 * Publishes length-delimited protobuf from standard input as a stream: {@code openresponses convert events.ndjson |
 * java -cp target/example.jar Publish 127.0.0.1:50051 resp_1}
 */
final class Publish {
  private Publish() {}

  public static void main(String[] args) {
    Client.exitOnFailure();
    Client client = new Client(args.length > 0 ? args[0] : "127.0.0.1:50051");
    Publisher publisher = new Publisher(client, args.length > 1 ? args[1] : "resp_1");
    Thread reader = new Thread(() -> publishInput(publisher), "reader");
    reader.setDaemon(true);
    reader.start();
    publisher.run();
  }

  private static void publishInput(Publisher publisher) {
    try {
      OpenResponsesStreamEvent event;
      while ((event = OpenResponsesStreamEvent.parseDelimitedFrom(System.in)) != null) publisher.send(event);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    publisher.end();
  }
}
