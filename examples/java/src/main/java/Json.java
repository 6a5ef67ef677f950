import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.StringWriter;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.io.NumberOutput;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonWriteFeature;

/** Reads and writes JSON objects as JavaScript does, but keeps the text of each value. */
final class Json {
  private static final JsonFactory FACTORY =
      JsonFactory.builder().disable(JsonWriteFeature.WRITE_HEX_UPPER_CASE).build();

  private Json() {}

  /** The value of a property: a String, a finite Double, a Boolean, or null for anything else; and its text. */
  record Property(Object value, String text) {}

  /** The properties of an object, of which the last of each name counts. */
  static Map<String, Property> read(String json) {
    Map<String, Property> properties = new LinkedHashMap<>();
    try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) throw new IllegalArgumentException("no JSON object: " + json);
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        long start = parser.currentTokenLocation().getCharOffset();
        Object value = value(parser);
        parser.skipChildren();
        long end = parser.currentLocation().getCharOffset();
        properties.put(name, new Property(value, json.substring((int) start, (int) end)));
      }
      if (parser.nextToken() != null) throw new IllegalArgumentException("more than a JSON object: " + json);
    } catch (JacksonException error) {
      throw new IllegalArgumentException("no JSON: " + error.getOriginalMessage(), error);
    }
    return properties;
  }

  private static Object value(JsonParser parser) {
    switch (parser.currentToken()) {
      case VALUE_STRING:
        String string = parser.getString();
        return isUnicode(string) ? string : null;
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT:
        double number = Double.parseDouble(parser.getString());
        return Double.isFinite(number) ? number : null;
      case VALUE_TRUE, VALUE_FALSE:
        return parser.getBooleanValue();
      default:
        return null;
    }
  }

  /** Whether a text has no half of a surrogate pair, which UTF-8 cannot hold. */
  static boolean isUnicode(String text) {
    return UTF_8.newEncoder().canEncode(text);
  }

  /** The text of an object with the properties that are written into it. */
  static String write(Consumer<JsonGenerator> properties) {
    StringWriter json = new StringWriter();
    try (JsonGenerator generator = FACTORY.createGenerator(ObjectWriteContext.empty(), json)) {
      generator.writeStartObject();
      properties.accept(generator);
      generator.writeEndObject();
    }
    return json.toString();
  }

  /** The text of a number, which has the fewest digits that tell it from others. */
  static String number(double value) {
    if (!Double.isFinite(value)) return "null";
    // Jackson finds them, as Java itself does from 19 on, but no less than two: 4.9E-324.
    BigDecimal digits = new BigDecimal(NumberOutput.toString(value, true));
    BigDecimal digit = digits.round(new MathContext(1));
    digits = (digit.doubleValue() == value ? digit : digits).stripTrailingZeros();
    int exponent = digits.precision() - digits.scale() - 1;
    return -7 < exponent && exponent < 21 ? digits.toPlainString() : digits.toString().toLowerCase(Locale.ROOT);
  }
}
