// Prints what these programs make of each of the vectors in a folder: go run ./vectors ../../tests/vectors
package main

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"flag"
	"log"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"

	"openresponses-grpc-example/event"
	pb "openresponses-grpc/openresponses/v1"
)

type vector struct{ CamelCase, Hex string }

type result struct {
	Name string `json:"name"`
	Hex  string `json:"hex"`
	JSON string `json:"json"`
	Read string `json:"read"`
}

func main() {
	log.SetFlags(0)
	flag.Parse()
	folder := cmp.Or(flag.Arg(0), "../../tests/vectors")
	files, err := os.ReadDir(folder)
	if err != nil {
		log.Fatal(err)
	}
	results := json.NewEncoder(os.Stdout)
	for _, file := range files {
		name, ok := strings.CutSuffix(file.Name(), ".json")
		if !ok {
			continue
		}
		checked, err := check(name, filepath.Join(folder, file.Name()))
		if err != nil {
			log.Fatalf("%s: %v", name, err)
		}
		if err := results.Encode(checked); err != nil {
			log.Fatal(err)
		}
	}
}

// check decodes, encodes, prints and reads the vector in a file.
func check(name, file string) (*result, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var given vector
	if err := json.Unmarshal(text, &given); err != nil {
		return nil, err
	}
	binary, err := hex.DecodeString(given.Hex)
	if err != nil {
		return nil, err
	}
	var decoded pb.OpenResponsesStreamEvent
	if err := proto.Unmarshal(binary, &decoded); err != nil {
		return nil, err
	}
	encoded, err := proto.Marshal(&decoded)
	if err != nil {
		return nil, err
	}
	printed, err := event.ToJSON(&decoded)
	if err != nil {
		return nil, err
	}
	read, err := event.FromJSON(given.CamelCase)
	if err != nil {
		return nil, err
	}
	readEncoded, err := proto.Marshal(read)
	if err != nil {
		return nil, err
	}
	return &result{
		Name: name,
		Hex:  hex.EncodeToString(encoded),
		JSON: printed,
		Read: hex.EncodeToString(readEncoded),
	}, nil
}
