package main

import (
	"cmp"
	"fmt"

	pb "openresponses-grpc/openresponses_grpc/v1"
)

// show prints the text as it streams, each tool call and, at the end, the usage or the reason for a failure.
func show(events []*pb.OpenResponsesStreamEvent) error {
	for _, event := range events {
		switch event := event.Kind.(type) {
		case *pb.OpenResponsesStreamEvent_OutputTextDelta:
			fmt.Print(event.OutputTextDelta.GetDelta())
		case *pb.OpenResponsesStreamEvent_RefusalDelta:
			fmt.Print(event.RefusalDelta.GetDelta())
		case *pb.OpenResponsesStreamEvent_OutputTextDone, *pb.OpenResponsesStreamEvent_RefusalDone:
			fmt.Println()
		case *pb.OpenResponsesStreamEvent_OutputItemDone:
			showCall(event.OutputItemDone.GetItem())
		case *pb.OpenResponsesStreamEvent_Completed:
			showUsage(event.Completed.GetResponse().GetUsage())
		case *pb.OpenResponsesStreamEvent_Incomplete:
			response := event.Incomplete.GetResponse()
			fmt.Println("incomplete:", response.GetIncompleteDetails().GetReason())
			showUsage(response.GetUsage())
		case *pb.OpenResponsesStreamEvent_Failed:
			fmt.Println("failed:", event.Failed.GetResponse().GetError().GetMessage())
		case *pb.OpenResponsesStreamEvent_Error:
			// In OpenAI's API, the message is one level deeper than in OpenRouter's.
			fmt.Println("error:", cmp.Or(event.Error.GetMessage(), event.Error.GetError().GetMessage()))
		}
	}
	return nil
}

// showCall prints the name and the arguments of a tool call. Other items, such as messages, are not calls.
func showCall(item *pb.ResponsesOutputItem) {
	switch item := item.GetKind().(type) {
	case *pb.ResponsesOutputItem_FunctionCall:
		fmt.Printf("function %s(%s)\n", item.FunctionCall.GetName(), item.FunctionCall.GetArguments())
	case *pb.ResponsesOutputItem_CustomToolCall:
		fmt.Printf("custom tool %s(%s)\n", item.CustomToolCall.GetName(), item.CustomToolCall.GetInput())
	case *pb.ResponsesOutputItem_McpCall:
		call := item.McpCall
		fmt.Printf("MCP tool %s.%s(%s)\n", call.GetServerLabel(), call.GetName(), call.GetArguments())
	}
}

// showUsage prints the token counts. They are float64, like all numbers in events.
func showUsage(usage *pb.OpenResponsesUsage) {
	if usage != nil {
		fmt.Printf("%.0f tokens in, %.0f tokens out\n", usage.GetInputTokens(), usage.GetOutputTokens())
	}
}
