import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import openresponses.v1.OpenResponsesStreamEvent;

/** Prints what these programs make of each of the vectors in a folder: {@code java -cp target/example.jar Vectors} */
final class Vectors {
  private Vectors() {}

  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args.length > 0 ? args[0] : "../../tests/vectors");
    PrintStream out = new PrintStream(System.out, true, UTF_8); // whatever the locale says
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.json")) {
      for (Path file : files) out.println(line(file));
    }
  }

  private static String line(Path file) throws IOException {
    Map<String, Json.Property> vector = Json.read(Files.readString(file));
    byte[] bytes = HexFormat.of().parseHex((String) vector.get("hex").value());
    OpenResponsesStreamEvent event = OpenResponsesStreamEvent.parseFrom(bytes);
    OpenResponsesStreamEvent read = Event.fromJson((String) vector.get("camelCase").value());
    String name = file.getFileName().toString().replaceFirst("\\.json$", "");
    return Json.write(
        json ->
            json.writeStringProperty("name", name)
                .writeStringProperty("hex", hex(event))
                .writeStringProperty("json", Event.toJson(event))
                .writeStringProperty("read", hex(read)));
  }

  private static String hex(OpenResponsesStreamEvent event) {
    return HexFormat.of().formatHex(event.toByteArray());
  }
}
