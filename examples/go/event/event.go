// Package event turns messages into the SDK's JSON and back, led by the descriptors: no event is named here.
package event

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "openresponses-grpc/openresponses/v1"
)

var (
	oneof = (*pb.OpenResponsesStreamEvent)(nil).ProtoReflect().Descriptor().Oneofs().ByName("event")
	// The arms of the oneof that model an event, by its type.
	arms = armsByType()
)

func armsByType() map[string]protoreflect.FieldDescriptor {
	arms := map[string]protoreflect.FieldDescriptor{}
	for i := range oneof.Fields().Len() {
		if arm := oneof.Fields().Get(i); proto.HasExtension(arm.Message().Options(), pb.E_EventType) {
			arms[typeOf(arm)] = arm
		}
	}
	return arms
}

// typeOf returns the value of the JSON property `type` of the events that an arm models.
func typeOf(arm protoreflect.FieldDescriptor) string {
	return proto.GetExtension(arm.Message().Options(), pb.E_EventType).(string)
}

// ToJSON returns an event as JSON text: the SDK's properties, and behind them those that the contract does not name.
func ToJSON(event *pb.OpenResponsesStreamEvent) (string, error) {
	if unrecognized := event.GetUnrecognized(); unrecognized != nil {
		return unrecognized.GetJson(), nil
	}
	arm := event.ProtoReflect().WhichOneof(oneof)
	if arm == nil {
		return "", errors.New("an event of a newer contract")
	}
	properties := []string{`"type":` + quote(typeOf(arm))}
	message := event.ProtoReflect().Get(arm).Message()
	fields := message.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if !message.Has(field) {
			return "", fmt.Errorf("%s: %s is missing", typeOf(arm), field.JSONName())
		}
		value, err := format(message.Get(field))
		if err != nil {
			return "", fmt.Errorf("%s: %s: %w", typeOf(arm), field.JSONName(), err)
		}
		properties = append(properties, quote(field.JSONName())+":"+value)
	}
	// As text: to parse it would round large numbers.
	extra := strings.TrimPrefix(strings.TrimSpace(event.GetExtraJson()), "{")
	if extra = strings.TrimSpace(strings.TrimSuffix(extra, "}")); extra != "" {
		properties = append(properties, extra)
	}
	return "{" + strings.Join(properties, ",") + "}", nil
}

// FromJSON returns the event that a text of the SDK's JSON describes; one that fits no message is carried as it is.
func FromJSON(text string) (*pb.OpenResponsesStreamEvent, error) {
	properties, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("no event: %w", err)
	}
	name, ok := parseAs(protoreflect.StringKind, properties.values["type"])
	if !ok {
		return nil, errors.New("no event: there is no type that is a string")
	}
	if arm, ok := arms[name.String()]; ok {
		if event, ok := modelled(arm, properties); ok {
			return event, nil
		}
	}
	return &pb.OpenResponsesStreamEvent{Event: &pb.OpenResponsesStreamEvent_Unrecognized{
		Unrecognized: &pb.UnrecognizedEvent{Type: name.String(), Json: text},
	}}, nil
}

// modelled returns the event of an arm, and whether the properties fit it. It deletes those that a field holds.
func modelled(arm protoreflect.FieldDescriptor, properties *object) (*pb.OpenResponsesStreamEvent, bool) {
	event := &pb.OpenResponsesStreamEvent{}
	message := event.ProtoReflect().Mutable(arm).Message()
	fields := message.Descriptor().Fields()
	delete(properties.values, "type")
	for i := range fields.Len() {
		field := fields.Get(i)
		value, fits := parseAs(field.Kind(), properties.values[field.JSONName()])
		if !fits {
			return nil, false
		}
		message.Set(field, value)
		delete(properties.values, field.JSONName())
		if _, both := properties.values[string(field.Name())]; both {
			return nil, false // one spelling too many
		}
	}
	if extra := properties.String(); extra != "{}" {
		event.ExtraJson = &extra
	}
	return event, true
}
