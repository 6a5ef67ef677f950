import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.InputStreamReader;

/** Publishes lines of the SDK's JSON as a stream: {@code java -cp target/example.jar Publish 127.0.0.1:50051 resp_1} */
final class Publish {
  private Publish() {}

  public static void main(String[] args) throws InterruptedException {
    Client.exitOnFailure();
    Client client = new Client(args.length > 0 ? args[0] : "127.0.0.1:50051");
    Publisher publisher = new Publisher(client, args.length > 1 ? args[1] : "resp_1");
    Thread reader = new Thread(() -> publishLines(publisher), "reader");
    reader.setDaemon(true);
    reader.start();
    publisher.run();
  }

  private static void publishLines(Publisher publisher) {
    // A decoder refuses what is no UTF-8; a charset would replace it.
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, UTF_8.newDecoder()));
    lines.lines().map(Event::fromJson).forEach(publisher::send);
    publisher.end();
  }
}
