import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedOutputStream;
import java.io.BufferedWriter;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.util.Iterator;
import openresponses_grpc.v1.OpenResponsesErrorEvent;
import openresponses_grpc.v1.OpenResponsesNonStreamingResponse;
import openresponses_grpc.v1.OpenResponsesStreamEvent;
import openresponses_grpc.v1.OpenResponsesUsage;
import openresponses_grpc.v1.ResponsesOutputItem;

/**
 * Prints a response as it streams: {@code java -cp target/example.jar Subscribe 127.0.0.1:50051 resp_1}. With {@code
 * --events} as the first argument, it writes the events as length-delimited protobuf instead.
 */
final class Subscribe {
  private Subscribe() {}

  public static void main(String[] args) throws IOException {
    Client.exitOnFailure();
    int first = args.length > 0 && args[0].equals("--events") ? 1 : 0;
    Client client = new Client(args.length > first ? args[first] : "127.0.0.1:50051");
    Iterator<OpenResponsesStreamEvent> events =
        new Subscriber(client, args.length > first + 1 ? args[first + 1] : "resp_1");
    // Unlike System.out, a FileOutputStream reports an error if the output pipe is closed.
    try (OutputStream out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out));
        Writer text = new BufferedWriter(new OutputStreamWriter(out, UTF_8))) {
      while (events.hasNext()) {
        if (first == 1) {
          events.next().writeDelimitedTo(out);
          out.flush();
        } else {
          print(events.next(), text);
          text.flush();
        }
      }
    }
  }

  /** Prints the text as it streams, each tool call, the outcome and the usage. */
  private static void print(OpenResponsesStreamEvent event, Writer out) throws IOException {
    switch (event.getKindCase()) {
      case OUTPUT_TEXT_DELTA -> out.append(event.getOutputTextDelta().getDelta());
      case REFUSAL_DELTA -> out.append(event.getRefusalDelta().getDelta());
      case OUTPUT_TEXT_DONE, REFUSAL_DONE -> out.append('\n');
      case OUTPUT_ITEM_DONE -> printCall(event.getOutputItemDone().getItem(), out);
      case COMPLETED -> printUsage(event.getCompleted().getResponse(), out);
      case INCOMPLETE -> {
        printFailure(event.getIncomplete().getResponse().getIncompleteDetails().getReason(), out);
        printUsage(event.getIncomplete().getResponse(), out);
      }
      case FAILED -> printFailure(event.getFailed().getResponse().getError().getMessage(), out);
      case ERROR -> {
        OpenResponsesErrorEvent error = event.getError();
        // OpenAI's API nests the error; OpenRouter's does not.
        printFailure(error.hasError() ? error.getError().getMessage() : error.getMessage(), out);
      }
      default -> {} // progress, reasoning, images, and unrecognized events
    }
  }

  /** Prints the name and the arguments of a tool call. Other items, such as messages, are not calls. */
  private static void printCall(ResponsesOutputItem item, Writer out) throws IOException {
    switch (item.getKindCase()) {
      case FUNCTION_CALL -> printCall(item.getFunctionCall().getName(), item.getFunctionCall().getArguments(), out);
      case MCP_CALL -> printCall(item.getMcpCall().getName(), item.getMcpCall().getArguments(), out);
      case CUSTOM_TOOL_CALL -> printCall(item.getCustomToolCall().getName(), item.getCustomToolCall().getInput(), out);
      default -> {}
    }
  }

  private static void printCall(String name, String arguments, Writer out) throws IOException {
    out.append("call: ").append(name).append(' ').append(arguments).append('\n');
  }

  private static void printFailure(String reason, Writer out) throws IOException {
    out.append("\nThe response is not complete: ").append(reason).append('\n');
  }

  private static void printUsage(OpenResponsesNonStreamingResponse response, Writer out) throws IOException {
    if (!response.hasUsage()) return; // some servers send `"usage": null`
    OpenResponsesUsage usage = response.getUsage();
    long input = (long) usage.getInputTokens(), output = (long) usage.getOutputTokens();
    out.append("usage: " + input + " tokens in, " + output + " out\n");
  }
}
