import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.OneofDescriptor;
import com.google.protobuf.Message;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import openresponses.v1.AnnotationsProto;
import openresponses.v1.OpenResponsesStreamEvent;
import openresponses.v1.UnrecognizedEvent;

/** Turns messages into the SDK's JSON and back, led by the descriptors: no event is named here. */
final class Event {
  private static final OneofDescriptor EVENT = OpenResponsesStreamEvent.getDescriptor().getRealOneofs().get(0);

  /** The arms of the events that the contract models, by their type. */
  private static final Map<String, FieldDescriptor> ARMS = new HashMap<>();

  static {
    for (FieldDescriptor arm : EVENT.getFields()) {
      if (arm.getMessageType().getOptions().hasExtension(AnnotationsProto.eventType)) ARMS.put(type(arm), arm);
    }
  }

  private Event() {}

  private static String type(FieldDescriptor arm) {
    return arm.getMessageType().getOptions().getExtension(AnnotationsProto.eventType);
  }

  /** The event as JSON text: the SDK's properties, and behind them those that the contract does not name. */
  static String toJson(OpenResponsesStreamEvent event) {
    FieldDescriptor arm = event.getOneofFieldDescriptor(EVENT);
    if (arm == null) throw new IllegalArgumentException("an event of a newer contract");
    if (event.hasUnrecognized()) return event.getUnrecognized().getJson();
    Message message = (Message) event.getField(arm);
    return Json.write(
        json -> {
          json.writeStringProperty("type", type(arm));
          for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
            String name = field.getJsonName();
            if (!message.hasField(field)) throw new IllegalArgumentException(type(arm) + ": " + name + " is missing");
            Object value = message.getField(field);
            json.writeName(name);
            if (value instanceof String string) json.writeString(string);
            else json.writeRawValue(value instanceof Double number ? Json.number(number) : value.toString());
          }
          // As text: to parse it would cost, and to write it again would spell it otherwise.
          String object = event.getExtraJson().strip();
          String extra = object.isEmpty() ? "" : object.substring(1, object.length() - 1).strip();
          if (!extra.isEmpty()) json.writeRaw("," + extra);
        });
  }

  /** The event that a text of the SDK's JSON describes; one that fits no message is carried as it is. */
  static OpenResponsesStreamEvent fromJson(String json) {
    Map<String, Json.Property> properties = Json.read(json);
    Json.Property property = properties.remove("type");
    if (property == null || !(property.value() instanceof String type)) {
      throw new IllegalArgumentException("no event: " + json);
    }
    OpenResponsesStreamEvent.Builder event = OpenResponsesStreamEvent.newBuilder();
    FieldDescriptor arm = ARMS.get(type);
    List<FieldDescriptor> fields = arm == null ? List.of() : arm.getMessageType().getFields();
    if (arm == null
        || !fields.stream().allMatch(field -> fits(field, properties))
        || !properties.keySet().stream().allMatch(Json::isUnicode)) {
      return event.setUnrecognized(UnrecognizedEvent.newBuilder().setType(type).setJson(json)).build();
    }
    Message.Builder message = event.newBuilderForField(arm);
    for (FieldDescriptor field : fields) message.setField(field, properties.remove(field.getJsonName()).value());
    event.setField(arm, message.build());
    if (!properties.isEmpty()) {
      event.setExtraJson(
          Json.write(extra -> properties.forEach((name, value) -> extra.writeName(name).writeRawValue(value.text()))));
    }
    return event.build();
  }

  /** Whether a property is there, in one spelling, with a value that its field holds. */
  private static boolean fits(FieldDescriptor field, Map<String, Json.Property> properties) {
    String name = field.getJsonName();
    if (!field.getName().equals(name) && properties.containsKey(field.getName())) return false;
    Object value = properties.containsKey(name) ? properties.get(name).value() : null;
    return switch (field.getJavaType()) {
      case STRING -> value instanceof String;
      case DOUBLE -> value instanceof Double;
      case BOOLEAN -> value instanceof Boolean;
      default -> false;
    };
  }
}
