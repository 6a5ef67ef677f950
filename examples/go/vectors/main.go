// Decodes each test vector of a folder with protobuf-go and prints the result: go run ./vectors ../../tests/vectors
package main

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	pb "openresponses-grpc/openresponses_grpc/v1"
)

// vector is an event in hexadecimal binary form and in protobuf's text format.
type vector struct{ Hex, Text string }

type result struct {
	Name string `json:"name"`
	Hex  string `json:"hex"`  // the message of the vector's `hex`, serialized again
	Text string `json:"text"` // the message of the vector's `text`, serialized
}

func main() {
	log.SetFlags(0)
	flag.Parse()
	files, err := filepath.Glob(filepath.Join(cmp.Or(flag.Arg(0), "../../tests/vectors"), "*.json"))
	if err != nil {
		log.Fatal(err)
	}
	results := json.NewEncoder(os.Stdout)
	for _, file := range files {
		checked, err := check(file)
		if err != nil {
			log.Fatalf("%s: %v", file, err)
		}
		if err := results.Encode(checked); err != nil {
			log.Fatal(err)
		}
	}
}

// check decodes both forms of the vector in a file and compares the messages.
func check(file string) (*result, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var given vector
	if err := json.Unmarshal(content, &given); err != nil {
		return nil, err
	}
	binary, err := hex.DecodeString(given.Hex)
	if err != nil {
		return nil, err
	}
	var decoded, parsed pb.OpenResponsesStreamEvent
	if err := proto.Unmarshal(binary, &decoded); err != nil {
		return nil, err
	}
	if err := prototext.Unmarshal([]byte(given.Text), &parsed); err != nil {
		return nil, err
	}
	if !proto.Equal(&decoded, &parsed) {
		return nil, fmt.Errorf("hex is %v, text is %v", &decoded, &parsed)
	}
	name := strings.TrimSuffix(filepath.Base(file), ".json")
	return &result{Name: name, Hex: encode(&decoded), Text: encode(&parsed)}, nil
}

func encode(event *pb.OpenResponsesStreamEvent) string {
	binary, err := proto.MarshalOptions{Deterministic: true}.Marshal(event)
	if err != nil {
		log.Fatal(err)
	}
	return hex.EncodeToString(binary)
}
