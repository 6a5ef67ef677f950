import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.TextFormat;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import openresponses_grpc.v1.OpenResponsesStreamEvent;

/** Decodes and encodes each test vector of a folder: {@code java -cp target/example.jar Vectors ../../tests/vectors} */
final class Vectors {
  private Vectors() {}

  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args.length > 0 ? args[0] : "../../tests/vectors");
    PrintStream out = new PrintStream(System.out, true, UTF_8); // in all locales
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.json")) {
      for (Path file : files) out.println(line(file));
    }
  }

  private static JsonObject line(Path file) throws IOException {
    JsonObject vector = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
    byte[] bytes = HexFormat.of().parseHex(vector.get("hex").getAsString());
    OpenResponsesStreamEvent decoded = OpenResponsesStreamEvent.parseFrom(bytes);
    OpenResponsesStreamEvent read = TextFormat.parse(vector.get("text").getAsString(), OpenResponsesStreamEvent.class);
    String name = file.getFileName().toString().replaceFirst("\\.json$", "");
    if (!read.equals(decoded)) throw new IllegalStateException(name + ": hex and text are different messages");
    JsonObject line = new JsonObject();
    line.addProperty("name", name);
    line.addProperty("hex", hex(decoded));
    line.addProperty("text", hex(read));
    return line;
  }

  /** Serializes a message. The result is deterministic, because the contract has no map fields. */
  private static String hex(OpenResponsesStreamEvent event) {
    return HexFormat.of().formatHex(event.toByteArray());
  }
}
