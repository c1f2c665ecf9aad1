package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/assay-iot/assay/harness/checks"
)

// The reference in the tree is the one that the code gives.
func TestReferenceIsUpToDate(t *testing.T) {
	var got bytes.Buffer
	write(&got)
	want, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("docs/reference.md is not up to date; run make docs and read the diff")
	}
	for _, c := range checks.All() {
		if !strings.Contains(got.String(), "`"+c.ID+"`") {
			t.Errorf("%s is missing", c.ID)
		}
	}
}
