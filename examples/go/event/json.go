package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// object is a JSON object whose properties keep their order, and their values the way they are spelled.
type object struct {
	names  []string
	values map[string]json.RawMessage
}

// parse reads a text that is one JSON object. Of properties of one name the last one counts.
func parse(text string) (*object, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("not UTF-8")
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	if start, err := decoder.Token(); err != nil {
		return nil, err
	} else if start != json.Delim('{') {
		return nil, errors.New("no JSON object")
	}
	properties := &object{values: map[string]json.RawMessage{}}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		properties.set(name.(string), value)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("more than a JSON object")
	}
	return properties, nil
}

// set keeps the place of a name that is there already.
func (o *object) set(name string, value json.RawMessage) {
	if _, again := o.values[name]; !again {
		o.names = append(o.names, name)
	}
	o.values[name] = value
}

// String returns the JSON of the properties that have not been deleted from values.
func (o *object) String() string {
	var properties []string
	for _, name := range o.names {
		if value, ok := o.values[name]; ok {
			properties = append(properties, quote(name)+":"+string(value))
		}
	}
	return "{" + strings.Join(properties, ",") + "}"
}

// parseAs returns the value for a field of a kind, and whether the text is one.
func parseAs(kind protoreflect.Kind, text json.RawMessage) (protoreflect.Value, bool) {
	var value any
	if json.Unmarshal(text, &value) != nil {
		return protoreflect.Value{}, false // missing, or a number that no double holds
	}
	switch value := value.(type) {
	case string:
		return protoreflect.ValueOfString(value), kind == protoreflect.StringKind
	case float64:
		return protoreflect.ValueOfFloat64(value), kind == protoreflect.DoubleKind
	case bool:
		return protoreflect.ValueOfBool(value), kind == protoreflect.BoolKind
	default:
		return protoreflect.Value{}, false
	}
}

// format returns the JSON of a field's value, as JSON.stringify writes it.
func format(value protoreflect.Value) (string, error) {
	switch value := value.Interface().(type) {
	case string:
		return quote(value), nil
	case float64:
		if value == 0 {
			value = 0 // -0 is written without its sign
		}
		text, err := json.Marshal(value) // the numbers of encoding/json are ECMAScript's
		return string(text), err
	case bool:
		return fmt.Sprint(value), nil
	default:
		return "", fmt.Errorf("no JSON is known for %T", value)
	}
}

var escapes = newEscapes()

// newEscapes returns what escapes the characters that JSON.stringify escapes: encoding/json has more, U+2028 for one.
func newEscapes() *strings.Replacer {
	pairs := []string{`"`, `\"`, `\`, `\\`, "\b", `\b`, "\f", `\f`, "\n", `\n`, "\r", `\r`, "\t", `\t`}
	for control := range 0x20 { // what has a pair already keeps the first
		pairs = append(pairs, string(rune(control)), fmt.Sprintf(`\u%04x`, control))
	}
	return strings.NewReplacer(pairs...)
}

func quote(text string) string {
	return `"` + escapes.Replace(text) + `"`
}
